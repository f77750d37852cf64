"""What a fake server does with a connection, and how the tests read from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fake_server import TORN, Connection, FakeServer

from ingest_client import (
    BatchStream,
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
        state = connection.state or {"epoch": 0, "at": 0}
        if state["epoch"] == 0:
            for step in range(int(state["at"]), steps):
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
