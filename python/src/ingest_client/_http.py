"""One HTTP/1.1 GET on a blocking socket, its body received straight into the caller's memory.

Not `http.client`: that copies every body twice, and takes a cut in a chunk for the end of what was asked.
"""

from __future__ import annotations

import errno
import json
import re
import socket
import struct
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from .errors import ConnectionLostError, ConnectionTimeoutError, FormatError, OptionsError

_RECEIVE_BYTES = 16 * 1024
_HEAD_BYTES_MAX = 64 * 1024
_ANSWER_BYTES_MAX = 1 << 20
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ADDRESS_REMEDY = 'Pass "unix:PATH", or "http://127.0.0.1:PORT", as the server prints it.'


@dataclass(frozen=True)
class Address:
    """Where a server listens: the path of a unix socket, or a port of this machine."""

    path: str | None
    host: str = "localhost"
    port: int = 0

    def __str__(self) -> str:
        if self.path is not None:
            return f"unix:{self.path}"
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """`unix:PATH` or `http://HOST:PORT` on this machine. Raises OptionsError."""
    if not isinstance(text, str):
        raise OptionsError(f"the address {text!r} is not text", remedy=_ADDRESS_REMEDY)
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        # unix:///run/x.sock is how some tools spell the same.
        path = path.removeprefix("//") if path.startswith("///") else path
        if path == "" or "\0" in path:
            raise OptionsError(f'the address "{text}" has no path', remedy=_ADDRESS_REMEDY)
        return Address(path)
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        host, port = None, None
    if host is None or url.scheme != "http" or url.path not in ("", "/") or url.query or url.fragment or url.username:
        raise OptionsError(f'"{text}" is no address of a server', remedy=_ADDRESS_REMEDY)
    if host not in _LOOPBACK:
        raise OptionsError(
            f'"{text}" is another machine: the server answers its own only',
            remedy="Start a server on this machine, or forward a port of it.",
        )
    if port is None:
        raise OptionsError(f'the address "{text}" has no port', remedy=_ADDRESS_REMEDY)
    return Address(None, host, port)


def _lost(address: Address, what: str) -> ConnectionLostError:
    return ConnectionLostError(f"{what} ({address})", where={"url": str(address)}, retryable=True)


def _open_socket(address: Address, timeout_s: float) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    sock = socket.socket(socket.AF_UNIX if address.path is not None else family, socket.SOCK_STREAM)
    try:
        # Not settimeout(): that makes the socket non-blocking, and a body comes in hundreds of calls instead of one.
        limit = struct.pack("@ll", int(timeout_s), int(timeout_s % 1 * 1e6))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        sock.connect(address.path if address.path is not None else (address.host, address.port))
    except OSError as error:
        sock.close()
        if isinstance(error, BlockingIOError):
            raise ConnectionTimeoutError(
                f"the server does not accept a connection for {timeout_s:g} s ({address})",
                where={"url": str(address)},
                retryable=True,
            ) from error
        if error.errno is None:
            # "AF_UNIX path too long": no number, and no waiting will help.
            raise OptionsError(f"{error} ({address})", remedy="Give the server a shorter --socket.") from error
        if error.errno in (errno.EACCES, errno.EPERM):
            raise OptionsError(
                f"{error.strerror} ({address})", remedy="The permissions of the socket's file decide who may connect."
            ) from error
        raise _lost(address, f"no server answers: {error.strerror}") from error
    return sock


