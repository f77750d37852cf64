"""The dataset for PyTorch, over `ingest serve`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import ROWS, RealServer

from ingest_client import StateError, UnsupportedError

torch = pytest.importorskip("torch", reason="skipped: PyTorch is not installed")
from torch.utils.data import DataLoader  # noqa: E402

from ingest_client.torch import IngestDataset, tensors_of  # noqa: E402

Serve = Callable[..., RealServer]


def dataset_of(server: RealServer, **options: Any) -> IngestDataset:
    return IngestDataset(server.address, rank=0, world=1, **options)


def ids_of(batches: Any) -> list[int]:
    return [int(i) for batch in batches for i in batch["id"]]


def test_the_package_itself_does_not_import_torch() -> None:
    code = "import sys, ingest_client; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_columns_become_tensors_of_their_type() -> None:
    lists = pa.array([[1, 2], [3, 4]], pa.list_(pa.float32(), 2))
    batch = pa.RecordBatch.from_pydict({"a": pa.array([1, 2], pa.int16()), "b": [True, False], "c": lists})
    tensors = tensors_of(batch)
    assert [t.dtype for t in tensors.values()] == [torch.int16, torch.bool, torch.float32]
    assert tensors["a"].tolist() == [1, 2]
    assert tensors["b"].tolist() == [True, False]
    assert tensors["c"].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    sliced = tensors_of(batch.slice(1))
    assert [t.tolist() for t in sliced.values()] == [[2], [False], [[3.0, 4.0]]]


NUMBERS = ["int8", "int16", "int32", "int64", "uint8", "float16", "float32", "float64", "bool"]


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize(("start", "rows"), [(0, 20), (3, 17), (9, 4), (20, 0)])
def test_any_part_of_a_column_of_any_type(kind: str, start: int, rows: int) -> None:
    values = (np.arange(20) % 3).astype(kind)
    batch = pa.RecordBatch.from_arrays([pa.array(values)], ["x"]).slice(start, rows)
    tensor = tensors_of(batch)["x"]
    assert tensor.numpy().dtype == values.dtype
    assert tensor.tolist() == values[start : start + rows].tolist()
    tensor.zero_()  # It is the tensor's own memory, and may be written.
    assert batch.column(0).to_pylist() == values[start : start + rows].tolist()


@pytest.mark.parametrize(
    ("array", "mentions"),
    [
        (pa.array([1, None]), '"x" has 1 nulls'),
        (pa.array(["a"]), "of type string"),
        (pa.array([[1.0, None]], pa.list_(pa.float32(), 2)), '"x" has 1 nulls'),
        (pa.array([1], pa.timestamp("s")), "of type timestamp"),
    ],
)
def test_what_no_tensor_can_hold_is_refused_by_name(array: pa.Array, mentions: str) -> None:
    with pytest.raises(UnsupportedError, match=mentions):
        tensors_of(pa.RecordBatch.from_pydict({"x": array}))


def test_an_iteration_is_an_epoch_and_states_are_exact(serve: Serve) -> None:
    server = serve("--batch", "100", "--columns", "id", "--epochs", "2")
    dataset = dataset_of(server)
    loader = DataLoader(dataset, batch_size=None)
    epochs: list[list[int]] = []
    states = []
    for _ in range(2):
        ids: list[int] = []
        for batch in loader:
            ids += ids_of([batch])
            states.append(dataset.state_dict())
        epochs.append(ids)
    assert [sorted(ids) for ids in epochs] == [list(range(ROWS))] * 2
    for step in (0, 3, 9, 12):
        again = dataset_of(server)
        again.load_state_dict(states[step])
        assert again.state_dict() == states[step]
        left = ids_of(DataLoader(again, batch_size=None))
        left += ids_of(again) if step < 10 else []
        assert left == (epochs[0] + epochs[1])[100 * (step + 1) :]
        again.close()
    dataset.load_state_dict(states[4])
    assert ids_of(loader) == epochs[0][500:]


def test_a_transform_replaces_tensors(serve: Serve) -> None:
    dataset = dataset_of(serve("--batch", "100"), transform=lambda batch: batch.num_rows)
    assert list(dataset) == [100] * 10


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_are_refused_by_name(serve: Serve, workers: int) -> None:
    dataset = dataset_of(serve("--batch", "100", "--columns", "id"))
    with pytest.raises(UnsupportedError, match=f"num_workers={workers}"):
        list(DataLoader(dataset, batch_size=None, num_workers=workers))


def test_a_wrong_state_is_refused(serve: Serve) -> None:
    dataset = dataset_of(serve("--batch", "100"))
    dataset.load_state_dict({"not": "a state"})
    with pytest.raises(StateError):
        list(dataset)
