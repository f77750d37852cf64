"""Hive-partitioned folders written by pyarrow, read by `ingest cat` and by pyarrow.dataset: the same rows in the same order.

Files differ among themselves: some have wider integers, some lack a column. Run from anywhere, after a build.
"""

import datetime
import pathlib
import random
import subprocess
import tempfile

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

CLI = pathlib.Path(__file__).resolve().parents[2] / "packages" / "cli" / "dist" / "main.js"
ROWS = 400
TEXTS = ["a/b", "c d", "é%", "x=y", None]
INTS = [1, -5, 20, None]
DATES = [datetime.date(2024, 2, 29), datetime.date(1969, 12, 31)]


def write(folder: str, dice: random.Random, keys: list, days: list) -> None:
    table = pa.table(
        {
            "x": pa.array([dice.choice([None, dice.randrange(-(2**31), 2**31)]) for _ in range(ROWS)], pa.int32()),
            "s": [dice.choice(["u", "vv", None]) for _ in range(ROWS)],
            "k": [dice.choice(keys) for _ in range(ROWS)],
            "d": [dice.choice(days) for _ in range(ROWS)],
        }
    )
    fields = pa.schema([table.schema.field("k"), table.schema.field("d")])
    ds.write_dataset(table, folder, format="parquet", partitioning=ds.partitioning(fields, flavor="hive"))
    for path in sorted(pathlib.Path(folder).rglob("*.parquet")):
        own = pq.read_table(path, partitioning=None)
        change = dice.randrange(3)
        if change == 1:
            own = own.set_column(0, "x", own["x"].cast(pa.int64()))
        if change == 2:
            own = own.drop_columns(["s"])
        pq.write_table(own, path)


def ours(folder: str, *options: str) -> pa.Table:
    command = ["node", str(CLI), "cat", folder, "--to", "arrow", *options]
    return pa.ipc.open_stream(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout).read_all()


def check(seed: int) -> None:
    dice = random.Random(seed)
    keys, key_type = dice.choice([(TEXTS, pa.string()), (INTS, pa.int64())])
    days, day_type = dice.choice([(DATES, pa.date32()), (["07", "10"], pa.int64())])
    with tempfile.TemporaryDirectory() as folder:
        write(folder, dice, keys, days)
        fields = pa.schema([("k", key_type), ("d", day_type)])
        schema = pa.schema([("x", pa.int64()), ("s", pa.string()), *fields])
        partitioning = ds.partitioning(fields, flavor="hive")
        theirs = ds.dataset(folder, format="parquet", partitioning=partitioning, schema=schema)
        fragments = sorted(theirs.get_fragments(), key=lambda fragment: fragment.path.encode())
        expected = pa.concat_tables([fragment.to_table(schema=schema) for fragment in fragments])
        read = ours(folder)
        assert read.schema.field("k").type == key_type, read.schema
        assert read.schema.field("d").type == day_type, read.schema
        assert read.select(schema.names).to_pydict() == expected.to_pydict(), f"seed {seed}"
        if key_type == pa.int64():
            text, mask = "k > 0 or x < 0", (ds.field("k") > 0) | (ds.field("x") < 0)
        else:
            text, mask = "not (k = 'a/b') and x is not null", ~(ds.field("k") == "a/b") & ds.field("x").is_valid()
        assert ours(folder, "--where", text).num_rows == theirs.to_table(filter=mask).num_rows, f"seed {seed}"


for each in range(8):
    check(each)
print("hive folders: 8 data sets read as pyarrow.dataset reads them")
