"""Training by two ranks that are killed, or lose their server: batches, losses, weights are those of the unbroken one.

INGEST_DDP_KILLS says how often a rank is killed (3 when it is not set).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import CLI, RealServer, unavailable

pytest.importorskip("torch", reason="skipped: PyTorch is not installed")
from ddp_train import CHECKPOINT_STEPS, EPOCHS, MOMENTS

pytestmark = pytest.mark.ddp

FLIGHTS = CLI.parents[1] / "node_modules/vega-datasets/data/flights-3m.parquet"
KILLS = int(os.environ.get("INGEST_DDP_KILLS", "3"))
#: Whole steps: with several ranks, rows that fill no step would be dropped, and named by the audit.
ROWS, BATCH, RANKS = 3_000_000, 7500, 2
STEPS = EPOCHS * ROWS // (BATCH * RANKS)
#: What an audit says when it is content, beside what was rolled back.
EACH_ONCE = [f"epoch {epoch}: {ROWS:,} rows, each once" for epoch in range(EPOCHS)]
Kill = list[Any]


class Run:
    """One training, from the beginning to the end, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        arguments = ["--columns", "date,delay,distance", "--batch", str(BATCH), "--epochs", str(EPOCHS)]
        arguments += ["--seed", "7", "--world", str(RANKS)]
        self.server = RealServer(folder / "serve.sock", str(FLIGHTS), *arguments)

    def train(self, *, kills: list[Kill] | None = None, server_step: int | None = None) -> None:
        """Returns when torchrun has ended well; a server that was killed is started again half a second later."""
        kills = kills or []
        server = None if server_step is None else {"step": server_step, "pid": self.server.process.pid}
        plan = json.dumps({"kills": kills, "server": server})
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", str(RANKS), "--standalone"]
        command += ["--max_restarts", str(len(kills)), "--monitor_interval", "0.1"]
        # Named, since torch 1.13 cannot read the default (none) under Python 3.11.
        command += ["--redirects", "1", "--tee", "1", "--log_dir", str(self.folder / "torchrun")]
        command += [str(Path(__file__).with_name("ddp_train.py")), self.server.address, str(self.folder), plan]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        restarts = 0
        with (self.folder / "torchrun.log").open("w") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
            try:
                deadline = time.monotonic() + 180 + 60 * len(kills)
                while process.poll() is None and time.monotonic() < deadline:
                    if self.server.process.poll() is not None:
                        time.sleep(0.5)
                        self.server.start()
                        restarts += 1
                    time.sleep(0.05)
            finally:
                if process.poll() is None:
                    process.terminate()
                process.wait(60)
                self.server.kill()
        assert process.returncode == 0, (self.folder / "torchrun.log").read_text()[-4000:]
        assert restarts == (0 if server_step is None else 1)
        assert self.killed() == kills

    def killed(self) -> list[Kill]:
        """Where ranks were killed, as they noted it right before."""
        path = self.folder / "kills.log"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def steps(self, rank: int) -> tuple[list[str], int]:
        """(batch digest and loss of every step, how many steps were done again); again must be the same again."""
        steps: dict[int, str] = {}
        again = 0
        for line in (self.folder / f"rank-{rank}.log").read_text().splitlines():
            number, _, rest = line.partition(" ")
            again += int(number) in steps
            assert steps.setdefault(int(number), rest) == rest, f"step {number} of rank {rank}"
        assert sorted(steps) == list(range(STEPS))
        return [steps[i] for i in range(STEPS)], again

    def result(self) -> Any:
        """What has to be equal: every batch, every loss, the weights, bit for bit."""
        weights = json.loads((self.folder / "weights.json").read_text())
        return [self.steps(rank)[0] for rank in range(RANKS)], weights

    def audited(self) -> list[str]:
        """What `ingest audit` says of each epoch; it has to be content."""
        command = ["node", str(CLI), "audit", str(self.folder / "ledger")]
        audit = subprocess.run(command, capture_output=True, text=True, check=False)
        assert audit.returncode == 0, audit.stdout + audit.stderr
        return [line for line in audit.stdout.splitlines() if line.startswith("epoch ")]


def seeded_kills(count: int, seed: int) -> list[Kill]:
    """Different steps of the whole training in their order, each with its rank and moment."""
    dice = random.Random(seed)
    kills: list[Kill] = []
    for step in sorted(dice.sample(range(STEPS), count)):
        saves = (step + 1) % CHECKPOINT_STEPS == 0
        rank = dice.randrange(RANKS)
        kills.append([step, rank, dice.choice(MOMENTS if saves and rank == 0 else MOMENTS[:3])])
    return kills


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What the others have to equal."""
    if not FLIGHTS.exists() or not CLI.exists():
        unavailable("skipped: the packages are not built, or the optional package vega-datasets is not installed")
    run = Run(tmp_path_factory.mktemp("unbroken") / "run")
    run.train()
    return run


def test_it_learns_and_the_ledger_has_each_row_once(unbroken: Run) -> None:
    (first, second), _ = unbroken.result()
    losses = [float.fromhex(line.split(" ")[1]) for line in first]
    assert sum(losses[-20:]) < sum(losses[:20])
    # Ranks read different rows, and no batch comes twice.
    assert len({line.split(" ")[0] for line in first + second}) == RANKS * STEPS
    assert unbroken.audited() == EACH_ONCE


def test_killed_ranks_leave_everything_as_it_would_have_been(unbroken: Run, tmp_path: Path) -> None:
    kills = seeded_kills(KILLS, seed=20)
    run = Run(tmp_path / "run")
    run.train(kills=kills)
    assert run.result() == unbroken.result()
    # Steps were lost and done again, or the kills did nothing.
    assert sum(run.steps(rank)[1] for rank in range(RANKS)) > 0
    assert run.audited() == EACH_ONCE


def test_a_rank_killed_while_it_saves_keeps_the_checkpoint_before(unbroken: Run, tmp_path: Path) -> None:
    step = 3 * CHECKPOINT_STEPS - 1
    run = Run(tmp_path / "run")
    run.train(kills=[[step, 0, MOMENTS[3]]])
    assert run.result() == unbroken.result()
    assert run.steps(0)[1] == CHECKPOINT_STEPS
    assert run.audited() == EACH_ONCE


def test_a_killed_server_leaves_everything_as_it_would_have_been(unbroken: Run, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.train(server_step=STEPS // 3)
    assert run.result() == unbroken.result()
    # No rank began again.
    assert sum(run.steps(rank)[1] for rank in range(RANKS)) == 0
    assert run.audited() == EACH_ONCE
