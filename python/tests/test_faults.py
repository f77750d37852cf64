"""What the client does when the server does not do what it should."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fake_server import SCHEMA, TORN, Connection, FakeServer

from ingest_client import (
    BatchStream,
    BusyError,
    ConnectionLostError,
    ConnectionTimeoutError,
    FormatError,
    IngestError,
    OptionsError,
    ServerDefectError,
    StateError,
    connect,
)

Fake = Callable[..., FakeServer]


def ids_of(batches: Any) -> list[int]:
    return [int(i) for batch in batches for i in batch.column(0).to_pylist()]


def read(server: FakeServer, **options: Any) -> BatchStream:
    return connect(server.address, rank=0, world=1, **options)


def whole(steps: int) -> Callable[[Connection], None]:
    """A run of one epoch, from the state that is asked for."""

    def script(connection: Connection) -> None:
        connection.begin()
        state = connection.state
        for step in range(0 if state is None else int(state["at"]), steps):
            connection.chunk(connection.batch(step))
        connection.chunk(connection.message("epoch", epoch=0, state={"epoch": 1, "at": 0}))
        connection.end(steps)

    return script


def cut_after(steps: int, part: Callable[[bytes], bytes] = lambda message: message[:0]) -> Callable[[Connection], None]:
    """Sends some steps whole, then a part of the next message, and hangs up."""

    def script(connection: Connection) -> None:
        connection.begin()
        for step in range(steps):
            connection.chunk(connection.batch(step))
        torn = connection.batch(steps)
        # The chunk claims the whole message.
        connection.send(b"%x\r\n%b" % (len(torn), part(torn)))

    return script


def error_behind(steps: int, **error: Any) -> Callable[[Connection], None]:
    def script(connection: Connection) -> None:
        connection.begin()
        for step in range(steps):
            connection.chunk(connection.batch(step))
        connection.chunk(connection.message("error", error=error, state={"epoch": 0, "at": steps}))
        connection.chunk(TORN)

    return script


def test_a_whole_run(fake: Fake) -> None:
    server = fake(whole(3))
    with read(server) as stream:
        assert stream.schema == SCHEMA
        assert stream.state_dict() == {}
        assert ids_of(stream) == list(range(30))
        assert stream.state_dict() == {"epoch": 1, "at": 0}
        assert list(stream) == []
    assert server.asked == [{"rank": "0", "world": "1"}]


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


def test_the_end_of_an_epoch_is_none_of_the_run(fake: Fake) -> None:
    def two_epochs(connection: Connection) -> None:
        connection.begin()
        for epoch in range(2):
            connection.chunk(connection.batch(epoch, epoch=epoch))
            connection.chunk(connection.message("epoch", epoch=epoch, state={"epoch": epoch + 1, "at": 0}))
        connection.end(2)

    with read(fake(two_epochs)) as stream:
        assert [len(list(stream.epoch())), len(list(stream.epoch()))] == [1, 1]
        assert stream.state_dict() == {"epoch": 2, "at": 0}
        assert list(stream.epoch()) == []
        with pytest.raises(OptionsError, match="no further epoch"):
            list(stream.epoch())


@pytest.mark.parametrize("cut", ["in the body", "in the next epoch"])
def test_epoch_ends_once_when_the_connection_is_cut(fake: Fake, cut: str) -> None:
    def first(connection: Connection) -> None:
        connection.begin()
        connection.chunk(connection.batch(0))
        if cut == "in the next epoch":
            connection.chunk(connection.message("epoch", epoch=0, state={"epoch": 1, "at": 0}))

    def second(connection: Connection) -> None:
        connection.begin()
        if cut == "in the body":
            connection.chunk(connection.message("epoch", epoch=0, state={"epoch": 1, "at": 0}))
        connection.chunk(connection.batch(0, epoch=1))
        connection.chunk(connection.message("epoch", epoch=1, state={"epoch": 2, "at": 0}))
        connection.end(1)

    with read(fake(first, second)) as stream:
        assert [len(list(stream.epoch())), len(list(stream.epoch()))] == [1, 1]
        assert list(stream) == []


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


def test_after_a_failure_the_next_call_goes_on(fake: Fake) -> None:
    server = fake(cut_after(2), cut_after(0), whole(4))
    stream = read(server, reconnect_s=0)
    first = [next(stream), next(stream)]
    for _ in range(2):
        with pytest.raises(ConnectionLostError):
            next(stream)
    assert ids_of(first + list(stream)) == list(range(40))


def test_no_server_at_all(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(ConnectionLostError, match="no server answers: No such file"):
        connect(f"unix:{tmp_path}/none.sock", rank=0, world=1, reconnect_s=0.3)
    assert time.monotonic() - began < 2


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


def test_state_dict_is_of_the_batch_last_yielded_and_a_copy(fake: Fake) -> None:
    stream = read(fake(whole(3)))
    next(stream)
    state = stream.state_dict()
    assert state == {"epoch": 0, "at": 1}
    state["at"] = 99
    assert stream.state_dict() == {"epoch": 0, "at": 1}
    assert stream.place is not None
    assert (stream.place.step, stream.place.start, stream.place.stop) == (0, 0, 10)


def test_load_state_dict_goes_there_and_back(fake: Fake) -> None:
    stream = read(fake(whole(4)))
    batches = [next(stream)]
    state = stream.state_dict()
    rest = ids_of(stream)
    assert ids_of(batches) + rest == list(range(40))
    stream.load_state_dict(state)
    assert ids_of(stream) == rest
    stream.load_state_dict({})
    assert ids_of(stream) == list(range(40))


def test_a_closed_stream_keeps_its_place(fake: Fake) -> None:
    with read(fake(whole(3))) as stream:
        next(stream)
    assert stream.state_dict() == {"epoch": 0, "at": 1}
    with pytest.raises(OptionsError, match="closed"):
        next(stream)


def test_an_interrupt_in_a_message_loses_nothing(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = read(fake(whole(3)))
    first = ids_of([next(stream)])

    def interrupted(*_: Any) -> int:
        monkeypatch.undo()
        raise KeyboardInterrupt

    reader = stream._reader
    assert reader is not None
    monkeypatch.setattr(reader._response, "_receive", interrupted)
    # It comes with whichever batch was not received yet: perhaps all were, with the first one.
    interrupts = 0
    while True:
        try:
            batch = next(stream, None)
        except KeyboardInterrupt:
            interrupts += 1
            continue
        if batch is None:
            break
        first += ids_of([batch])
    assert first == list(range(30))
    assert interrupts <= 1


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
