"""Compares Avro files that our writer wrote with the rows it was given, read by fastavro.

    python check_avro.py [FOLDER]

FOLDER holds pairs NAME.avro and NAME.arrows (an Arrow IPC stream of the truth); without it, write_avro_cases.mjs writes
them to a temporary folder first (the packages must be built). Checked: that fastavro takes the schema and reads as many
rows, the stored values of every column (numbers, bytes, text, arrays, maps, records), the values that fastavro makes of
logical types (dates, times, timestamps, decimals), and the metadata. One line per failure; the last line is
`N passed, N failed`.
"""

import fastavro
import fastavro._read
import pyarrow as pa
from check_cases import run
from plain_values import first_difference, lists, storage

THOUSANDS = {"s": 1000, "ms": 1, "us": 1, "ns": 1}
LOGICAL_READERS = dict(fastavro._read.LOGICAL_READERS)


def records(names, columns, valid):
    return [dict(zip(names, row)) if ok else None for row, ok in zip(zip(*columns) if columns else [()] * len(valid), valid)]


def stored(array):
    """Values as Avro stores them, in the shapes that fastavro has for them; floats by repr."""
    if isinstance(array, pa.ChunkedArray):
        return [value for chunk in array.chunks for value in stored(chunk)]
    kind = array.type
    if pa.types.is_dictionary(kind):
        return stored(array.dictionary_decode())
    if pa.types.is_map(kind):
        keys, items = stored(array.keys), stored(array.items)
        if pa.types.is_string(kind.key_type) or pa.types.is_large_string(kind.key_type):
            pairs = lists(array, array.offsets, list(zip(keys, items)))
            return [None if entry is None else dict(entry) for entry in pairs]
        return lists(array, array.offsets, [{"key": k, "value": v} for k, v in zip(keys, items)])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return lists(array, array.offsets, stored(array.values))
    if pa.types.is_fixed_size_list(kind):
        size, items, start = kind.list_size, stored(array.values), array.offset
        valid = array.is_valid().to_pylist()
        return [items[(start + i) * size : (start + i + 1) * size] if ok else None for i, ok in enumerate(valid)]
    if pa.types.is_struct(kind):
        fields = [stored(array.field(i)) for i in range(kind.num_fields)]
        return records([kind.field(i).name for i in range(kind.num_fields)], fields, array.is_valid().to_pylist())
    if pa.types.is_duration(kind):
        return storage(array, 64)
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        times = THOUSANDS[kind.unit]
        return [None if v is None else v * times for v in storage(array, kind.bit_width)]
    if pa.types.is_date(kind):
        days = 1 if kind.bit_width == 32 else 86_400_000
        return [None if v is None else v // days for v in storage(array, kind.bit_width)]
    if pa.types.is_floating(kind):
        return [None if v is None else repr(float(v)) for v in array.to_pylist()]
    if pa.types.is_decimal(kind):
        return [None if v is None else decimal_bytes(v, kind) for v in array.to_pylist()]
    return array.to_pylist()


def decimal_bytes(value, kind):
    """A decimal as Avro's fixed: the fewest bytes that hold every value of the precision."""
    size = 1
    while 2 ** (8 * size - 1) < 10**kind.precision:
        size += 1
    sign, digits, exponent = value.as_tuple()
    unscaled = int("".join(map(str, digits))) * 10 ** (exponent + kind.scale)
    return (-unscaled if sign else unscaled).to_bytes(size, "big", signed=True)


def comparable(value):
    """What fastavro gives, with floats by repr."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {key: comparable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [comparable(each) for each in value]
    return value


def read(path, logical):
    """All rows; logical types become Python's where `logical` says so."""
    fastavro._read.LOGICAL_READERS.clear()
    if logical:
        fastavro._read.LOGICAL_READERS.update(LOGICAL_READERS)
    with open(path, "rb") as stream:
        reader = fastavro.reader(stream)
        return reader.metadata, list(reader)


def check_stored(path, truth):
    metadata, rows = read(path, False)
    own = {k: v for k, v in metadata.items() if not k.startswith("avro.") and k != "ARROW:schema"}
    wanted = {k.decode(): v.decode() for k, v in (truth.schema.metadata or {}).items()}
    if own != wanted:
        yield f"metadata {own} instead of {wanted}"
    if len(rows) != truth.num_rows:
        yield f"{len(rows)} rows instead of {truth.num_rows}"
        return
    if rows and list(rows[0]) != truth.column_names:
        yield f"columns {list(rows[0])}"
        return
    for name, kind in zip(truth.column_names, truth.schema.types):
        problem = first_difference(stored(truth.column(name)), [comparable(row[name]) for row in rows])
        if problem:
            yield f"{name} ({kind}): {problem}"


def has_logical(kind):
    """Whether fastavro makes the same of the values as pyarrow."""
    exact = getattr(kind, "unit", None) in ("ms", "us")
    return pa.types.is_date32(kind) or pa.types.is_decimal(kind) or (exact and not pa.types.is_duration(kind) and not pa.types.is_date64(kind))


def check_logical(path, truth):
    _, rows = read(path, True)
    for name, kind in zip(truth.column_names, truth.schema.types):
        if not has_logical(kind):
            continue
        problem = first_difference(truth.column(name).to_pylist(), [row[name] for row in rows])
        if problem:
            yield f"{name} ({kind}): {problem}"


CHECKS = {"stored": check_stored, "logical": check_logical}


if __name__ == "__main__":
    run("avro", lambda _: CHECKS)
