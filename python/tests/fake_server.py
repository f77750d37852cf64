"""A server of docs/serve.md that does what it is told, faults included: one script for each connection."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa

SCHEMA = pa.schema([("id", pa.int64())])
#: What comes instead of a message where a stream is cut on purpose.
TORN = b"\xff\xff\xff\xff"

Script = Callable[["Connection"], None]


class Connection:
    """The server's end of one request."""

    def __init__(self, accepted: socket.socket) -> None:
        self._socket = accepted
        head = b""
        while b"\r\n\r\n" not in head:
            received = accepted.recv(4096)
            if not received:
                break
            head += received
        target = head.split(b" ")[1].decode() if head else "/"
        url = urlsplit(target)
        self.path = url.path
        self.query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self._sink = io.BytesIO()
        self._writer = pa.ipc.new_stream(self._sink, SCHEMA)
        # The schema is written with the first batch; `begin` sends its own.
        self._writer.write_batch(pa.record_batch([pa.array([], pa.int64())], schema=SCHEMA))
        self._written()

    @property
    def state(self) -> Any:
        """That the client asks with."""
        return json.loads(self.query["state"]) if "state" in self.query else None

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def refuse(self, status: int, body: Mapping[str, Any] | bytes) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send(b"HTTP/1.1 %d Nope\r\nContent-Length: %d\r\n\r\n%b" % (status, len(data), data))

    def begin(self) -> None:
        """Status, headers and schema."""
        self.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.chunk(SCHEMA.serialize().to_pybytes())

    def message(self, kind: str, ids: list[int] | None = None, **about: Any) -> bytes:
        """One record batch, to be sent with `chunk`, whole or in part."""
        batch = pa.record_batch([pa.array(ids or [], pa.int64())], schema=SCHEMA)
        self._writer.write_batch(batch, custom_metadata={"ingest": json.dumps({"kind": kind, **about})})
        return self._written()

    def batch(self, step: int, *, epoch: int = 0, **about: Any) -> bytes:
        """Step s holds the ids 10 s … 10 s + 9, and its state says `{"at": s + 1}`."""
        ids = list(range(10 * step, 10 * step + 10))
        place = {"epoch": epoch, "step": step, "positions": [ids[0], ids[-1] + 1]}
        return self.message("batch", ids, **place, state={"epoch": epoch, "at": step + 1}, **about)

    def end(self, steps: int) -> None:
        """The run is complete."""
        self.chunk(self.message("end", state={"epoch": 1, "at": 0}, steps=steps, droppedRows=0))
        self.chunk(TORN + bytes(4))
        self.send(b"0\r\n\r\n")

    def _written(self) -> bytes:
        data = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return data


class FakeServer:
    """Listens on a unix socket; connection i runs script i, and the last one runs for all that follow."""

    def __init__(self, path: Path, *scripts: Script) -> None:
        self.address = f"unix:{path}"
        self.asked: list[dict[str, str]] = []
        self._scripts = scripts
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Later connections are refused."""
        if self._listener.fileno() < 0:
            return
        # Wakes accept(), which close() alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _run(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            with accepted:
                connection = Connection(accepted)
                self.asked.append(connection.query)
                script = self._scripts[min(len(self.asked), len(self._scripts)) - 1]
                # Some tests want the client to hang up.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    script(connection)
