"""The order of rows from Python: the golden one of docs/order.md, and that of `load` in TypeScript to the bit."""

from __future__ import annotations

import datetime
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import CLI, unavailable

from ingest_client import BatchStream, connect

ROOT = CLI.parents[3]
#: Without the case that no option asks for: rows that keep their order have no segments.
GOLDEN = [
    case
    for case in json.loads((ROOT / "packages/sharder/test/golden-order.json").read_text())
    if case["windowRows"] > 0 or case["lanes"] == 1
]
PEER = str(ROOT / "test/python/orders.mjs")


@contextmanager
def serving(socket: Path, options: dict[str, Any]) -> Iterator[str]:
    """The address of a server with segments, which `ingest serve` itself has no option for."""
    if not CLI.exists():
        unavailable("skipped: the packages are not built, run npm run build")
    command = ["node", PEER, "serve", json.dumps({**options, "address": {"socket": str(socket)}})]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield str(json.loads(process.stdout.readline())["address"])
        finally:
            process.kill()


def write_segments(folder: Path, segments: list[list[int]]) -> None:
    """A folder for each segment, a row group for each fragment; ids count through all of them."""
    at = 0
    schema = pa.schema([("id", pa.int64())])
    for number, fragments in enumerate(segments):
        path = folder / str(number) / "rows.parquet"
        path.parent.mkdir(parents=True)
        with pq.ParquetWriter(path, schema) as writer:
            for rows in fragments:
                writer.write_table(pa.table({"id": pa.array(range(at, at + rows), pa.int64())}))
                at += rows


def epoch_of(stream: BatchStream, epoch: int) -> Iterator[pa.RecordBatch]:
    for _ in range(epoch):
        list(stream.epoch())
    return stream.epoch()


@pytest.mark.parametrize("case", GOLDEN, ids=[case["name"] for case in GOLDEN])
def test_the_golden_order_arrives(case: dict[str, Any], tmp_path: Path) -> None:
    write_segments(tmp_path / "data", case["segments"])
    lanes, window_rows, epoch = case["lanes"], case["windowRows"], case["epoch"]
    options = {
        "source": str(tmp_path / "data"),
        "batchSize": 2,
        "seed": case["seed"],
        "ends": "uneven",
        "epochs": epoch + 1,
        "shuffle": {"windowRows": window_rows, "lanes": lanes} if window_rows else False,
    }
    worlds = [world for world in range(1, lanes + 1) if lanes % world == 0]
    with serving(tmp_path / "s", options) as address:
        for world in worlds:
            order: dict[int, int] = {}
            for rank in range(world):
                with connect(address, rank=rank, world=world) as stream:
                    for batch in epoch_of(stream, epoch):
                        place = stream.place
                        assert place is not None
                        assert place.epoch == epoch
                        positions = [p for p in range(place.start, place.stop) if p % world == rank]
                        order.update(zip(positions, batch["id"].to_pylist(), strict=True))
            assert [order[position] for position in sorted(order)] == case["order"]
            assert sorted(order) == list(range(len(case["order"])))


def write_rows(path: Path, rows: int) -> None:
    """Values of many types, with nulls in all but the first."""
    day = datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)
    table = pa.table(
        {
            "id": pa.array(range(rows), pa.int64()),
            "x": pa.array([None if i % 7 == 0 else i / 3 for i in range(rows)], pa.float64()),
            "flag": pa.array([None if i % 5 == 0 else i % 2 == 0 for i in range(rows)]),
            "word": pa.array([None if i % 11 == 0 else f"wörd {i}" for i in range(rows)]),
            "list": pa.array([None if i % 13 == 0 else list(range(i % 4)) for i in range(rows)], pa.list_(pa.int32())),
            "pair": pa.array([None if i % 17 == 0 else {"a": i, "b": str(i)} for i in range(rows)]),
            "at": pa.array([day + datetime.timedelta(seconds=i) for i in range(rows)], pa.timestamp("us", "UTC")),
        }
    )
    pq.write_table(table, path, row_group_size=rows // 5)


@pytest.mark.parametrize(("world", "ends"), [(1, "uneven"), (2, "drop"), (4, "pad")])
def test_batches_places_and_states_are_those_of_load(world: int, ends: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    write_rows(path, 1003)
    options = {
        "source": str(path),
        "batchSize": 32,
        "seed": 42,
        "ends": ends,
        "epochs": 2,
        "shuffle": {"windowRows": 64, "lanes": 8},
    }
    with serving(tmp_path / "s", options) as address:
        for rank in range(world):
            file = tmp_path / f"rank-{rank}.arrows"
            mine = {**options, "world": {"rank": rank, "worldSize": world}}
            told = subprocess.run(
                ["node", PEER, "load", json.dumps(mine), str(file)], check=True, capture_output=True, text=True
            )
            expected = pa.ipc.open_stream(file.read_bytes())
            places: list[dict[str, Any]] = []
            with connect(address, rank=rank, world=world) as stream:
                assert stream.schema.equals(expected.schema)
                for batch in stream:
                    assert batch.equals(expected.read_next_batch())
                    place = stream.place
                    assert place is not None
                    positions = [place.start, place.stop]
                    state = stream.state_dict()
                    places.append({"epoch": place.epoch, "step": place.step, "positions": positions, "state": state})
            assert places == json.loads(told.stdout)
            assert len(places) > 2 * 1003 // (32 * world) - 2
