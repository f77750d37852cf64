"""What the client refuses, and what it makes of a server's refusals."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from scripts import Fake, ids_of, read, whole

from ingest_client import (
    BusyError,
    ConnectionLostError,
    FormatError,
    IngestError,
    OptionsError,
    ServerDefectError,
    StateError,
    connect,
)


def test_a_busy_rank_is_tried_again(fake: Fake) -> None:
    busy = {"code": "INGEST_OPTIONS", "message": "rank 0 has a client", "retryable": True}
    server = fake(lambda connection: connection.refuse(409, busy), whole(1))
    assert ids_of(read(server)) == list(range(10))


def test_a_rank_that_stays_busy_is_refused_in_time(fake: Fake) -> None:
    busy = {"code": "INGEST_OPTIONS", "message": "rank 0 has a client", "remedy": "Stop it.", "retryable": True}
    server = fake(lambda connection: connection.refuse(409, busy))
    began = time.monotonic()
    with pytest.raises(BusyError, match=r"rank 0 has a client\. Stop it\.") as caught:
        read(server, reconnect_s=0.5)
    assert 0.4 < time.monotonic() - began < 3
    assert caught.value.retryable
    assert len(server.asked) > 1


@pytest.mark.parametrize(
    ("status", "answer", "kind", "mentions"),
    [
        (422, {"code": "INGEST_STATE", "message": "of other data"}, StateError, "of other data"),
        (400, {"code": "INGEST_OPTIONS", "message": "rank 9"}, OptionsError, "rank 9"),
        (500, {"code": "INGEST_DEFECT", "message": "oh"}, ServerDefectError, "oh"),
        (502, b"<html>bad gateway</html>", FormatError, "answers 502: <html>"),
        (404, {"no": "error"}, FormatError, "answers 404"),
    ],
)
def test_a_refusal_is_raised_at_once(
    fake: Fake, status: int, answer: Any, kind: type[IngestError], mentions: str
) -> None:
    server = fake(lambda connection: connection.refuse(status, answer))
    with pytest.raises(kind, match=mentions):
        read(server)
    assert len(server.asked) == 1


def test_no_server_at_all(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(ConnectionLostError, match="no server answers: No such file"):
        connect(f"unix:{tmp_path}/none.sock", rank=0, world=1, reconnect_s=0.3)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("options", "mentions"),
    [
        ({"batch": 0}, "batch 0"),
        ({"batch": True}, "batch True"),
        ({"epochs": 0}, "epochs 0"),
        ({"epochs": 1.5}, "epochs 1.5"),
        ({"timeout_s": 0}, "timeout_s 0"),
        ({"reconnect_s": float("inf")}, "reconnect_s inf"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], mentions: str) -> None:
    with pytest.raises(OptionsError, match=mentions):
        connect("unix:/nowhere", rank=0, world=1, **options)


@pytest.mark.parametrize(
    ("address", "mentions"),
    [
        ("http://10.0.0.1:80", "another machine"),
        ("https://localhost:80", "no address"),
        ("http://localhost", "no port"),
        ("unix:", "no path"),
        ("run/ingest.sock", "no address"),
        (8815, "not text"),
    ],
)
def test_wrong_addresses_are_refused(address: Any, mentions: str) -> None:
    with pytest.raises(OptionsError, match=mentions):
        connect(address, rank=0, world=1)


def test_a_path_that_no_socket_may_have_is_refused_at_once() -> None:
    with pytest.raises(OptionsError, match="too long"):
        connect("unix:/" + "x" * 200, rank=0, world=1)


def test_a_state_that_is_none(fake: Fake) -> None:
    with pytest.raises(StateError, match="a state is a dict, not list"):
        read(fake(whole(1)), state=[1])