class Response:
    """The answer to one GET: `status`, and a body that is read in order. Close it."""

    def __init__(self, address: Address, target: str, timeout_s: float) -> None:
        """Connects, asks and reads the head of the answer.

        Raises ConnectionLostError, ConnectionTimeoutError after `timeout_s` of silence, FormatError, OptionsError.
        """
        self._address = address
        self._timeout_s = timeout_s
        self._buffer = memoryview(bytearray(_RECEIVE_BYTES))
        self._at = 0
        self._end = 0
        #: Bytes left of the chunk, or of the body when it is not chunked.
        self._left = 0
        self._chunked = False
        self._first_chunk = True
        self._done = False
        self._socket = _open_socket(address, timeout_s)
        try:
            self._ask(target)
            self.status = self._read_head()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hangs up, which ends the stream on the server's side too."""
        self._socket.close()

    def _ask(self, target: str) -> None:
        host = "localhost" if self._address.path is not None else str(self._address).removeprefix("http://")
        head = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAccept: */*\r\n\r\n"
        try:
            self._socket.sendall(head.encode("ascii"))
        except OSError as error:
            raise _lost(self._address, f"the connection is lost: {error.strerror}") from error

    def _receive(self, into: memoryview, flags: int = 0) -> int:
        """At least one byte."""
        try:
            count = self._socket.recv_into(into, len(into), flags)
        except BlockingIOError as error:
            raise ConnectionTimeoutError(
                f"the server is silent for {self._timeout_s:g} s ({self._address})",
                remedy="See what it does, or give a larger timeout_s.",
                where={"url": str(self._address)},
                retryable=True,
            ) from error
        except OSError as error:
            raise _lost(self._address, f"the connection is lost: {error.strerror or error}") from error
        if count == 0:
            raise _lost(self._address, "the connection was cut before the end of the answer")
        return count

    def _line(self) -> bytes:
        """Up to the next CRLF, which is taken too."""
        line = b""
        while True:
            piece = bytes(self._buffer[self._at : self._end])
            cut = (line + piece).find(b"\r\n")
            if cut >= 0:
                self._at += cut + 2 - len(line)
                return (line + piece)[:cut]
            line += piece
            if len(line) > _HEAD_BYTES_MAX:
                raise FormatError(f"the answer is not HTTP: no end of line in {len(line)} bytes ({self._address})")
            self._at, self._end = 0, self._receive(self._buffer)

    def _read_head(self) -> int:
        status = re.fullmatch(rb"HTTP/1\.1 ([0-9]{3})(?: .*)?", self._line())
        if status is None:
            raise FormatError(f"the answer is not HTTP/1.1 ({self._address})", remedy="Is this `ingest serve`?")
        headers: dict[bytes, bytes] = {}
        size = 0
        while line := self._line():
            name, _, value = line.partition(b":")
            headers[name.strip().lower()] = value.strip()
            size += len(line)
            if size > _HEAD_BYTES_MAX:
                raise FormatError(f"the head of the answer has more than {_HEAD_BYTES_MAX} bytes ({self._address})")
        self._chunked = headers.get(b"transfer-encoding", b"").lower() == b"chunked"
        length = headers.get(b"content-length", b"")
        if not self._chunked:
            if not re.fullmatch(rb"[0-9]{1,15}", length):
                raise FormatError(f"the answer has neither chunks nor a length ({self._address})")
            self._left = int(length)
            self._done = self._left == 0
        return int(status[1])

    def _next_chunk(self) -> None:
        """Makes `_left` positive, or `_done` true."""
        if not self._chunked:
            self._done = True
            return
        if not self._first_chunk and self._line() != b"":
            raise FormatError(f"a chunk of the answer is longer than it says ({self._address})")
        self._first_chunk = False
        size = self._line().partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9a-fA-F]{1,15}", size):
            raise FormatError(f"a chunk of the answer has no length ({self._address})")
        self._left = int(size, 16)
        if self._left == 0:
            while self._line():
                pass
            self._done = True

    def read_some(self, into: memoryview) -> int:
        """Fills the beginning of `into` (not empty); 0 at the proper end of the body."""
        while self._left == 0 and not self._done:
            self._next_chunk()
        if self._done:
            return 0
        want = min(self._left, len(into))
        ready = min(self._end - self._at, want)
        if ready > 0:
            into[:ready] = self._buffer[self._at : self._at + ready]
            self._at += ready
        elif want < _RECEIVE_BYTES:
            # A little: with what follows, so that the next lengths cost no call.
            self._at, self._end = 0, self._receive(self._buffer)
            return self.read_some(into)
        else:
            ready = self._receive(into[:want], socket.MSG_WAITALL)
        self._left -= ready
        return ready

    def read_into(self, into: memoryview) -> None:
        """Fills `into`. Raises ConnectionLostError when the body ends before."""
        at = 0
        while at < len(into):
            count = self.read_some(into[at:])
            if count == 0:
                raise _lost(self._address, "the answer ends in the middle of a message")
            at += count

    def read_answer(self) -> bytes:
        """The rest of a small body."""
        answer = bytearray()
        piece = memoryview(bytearray(_RECEIVE_BYTES))
        while count := self.read_some(piece):
            answer += piece[:count]
            if len(answer) > _ANSWER_BYTES_MAX:
                raise FormatError(f"the answer has more than {_ANSWER_BYTES_MAX} bytes ({self._address})")
        return bytes(answer)


def target_of(path: str, query: dict[str, str]) -> str:
    """A request target; values are percent-encoded."""
    return f"{path}?{urlencode(query)}" if query else path


def json_or_none(text: bytes) -> Any:
    """Decoded JSON, or None."""
    try:
        return json.loads(text)
    except ValueError:
        return None
