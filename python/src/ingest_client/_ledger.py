"""What the trainer was given, line by line, for `ingest audit` (docs/ledger.md).

The server makes header and digests; this process knows what was handed out, and writes.
"""

from __future__ import annotations

import datetime
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any, NoReturn

from .errors import FormatError, SourceError, StateError

_ORDER = ("ledger", "orderVersion", "seed", "lanes", "windowRows", "ends", "where")


def _line(value: object) -> str:
    # As JSON.stringify writes it: headers are compared as text.
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"


def _parts(header: str) -> dict[str, Any]:
    try:
        value = json.loads(header)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _is_grown(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether `now` is the same run, at most with segments appended."""
    if any(before.get(name, "") != now.get(name) for name in _ORDER) or before.get("stream") != now.get("stream"):
        return False
    return all(before.get(name) == now[name][: len(before.get(name, []))] for name in ("objects", "segments"))


class Ledger:
    """One attempt's lines. They survive the death of this process, not that of the machine."""

    def __init__(self, target: str | os.PathLike[str], header: str, start: dict[str, Any]) -> None:
        """Opens the ledger, a file ending in .jsonl or a folder, and notes that an attempt begins.

        Raises SourceError when it cannot be written, StateError when the file is the ledger of another run.
        """
        self._id = secrets.token_hex(4)
        self._started = time.monotonic()
        now = datetime.datetime.now(datetime.timezone.utc)
        started_at = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
        path = Path(target)
        is_file = not path.is_dir() if path.exists() else path.suffix == ".jsonl"
        if not is_file:
            compact = started_at.translate({ord(c): None for c in "-:."})
            path = path / f"rank-{start['rank']}-of-{start['worldSize']}-{compact}-{self._id}.jsonl"
        self.path = path
        self._header = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError as error:
            self._unwritable(error)
        try:
            self._drop_torn_line()
            with path.open(encoding="utf-8", errors="replace") as lines:
                self._header = lines.readline().removesuffix("\n")
            self.check_header(header)
            self._write(_line({"attempt": self._id, **start, "startedAt": started_at}))
        except OSError as error:
            self.close()
            self._unwritable(error)
        except BaseException:
            self.close()
            raise

    def check_header(self, header: str) -> None:
        """Notes the header of the run where it is new. Raises StateError when it is that of another run."""
        if header == self._header:
            return
        if self._header != "" and not _is_grown(_parts(self._header), _parts(header)):
            raise StateError(
                f"the file is not a ledger of this run: data, order or seed differ ({self.path})",
                remedy="Name a new file, or a folder of this run's own.",
                where={"url": str(self.path)},
            )
        self._write(header + "\n")
        self._header = header

    def window(self, window: object) -> None:
        """Notes what a window of a stream holds, before its batches. Raises SourceError."""
        if not isinstance(window, dict):
            raise FormatError("the server sends a window that cannot be read", remedy="Update the server.")
        self._write(_line(window))

    def append(self, entry: object) -> None:
        """Notes a batch that is handed out. Raises SourceError."""
        if not isinstance(entry, dict):
            raise FormatError("the server sends a batch without an entry for the ledger", remedy="Update the server.")
        milliseconds = int((time.monotonic() - self._started) * 1000)
        self._write(_line({"batch": self._id, **entry, "ms": milliseconds}))

    def close(self) -> None:
        """Closes the file; nothing can be noted afterwards."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _drop_torn_line(self) -> None:
        """Cuts off what a killed process left of its last line."""
        size = end = os.fstat(self._fd).st_size
        while end > 0 and os.pread(self._fd, 1, end - 1) != b"\n":
            end -= 1
        if end < size:
            os.ftruncate(self._fd, end)

    def _write(self, line: str) -> None:
        data = line.encode()
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            self._unwritable(error)

    def _unwritable(self, error: OSError) -> NoReturn:
        raise SourceError(
            f"the ledger cannot be written: {error.strerror} ({self.path})",
            remedy="Name a file ending in .jsonl or a folder that can be written.",
            where={"url": str(self.path)},
        ) from error
