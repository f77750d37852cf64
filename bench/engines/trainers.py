"""How batches reach a trainer in Python, one engine in a process of its own; run by bench/trainers.mjs.

    python trainers.py ENGINE '{"measure": "transport" | "tensors", "passes": n, "node": PATH, …}'   prints one JSON object

A warm-up pass, the passes that count, then one more whose values are added up: {rows, valid, sum}, where sum adds every
column's values times its number from 1. Processor time is this process's and its server's.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ENGINE, TASK = sys.argv[1], json.loads(sys.argv[2])
ROOT = Path(__file__).parents[2]

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(ROOT / "python/src"))
# It is not installed, and pyarrow would look for it again at every to_numpy(): seconds that are nobody's.
sys.modules["pandas"] = None  # type: ignore[assignment]

servers: list[subprocess.Popen[bytes]] = []


def serve(*command: str) -> str:
    """Starts a server; its address when it listens."""
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    servers.append(server)
    return json.loads(server.stdout.readline())["address"]


def socket_path() -> str:
    return str(Path(tempfile.mkdtemp(prefix="ingest-bench-")) / "s")


class Sum:
    """Adds up what a pass gives."""

    def __init__(self) -> None:
        self.rows = self.valid = 0
        self.sum = 0.0

    def add(self, columns: list) -> None:
        """Arrays of numbers, one for each column, of the same length."""
        self.rows += len(columns[0])
        self.valid += sum(len(column) for column in columns)
        self.sum += sum(number * float(column.sum(dtype="float64")) for number, column in enumerate(columns, 1))

    def answer(self) -> dict:
        return {"rows": self.rows, "valid": self.valid, "sum": self.sum}


def transport():
    """A client that does nothing but read, of a server whose batches lie in memory."""
    from ingest_client import connect

    options = {"socket": socket_path(), **TASK["server"]}
    address = serve(TASK["node"], str(ROOT / "bench/engines/memory-server.mjs"), json.dumps(options))
    stream = connect(address, rank=0, world=1)

    def read() -> None:
        for _ in stream.epoch():
            pass

    def check() -> dict:
        total = Sum()
        for batch in stream.epoch():
            total.add([column.to_numpy() for column in batch.columns])
        return total.answer()

    return read, check


def as_columns(tensors: dict) -> list:
    """Numbered as in the file: a matrix holds its columns in their order."""
    return [part for t in tensors.values() for part in (t.numpy().T if t.ndim == 2 else [t.numpy()])]


def epochs_of(loader):
    def read() -> None:
        for _ in loader:
            pass

    def check() -> dict:
        total = Sum()
        for tensors in loader:
            total.add(as_columns(tensors))
        return total.answer()

    return read, check


def serve_tensors():
    """`ingest serve` and its client."""
    import torch
    from torch.utils.data import DataLoader

    from ingest_client.torch import IngestDataset, tensors_of

    command = [TASK["node"], str(ROOT / "packages/cli/dist/main.js"), "serve", TASK["path"], "--socket", socket_path()]
    command += ["--batch", str(TASK["batchRows"]), "--seed", "7", "--epochs", "inf"]
    if "columns" in TASK:
        command += ["--columns", ",".join(TASK["columns"])]
    matrix = TASK.get("matrix")

    def with_matrix(batch):
        tensors = tensors_of(batch)
        return {"x": torch.stack([tensors.pop(name) for name in matrix], 1), **tensors}

    transform = tensors_of if matrix is None else with_matrix
    return epochs_of(DataLoader(IngestDataset(serve(*command), rank=0, world=1, transform=transform), batch_size=None))


def row_groups():
    """What an expert writes: row groups in a random order, the rows of each permuted, cut into batches."""
    import numpy as np
    import pyarrow.parquet as pq
    import torch
    from torch.utils.data import DataLoader, IterableDataset

    names, matrix, batch_rows = TASK.get("columns"), TASK.get("matrix"), TASK["batchRows"]

    class RowGroups(IterableDataset):
        def __iter__(self):
            file = pq.ParquetFile(TASK["path"])
            random = np.random.default_rng(7)
            for group in random.permutation(file.num_row_groups):
                table = file.read_row_group(int(group), columns=names, use_threads=False)
                rest = [name for name in table.column_names if name not in (matrix or [])]
                tensors = {}
                if matrix is not None:
                    columns = [table.column(name).to_numpy() for name in matrix]
                    tensors["x"] = torch.from_numpy(np.stack(columns, axis=1))
                # A copy: Arrow's memory is read-only.
                tensors |= {name: torch.from_numpy(np.array(table.column(name).to_numpy())) for name in rest}
                order = torch.from_numpy(random.permutation(table.num_rows))
                for start in range(0, table.num_rows, batch_rows):
                    index = order[start : start + batch_rows]
                    yield {name: tensor[index] for name, tensor in tensors.items()}

    return epochs_of(DataLoader(RowGroups(), batch_size=None))


engines = {
    ("serve", "transport"): transport,
    ("serve", "tensors"): serve_tensors,
    ("row-groups", "tensors"): row_groups,
}

TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds() -> float:
    """Of this process, and in ticks of 10 ms of its servers."""
    seconds = time.process_time()
    for server in servers:
        fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(") ")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / TICKS
    return seconds


def peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    for server in servers:
        lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
        peak += next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
    return peak


def timed(body) -> dict:
    gc.collect()
    cpu, wall = processor_seconds(), time.perf_counter()
    body()
    return {"wallMs": (time.perf_counter() - wall) * 1e3, "cpuMs": (processor_seconds() - cpu) * 1e3}


def main() -> dict:
    read, check = engines[ENGINE, TASK["measure"]]()
    warm_up = timed(read)
    samples = [timed(read) for _ in range(TASK["passes"])]
    return {"warmUp": warm_up, "samples": samples, "peakRssBytes": peak_bytes(), "checksum": check()}


try:
    answer = main()
except ImportError as error:
    answer = {"absent": f"{error}"}
finally:
    for server in servers:
        server.kill()
print(json.dumps(answer))
