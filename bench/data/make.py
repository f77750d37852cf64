"""Makes the data sets of the side-by-side benchmarks, always the same bytes in the columns, and prints what is in them.

    python bench/data/make.py FOLDER [NAME ...]

Writes FOLDER/<name>.parquet, .orc, .avro or .tfrecord when it is not there yet and prints one JSON object: name -> {rows, valid, sum}.
"""

import json
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent.parent / "engines"))
from checksum import checksum  # noqa: E402
from orc_avro import avro_files, orc_files, write_avro, write_orc  # noqa: E402


def lineitem() -> pa.Table:
    """The first 1,000,000 rows of TPC-H lineitem at scale factor 1."""
    program = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
    with tempfile.TemporaryDirectory() as folder:
        command = [str(program), "parquet", "-s", "1", "--tables=lineitem", "--parts=5", "--part=1", f"--output-dir={folder}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (file,) = Path(folder).rglob("*.parquet")
        table = pq.read_table(file).slice(0, 1_000_000)
    plain = [f.with_type(pa.string()) if pa.types.is_string_view(f.type) else f for f in table.schema]
    return table.cast(pa.schema(plain)).combine_chunks()


def criteo() -> pa.Table:
    """500,000 rows: 13 nullable integers, 26 nullable hexadecimal strings of cardinality 10 to 100,000."""
    random = np.random.default_rng(1)
    rows = 500_000
    columns = {}
    for i in range(13):
        values = np.minimum(random.exponential(100 * (i + 1), rows), 2**30).astype(np.int32)
        columns[f"I{i + 1}"] = pa.array(values, mask=random.random(rows) < 0.03 * i)
    for i in range(26):
        cardinality = int(10 ** (1 + 4 * i / 25))
        words = np.array([f"{word:08x}" for word in random.integers(0, 2**32, cardinality)])
        # Squaring makes some values frequent, as they are in click logs.
        picks = (random.random(rows) ** 2 * cardinality).astype(np.int64)
        columns[f"C{i + 1}"] = pa.array(words[picks], pa.string(), mask=random.random(rows) < 0.01 * i)
    return pa.table(columns)


def features() -> pa.Table:
    """200,000 rows: 100 float32 and a label."""
    random = np.random.default_rng(2)
    rows = 200_000
    columns = {f"f{i}": random.random(rows, np.float32) for i in range(100)}
    columns["label"] = random.integers(0, 10, rows).astype(np.int32)
    return pa.table(columns)


def tokens() -> pa.Table:
    """20,000 rows of 2,048 token ids."""
    random = np.random.default_rng(3)
    rows, length = 20_000, 2048
    ids = np.minimum(random.zipf(1.2, rows * length), 50_000).astype(np.int32)
    offsets = np.arange(rows + 1, dtype=np.int32) * length
    return pa.table({"tokens": pa.ListArray.from_arrays(offsets, ids)})


def images() -> pa.Table:
    """3,000 blobs of 20 to 100 KB and a label."""
    random = np.random.default_rng(4)
    rows = 3_000
    blobs = [random.bytes(int(size)) for size in random.integers(20_000, 100_000, rows)]
    return pa.table({"image": pa.array(blobs, pa.binary()), "label": random.integers(0, 1000, rows)})


def write_parquet(table: pa.Table, path: Path, compression: str) -> None:
    # Row groups as people write them for training, else pyarrow's default (1,048,576 rows).
    rows = 25_000 if "-groups-" in path.name else None
    pq.write_table(table, path, compression=compression, row_group_size=rows)


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def message(number: int, payload: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def feature(name: str, kind: int, payload: bytes) -> bytes:
    """One entry of Features.feature: kind 1 is bytes_list, 2 float_list, 3 int64_list."""
    return message(1, message(1, name.encode()) + message(2, message(kind, payload)))


def write_examples(records, path: Path) -> None:
    import tensorflow as tf  # slow to load, and only needed here

    with tf.io.TFRecordWriter(str(path)) as writer:
        for features_of_record in records:
            writer.write(message(1, features_of_record))


def features_examples(table: pa.Table):
    """x: 100 floats, label: one integer."""
    x = np.stack([table[f"f{i}"].to_numpy() for i in range(100)], axis=1).astype("<f4")
    for row, label in zip(x, table["label"].to_pylist()):
        yield feature("label", 3, message(1, varint(label))) + feature("x", 2, message(1, row.tobytes()))


def images_examples(table: pa.Table):
    for image, label in zip(table["image"].to_pylist(), table["label"].to_pylist()):
        yield feature("image", 1, message(1, image)) + feature("label", 3, message(1, varint(label)))


def as_examples(table: pa.Table, name: str) -> pa.Table:
    """What the examples hold, as a reader returns it: columns in the order declared."""
    if name == "images":
        return table
    x = np.stack([table[f"f{i}"].to_numpy() for i in range(100)], axis=1).ravel()
    return pa.table({"x": pa.FixedSizeListArray.from_arrays(pa.array(x), 100), "label": table["label"].cast(pa.int64())})


tables = {"lineitem": lineitem, "criteo": criteo, "features": features, "tokens": tokens, "images": images}
parquet_files = {
    "lineitem-snappy": "lineitem",
    "criteo-snappy": "criteo",
    "features-snappy": "features",
    "features-groups-snappy": "features",
    "tokens-zstd": "tokens",
    "images-none": "images",
}
examples = {"features": features_examples, "images": images_examples}


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    facts = {}
    made: dict[str, pa.Table] = {}

    def table_of(name: str) -> pa.Table:
        if name not in made:
            print(f"making {name}", file=sys.stderr)
            made[name] = tables[name]()
        return made[name]

    for file, name in parquet_files.items():
        path = folder / f"{file}.parquet"
        if names and path.name not in names:
            continue
        table = table_of(name)
        if not path.exists():
            write_parquet(table, path, file.rsplit("-", 1)[1])
        facts[path.name] = checksum(table) | {"arrowBytes": table.nbytes}
    others = [(f"{file}.orc", name, write_orc) for file, name in orc_files.items()]
    others += [(f"{file}.avro", name, write_avro) for file, name in avro_files.items()]
    for file, name, write in others:
        path = folder / file
        if names and path.name not in names:
            continue
        table = table_of(name)
        if not path.exists():
            write(table, path, path.stem.rsplit("-", 1)[1])
        facts[path.name] = checksum(table) | {"arrowBytes": table.nbytes}
    for name, records in examples.items():
        path = folder / f"{name}.tfrecord"
        if names and path.name not in names:
            continue
        table = table_of(name)
        if not path.exists():
            write_examples(records(table), path)
        held = as_examples(table, name)
        facts[path.name] = checksum(held) | {"arrowBytes": held.nbytes}
    json.dump(facts, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
