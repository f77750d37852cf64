"""Compares Parquet files that our writer wrote with the rows it was given, read by pyarrow and by DuckDB.

    python check_parquet.py [FOLDER]

FOLDER holds pairs NAME.parquet and NAME.arrows (an Arrow IPC stream of the truth); without it, write_parquet_cases.mjs
writes them to a temporary folder first (the packages must be built). Checked: values, types, nullability and metadata as
pyarrow restores them, page checksums, row counts, null counts, that min and max bound every value and are reached when
they claim to be exact, and the values that DuckDB reads. One line per failure; the last line is `N passed, N failed`.
"""

import struct

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from check_cases import run
from plain_values import UNIT, first_difference, plain

def acceptable(kind, in_dictionary=False):
    """The types that pyarrow may give back, as text: it restores neither seconds nor, inside others, all the rest."""
    if pa.types.is_timestamp(kind):
        unit = "ms" if kind.unit == "s" else kind.unit
        return {str(pa.timestamp(unit, kind.tz))} | ({str(pa.timestamp(unit, "UTC"))} if in_dictionary and kind.tz else set())
    if pa.types.is_time32(kind):
        return {"time32[ms]"}
    if pa.types.is_date64(kind):
        return {str(kind), "date32[day]"}
    if pa.types.is_dictionary(kind):
        value = kind.value_type
        values = acceptable(value, in_dictionary=True)
        return values | {str(kind)} | {str(pa.dictionary(index, v)) for v in bytes_types(value) for index in (pa.int32(), kind.index_type)}
    if in_dictionary and pa.types.is_duration(kind):
        return {"int64"}
    if in_dictionary and pa.types.is_decimal256(kind) and kind.precision <= 38:
        return {str(pa.decimal128(kind.precision, kind.scale))}
    return {str(kind)} | ({str(v) for v in bytes_types(kind)} if in_dictionary else set())


def bytes_types(kind):
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return [kind, pa.string()]
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return [kind, pa.binary()]
    return []


def type_problem(want, got, path):
    """Compares fields down to the leaves, nullability included. None when they agree."""
    want_type, got_type = want.type, got.type
    if want.nullable != got.nullable and not pa.types.is_null(want_type):
        return f"{path}: nullable {got.nullable} instead of {want.nullable}"
    if want_type.id == got_type.id and want_type.num_fields > 0:
        if want_type.num_fields != got_type.num_fields:
            return f"{path}: {got_type} instead of {want_type}"
        if pa.types.is_fixed_size_list(want_type) and want_type.list_size != got_type.list_size:
            return f"{path}: {got_type} instead of {want_type}"
        for i in range(want_type.num_fields):
            problem = type_problem(want_type.field(i), got_type.field(i), f"{path}.{want_type.field(i).name}")
            if problem:
                return problem
        return None
    if str(got_type) not in acceptable(want_type):
        return f"{path}: {got_type} instead of {want_type}"
    return None


def pyarrow_fails_on_its_own(truth, name, error):
    """Whether pyarrow cannot read this column either when it wrote the file itself: a limit of pyarrow, not of ours."""
    file = pa.BufferOutputStream()
    try:
        pq.write_table(truth.select([name]), file)
        pq.read_table(pa.BufferReader(file.getvalue()))
    except Exception as own:
        # The rest of the message names a row of the row group.
        return str(own).split("index")[0] == str(error).split("index")[0]
    return False


def check_pyarrow(path, truth):
    file = pq.ParquetFile(path, page_checksum_verification=True)
    if file.schema_arrow.names != truth.column_names:
        yield f"columns {file.schema_arrow.names}"
        return
    metadata = dict(file.schema_arrow.metadata or {})
    if metadata != dict(truth.schema.metadata or {}):
        yield f"metadata {metadata} instead of {truth.schema.metadata}"
    for i, field in enumerate(truth.schema):
        problem = type_problem(field, file.schema_arrow.field(i), field.name)
        if problem:
            yield problem
        try:
            # One by one: nested dictionaries of several row groups are more than pyarrow joins.
            groups = range(file.num_row_groups)
            values = [v for group in groups for v in plain(file.read_row_group(group, [field.name]).column(0))]
        except Exception as error:
            if not pyarrow_fails_on_its_own(truth, field.name, error):
                yield f"{field.name} ({field.type}): {error}"
            continue
        problem = first_difference(plain(truth.column(i)), values)
        if problem:
            yield f"{field.name} ({field.type}): {problem}"


