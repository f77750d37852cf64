"""Filtered reads: files of pyarrow, DuckDB and polars, read by `open` with random conditions, against DuckDB on the rows.

    python check_where.py [SEED]

Every condition runs over every file of one logical table: Parquet with and without statistics, page index, bloom filters,
dictionaries and both page versions, with INT96 and with decimals as integers; ORC with small stripes and row groups.
Values are clustered, so that statistics can rule something out, and hold nulls, NaN, both zeros, infinities, extremes and
long texts that writers truncate. DuckDB filters the table in memory and has our order: NaN above all, -0 equal to 0, text
by its bytes. A few conditions go through `ingest cat --where` as well. The packages must be built. The last line is
`N passed, N failed`.
"""

import base64
import datetime
import decimal
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import uuid

import duckdb
import polars
import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).resolve().parent
CLI = HERE.parents[1] / "packages" / "cli" / "dist" / "main.js"
ROWS = 3000
GROUP = 250
CONDITIONS = 150
D = decimal.Decimal
DAY = datetime.date(1969, 12, 1)
EPOCH = datetime.datetime(1970, 1, 1)


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def float_text(value):
    return repr(value).replace("inf", "Infinity").replace("nan", "NaN")


def integer(low, high, spread):
    def value(dice, place):
        extreme = dice.random()
        if extreme < 0.01:
            return dice.choice([low, high])
        middle = max(low, 0) + int(place * min(high, spread))
        return max(low, min(high, middle + dice.randrange(-(spread // 20) - 1, spread // 20 + 2)))

    return value


def real(kind):
    def value(dice, place):
        if dice.random() < 0.03:
            return dice.choice([float("nan"), 0.0, -0.0, float("inf"), float("-inf"), 1e30])
        return float(kind(place * 100 - 50 + dice.randrange(-4, 5)))

    return value


def text(dice, place):
    if dice.random() < 0.02:
        return dice.choice(["", "\u00e9" * 60, "\U0010ffff" * 30, "z" * 200, "it's"])
    return chr(97 + int(place * 25)) * dice.choice([1, 2, 100]) + dice.choice(["", "x", "\u00ff", "\ue000", "\U0001f600"])


def binary(dice, place):
    return bytes([int(place * 255)] * dice.choice([1, 2, 80])) + dice.choice([b"", b"\x00", b"\xff" * 70])


def moment(unit):
    def value(dice, place):
        return EPOCH + datetime.timedelta(seconds=int((place - 0.3) * 1e8), microseconds=dice.randrange(10**6) // unit * unit)

    return value


def plain(value):
    return str(value)


def stamp(value, zone=""):
    return quoted(value.isoformat(timespec="microseconds") + zone)


# name: (Arrow type, value for a place in 0 … 1, our literal, DuckDB's literal)
COLUMNS = {
    "i8": (pa.int8(), integer(-128, 127, 100), plain, plain),
    "u8": (pa.uint8(), integer(0, 255, 250), plain, plain),
    "i16": (pa.int16(), integer(-(2**15), 2**15 - 1, 30000), plain, plain),
    "u32": (pa.uint32(), integer(0, 2**32 - 1, 4 * 10**9), plain, plain),
    "i32": (pa.int32(), integer(-(2**31), 2**31 - 1, 10**6), plain, plain),
    "i64": (pa.int64(), integer(-(2**63), 2**63 - 1, 2**60), plain, plain),
    "u64": (pa.uint64(), integer(0, 2**64 - 1, 2**64 - 1), plain, plain),
    "few": (pa.int32(), lambda dice, place: int(place * 4) * 10 + dice.randrange(2), plain, plain),
    "f32": (pa.float32(), real(int), float_text, lambda v: f"'{v!r}'::FLOAT"),
    "f64": (pa.float64(), real(lambda v: v / 8), float_text, lambda v: f"'{v!r}'::DOUBLE"),
    "flag": (pa.bool_(), lambda dice, place: dice.random() < (0.5 if 0.4 < place < 0.5 else 0) or place > 0.8, lambda v: str(v).lower(), plain),
    "text": (pa.string(), text, quoted, quoted),
    "word": (pa.dictionary(pa.int32(), pa.string()), lambda dice, place: "abcdefgh"[int(place * 8) % 8] * 3, quoted, quoted),
    "blob": (pa.binary(), binary, lambda v: quoted(base64.b64encode(v).decode()), lambda v: f"from_base64('{base64.b64encode(v).decode()}')"),
    "fixed": (pa.binary(16), lambda dice, place: uuid.UUID(int=int(place * 2**100) << 27).bytes, lambda v: quoted(base64.b64encode(v).decode()), lambda v: f"from_base64('{base64.b64encode(v).decode()}')"),
    "day": (pa.date32(), lambda dice, place: DAY + datetime.timedelta(days=int(place * 300)), lambda v: quoted(v.isoformat()), lambda v: f"DATE '{v.isoformat()}'"),
    "ms": (pa.timestamp("ms"), moment(1000), stamp, lambda v: f"TIMESTAMP {stamp(v)}"),
    "utc": (pa.timestamp("us", "UTC"), moment(1), lambda v: stamp(v, "Z"), lambda v: f"TIMESTAMPTZ {stamp(v, '+00')}"),
    "ns": (pa.timestamp("ns"), moment(1), stamp, lambda v: f"TIMESTAMP_NS {stamp(v)}"),
    "time": (pa.time64("us"), lambda dice, place: (EPOCH + datetime.timedelta(seconds=place * 86000)).time(), lambda v: quoted(v.isoformat(timespec="microseconds")), lambda v: f"TIME '{v.isoformat(timespec='microseconds')}'"),
    "money": (pa.decimal128(7, 2), lambda dice, place: D(int(place * 200000) - 50000).scaleb(-2), plain, lambda v: f"'{v}'::DECIMAL(7, 2)"),
    "wide": (pa.decimal128(38, 6), lambda dice, place: D(int((place - 0.5) * 10**30) * 10**6 + dice.randrange(3)).scaleb(-6, decimal.Context(60)), lambda v: f"{v:f}", lambda v: f"'{v:f}'::DECIMAL(38, 6)"),
}
NOT_IN_ORC = {"u8", "u32", "u64", "fixed", "time"}
NOT_IN_DUCKDB = {"word"}


def make_table(dice):
    """Rows in ascending places with noise; some row groups hold no value, or nothing but one."""
    arrays = {"id": pa.array(range(ROWS), pa.int32())}
    for name, (kind, value, _, _) in COLUMNS.items():
        nulls = [dice.choice([0, 0, 0.1, 1]) for _ in range(ROWS // GROUP)]
        values = []
        for row in range(ROWS):
            place = min(1.0, max(0.0, row / ROWS + dice.uniform(-0.02, 0.02)))
            values.append(None if dice.random() < nulls[row // GROUP] else value(dice, place))
        arrays[name] = pa.array(values, kind)
    inner = pa.array([None if row % 7 == 0 else row // 100 for row in range(ROWS)], pa.int32())
    mask = pa.array([row // GROUP == 3 or row % 11 == 0 for row in range(ROWS)])
    arrays["struct"] = pa.StructArray.from_arrays([inner], ["inner"], mask=mask)
    return pa.table(arrays)


def write_files(table, folder):
    """Yields (path, names of the columns that it has)."""
    names = table.column_names
    parquet = {
        "plain": dict(use_dictionary=False),
        "no_statistics": dict(write_statistics=False),
        "v2_indexed": dict(data_page_version="2.0", write_page_index=True, max_rows_per_page=40),
        "indexed": dict(write_page_index=True, max_rows_per_page=60, compression="none"),
        "pages_of_one_group": dict(row_group_size=ROWS, write_page_index=True, max_rows_per_page=50, compression="none"),
        "pages_v2": dict(row_group_size=ROWS, write_page_index=True, max_rows_per_page=33, data_page_version="2.0", use_dictionary=False),
        "bloom": dict(bloom_filter_options={name: {"ndv": 500} for name in names if name not in ("id", "flag", "struct")}),
        "int96": dict(use_deprecated_int96_timestamps=True, store_schema=False),
        "decimal_integers": dict(store_decimal_as_integer=True, store_schema=False),
    }
    for name, options in parquet.items():
        path = folder / f"{name}.parquet"
        pq.write_table(table, path, **{"row_group_size": GROUP, **options})
        # INT96 says nothing of a time zone.
        yield path, [each for each in names if name != "int96" or each != "utc"]
    path = folder / "nanoseconds_as_ms.parquet"
    pq.write_table(table.drop_columns(["utc", "ns"]), path, row_group_size=GROUP, coerce_timestamps="ms", allow_truncated_timestamps=True)
    yield path, [name for name in names if name not in ("utc", "ns")]
    some = [name for name in names if name not in NOT_IN_DUCKDB]
    path = folder / "duckdb.parquet"
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.register("source", table.select(some))
    connection.execute(f"copy (select * from source order by id) to '{path}' (row_group_size 2048, dictionary_size_limit 1000)")
    yield path, some
    path = folder / "polars.parquet"
    polars.from_arrow(table.select([name for name in names if name != "fixed"])).write_parquet(path, row_group_size=GROUP, data_page_size=300, statistics="full")
    yield path, [name for name in names if name != "fixed"]
    some = [name for name in names if name not in NOT_IN_ORC]
    rows = table.select(some)
    rows = rows.set_column(some.index("word"), "word", rows["word"].cast(pa.string()))
    for name, options in {
        "stripes": dict(stripe_size=1024, batch_size=GROUP, row_index_stride=1000),
        "row_groups": dict(row_index_stride=1000, compression="zstd", bloom_filter_columns=list(range(len(some)))),
    }.items():
        path = folder / f"{name}.orc"
        orc.write_table(rows, path, **options)
        yield path, some


def leaf(dice, table, name):
    """One condition on one column: in our words, in DuckDB's."""
    if name == "struct":
        # The field of a null struct is null in both.
        number, operator = dice.randrange(32), dice.choice(["<", "=", ">=", "!="])
        return f"struct.inner {operator} {number}", f"struct.inner {operator} {number}"
    _, value, ours, theirs = COLUMNS[name]
    kind = dice.random()
    if kind < 0.12:
        verb = dice.choice(["is null", "is not null"])
        return f"{name} {verb}", f"{name} {verb}"
    literals = []
    for _ in range(dice.choice([1, 2, 5]) if kind < 0.35 else 1):
        literal = table[name][dice.randrange(ROWS)].as_py() if dice.random() < 0.6 else None
        if hasattr(literal, "nanosecond"):
            literal = literal.to_pydatetime()
        if isinstance(literal, datetime.datetime):
            literal = literal.replace(tzinfo=None)
        literals.append(value(dice, dice.random()) if literal is None else literal)
    if kind < 0.35:
        verb = dice.choice(["in", "not in"])
        null = ["null"] if dice.random() < 0.1 else []
        return tuple(f"{name} {verb} ({', '.join([*map(show, literals), *null])})" for show in (ours, theirs))
    operator = dice.choice(["=", "!=", "<", "<=", ">", ">="])
    return tuple(f"{name} {operator} {show(literals[0])}" for show in (ours, theirs))


def condition(dice, table, names, depth=0):
    kind = dice.random()
    if depth == 3 or kind < 0.45:
        return leaf(dice, table, dice.choice(names))
    if kind < 0.55:
        return tuple(f"not ({part})" for part in condition(dice, table, names, depth + 1))
    word = " and " if kind < 0.85 else " or "
    parts = [condition(dice, table, names, depth + 1) for _ in range(2)]
    return tuple("(" + word.join(side) + ")" for side in zip(*parts))


def conditions(dice, table):
    """Every column by itself, then mixtures. Yields (columns it names, ours, theirs)."""
    names = [name for name in table.column_names if name != "id"]
    for name in names:
        for _ in range(4):
            yield [name], *leaf(dice, table, name)
    for _ in range(CONDITIONS):
        some = dice.sample(names, 2)
        yield some, *condition(dice, table, some)


def first_difference(want, got):
    lost, more = sorted(set(want) - set(got)), sorted(set(got) - set(want))
    return f"{len(got)} rows instead of {len(want)}; lost {lost[:5]}, not wanted {more[:5]}"


def check_cli(path, ours, rows):
    command = ["node", str(CLI), "cat", str(path), "--where", ours, "--columns", "id", "--to", "csv"]
    out = subprocess.run(command, capture_output=True, text=True)
    return out.returncode == 0 and [int(line) for line in out.stdout.split()[1:]] == rows


def main():
    dice = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    table = make_table(dice)
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    # DuckDB's ENUM compares by position.
    connection.register("rows", table.set_column(table.column_names.index("word"), "word", table["word"].cast(pa.string())))
    passed = failed = 0
    pruned = {}
    with tempfile.TemporaryDirectory() as folder:
        files = list(write_files(table, pathlib.Path(folder)))
        jobs = []
        for columns, ours, theirs in conditions(dice, table):
            rows = [row for (row,) in connection.execute(f"select id from rows where {theirs} order by id").fetchall()]
            jobs += [(path, ours, rows) for path, names in files if set(columns) <= set(names)]
        lines = "".join(json.dumps({"file": str(path), "where": ours}) + "\n" for path, ours, _ in jobs)
        run = subprocess.run(["node", str(HERE / "read_where.mjs")], input=lines, capture_output=True, text=True)
        answers = [json.loads(line) for line in run.stdout.splitlines()]
        if len(answers) != len(jobs):
            print(f"{len(answers)} answers to {len(jobs)} questions: {run.stderr[-500:]}")
            failed += 1
        for (path, ours, rows), answer in zip(jobs, answers):
            if answer.get("rows") == rows:
                passed += 1
            else:
                failed += 1
                print(f"{path.name}: {ours}: {answer.get('error') or first_difference(rows, answer['rows'])}"[:600])
            count, fragments, fetched = pruned.get(path.name, (0, 0, 0))
            pruned[path.name] = (count + 1, fragments + answer.get("read", 0), fetched + answer.get("fetched", 0))
        for path, ours, rows in dice.sample(jobs, 12):
            if check_cli(path, ours, rows):
                passed += 1
            else:
                failed += 1
                print(f"ingest cat {path.name} --where {ours}: not the {len(rows)} rows of DuckDB")
    for name, (count, fragments, fetched) in pruned.items():
        print(f"{name}: {count} conditions, on average {fragments / count:.1f} fragments and {fetched // count:,} bytes read")
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if failed == 0 else 1)


if __name__ == "__main__":
    main()
