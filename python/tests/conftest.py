"""Servers for the tests: one that misbehaves on command, and the real one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fake_server import FakeServer, Script

CLI = Path(__file__).parents[2] / "packages/cli/dist/main.js"
ROWS = 1000
#: Whether everything has to run.
_SKIP_IS_FAILURE = os.environ.get("INGEST_SKIP_IS_FAILURE") == "1"


def unavailable(why: str) -> None:
    """Skips the test; where everything has to run (INGEST_SKIP_IS_FAILURE=1) it fails instead."""
    if _SKIP_IS_FAILURE:
        pytest.fail(why)
    pytest.skip(why)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Behind pytest's own summary, one line as every test command here ends."""
    count = {name: len(terminalreporter.stats.get(name, [])) for name in ("passed", "failed", "error", "skipped")}
    failed = count["failed"] + count["error"] + (count["skipped"] if _SKIP_IS_FAILURE else 0)
    terminalreporter.write_line(f"{count['passed']} passed, {failed} failed")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything has to run, a skipped file fails too."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if _SKIP_IS_FAILURE and session.exitstatus == 0 and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


class RealServer:
    """`ingest serve` as a process, on a socket of its own."""

    def __init__(self, socket: Path, *arguments: str) -> None:
        self._command = ["node", str(CLI), "serve", *arguments, "--socket", str(socket)]
        self.start()

    def start(self) -> None:
        """Returns when it listens."""
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        ready: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.address = str(ready["address"])

    def kill(self) -> None:
        """SIGKILL: no message, no end."""
        self.process.kill()
        self._wait()

    def terminate(self) -> int:
        """SIGTERM: drains; the exit code."""
        self.process.terminate()
        return self._wait()

    def _wait(self) -> int:
        code = self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Callable[..., FakeServer]]:
    """Starts a server from one script for each connection."""
    started: list[FakeServer] = []

    def start(*scripts: Script) -> FakeServer:
        started.append(FakeServer(tmp_path / f"{len(started)}.sock", *scripts))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand rows: id (int64) and x (float32 with nulls), in two row groups."""
    path = tmp_path_factory.mktemp("data") / "rows.parquet"
    xs = [None if i % 7 == 0 else i / 8 for i in range(ROWS)]
    pq.write_table(pa.table({"id": range(ROWS), "x": pa.array(xs, pa.float32())}), path, row_group_size=600)
    return path


@pytest.fixture
def serve(tmp_path: Path, data: Path) -> Iterator[Callable[..., RealServer]]:
    """Starts the built command line over `data`."""
    if shutil.which("node") is None or not CLI.exists():
        unavailable("skipped: the packages are not built, run npm run build")
    started: list[RealServer] = []

    def start(*arguments: str) -> RealServer:
        started.append(RealServer(tmp_path / f"real-{len(started)}.sock", str(data), *arguments))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.kill()