def comparable(value, kind):
    """Numbers and bytes that order as the column does."""
    if isinstance(value, str) and pa.types.is_floating(kind):
        return float(value)
    if isinstance(value, str) and not pa.types.is_decimal(kind):
        return value.encode()
    return value


def check_statistics(path, truth):
    """Flat columns only: what the footer says against the values of each row group."""
    exact = {
        (group, column): flags
        for group, column, *flags in duckdb.connect()
        .execute("select row_group_id, column_id, min_is_exact, max_is_exact from parquet_metadata(?)", [str(path)])
        .fetchall()
    }
    metadata = pq.read_metadata(path)
    start = 0
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        for leaf in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(leaf)
            name = chunk.path_in_schema
            if "." in name or not chunk.is_stats_set:
                continue
            column = truth.column(name).slice(start, rows)
            kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
            statistics = chunk.statistics
            values = [v for v in plain(column) if v is not None and v != "nan"]
            if statistics.null_count != rows - sum(v is not None for v in plain(column)):
                yield f"row group {group}, {name}: null_count {statistics.null_count}"
            if pa.types.is_decimal(kind) or pa.types.is_null(kind):
                continue
            if not statistics.has_min_max:
                long = any(isinstance(v, (str, bytes)) and len(v) > 16 for v in values)
                if values and not long:
                    yield f"row group {group}, {name}: no min and max"
                continue
            # The unit of what is stored: seconds are stored as milliseconds.
            unit = 1 if pa.types.is_duration(kind) else min(10**6, UNIT.get(getattr(kind, "unit", None), 1))
            low, high = (bound_of(statistics, side, kind) for side in ("min", "max"))
            ordered = sorted(comparable(v, kind) for v in values)
            least, greatest = ordered[0], ordered[-1]
            if isinstance(low, int) and not isinstance(low, bool):
                low, high = low * unit, high * unit
            min_exact, max_exact = exact[(group, leaf)]
            if low > least or (min_exact and low != least):
                yield f"row group {group}, {name}: min {low} of {least}, exact {min_exact}"
            if high < greatest or (max_exact and high != greatest):
                yield f"row group {group}, {name}: max {high} of {greatest}, exact {max_exact}"
            if isinstance(low, float) and low == 0 and repr(low) != "-0.0":
                yield f"row group {group}, {name}: min +0"
            if isinstance(high, float) and high == 0 and repr(high) != "0.0":
                yield f"row group {group}, {name}: max -0"
        start += rows
    if start != truth.num_rows or metadata.num_rows != truth.num_rows:
        yield f"{metadata.num_rows} rows in the footer, {start} in its row groups, of {truth.num_rows}"


def bound_of(statistics, side, kind):
    """Min or max as stored, in the order of the column's own type."""
    raw = getattr(statistics, f"{side}_raw")
    if isinstance(raw, str):
        return raw.encode()
    if isinstance(raw, bytes):
        return struct.unpack("<e", raw)[0] if pa.types.is_float16(kind) else raw
    # pyarrow gives the physical type, which is signed.
    return raw % 2**kind.bit_width if pa.types.is_unsigned_integer(kind) else raw


def duckdb_reads(kind):
    """Whether DuckDB has the type, or one that holds the same values."""
    if kind.num_fields > 0:
        return all(duckdb_reads(kind.field(i).type) for i in range(kind.num_fields))
    if pa.types.is_dictionary(kind):
        return duckdb_reads(kind.value_type)
    if pa.types.is_decimal(kind):
        return kind.precision <= 38
    return True


def check_duckdb(path, truth):
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    for i, field in enumerate(truth.schema):
        if not duckdb_reads(field.type):
            continue
        name = field.name.replace('"', '""')
        relation = connection.read_parquet(str(path)).select(f'"{name}"')
        column = relation.to_arrow_table().column(0)
        problem = first_difference(plain(truth.column(i)), plain(column))
        if problem:
            yield f"{field.name} ({field.type}): {problem}"


CHECKS = {"pyarrow": check_pyarrow, "statistics": check_statistics, "duckdb": check_duckdb}


if __name__ == "__main__":
    run("parquet", lambda _: CHECKS)
