"""What goes wrong between `ingest serve` and its clients is a typed error, or goes on exactly."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import CLI, ROWS, RealServer

from ingest_client import BusyError, ConnectionLostError, OptionsError, SourceError, StateError, connect

Serve = Callable[..., RealServer]


def ids_of(batches: Any) -> list[int]:
    return [int(i) for batch in batches for i in batch.column("id").to_pylist()]


@pytest.mark.parametrize(
    ("rank", "world", "mentions"),
    [(2, 2, "rank 2 is not in"), (-1, 2, "rank -1"), (0, 0, "world 0"), (0, 3, "3 ranks cannot share 8 lanes")],
)
def test_a_wrong_rank_or_world(serve: Serve, rank: int, world: int, mentions: str) -> None:
    address = serve("--batch", "10", "--lanes", "8").address
    with pytest.raises(OptionsError, match=mentions) as caught:
        connect(address, rank=rank, world=world)
    assert caught.value.remedy
    assert not caught.value.retryable


def test_a_second_client_of_a_rank_hears_it_in_time_and_the_first_goes_on(serve: Serve) -> None:
    address = serve("--batch", "10").address
    with connect(address, rank=0, world=1) as stream:
        whole = ids_of(stream)
    # Without an end, so that the first one's stream is still open when the second one asks.
    address = serve("--batch", "10", "--epochs", "inf").address
    with connect(address, rank=0, world=1) as first:
        read = ids_of(next(first) for _ in range(3))
        began = time.monotonic()
        with pytest.raises(BusyError, match="rank 0 has a client") as caught:
            connect(address, rank=0, world=1, reconnect_s=1.5)
        assert 1.4 < time.monotonic() - began < 30
        assert caught.value.remedy
        assert read + ids_of(next(first) for _ in range(97)) == whole


CLIENT = """
import json, sys
from ingest_client import connect
stream = connect(sys.argv[1], rank=0, world=1)
for batch in stream:
    print(json.dumps([batch.column("id").to_pylist(), stream.state_dict()]), flush=True)
"""


def test_a_client_killed_in_mid_stream_frees_its_rank_and_the_next_goes_on_exactly(serve: Serve) -> None:
    server = serve("--batch", "10", "--epochs", "inf")
    with connect(server.address, rank=0, world=1) as stream:
        whole = ids_of(next(stream) for _ in range(150))
    command = [sys.executable, "-c", CLIENT, server.address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        lines = [client.stdout.readline() for _ in range(40)]
        os.kill(client.pid, signal.SIGKILL)
    taken = [json.loads(line) for line in lines]
    read = [i for ids, _ in taken for i in ids]
    with connect(server.address, rank=0, world=1, state=taken[-1][1]) as stream:
        assert read + ids_of(next(stream) for _ in range(110)) == whole


def test_a_client_that_vanishes_in_the_middle_of_a_batch_frees_its_rank(serve: Serve) -> None:
    server = serve("--batch", "500", "--epochs", "inf")
    request = b"GET /v1/batches?rank=0&world=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(server.address.removeprefix("unix:"))
            raw.sendall(request)
            # The head, the schema, and a part of the first batch.
            assert len(raw.recv(1500, socket.MSG_WAITALL)) == 1500
    with connect(server.address, rank=0, world=1) as stream:
        assert sorted(ids_of(stream.epoch())) == list(range(ROWS))


def test_a_killed_server_fails_within_the_time_and_goes_on_exactly_when_it_is_back(serve: Serve) -> None:
    server = serve("--batch", "10")
    with connect(server.address, rank=0, world=1) as stream:
        whole = ids_of(stream)
    server = serve("--batch", "10", "--epochs", "inf")
    with connect(server.address, rank=0, world=1, reconnect_s=0.5) as stream:
        read = ids_of(next(stream) for _ in range(10))
        server.kill()
        began = time.monotonic()
        with pytest.raises(ConnectionLostError, match=r"within 0\.5 s") as caught:
            while len(read) < ROWS:
                read += ids_of([next(stream)])
        assert time.monotonic() - began < 30
        assert caught.value.remedy
        assert caught.value.where["url"] == server.address
        server.start()
        assert read + ids_of(stream.epoch()) == whole


def test_a_state_of_another_data_set(serve: Serve, data: Path, tmp_path: Path) -> None:
    table = pq.read_table(data)
    other = tmp_path / "other.parquet"
    pq.write_table(table.slice(1), other)
    with connect(serve("--batch", "10").address, rank=0, world=1) as stream:
        next(stream)
        state = stream.state_dict()
    server = RealServer(tmp_path / "other.sock", str(other), "--batch", "10")
    try:
        with pytest.raises(StateError) as caught:
            connect(server.address, rank=0, world=1, state=state)
    finally:
        server.kill()
    assert caught.value.remedy
    assert not caught.value.retryable


@pytest.mark.parametrize("how", ["grows", "is written again"])
def test_a_file_that_changes_in_mid_epoch(tmp_path: Path, data: Path, how: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    table = pq.read_table(data)
    for i in range(4):
        pq.write_table(table.slice(250 * i, 250), folder / f"{i}.parquet", row_group_size=50)
    server = RealServer(tmp_path / "s", str(folder), "--batch", "10", "--no-shuffle", "--epochs", "inf")
    try:
        with connect(server.address, rank=0, world=1, reconnect_s=5) as stream:
            read = ids_of([next(stream)])
            last = folder / "3.parquet"
            if how == "grows":
                last.write_bytes(last.read_bytes() + b"more")
            else:
                pq.write_table(table.slice(0, 250), last)
            with pytest.raises(SourceError) as caught:
                while len(read) < 20 * ROWS:
                    read += ids_of([next(stream)])
            state = stream.state_dict()
        assert not isinstance(caught.value, ConnectionLostError)
        assert str(caught.value.where["url"]).endswith("3.parquet")
        assert re.search(r"changed while it was read \(.*3\.parquet, fragment \d\)\. ", str(caught.value))
        assert caught.value.remedy
        # What came before the error is right, in whole epochs, and the place is behind it.
        assert read == [i % ROWS for i in range(len(read))]
        assert state["position"] == len(read) % ROWS
    finally:
        server.kill()


def test_a_folder_whose_files_cannot_be_united_is_refused_before_it_is_served(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    pq.write_table(pa.table({"id": [1, 2]}), folder / "a.parquet")
    pq.write_table(pa.table({"id": ["one"]}), folder / "b.parquet")
    command = ["node", str(CLI), "serve", str(folder), "--batch", "1", "--socket", str(tmp_path / "s")]
    server = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (server.returncode, server.stdout) == (2, "")
    assert re.search(r"no type holds both without loss \(.*b\.parquet, column \"id\"\)\. Write one", server.stderr)
