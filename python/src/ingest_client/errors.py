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
    "ServerDefectError",
    "SourceError",
    "StateError",
    "UnsupportedError",
    "error_from_server",
]


class IngestError(Exception):
    """Every error that this package raises on purpose. The message reads: what (where). What to do."""

    #: The same word in every language and in the server's answers.
    code = "INGEST_DEFECT"

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        where: Mapping[str, Any] | None = None,
        retryable: bool = False,
    ) -> None:
        #: What the reader of the message should do; None when nothing is known.
        self.remedy = remedy
        #: What is known of the place: url, fragment, column, offset (bytes).
        self.where: Mapping[str, Any] = dict(where or {})
        #: Whether trying again, unchanged, may help.
        self.retryable = retryable
        # The server's message may hold its remedy already.
        super().__init__(message if remedy is None or remedy in message else f"{message.rstrip('.')}. {remedy}")

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword arguments do not survive the usual way; DataLoader workers send their errors pickled.
        return _rebuild, (type(self), str(self), self.remedy, dict(self.where), self.retryable)


def _rebuild(
    kind: type[IngestError], message: str, remedy: str | None, where: dict[str, Any], retryable: bool
) -> IngestError:
    return kind(message, remedy=remedy, where=where, retryable=retryable)


class FormatError(IngestError):
    """The bytes of an object, or of a message, break their specification."""

    code = "INGEST_FORMAT"


class UnsupportedError(IngestError):
    """Legal, but not implemented or over a limit; names the feature or the option."""

    code = "INGEST_UNSUPPORTED"


class SourceError(IngestError):
    """The server could not read its data, or the ledger could not be written."""

    code = "INGEST_SOURCE"


class OptionsError(IngestError):
    """The call is wrong: a rank, a world, an address, an option."""

    code = "INGEST_OPTIONS"


class StateError(IngestError):
    """A checkpoint does not fit the data, the seed or the world."""

    code = "INGEST_STATE"


class BusyError(OptionsError):
    """Another client reads this rank, or streams of another world are open. Retryable."""


class ConnectionLostError(SourceError):
    """No server answers, or the stream broke off without an end: not an end of data. Retryable."""


class ConnectionTimeoutError(ConnectionLostError):
    """The server is connected and silent for longer than `timeout_s`."""


class ServerDefectError(IngestError):
    """The server failed in a way that it did not expect: a defect of ours."""


_kinds: dict[str, type[IngestError]] = {
    kind.code: kind
    for kind in (FormatError, UnsupportedError, SourceError, OptionsError, StateError, ServerDefectError)
}


def _described(where: Mapping[str, Any]) -> str:
    """A place as the server's own messages show it."""
    parts = [str(where["url"])] if "url" in where else []
    if "fragment" in where:
        parts.append(f"fragment {where['fragment']}")
    if "column" in where:
        parts.append(f'column "{where["column"]}"')
    if "offset" in where:
        parts.append(f"byte {where['offset']}")
    return ", ".join(parts)


def error_from_server(answer: object, fallback: str) -> IngestError:
    """The error that an answer of the server stands for.

    `answer` is the decoded JSON `{"code", "message", "remedy", "where", "retryable"}`; anything else becomes a
    FormatError that shows `fallback`.
    """
    if not isinstance(answer, dict):
        return FormatError(fallback)
    kind = _kinds.get(str(answer.get("code")))
    if kind is None:
        return FormatError(fallback)
    remedy, where = answer.get("remedy"), answer.get("where")
    where = where if isinstance(where, dict) else {}
    place = _described(where)
    message = str(answer.get("message", fallback))
    return kind(
        f"{message} ({place})" if place else message,
        remedy=remedy if isinstance(remedy, str) else None,
        where=where,
        retryable=answer.get("retryable") is True,
    )
