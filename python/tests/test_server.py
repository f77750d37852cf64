"""The client against `ingest serve` itself, over a small Parquet file."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import CLI, ROWS, RealServer

from ingest_client import BusyError, ConnectionLostError, OptionsError, StateError, connect

Serve = Callable[..., RealServer]


def ids_of(batches: Any) -> list[int]:
    return [int(i) for batch in batches for i in batch.column("id").to_pylist()]


def test_every_row_once_and_values_with_their_nulls(serve: Serve) -> None:
    with connect(serve("--batch", "64").address, rank=0, world=1) as stream:
        assert stream.schema.names == ["id", "x"]
        rows = [row for batch in stream for row in batch.to_pylist()]
    assert sorted(row["id"] for row in rows) == list(range(ROWS))
    assert [row["id"] for row in rows] != list(range(ROWS))
    assert all(row["x"] == (None if row["id"] % 7 == 0 else row["id"] / 8) for row in rows)


def test_without_shuffling_rows_keep_their_order(serve: Serve) -> None:
    unshuffled = serve("--batch", "100", "--no-shuffle")
    assert ids_of(connect(unshuffled.address, rank=0, world=1)) == list(range(ROWS))


def test_ranks_from_the_environment_share_the_rows(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    address = serve("--batch", "50").address
    read: list[list[int]] = []
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("LOCAL_RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", "2")
        with connect(address) as stream:
            assert (stream.rank, stream.world) == (rank, 2)
            read.append(ids_of(stream))
    assert len(read[0]) == len(read[1]) == ROWS // 2
    assert sorted(read[0] + read[1]) == list(range(ROWS))


def test_a_state_goes_on_exactly_there_also_for_another_world(serve: Serve) -> None:
    address = serve("--batch", "20").address
    with connect(address, rank=0, world=1) as stream:
        whole = ids_of(stream)
    with connect(address, rank=0, world=1) as stream:
        before = ids_of(next(stream) for _ in range(6))
        state = json.loads(json.dumps(stream.state_dict()))
        later = ids_of(next(stream) for _ in range(3))
        stream.load_state_dict(state)
        assert ids_of(next(stream) for _ in range(3)) == later
    with connect(address, rank=0, world=1, state=state) as stream:
        assert before + ids_of(stream) == whole
    rest: list[int] = []
    for rank in range(2):
        with connect(address, rank=rank, world=2, batch=10, state=state) as stream:
            rest += ids_of(stream)
    assert sorted(before + rest) == list(range(ROWS))


def test_epochs_differ_and_end_one_by_one(serve: Serve) -> None:
    with connect(serve("--batch", "100").address, rank=0, world=1, epochs=2) as stream:
        first, second = ids_of(stream.epoch()), ids_of(stream.epoch())
        assert list(stream) == []
    assert sorted(first) == sorted(second) == list(range(ROWS))
    assert first != second


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_a_server_that_stops_and_comes_back(serve: Serve, how: str, tmp_path: Path) -> None:
    server = serve("--batch", "10")
    with connect(server.address, rank=0, world=1) as stream:
        whole = ids_of(stream)
    ledger = tmp_path / "ledger"
    with connect(server.address, rank=0, world=1, ledger=ledger) as stream:
        read = ids_of(next(stream) for _ in range(30))
        getattr(server, how)()
        server.start()
        read += ids_of(stream)
    assert read == whole
    audit = subprocess.run(["node", str(CLI), "audit", str(ledger)], capture_output=True, text=True, check=False)
    assert "1,000 rows, each once" in audit.stdout
    assert audit.returncode == 0


def test_draining_ends_the_server_well(serve: Serve) -> None:
    # Without an end: a thousand rows fit into the socket's buffer, and then nothing is open any more.
    server = serve("--batch", "10", "--epochs", "inf")
    with connect(server.address, rank=0, world=1, reconnect_s=0) as stream:
        next(stream)
        assert server.terminate() == 0
        with pytest.raises(ConnectionLostError):
            for _ in stream:
                pass
        assert stream.state_dict()


def test_two_clients_of_one_rank(serve: Serve) -> None:
    address = serve("--batch", "10", "--epochs", "inf").address
    with connect(address, rank=0, world=2, reconnect_s=0.1) as first:
        next(first)
        with pytest.raises(BusyError, match="rank 0"):
            connect(address, rank=0, world=2, reconnect_s=0.1)
        with pytest.raises(BusyError, match=r"world|ranks"):
            connect(address, rank=1, world=4, reconnect_s=0.1)
    with connect(address, rank=0, world=2) as second:
        next(second)


def test_wrong_ranks_and_states_are_named(serve: Serve) -> None:
    address = serve("--batch", "10", "--lanes", "8").address
    with pytest.raises(OptionsError, match="3 ranks cannot share 8 lanes"):
        connect(address, rank=0, world=3)
    with connect(address, rank=0, world=1) as stream:
        next(stream)
        state = stream.state_dict()
    with pytest.raises(StateError):
        connect(address, rank=0, world=1, state={"not": "a state"})
    seeded = serve("--batch", "10", "--lanes", "8", "--seed", "7").address
    with pytest.raises(StateError, match="seed"):
        connect(seeded, rank=0, world=1, state=state)


def test_a_condition_gives_batches_without_rows_too(serve: Serve) -> None:
    with connect(serve("--batch", "10", "--where", "id < 5").address, rank=0, world=1) as stream:
        batches = list(stream)
    assert sorted(ids_of(batches)) == list(range(5))
