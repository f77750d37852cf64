"""Compares ORC files that our writer wrote with the rows it was given, read by pyarrow (the Apache C++ reader) and pyorc.

    python check_orc.py [FOLDER]

FOLDER holds pairs NAME.orc and NAME.arrows (an Arrow IPC stream of the truth); without it, write_orc_cases.mjs writes them
to a temporary folder first (the packages must be built). Checked: the values of every column as pyarrow reads them, whole
and stripe by stripe, their types, the metadata, row counts; as pyorc reads them, the counts, nulls, bounds and sums in the
statistics of flat columns. One line per failure; the last line is `N passed, N failed`.
"""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.orc as orc
from check_cases import read_truth, run
from plain_values import first_difference, plain


def stored_type(kind):
    """The type that a column has in ORC, as pyarrow gives it."""
    if pa.types.is_dictionary(kind):
        return stored_type(kind.value_type)
    if pa.types.is_null(kind):
        return pa.bool_()
    if pa.types.is_unsigned_integer(kind):
        return {8: pa.int16(), 16: pa.int32(), 32: pa.int64(), 64: pa.int64()}[kind.bit_width]
    if pa.types.is_float16(kind):
        return pa.float32()
    if pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.binary()
    if pa.types.is_decimal(kind):
        return pa.decimal128(kind.precision, kind.scale)
    if pa.types.is_date(kind):
        return pa.date32()
    if pa.types.is_time(kind):
        return pa.int32() if kind.bit_width == 32 else pa.int64()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("ns", "UTC" if kind.tz else None)
    if pa.types.is_duration(kind):
        return pa.int64()
    if pa.types.is_map(kind):
        return pa.map_(stored_type(kind.key_type), stored_type(kind.item_type))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(stored_type(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(kind.field(i).name, stored_type(kind.field(i).type)) for i in range(kind.num_fields)])
    return kind


def check_pyarrow(path, truth):
    file = orc.ORCFile(path)
    if file.nrows != truth.num_rows:
        yield f"{file.nrows} rows in the footer instead of {truth.num_rows}"
    if file.schema.names != truth.column_names:
        yield f"columns {file.schema.names}"
        return
    metadata = {k: v for k, v in file.metadata.items() if k != b"ARROW:schema"} if file.metadata else {}
    if metadata != dict(truth.schema.metadata or {}):
        yield f"metadata {metadata} instead of {truth.schema.metadata}"
    whole = file.read()
    whole.validate(full=True)
    stripes = [file.read_stripe(i) for i in range(file.nstripes)]
    for i, field in enumerate(truth.schema):
        wanted_type = stored_type(field.type)
        if not whole.schema.field(i).type.equals(wanted_type):
            yield f"{field.name} ({field.type}): {whole.schema.field(i).type} instead of {wanted_type}"
        want = plain(truth.column(i), "stored")
        problem = first_difference(want, plain(whole.column(i), "stored"))
        if problem:
            yield f"{field.name} ({field.type}): {problem}"
        parts = [value for stripe in stripes for value in plain(stripe.column(i), "stored")]
        problem = first_difference(want, parts)
        if problem:
            yield f"{field.name} ({field.type}), by stripes: {problem}"


def has_bounds(kind):
    """Whether `bounds_problem` knows what the statistics should say."""
    counts = pa.types.is_integer(kind) or pa.types.is_duration(kind) or pa.types.is_time(kind)
    return counts or pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind)


def check_statistics(found, truth):
    """Flat columns only: the statistics of the file against all values."""
    if "error" in found:
        yield found["error"]
        return
    if not found["rows"] == found["read"] == truth.num_rows:
        yield f"{found['rows']} rows in the footer, {found['read']} read, instead of {truth.num_rows}"
    for name, statistics in found["columns"].items():
        kind = truth.schema.field(name).type
        values = [v for v in plain(truth.column(name), "stored") if v is not None]
        if statistics["number_of_values"] != len(values):
            yield f"{name} ({kind}): {statistics['number_of_values']} values instead of {len(values)}"
        if statistics["has_null"] != (len(values) < truth.num_rows):
            yield f"{name} ({kind}): has_null {statistics['has_null']}"
        problem = bounds_problem(kind, values, statistics)
        if problem:
            yield f"{name} ({kind}): {problem}"


def bounds_problem(kind, values, statistics):
    if pa.types.is_boolean(kind):
        want = {"true_count": sum(values), "false_count": len(values) - sum(values)}
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        ordered = sorted(values, key=lambda value: value.encode())
        want = {"minimum": ordered[0], "maximum": ordered[-1]}
    else:
        want = {"minimum": min(values), "maximum": max(values)}
        if -(2**63) <= sum(values) < 2**63:
            want["sum"] = sum(values)
    # What is left out (long text, sums beyond 64 bits) is not known, which is allowed.
    got = {key: statistics[key] for key in want if key in statistics}
    wrong = {key: value for key, value in got.items() if value != want[key]}
    return f"{wrong} instead of {want}" if wrong else None


def statistics_of(paths):
    """What pyorc reads; see orc_statistics.py."""
    asked = []
    for path in paths:
        truth = read_truth(path)
        flat = [f.name for f in truth.schema if has_bounds(f.type) and truth.column(f.name).null_count < truth.num_rows]
        asked.append(json.dumps({"path": str(path), "columns": flat}))
    script = Path(__file__).with_name("orc_statistics.py")
    done = subprocess.run([sys.executable, script], input="\n".join(asked), check=True, stdout=subprocess.PIPE, text=True)
    return dict(zip(paths, map(json.loads, done.stdout.splitlines()), strict=True))


def checks_of(paths):
    pyorc = statistics_of(paths)
    return {"pyarrow": check_pyarrow, "pyorc": lambda path, truth: check_statistics(pyorc[path], truth)}


if __name__ == "__main__":
    run("orc", checks_of)
