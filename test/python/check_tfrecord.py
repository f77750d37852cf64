"""Compares TFRecord files that our writer wrote with the rows it was given, read by TensorFlow.

    python check_tfrecord.py [FOLDER]

FOLDER holds NAME.tfrecord, NAME.tfrecord.schema.json and NAME.arrows (an Arrow IPC stream of the truth); without it,
write_tfrecord_cases.mjs writes them to a temporary folder first (the packages must be built). Checked: that tf.data reads
every record (and so both checksums), that each feature of each record has the kind and the exact values of its column and
is absent where that is null, that equal rows have one serialisation, and, where a schema declares features of fixed shape
for all columns, that tf.io.parse_example gives their values. One line per failure; the last line is `N passed, N failed`.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import pyarrow as pa
import pyarrow.ipc as ipc
import tensorflow as tf

DTYPES = {"int64": tf.int64, "float32": tf.float32, "bytes": tf.string}
KINDS = {"int64": "int64_list", "float32": "float_list", "bytes": "bytes_list"}


def floats(values):
    """Bits of floats: -0 is not 0, any NaN is any other."""
    return ["nan" if v != v else struct.pack("<f", v) for v in values]


def is_list(kind):
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def flat(array):
    """The values of an array without nulls as a list of a feature holds them."""
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return [v.encode() for v in array.to_pylist()]
    if pa.types.is_float64(kind):
        return [struct.unpack("<q", struct.pack("<d", v))[0] if v == v else "nan" for v in array.to_pylist()]
    if pa.types.is_floating(kind):
        return floats(float(v) for v in array.to_pylist())
    if pa.types.is_temporal(kind):
        return array.view(pa.int32() if kind.bit_width == 32 else pa.int64()).to_pylist()
    return [int(v) if isinstance(v, bool) else v for v in array.to_pylist()]


def column(array):
    """Per row what its feature holds, None where it is absent."""
    if pa.types.is_null(array.type):
        return [None] * len(array)
    if is_list(array.type):
        valid = array.is_valid().to_pylist()
        rows = []
        for i, present in enumerate(valid):
            values = array[i].values if present else None
            while values is not None and is_list(values.type):
                values = values.flatten()
            rows.append(None if values is None else flat(values))
        return rows
    present = iter(flat(array.drop_null()))
    return [[next(present)] if valid else None for valid in array.is_valid().to_pylist()]


def found(features, name, is_double):
    """The kind and values of a feature; None where it is absent."""
    if name not in features:
        return None, None
    kind = features[name].WhichOneof("kind")
    values = list(getattr(features[name], kind).value) if kind else []
    if kind == "float_list":
        return kind, floats(values)
    if is_double:
        nan = lambda v: struct.unpack("<d", struct.pack("<q", v))[0] != struct.unpack("<d", struct.pack("<q", v))[0]
        return kind, ["nan" if nan(v) else v for v in values]
    return kind, values


def check_values(table, records, schema):
    declared = schema["features"]
    for name in table.column_names:
        expected = [v for chunk in table[name].chunks for v in column(chunk)]
        is_double = pa.types.is_float64(table[name].type)
        for i, record in enumerate(records):
            kind, values = found(record.features.feature, name, is_double)
            if values != expected[i]:
                yield f"{name}, row {i}: {values!r:.200} instead of {expected[i]!r:.200}"
                return
            if kind is not None and kind != KINDS[declared[name]["dtype"]]:
                yield f"{name}, row {i}: {kind}, but {declared[name]} is declared"
                return


def check_parsed(table, raw, schema):
    """tf.io.parse_example where every column has a fixed shape."""
    declared = schema["features"]
    if any(feature["kind"] != "fixedLen" for feature in declared.values()) or not raw:
        return
    spec = {name: tf.io.FixedLenFeature(f["shape"], DTYPES[f["dtype"]]) for name, f in declared.items()}
    parsed = tf.io.parse_example(tf.constant(raw), spec)
    for name, tensor in parsed.items():
        expected = [v for chunk in table[name].chunks for v in column(chunk)]
        got = tensor.numpy().reshape(len(raw), -1).tolist()
        if declared[name]["dtype"] == "float32":
            got = [floats(row) for row in got]
        if got != expected:
            yield f"{name}: tf.io.parse_example gives other values"


def canonical(record):
    """The record as protocol buffers write it with sorted maps, which our writer promises."""
    return record.SerializeToString(deterministic=True)


def check(base):
    path = f"{base}.tfrecord"
    schema = json.loads(Path(f"{path}.schema.json").read_text())
    with open(f"{base}.arrows", "rb") as file:
        table = ipc.open_stream(file).read_all()
    compression = "GZIP" if Path(path).read_bytes()[:2] == b"\x1f\x8b" else ""
    raw = [record.numpy() for record in tf.data.TFRecordDataset(path, compression)]
    if len(raw) != table.num_rows:
        yield f"{len(raw)} records for {table.num_rows} rows"
        return
    records = [tf.train.Example.FromString(record) for record in raw]
    yield from check_values(table, records, schema)
    yield from check_parsed(table, raw, schema)
    for i, record in enumerate(records):
        if canonical(record) != raw[i]:
            yield f"row {i}: TensorFlow would write it as {canonical(record).hex():.200}, not {raw[i].hex():.200}"
            return


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary)
        if len(sys.argv) < 2:
            writer = Path(__file__).parent / "write_tfrecord_cases.mjs"
            subprocess.run(["node", str(writer), str(folder)], check=True)
        passed = failed = 0
        for path in sorted(folder.glob("*.arrows")):
            failures = list(check(path.with_suffix("")))
            passed, failed = (passed, failed + 1) if failures else (passed + 1, failed)
            for failure in failures:
                print(f"{path.stem}: {failure}")
    if passed + failed == 0:
        print("no cases were found")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
