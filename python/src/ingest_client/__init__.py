"""Batches of `ingest serve` in Python."""

from .client import BatchStream, Place, connect
from .errors import (
    BusyError,
    ConnectionLostError,
    ConnectionTimeoutError,
    FormatError,
    IngestError,
    OptionsError,
    ServerDefectError,
    SourceError,
    StateError,
    UnsupportedError,
)
from .world import World, resolve_world, world_from_env

__all__ = [
    "BatchStream",
    "BusyError",
    "ConnectionLostError",
    "ConnectionTimeoutError",
    "FormatError",
    "IngestError",
    "OptionsError",
    "Place",
    "ServerDefectError",
    "SourceError",
    "StateError",
    "UnsupportedError",
    "World",
    "connect",
    "resolve_world",
    "world_from_env",
]
