"""Messages of an Arrow IPC stream, with their custom metadata, received into memory of Arrow's own.

pyarrow reads streams from files only, and gives a message's metadata as bytes: what we need of the flatbuffer (Arrow's
format/Message.fbs) is read here.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ._http import Response
from .errors import FormatError

#: What servers of this protocol write in every message's metadata.
_KEY = b"ingest"
_CONTINUATION = 0xFFFFFFFF
_SCHEMA = 1
_RECORD_BATCH = 3
_METADATA_BYTES_MAX = 256 << 20
_BODY_BYTES_MAX = 1 << 40
#: Buffers start at multiples of this from the beginning of the body; so the body shall.
_ALIGN_BYTES = 64


def _pool() -> pa.MemoryPool:
    """mimalloc, the newer pyarrow's own choice: jemalloc gives large blocks back and faults them in for every batch."""
    if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
        with contextlib.suppress(NotImplementedError):
            return pa.mimalloc_memory_pool()
    return pa.default_memory_pool()


_POOL = _pool()


@dataclass(frozen=True)
class Message:
    """One record batch, and what the server says of it."""

    batch: pa.RecordBatch
    kind: str
    about: dict[str, Any]


class _Table:
    """A table of a flatbuffer: fields by number."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at
        self._vtable = at - int(struct.unpack_from("<i", data, at)[0])
        self._vtable_bytes = int(struct.unpack_from("<H", data, self._vtable)[0])

    def place(self, field: int) -> int | None:
        """Where the field lies; None when it is left out."""
        slot = 4 + 2 * field
        if slot + 2 > self._vtable_bytes:
            return None
        offset = int(struct.unpack_from("<H", self._data, self._vtable + slot)[0])
        return self._at + offset if offset else None

    def number(self, field: int, code: str) -> int:
        place = self.place(field)
        return 0 if place is None else int(struct.unpack_from(f"<{code}", self._data, place)[0])

    def pointed(self, field: int) -> int | None:
        """Where what the field refers to lies."""
        place = self.place(field)
        return None if place is None else place + int(struct.unpack_from("<I", self._data, place)[0])

    def text(self, field: int) -> bytes:
        place = self.pointed(field)
        if place is None:
            return b""
        length = int(struct.unpack_from("<I", self._data, place)[0])
        return self._data[place + 4 : place + 4 + length]


def _read_header(metadata: bytes) -> tuple[int, int, bytes]:
    """(type of the message, bytes of its body, our custom metadata)."""
    message = _Table(metadata, struct.unpack_from("<I", metadata, 0)[0])
    ours = b""
    entries = message.pointed(4)
    if entries is not None:
        for i in range(struct.unpack_from("<I", metadata, entries)[0]):
            place = entries + 4 + 4 * i
            pair = _Table(metadata, place + struct.unpack_from("<I", metadata, place)[0])
            if pair.text(0) == _KEY:
                ours = pair.text(1)
    return message.number(1, "B"), message.number(3, "q"), ours


def _broken(what: str) -> FormatError:
    return FormatError(f"the stream is no Arrow stream of this protocol: {what}", remedy="Is this `ingest serve`?")


class MessageReader:
    """The record batches of one response."""

    def __init__(self, response: Response) -> None:
        """Reads the schema, which comes at once."""
        self._response = response
        kind, _, message = self._read()
        if kind != _SCHEMA:
            raise _broken("it does not begin with a schema")
        try:
            self.schema: pa.Schema = pa.ipc.read_schema(message)
        except (pa.ArrowException, OSError) as error:
            raise _broken(str(error)) from error

    def close(self) -> None:
        self._response.close()

    def finish(self) -> None:
        """Reads what follows the last message."""
        scratch = memoryview(bytearray(64))
        while self._response.read_some(scratch):
            pass

    def next(self) -> Message:
        """The next record batch. Raises ConnectionLostError, ConnectionTimeoutError, FormatError."""
        kind, about, message = self._read()
        if kind != _RECORD_BATCH:
            raise _broken(f"a message of type {kind}")
        try:
            batch = pa.ipc.read_record_batch(message, self.schema)
            batch.validate()
            told = json.loads(about)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _broken(str(error)) from error
        if not isinstance(told, dict) or not isinstance(told.get("kind"), str):
            raise _broken("a batch does not say what it is")
        return Message(batch, told["kind"], told)

    def _read(self) -> tuple[int, bytes, pa.Message]:
        prefix = bytearray(8)
        self._response.read_into(memoryview(prefix))
        continuation, metadata_bytes = struct.unpack("<II", prefix)
        if continuation != _CONTINUATION or metadata_bytes > _METADATA_BYTES_MAX:
            raise _broken("a message does not begin as one")
        if metadata_bytes == 0:
            raise _broken("it ends without saying that the run is complete")
        metadata = bytearray(metadata_bytes)
        self._response.read_into(memoryview(metadata))
        try:
            kind, body_bytes, about = _read_header(bytes(metadata))
        except (struct.error, IndexError) as error:
            raise _broken("the metadata of a message cannot be read") from error
        if not 0 <= body_bytes <= _BODY_BYTES_MAX:
            raise _broken(f"a message claims {body_bytes} bytes")
        return kind, about, self._with_body(bytes(prefix) + metadata, body_bytes)

    def _with_body(self, head: bytes, body_bytes: int) -> pa.Message:
        """One message in one buffer, the body on a boundary that vector instructions like."""
        start = -len(head) % _ALIGN_BYTES
        whole = pa.allocate_buffer(start + len(head) + body_bytes, _POOL)
        view = memoryview(whole).cast("B")
        view[start : start + len(head)] = head
        self._response.read_into(view[start + len(head) :])
        try:
            return pa.ipc.read_message(pa.BufferReader(whole.slice(start)))
        except (pa.ArrowException, OSError) as error:
            raise _broken(str(error)) from error
