"""What the client does when the server does not do what it should."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from fake_server import TORN, Connection
from scripts import Fake, cut_after, error_behind, ids_of, read, whole

from ingest_client import (
    ConnectionLostError,
    ConnectionTimeoutError,
    FormatError,
    IngestError,
    ServerDefectError,
    StateError,
    connect,
)


@pytest.mark.parametrize(
    "part",
    [
        lambda message: message[:0],
        lambda message: message[:3],
        lambda message: message[:8],
        lambda message: message[: len(message) // 2],
        lambda message: message[:-1],
        # All of it, and then no end of the chunk and no end of the run.
        lambda message: message,
    ],
    ids=["before", "in its length", "behind its length", "in its middle", "a byte short", "behind it"],
)
def test_a_cut_connection_goes_on_where_it_was(fake: Fake, part: Callable[[bytes], bytes]) -> None:
    server = fake(cut_after(2, part), whole(5))
    with read(server) as stream:
        assert ids_of(stream) == list(range(50))
    assert [query.get("state") for query in server.asked] in (
        [None, '{"epoch":0,"at":2}'],
        [None, '{"epoch":0,"at":3}'],
    )


def test_a_cut_before_the_first_batch_begins_again(fake: Fake) -> None:
    server = fake(cut_after(0), whole(2))
    assert ids_of(read(server)) == list(range(20))
    assert server.asked == [{"rank": "0", "world": "1"}] * 2


def test_a_body_that_ends_without_end_is_no_end_of_data(fake: Fake) -> None:
    def silent_end(connection: Connection) -> None:
        connection.begin()
        connection.chunk(connection.batch(0))
        connection.send(b"0\r\n\r\n")

    stream = read(fake(silent_end), reconnect_s=0)
    next(stream)
    with pytest.raises(ConnectionLostError, match="in the middle of a message"):
        next(stream)


def test_arrow_s_end_of_stream_without_end_is_no_end_of_data(fake: Fake) -> None:
    def silent_end(connection: Connection) -> None:
        connection.begin()
        connection.chunk(connection.batch(0))
        connection.chunk(TORN + bytes(4))
        connection.send(b"0\r\n\r\n")

    stream = read(fake(silent_end))
    next(stream)
    with pytest.raises(FormatError, match="without saying that the run is complete"):
        next(stream)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("INGEST_FORMAT", FormatError),
        ("INGEST_STATE", StateError),
        ("INGEST_DEFECT", ServerDefectError),
        ("INGEST_NEW", FormatError),
    ],
)
def test_an_error_in_mid_stream_is_raised_as_its_kind(fake: Fake, code: str, kind: type[IngestError]) -> None:
    error = {"code": code, "message": "page 3 is torn", "remedy": "Write it again.", "where": {"url": "a.parquet"}}
    stream = read(fake(error_behind(2, **error)))
    assert ids_of([next(stream), next(stream)]) == list(range(20))
    with pytest.raises(kind) as caught:
        next(stream)
    if code != "INGEST_NEW":
        assert str(caught.value) == "page 3 is torn (a.parquet). Write it again."
        assert caught.value.where == {"url": "a.parquet"}
    # The place is that of the last batch, for a server that can read the data.
    assert stream.state_dict() == {"epoch": 0, "at": 2}


def test_a_draining_server_is_followed_by_the_next_one(fake: Fake) -> None:
    def draining(connection: Connection) -> None:
        connection.begin()
        connection.chunk(connection.batch(0))
        connection.chunk(connection.message("draining", state={"epoch": 0, "at": 1}))
        connection.chunk(TORN)

    def drained(connection: Connection) -> None:
        connection.refuse(503, {"code": "INGEST_SOURCE", "message": "it drains", "retryable": True})

    server = fake(draining, drained, whole(3))
    assert ids_of(read(server)) == list(range(30))
    assert len(server.asked) == 3


def test_a_server_that_is_gone_fails_within_the_time(fake: Fake) -> None:
    server = fake(cut_after(2))
    stream = read(server, reconnect_s=0.6)
    assert ids_of([next(stream), next(stream)]) == list(range(20))
    server.close()
    began = time.monotonic()
    with pytest.raises(ConnectionLostError, match=r"no server went on within 0\.6 s") as caught:
        next(stream)
    assert 0.5 < time.monotonic() - began < 3
    assert caught.value.retryable
    assert stream.state_dict() == {"epoch": 0, "at": 2}


@pytest.mark.parametrize("at", ["before the head", "in a batch"])
def test_a_silent_server_is_given_up_in_time(fake: Fake, at: str) -> None:
    def silent(connection: Connection) -> None:
        if at == "in a batch":
            connection.begin()
            connection.chunk(connection.batch(0)[:50])
        time.sleep(1.2)

    began = time.monotonic()
    with pytest.raises(ConnectionTimeoutError, match=r"silent for 0\.3 s"):
        next(read(fake(silent), timeout_s=0.3))
    assert 0.2 < time.monotonic() - began < 1.1


def test_a_server_that_never_accepts_is_given_up_in_time(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as other:
        listener.bind(str(tmp_path / "full.sock"))
        listener.listen(0)
        other.connect(str(tmp_path / "full.sock"))
        with pytest.raises(ConnectionTimeoutError):
            connect(f"unix:{tmp_path}/full.sock", rank=0, world=1, timeout_s=0.3)


@pytest.mark.parametrize(
    ("answer", "mentions"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "neither chunks nor a length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhello, hello, hello!", "does not begin as one"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "chunk of the answer has no length"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "not HTTP: no end of line"),
    ],
)
def test_something_else_that_answers_is_named(fake: Fake, answer: bytes, mentions: str) -> None:
    with pytest.raises(FormatError, match=mentions):
        read(fake(lambda connection: connection.send(answer)), reconnect_s=0)


def test_every_damaged_byte_of_a_message_is_an_error_of_ours_or_harmless(fake: Fake) -> None:
    """No damage makes the process die, hang, or raise what is not ours. (That it is noticed is TCP's to promise.)"""
    places = iter(range(0, 1000))
    length = 0

    def damaged(connection: Connection) -> None:
        nonlocal length
        connection.begin()
        message = bytearray(connection.batch(0))
        length = len(message)
        message[next(places) % length] ^= 0xFF
        connection.chunk(bytes(message))

    server = fake(damaged)
    raised = 0
    for _ in range(400):
        try:
            next(read(server, reconnect_s=0, timeout_s=5))
        except IngestError:
            raised += 1
    assert length < 420
    assert raised > 100


def test_rows_of_an_unknown_kind_are_refused_and_notes_passed_over(fake: Fake) -> None:
    def later(connection: Connection) -> None:
        connection.begin()
        connection.chunk(connection.message("weather", sunny=True))
        connection.chunk(connection.batch(0, shiny=[1]))
        connection.chunk(connection.message("weather", [1, 2]))

    stream = read(fake(later), reconnect_s=0)
    assert ids_of([next(stream)]) == list(range(10))
    with pytest.raises(FormatError, match='unknown kind "weather"'):
        next(stream)


def test_other_columns_after_a_reconnect_are_refused(fake: Fake) -> None:
    def other(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.chunk(pa.schema([("id", pa.int32())]).serialize().to_pybytes())
        time.sleep(0.2)

    stream = read(fake(cut_after(1), other))
    next(stream)
    with pytest.raises(StateError, match="columns are not those"):
        next(stream)
