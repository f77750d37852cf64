"""Batches of `ingest serve` in Python."""

from .errors import (
    BusyError,
    ConnectionLostError,
    ConnectionTimeoutError,
    FormatError,
    IngestError,
    OptionsError,
    SourceError,
    StateError,
    UnsupportedError,
)
from .world import World, resolve_world, world_from_env

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
    "World",
    "resolve_world",
    "world_from_env",
]
