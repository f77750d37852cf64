"""Compares how declared features are read from TFRecord files with what tf.io makes of the same records.

    python check_tfrecord_features.py

Random Examples, written by TensorFlow, with every kind of a declared schema: fixedLen with and without default, varLen,
fixedLenSequence, and ragged by every kind of partition, up to three deep. `ingest cat --schema` reads them, and
tf.io.parse_single_example (ragged ones validated) says what each record holds. Records whose features contradict each
other must be refused by both. One line per failure; the last line is `N passed, N failed`.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import pyarrow.ipc as ipc
import tensorflow as tf

MAIN = Path(__file__).parents[2] / "packages" / "cli" / "dist" / "main.js"
DTYPES = {"int64": tf.int64, "float32": tf.float32, "bytes": tf.string}
R = tf.io.RaggedFeature
PARTITIONS = {
    "rowSplits": R.RowSplits,
    "rowLengths": R.RowLengths,
    "rowStarts": R.RowStarts,
    "rowLimits": R.RowLimits,
    "valueRowIds": R.ValueRowIds,
    "uniformRowLength": R.UniformRowLength,
}


def spec_of(name, feature):
    """The declared feature in the words of tf.io."""
    dtype = DTYPES[feature["dtype"]]
    match feature["kind"]:
        case "fixedLen":
            return tf.io.FixedLenFeature(feature.get("shape", []), dtype, feature.get("default"))
        case "varLen":
            return tf.io.VarLenFeature(dtype)
        case "fixedLenSequence":
            return tf.io.FixedLenSequenceFeature(feature.get("shape", []), dtype, allow_missing=True)
    partitions = [PARTITIONS[kind](value) for p in feature["partitions"] for kind, value in p.items()]
    key = feature.get("valueKey", name)
    return R(dtype, value_key=key, partitions=partitions, row_splits_dtype=tf.int64, validate=True)


def plain(value):
    if isinstance(value, tf.RaggedTensor):
        return value.to_list()
    if isinstance(value, tf.SparseTensor):
        return value.values.numpy().tolist()
    return value.numpy().tolist()


def parse(raw, declared):
    spec = {name: spec_of(name, feature) for name, feature in declared.items()}
    rows = []
    for record in raw:
        parsed = tf.io.parse_single_example(record, spec)
        rows.append({name: plain(parsed[name]) for name in declared})
    return rows


def read(folder, raw, declared):
    """Rows by our reader, or the exit code and message when it refuses."""
    path, out = folder / "x.tfrecord", folder / "x.arrow"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in raw:
            writer.write(record)
    schema = folder / "schema.json"
    schema.write_text(json.dumps({"features": declared}))
    command = ["node", str(MAIN), "cat", str(path), "--schema", str(schema), "--to", "arrow", "--output", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return f"exit {done.returncode}: {done.stderr.strip()}"
    with open(out, "rb") as file:
        return ipc.open_stream(file).read_all().to_pylist()


def example(features):
    lists = {}
    for name, values in features.items():
        if values and isinstance(values[0], bytes):
            lists[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        elif values and isinstance(values[0], float):
            lists[name] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
        else:
            lists[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    return tf.train.Example(features=tf.train.Features(feature=lists)).SerializeToString()


def some(dice, count, dtype="int64"):
    if dtype == "float32":
        return [float(dice.randrange(-1000, 1000)) / 8 for _ in range(count)]
    if dtype == "bytes":
        return [bytes(dice.randrange(256) for _ in range(dice.randrange(5))) for _ in range(count)]
    return [dice.randrange(-(2**63), 2**63) for _ in range(count)]


def lengths_for(dice, rows):
    return [dice.choice([0, 0, 1, 2, 3, 5]) for _ in range(rows)]


def encode(kind, lengths):
    """Row lengths as a partition of another kind says them."""
    ends = [sum(lengths[: i + 1]) for i in range(len(lengths))]
    match kind:
        case "rowLengths":
            return lengths
        case "rowSplits":
            return [0, *ends]
        case "rowStarts":
            return [end - length for end, length in zip(ends, lengths)]
        case "rowLimits":
            return ends
        case "valueRowIds":
            return [i for i, length in enumerate(lengths) for _ in range(length)]


def ragged_case(dice):
    """A declaration and records that fit it."""
    depth = dice.randrange(4)
    kinds = [dice.choice(list(PARTITIONS)) for _ in range(depth)]
    uniform = [dice.randrange(1, 4) for _ in range(depth)]
    dtype = dice.choice(list(DTYPES))
    partitions = [
        {kind: uniform[i] if kind == "uniformRowLength" else f"p{i}"} for i, kind in enumerate(kinds)
    ]
    records = []
    for _ in range(12):
        features = {}
        count = dice.randrange(4)
        for i, kind in enumerate(kinds):
            if kind == "uniformRowLength":
                count *= uniform[i]
                continue
            lengths = lengths_for(dice, count)
            # Row ids cannot say that empty rows follow.
            if kind == "valueRowIds" and lengths:
                lengths[-1] = max(1, lengths[-1])
            features[f"p{i}"] = encode(kind, lengths)
            count = sum(lengths)
        features["v"] = some(dice, count, dtype)
        if not features["v"] and dice.random() < 0.5:
            del features["v"]
        records.append(features)
    return {"x": {"kind": "ragged", "dtype": dtype, "valueKey": "v", "partitions": partitions}}, records


def flat_case(dice):
    shape = dice.choice([[], [1], [3], [2, 2]])
    size = 1
    for n in shape:
        size *= n
    declared = {
        "a": {"kind": "fixedLen", "dtype": "int64", "shape": shape},
        "b": {"kind": "fixedLen", "dtype": "float32", "shape": [], "default": 1.5},
        "c": {"kind": "fixedLenSequence", "dtype": dice.choice(list(DTYPES)), "shape": shape},
        "d": {"kind": "varLen", "dtype": "bytes"},
    }
    records = []
    for _ in range(12):
        features = {"a": some(dice, size), "d": some(dice, dice.randrange(3), "bytes")}
        if dice.random() < 0.5:
            features["b"] = some(dice, 1, "float32")
        if dice.random() < 0.8:
            features["c"] = some(dice, size * dice.randrange(4), declared["c"]["dtype"])
        records.append({name: values for name, values in features.items() if values or name == "a"})
    return declared, records


WRONG = [
    ({"rowSplits": "p"}, [1, 5]),
    ({"rowSplits": "p"}, [0, 3, 2, 5]),
    ({"rowSplits": "p"}, [0, 4]),
    ({"rowLengths": "p"}, [2, 2]),
    ({"rowLengths": "p"}, [6, -1]),
    ({"rowStarts": "p"}, [1, 2]),
    ({"rowStarts": "p"}, [0, 6]),
    ({"rowLimits": "p"}, [2, 4]),
    ({"rowLimits": "p"}, []),
    ({"valueRowIds": "p"}, [0, 0, 1, 0, 1]),
    ({"valueRowIds": "p"}, [0, 0]),
    ({"uniformRowLength": 2}, []),
]


def compare(folder, declared, features):
    raw = [example(record) for record in features]
    ours = read(folder, raw, declared)
    try:
        theirs = parse(raw, declared)
    except (tf.errors.InvalidArgumentError, ValueError) as error:
        if isinstance(ours, str) and ours.startswith("exit 3"):
            return None
        return f"{declared}: TensorFlow refuses ({str(error)[:120]}), we say {str(ours)[:200]}"
    if isinstance(ours, str):
        return f"{declared}: {ours}"
    for i, (got, expected) in enumerate(zip(ours, theirs, strict=True)):
        # A varLen feature that is absent is null with us and empty in tf.io.
        got = {k: [] if v is None and declared[k]["kind"] == "varLen" else v for k, v in got.items()}
        if repr(got) != repr(expected):
            return f"{declared}, record {i} {features[i]}: {got!r:.300} instead of {expected!r:.300}"
    return None


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        cases = [ragged_case(random.Random(seed)) for seed in range(40)]
        cases += [flat_case(random.Random(seed)) for seed in range(10)]
        values = {"v": [1, 2, 3, 4, 5]}
        for partition, p in WRONG:
            feature = {"kind": "ragged", "dtype": "int64", "valueKey": "v", "partitions": [partition]}
            cases.append(({"x": feature}, [{**values, "p": p}]))
        for declared, features in cases:
            failure = compare(folder, declared, features)
            if failure is None:
                passed += 1
            else:
                failed += 1
                print(failure)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
