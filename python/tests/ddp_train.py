"""A trainer under torchrun: logistic regression by DistributedDataParallel, which may kill itself or its server.

Run by test_ddp.py: `ddp_train.py ADDRESS FOLDER PLAN`, where PLAN is the JSON of `{"kills": [[step, rank, moment], …],
"server": {"step": s, "pid": p} | null}`; entry i of `kills` is for the start after i restarts.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from ingest_client.torch import IngestDataset, tensors_of

EPOCHS = 2
#: Steps between two checkpoints: a kill usually loses some.
CHECKPOINT_STEPS = 8
#: When in its step a rank is killed; only rank 0 saves, so only it can be killed while it does.
MOMENTS = ("with the batch in its hands", "behind the gradients", "behind the step", "while it saves")


def with_hours(batch: pa.RecordBatch) -> dict[str, torch.Tensor]:
    """What is trained on: no tensor can hold a date, so its hour is taken."""
    columns = [pc.hour(batch.column("date")), batch.column("delay"), batch.column("distance")]
    return tensors_of(pa.RecordBatch.from_arrays(columns, ["hour", "delay", "distance"]))


def sums_of(tensors: dict[str, torch.Tensor]) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()


class Killer:
    """Ends this process, or the server, where the plan says so."""

    def __init__(self, plan: dict[str, Any], rank: int, folder: Path) -> None:
        restarts = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
        self._kill = plan["kills"][restarts] if restarts < len(plan["kills"]) else None
        self._server = plan["server"] if rank == 0 else None
        self._rank = rank
        self._folder = folder

    def reached(self, step: int, moment: str) -> None:
        if self._server is not None and self._server["step"] == step:
            os.kill(self._server["pid"], signal.SIGKILL)
            self._server = None
        if self._kill == [step, self._rank, moment]:
            with (self._folder / "kills.log").open("a") as log:
                log.write(json.dumps(self._kill) + "\n")
            os.kill(os.getpid(), signal.SIGKILL)


def save(path: Path, value: dict[str, Any], before: Any) -> None:
    """All of it or none."""
    torch.save(value, path.with_suffix(".new"))
    before()
    path.with_suffix(".new").replace(path)


def train(address: str, folder: Path, plan: dict[str, Any]) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    killer = Killer(plan, rank, folder)
    model = DistributedDataParallel(torch.nn.Linear(2, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    dataset = IngestDataset(
        address, epochs=EPOCHS, ledger=folder / "ledger", transform=with_hours, reconnect_s=120, timeout_s=300
    )
    step = epoch = 0
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        dataset.load_state_dict(saved["place"])
        step, epoch = saved["step"], saved["epoch"]
    with (folder / f"rank-{rank}.log").open("a", buffering=1) as log:
        for now in range(epoch, EPOCHS):
            for tensors in dataset:
                killer.reached(step, MOMENTS[0])
                features = torch.stack([tensors["distance"] / 1000.0, tensors["hour"] / 24.0], 1).float()
                late = (tensors["delay"] > 15).float()
                loss = torch.nn.functional.binary_cross_entropy_with_logits(model(features).squeeze(1), late)
                optimizer.zero_grad()
                loss.backward()
                killer.reached(step, MOMENTS[1])
                optimizer.step()
                log.write(f"{step} {sums_of(tensors)} {float(loss).hex()}\n")
                killer.reached(step, MOMENTS[2])
                if rank == 0 and (step + 1) % CHECKPOINT_STEPS == 0:
                    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
                    place = {"place": dataset.state_dict(), "step": step + 1, "epoch": now}
                    save(checkpoint, {**state, **place}, lambda at=step: killer.reached(at, MOMENTS[3]))
                step += 1
    if rank == 0:
        weights = [float(w).hex() for parameter in model.parameters() for w in parameter.detach().flatten()]
        (folder / "weights.json").write_text(json.dumps(weights))
    dataset.close()
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    train(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]))
