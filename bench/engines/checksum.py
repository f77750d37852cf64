"""The checksum of a table, as bench/engines/checksum.mjs has it: {rows, valid, sum}.

valid counts the values that are not null, at the leaves. sum adds, over columns numbered from 1, the number times the
column's values: numbers as they are (decimals in their unit, dates in days, timestamps in their unit), text and bytes as
256 times the length plus the last byte.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def checksum(table: pa.Table) -> dict:
    valid = 0
    total = 0.0
    for number, name in enumerate(table.column_names, 1):
        for chunk in table[name].chunks:
            count, value = _of(chunk)
            valid += count
            total += number * value
    return {"rows": table.num_rows, "valid": valid, "sum": total}


def _of(array: pa.Array) -> tuple[int, float]:
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _of(array.dictionary_decode())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _of(array.flatten())
    if pa.types.is_string_view(kind):
        return _of(array.cast(pa.large_string()))
    if pa.types.is_binary_view(kind):
        return _of(array.cast(pa.large_binary()))
    count = len(array) - array.null_count
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return count, _of_bytes(array, np.int32)
    if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        return count, _of_bytes(array, np.int64)
    if pa.types.is_date32(kind):
        array = array.cast(pa.int32())
    elif pa.types.is_timestamp(kind):
        array = array.cast(pa.int64())
    elif pa.types.is_decimal(kind):
        array = array.cast(pa.float64())
    return count, float(pc.sum(array.cast(pa.float64())).as_py() or 0.0)


def _of_bytes(array: pa.Array, offset_type: type) -> float:
    array = array.drop_null()
    _, offsets, data = array.buffers()
    if len(array) == 0:
        return 0.0
    at = np.frombuffer(offsets, offset_type)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    lengths = np.diff(at)
    last = 0
    if data is not None and data.size > 0:
        last = int(np.frombuffer(data, np.uint8)[at[1:][lengths > 0] - 1].sum(dtype=np.int64))
    return float(256 * int(at[-1] - at[0]) + last)
