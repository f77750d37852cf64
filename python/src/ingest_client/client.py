"""`connect`: the batches of one rank, as an iterator that survives the server."""

from __future__ import annotations

import copy
import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import pyarrow as pa

from ._http import Address, Response, json_or_none, parse_address, target_of
from ._ledger import Ledger
from ._messages import Message, MessageReader
from .errors import (
    BusyError,
    ConnectionLostError,
    ConnectionTimeoutError,
    FormatError,
    IngestError,
    OptionsError,
    StateError,
    error_from_server,
)
from .world import resolve_world

__all__ = ["BatchStream", "Place", "connect"]

#: How long another client may hold the rank. The server frees a killed client's rank at once.
_BUSY_S = 5.0
_FIRST_PAUSE_S = 0.05
_LAST_PAUSE_S = 1.0
_CONFLICT = 409

State = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a batch stands in the run."""

    epoch: int
    #: Counted from 0 in each epoch.
    step: int
    #: Positions [start, stop) of the epoch that all ranks together read in this step.
    start: int
    stop: int


class _Patience:
    """How long to try again: the time counts from the first failure since a batch came."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.reset()

    def reset(self) -> None:
        self._since: float | None = None
        self._pause_s = _FIRST_PAUSE_S

    def wait(self, limit_s: float) -> bool:
        """Waits before another attempt; False when the time is over."""
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        left = self._since + min(limit_s, self.limit_s) - now
        if left <= 0:
            return False
        time.sleep(min(self._pause_s, left))
        self._pause_s = min(2 * self._pause_s, _LAST_PAUSE_S)
        return True


def _check_count(name: str, value: object, least: int) -> None:
    if type(value) is not int or value < least:
        raise OptionsError(f"{name} {value!r} is not a whole number of {least} or more")


def _check_seconds(name: str, value: object, *, zero: bool) -> None:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not good or float(value) < 0 or (value == 0 and not zero):  # type: ignore[arg-type]
        raise OptionsError(f"{name} {value!r} is no time in seconds")


def _check_state(state: object) -> State | None:
    """A copy of a state; None, like {}, is the beginning of the run."""
    if state is None or state == {}:
        return None
    if not isinstance(state, Mapping):
        raise StateError(f"a state is a dict, not {type(state).__name__}", remedy="Pass what state_dict() returned.")
    return copy.deepcopy(dict(state))


def _query(rank: int, world: int, batch: int | None, epochs: float | str | None, *, ledger: bool) -> dict[str, str]:
    query = {"rank": str(rank), "world": str(world)}
    if batch is not None:
        _check_count("batch", batch, 1)
        query["batch"] = str(batch)
    if epochs in ("inf", math.inf):
        query["epochs"] = "inf"
    elif epochs is not None:
        _check_count("epochs", epochs, 1)
        query["epochs"] = str(epochs)
    if ledger:
        query["ledger"] = "1"
    return query


