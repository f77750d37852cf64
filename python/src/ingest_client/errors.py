"""The errors of the client: the five kinds of the server, and three for the connection between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = [
    "BusyError",
    "ConnectionLostError",
    "ConnectionTimeoutError",
    "FormatError",
    "IngestError",
    "OptionsError",
    "SourceError",
    "StateError",
    "UnsupportedError",
    "error_from_server",
]


class IngestError(Exception):
    """Every error that this package raises on purpose. The message reads: what (where). What to do."""

    #: The same word in every language and in the server's answers.
    code = "INGEST_BUG"

    def __init__(self, message: str, *, retryable: bool = False, where: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        #: Whether trying again, unchanged, may help.
        self.retryable = retryable
        #: What the server knows of the place: url, fragment, column, offset (bytes).
        self.where: Mapping[str, Any] = dict(where or {})

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword arguments do not survive the usual way; DataLoader workers send their errors pickled.
        return _rebuild, (type(self), str(self), self.retryable, dict(self.where))


def _rebuild(kind: type[IngestError], message: str, retryable: bool, where: dict[str, Any]) -> IngestError:
    return kind(message, retryable=retryable, where=where)


class FormatError(IngestError):
    """The bytes of an object, or of a message, break their specification."""

    code = "INGEST_FORMAT"


class UnsupportedError(IngestError):
    """Legal, but not implemented or over a limit; names the feature or the option."""

    code = "INGEST_UNSUPPORTED"


class SourceError(IngestError):
    """The server could not read its data."""

    code = "INGEST_SOURCE"


class OptionsError(IngestError):
    """The call is wrong: a rank, a world, an address, an option."""

    code = "INGEST_OPTIONS"


class StateError(IngestError):
    """A checkpoint does not fit the data, the seed or the world."""

    code = "INGEST_STATE"


class BusyError(OptionsError):
    """Another client reads this rank. Retryable: the server notices within seconds when that client is gone."""


class ConnectionLostError(SourceError):
    """No server answers, or the stream broke off without an end: not an end of data. Retryable."""


class ConnectionTimeoutError(ConnectionLostError):
    """The server is connected and silent for longer than `timeout_seconds`."""


_kinds: dict[str, type[IngestError]] = {
    kind.code: kind for kind in (FormatError, UnsupportedError, SourceError, OptionsError, StateError)
}


def error_from_server(answer: object, fallback: str) -> IngestError:
    """The error that an answer of the server stands for.

    `answer` is the decoded JSON `{"code", "message", "retryable", "where"}`; anything else becomes an error that
    shows `fallback`.
    """
    if not isinstance(answer, dict):
        return FormatError(fallback)
    where = answer.get("where")
    kind = _kinds.get(str(answer.get("code")), IngestError)
    return kind(
        str(answer.get("message", fallback)),
        retryable=answer.get("retryable") is True,
        where=where if isinstance(where, dict) else None,
    )
