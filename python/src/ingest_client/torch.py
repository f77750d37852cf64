"""PyTorch: the batches of one rank as tensors. Only this module imports torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import IterableDataset, get_worker_info

from .client import BatchStream, State, connect
from .errors import OptionsError, UnsupportedError

__all__ = ["IngestDataset", "tensors_of"]

#: The same numbers in NumPy; booleans are bits, apart.
_NUMBERS = {
    pa.int8(): np.int8,
    pa.int16(): np.int16,
    pa.int32(): np.int32,
    pa.int64(): np.int64,
    pa.uint8(): np.uint8,
    pa.float16(): np.float16,
    pa.float32(): np.float32,
    pa.float64(): np.float64,
}
_REMEDY = "Leave the column out (ingest serve --columns), or convert the batch yourself: transform=."


def _tensor_of(name: str, array: pa.Array) -> torch.Tensor:
    if array.null_count > 0:
        raise UnsupportedError(
            f'column "{name}" has {array.null_count} nulls, which no tensor can hold',
            remedy=f"Serve the rows without them (--where '{name} is not null'), or fill them in a transform=.",
            where={"column": name},
        )
    if pa.types.is_fixed_size_list(array.type):
        width = array.type.list_size
        return _tensor_of(name, array.flatten()).reshape(len(array), width)
    if array.type == pa.bool_():
        return torch.from_numpy(_bits_of(array))
    if array.type not in _NUMBERS:
        raise UnsupportedError(
            f'column "{name}" is of type {array.type}, which is no tensor', remedy=_REMEDY, where={"column": name}
        )
    return torch.from_numpy(_numbers_of(array, np.dtype(_NUMBERS[array.type])))


# Not array.to_numpy(): where pandas is not installed, that looks for it again for every array. Both copy, since Arrow's
# memory is read-only and a tensor's is not.
def _numbers_of(array: pa.Array, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    values = array.buffers()[1]
    if values is None or len(array) == 0:
        return np.empty(0, dtype)
    return np.array(np.frombuffer(values, dtype, len(array), array.offset * dtype.itemsize))


def _bits_of(array: pa.Array) -> np.ndarray[Any, Any]:
    values = array.buffers()[1]
    if values is None or len(array) == 0:
        return np.empty(0, np.bool_)
    stop = array.offset + len(array)
    bits = np.unpackbits(np.frombuffer(values, np.uint8, (stop + 7) // 8), count=stop, bitorder="little")
    return np.array(bits[array.offset :], np.bool_)


def tensors_of(batch: pa.RecordBatch) -> dict[str, torch.Tensor]:
    """Columns as tensors, by name: [rows], or [rows, width] for fixed-size lists; integers, floats and bool.

    Raises UnsupportedError, with the column, for nulls and every other type.
    """
    return {name: _tensor_of(name, batch.column(i)) for i, name in enumerate(batch.schema.names)}


class IngestDataset(IterableDataset):
    """What is left of an epoch per iteration, batch by batch; for `DataLoader(dataset, batch_size=None)`.

    A dataset that is iterated again gives the next epoch; one that was left in mid epoch goes on there. `state_dict`
    is the place after the batch last yielded; a `DataLoader` without workers does not read ahead of that. One loaded
    behind the last batch of an epoch gives no batch of that epoch first, and then the next epoch.
    """

    def __init__(
        self,
        address: str,
        *,
        transform: Callable[[pa.RecordBatch], Any] = tensors_of,
        **options: Any,
    ) -> None:
        """`transform` makes of a batch what is yielded; `options` are those of `connect`.

        The connection is made by the first iteration.
        """
        super().__init__()
        self._address = address
        self._transform = transform
        self._options = options
        self._stream: BatchStream | None = None

    def __iter__(self) -> Iterator[Any]:
        """Raises UnsupportedError in a worker of a DataLoader, and the errors of `connect` and its stream."""
        worker = get_worker_info()
        if worker is not None:
            raise UnsupportedError(
                f"num_workers={worker.num_workers} of DataLoader: a rank has one stream, read by one process",
                remedy="Pass num_workers=0: the server reads ahead in a process of its own.",
            )
        if self._stream is None:
            self._stream = connect(self._address, **self._options)
        return map(self._transform, self._stream.epoch())

    def state_dict(self) -> State:
        """The place after the batch yielded last, as `BatchStream.state_dict` says it."""
        return dict(self._options.get("state") or {}) if self._stream is None else self._stream.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next iteration goes on from `state`. Raises StateError then."""
        if self._stream is None:
            self._options = {**self._options, "state": dict(state)}
        else:
            self._stream.load_state_dict(state)

    def close(self) -> None:
        """Frees the rank."""
        if self._stream is not None:
            self._stream.close()

    def __getstate__(self) -> dict[str, Any]:
        """For workers that are started by pickling: without the connection."""
        return {**self.__dict__, "_options": {**self._options, "state": self.state_dict()}, "_stream": None}

    def __getitem__(self, index: Any) -> Any:
        """Raises OptionsError: batches come in order."""
        raise OptionsError(f"batch {index} cannot be asked for: a stream is read in order", remedy="Iterate.")