class BatchStream(Iterator[pa.RecordBatch]):
    """The batches of one rank, in order. `connect` makes it.

    A lost connection is made again from the place after the last batch, for `reconnect_s`; so is one that the server
    drains. Iteration ends when the server says that the run is complete, and never otherwise. After an error the
    place is kept: asking for the next batch connects again.
    """

    def __init__(
        self,
        address: Address,
        query: dict[str, str],
        state: State | None,
        ledger: str | os.PathLike[str] | None,
        timeout_s: float,
        reconnect_s: float,
    ) -> None:
        """`connect` checks the arguments."""
        self.address = str(address)
        self.rank = int(query["rank"])
        self.world = int(query["world"])
        self._address = address
        self._query = query
        self._state = state
        self._ledger_target = ledger
        self._ledger: Ledger | None = None
        self._timeout_s = timeout_s
        self._patience = _Patience(reconnect_s)
        self._reader: MessageReader | None = None
        self._schema: pa.Schema | None = None
        self._place: Place | None = None
        self._ended = False
        self._closed = False
        #: The place before the step that is under way; None between steps.
        self._undo: tuple[State | None, Place | None, bool] | None = None

    @property
    def schema(self) -> pa.Schema:
        """Of every batch."""
        if self._schema is None:
            self._retrying(self._connected)
        return self._schema

    @property
    def place(self) -> Place | None:
        """Of the batch yielded last; None before the first."""
        return self._place if self._undo is None else self._undo[1]

    def __iter__(self) -> BatchStream:
        """Itself: there is one place."""
        return self

    def __next__(self) -> pa.RecordBatch:
        """The next batch; it may have no rows when the server filters, and counts as a step all the same."""
        self._settle()
        while not self._ended:
            _, batch = self._step()
            if batch is not None:
                # Python looks for signals at calls and loops: none comes between this and the return.
                self._undo = None
                return batch
            self._undo = None
        raise StopIteration

    def epoch(self) -> Iterator[pa.RecordBatch]:
        """The batches that are left of the epoch in which the run stands; the next call gives those of the next."""
        self._settle()
        if self._ended:
            raise OptionsError(
                "the run is complete: there is no further epoch",
                remedy='Pass epochs="inf" to connect and count epochs yourself.',
            )
        while not self._ended:
            kind, batch = self._step()
            if batch is not None:
                self._undo = None
                yield batch
                continue
            self._undo = None
            if kind == "epoch":
                return

    def state_dict(self) -> State:
        """The place after the batch yielded last, the same on every rank after as many; {} is the beginning.

        It is JSON, of a few hundred bytes, and what `load` in TypeScript takes and gives.
        """
        # Settles nothing: a signal's handler may ask in the middle of a step that then goes on.
        state = self._state if self._undo is None else self._undo[0]
        return copy.deepcopy(state or {})

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from `state` with the next batch; the connection is made then. Raises StateError."""
        self._undo = None
        self._state = _check_state(state)
        self._disconnect()
        self._close_ledger()
        self._place = None
        self._ended = False

    def close(self) -> None:
        """Hangs up, which frees the rank. `state_dict` still answers."""
        self._closed = True
        self._disconnect()
        self._close_ledger()

    def __enter__(self) -> BatchStream:
        """Itself; leaving closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _disconnect(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _close_ledger(self) -> None:
        ledger, self._ledger = self._ledger, None
        if ledger is not None:
            ledger.close()

    def _connected(self) -> MessageReader:
        if self._closed:
            raise OptionsError("the stream is closed", remedy="Call connect again with state=.")
        if self._reader is not None:
            return self._reader
        query = dict(self._query)
        if self._state is not None:
            query["state"] = json.dumps(self._state, separators=(",", ":"))
        response = Response(self._address, target_of("/v1/batches", query), self._timeout_s)
        try:
            if response.status != 200:
                raise self._refusal(response.status, response.read_answer())
            reader = MessageReader(response)
            if self._schema is not None and not reader.schema.equals(self._schema):
                raise StateError(
                    "the server's columns are not those of the stream's beginning",
                    remedy="Serve the same columns, or connect anew.",
                )
        except BaseException:
            response.close()
            raise
        self._reader, self._schema = reader, reader.schema
        return reader

    def _refusal(self, status: int, answer: bytes) -> IngestError:
        shown = answer[:200].decode("utf-8", "replace")
        error = error_from_server(json_or_none(answer), f"the server answers {status}: {shown} ({self._address})")
        if status == _CONFLICT:
            return BusyError(str(error), remedy=error.remedy, where=error.where, retryable=True)
        if status == 503 and error.retryable:
            return ConnectionLostError(str(error), remedy=error.remedy, where=error.where, retryable=True)
        return error

    def _retrying(self, step: Any) -> Any:
        """What `step` returns, after as many new connections as `reconnect_s` allows."""
        while True:
            try:
                return step()
            except ConnectionTimeoutError:
                self._disconnect()
                self._patience.reset()
                raise
            except (ConnectionLostError, BusyError) as error:
                self._disconnect()
                if not self._patience.wait(_BUSY_S if isinstance(error, BusyError) else math.inf):
                    self._patience.reset()
                    raise self._final(error) from error
            except BaseException:
                # Also an interrupt in the middle of a message: what is left of it is not the next one.
                self._disconnect()
                self._patience.reset()
                raise

    def _final(self, error: ConnectionLostError | BusyError) -> IngestError:
        if isinstance(error, BusyError):
            return error
        return ConnectionLostError(
            f"{error}; no server went on within {self._patience.limit_s:g} s",
            remedy="Start it again, then ask for the next batch, or connect with state=: the place is kept.",
            where=error.where,
            retryable=True,
        )

    def _step(self) -> tuple[str, pa.RecordBatch | None]:
        """Takes a message and follows it: its kind, and the batch if it is one. The caller then clears `_undo`."""
        self._settle()
        self._undo = (self._state, self._place, self._ended)
        try:
            message = self._retrying(lambda: self._connected().next())
        except IngestError:
            self._undo = None
            raise
        try:
            return message.kind, self._follow(message)
        except BaseException:
            self._disconnect()
            raise

    def _settle(self) -> None:
        """Takes a step back that was interrupted before its batch was handed out."""
        if self._undo is not None:
            # What the connection sends next is not what comes next, and the ledger may have the batch that is asked
            # for again: a new start undoes it there.
            self._disconnect()
            self._close_ledger()
            self._state, self._place, self._ended = self._undo
            self._undo = None

    def _follow(self, message: Message) -> pa.RecordBatch | None:
        about, kind = message.about, message.kind
        if kind == "ledger":
            self._begin_ledger(about)
            return None
        if kind == "window":
            if self._ledger is not None:
                self._ledger.window(about.get("ledger"))
            return None
        if kind not in ("batch", "epoch", "end", "draining", "error"):
            # Members and kinds without rows may be added in later releases.
            if message.batch.num_rows > 0:
                raise FormatError(f'the server sends rows of the unknown kind "{kind}"', remedy="Update ingest-client.")
            return None
        if kind == "error":
            raise error_from_server(about.get("error"), "the server stops with an error that it does not describe")
        state = about.get("state")
        if not isinstance(state, dict):
            raise FormatError(f'a message of kind "{kind}" has no state')
        if kind == "draining":
            self._disconnect()
            return None
        place = _place_of(about) if kind == "batch" else self._place
        if kind == "batch" and self._ledger_target is not None:
            if self._ledger is None:
                raise FormatError("the server sends no header for the ledger", remedy="Update the server.")
            # At hand-out: a rank cannot tell which of its batches a checkpoint of another rank counts on.
            self._ledger.append(about.get("ledger"))
        self._state, self._place = state, place
        self._patience.reset()
        if kind == "end":
            self._end()
        return message.batch if kind == "batch" else None

    def _begin_ledger(self, about: dict[str, Any]) -> None:
        header, start = about.get("header"), about.get("start")
        if self._ledger_target is None:
            return
        if not isinstance(header, str) or not isinstance(start, dict):
            raise FormatError("the server's header for the ledger cannot be read", remedy="Update the server.")
        if self._ledger is None:
            self._ledger = Ledger(self._ledger_target, header, start)
        else:
            self._ledger.check_header(header)

    def _end(self) -> None:
        self._ended = True
        try:
            if self._reader is not None:
                self._reader.finish()
        except ConnectionLostError:
            pass  # The run is complete; how the server hangs up does not matter.
        finally:
            self._disconnect()
            self._close_ledger()


def _place_of(about: dict[str, Any]) -> Place:
    epoch, step, positions = about.get("epoch"), about.get("step"), about.get("positions")
    if not isinstance(epoch, int) or not isinstance(step, int) or not isinstance(positions, list):
        raise FormatError("a batch does not say its place")
    return Place(epoch, step, int(positions[0]), int(positions[1]))


def connect(
    address: str,
    *,
    rank: int | None = None,
    world: int | None = None,
    state: Mapping[str, Any] | None = None,
    batch: int | None = None,
    epochs: float | str | None = None,
    ledger: str | os.PathLike[str] | None = None,
    timeout_s: float = 120.0,
    reconnect_s: float = 30.0,
) -> BatchStream:
    """The batches of one rank from `ingest serve`, as pyarrow.RecordBatch.

    address: `unix:PATH` or `http://127.0.0.1:PORT`, as the server prints it.
    rank, world: who reads; from the environment (torchrun, SLURM, …) when neither is given.
    state: where to begin, from `state_dict()`; the beginning of the run when left out.
    batch, epochs: rows of one batch of this rank; the epoch before which the run ends, or "inf". The server's when
        left out.
    ledger: a file ending in .jsonl, or a folder, for `ingest audit`.
    timeout_s: how long a connected server may be silent before ConnectionTimeoutError. The first batch of an epoch
        takes the reading of a window.
    reconnect_s: how long a lost or refused connection is tried again before ConnectionLostError; 0 tries once. A rank
        that another client reads is tried again for 5 s at most before BusyError.

    Raises the errors of `ingest_client`, all of them IngestError; those of a wrong call before any row is read.
    """
    where = parse_address(address)
    mine, size, _ = resolve_world(rank, world)
    _check_seconds("timeout_s", timeout_s, zero=False)
    _check_seconds("reconnect_s", reconnect_s, zero=True)
    query = _query(mine, size, batch, epochs, ledger=ledger is not None)
    stream = BatchStream(where, query, _check_state(state), ledger, timeout_s, reconnect_s)
    _ = stream.schema
    return stream
