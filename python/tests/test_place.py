"""Where a stream stands: epochs, states, interrupts."""

from __future__ import annotations

import json
import linecache
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from fake_server import SCHEMA, Connection
from scripts import Fake, cut_after, ids_of, read, whole

from ingest_client import (
    ConnectionLostError,
    OptionsError,
    client,
)


def test_a_whole_run(fake: Fake) -> None:
    server = fake(whole(3))
    with read(server) as stream:
        assert stream.schema == SCHEMA
        assert stream.state_dict() == {}
        assert ids_of(stream) == list(range(30))
        assert stream.state_dict() == {"epoch": 1, "at": 0}
        assert list(stream) == []
    assert server.asked == [{"rank": "0", "world": "1"}]


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


def test_after_a_failure_the_next_call_goes_on(fake: Fake) -> None:
    server = fake(cut_after(2), cut_after(0), whole(4))
    stream = read(server, reconnect_s=0)
    first = [next(stream), next(stream)]
    for _ in range(2):
        with pytest.raises(ConnectionLostError):
            next(stream)
    assert ids_of(first + list(stream)) == list(range(40))


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


@pytest.mark.parametrize("by", ["next", "epoch"])
def test_an_interrupt_between_any_two_lines_loses_and_doubles_nothing(fake: Fake, by: str, tmp_path: Path) -> None:
    """Whatever line of the client it comes in: batches are those of the unbroken run, and the state counts them."""

    def with_ledger(connection: Connection) -> None:
        connection.begin()
        start = {"rank": 0, "worldSize": 1}
        connection.chunk(connection.message("ledger", header='{"ledger":1}', start=start))
        state = connection.state or {"epoch": 0, "at": 0}
        if state["epoch"] == 0:
            for step in range(int(state["at"]), 2):
                connection.chunk(connection.batch(step, ledger={"step": step}))
            connection.chunk(connection.message("epoch", epoch=0, state={"epoch": 1, "at": 0}))
        connection.end(2)

    server = fake(with_ledger)
    line = interrupts = 0
    while interrupts == line:
        ledger = tmp_path / str(line)
        stream = read(server, ledger=ledger)
        countdown = line

        def tracer(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal countdown, interrupts
            if frame.f_code.co_filename != client.__file__ or frame.f_code.co_name in ("state_dict", "close"):
                return None
            before = linecache.getline(client.__file__, frame.f_lineno - 1).strip()
            # Python does not look for signals between this line and the next.
            if event == "line" and before != "self._undo = None":
                countdown -= 1
                if countdown == -1:
                    interrupts += 1
                    raise KeyboardInterrupt
            return tracer

        ids: list[int] = []
        ended = False
        while not ended:
            batches = stream if by == "next" else stream.epoch()
            try:
                sys.settrace(tracer)
                batch = next(batches, None)
            except KeyboardInterrupt:
                batch = None
            else:
                ended = batch is None
            finally:
                sys.settrace(None)
            ids += [] if batch is None else ids_of([batch])
            assert (
                stream.state_dict()
                in (
                    [{}],
                    [{"epoch": 0, "at": 1}],
                    [{"epoch": 0, "at": 2}, {"epoch": 1, "at": 0}],
                )[len(ids) // 10]
            )
        assert ids == list(range(20))
        stream.close()
        last: dict[str, Any] = {}
        for path in sorted(ledger.iterdir(), key=lambda path: path.stat().st_mtime_ns):
            entries = [json.loads(text) for text in path.read_text().splitlines()[2:]]
            steps = [entry["step"] for entry in entries]
            # Within one start no batch stands twice, and what a later one has, it undid.
            assert steps == sorted(set(steps))
            last |= {str(step): path for step in steps}
        assert sorted(last) == ["0", "1"]
        line += 1
    assert line > 50
