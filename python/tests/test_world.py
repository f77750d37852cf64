"""The cases that every implementation agrees on, from the file that the TypeScript tests read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest_client import OptionsError, World, resolve_world, world_from_env

CASES = json.loads((Path(__file__).parents[2] / "packages/core/test/world-cases.json").read_text())["cases"]

NAMES = {
    "rank": "rank",
    "worldSize": "world_size",
    "source": "source",
    "role": "role",
    "localRank": "local_rank",
    "localWorldSize": "local_world_size",
}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    expect = case["expect"]
    if "error" not in expect:
        world = world_from_env(case["env"])
        assert {name: getattr(world, NAMES[name]) for name in expect} == expect
        return
    with pytest.raises(OptionsError) as caught:
        world_from_env(case["env"])
    assert caught.value.code == expect["error"]
    assert all(word in str(caught.value) for word in expect["mentions"])


def test_arguments_win_over_the_environment() -> None:
    assert resolve_world(1, 4, {"RANK": "0", "WORLD_SIZE": "2"}) == (1, 4, "explicit")


def test_environment_is_the_process_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEST_RANK", "2")
    monkeypatch.setenv("INGEST_WORLD_SIZE", "3")
    assert resolve_world() == (2, 3, "ingest")


@pytest.mark.parametrize(
    ("rank", "world_size", "mentions"),
    [
        (0, None, "world is not given"),
        (None, 2, "rank is not given"),
        (2, 2, "rank 2 is not in"),
        (-1, 2, "rank -1"),
        (0, 0, "world 0"),
        (True, 2, "rank True"),
        (0, 2.0, "world 2.0"),
    ],
)
def test_numbers_that_make_no_world(rank: Any, world_size: Any, mentions: str) -> None:
    with pytest.raises(OptionsError, match=mentions):
        resolve_world(rank, world_size)


def test_a_role_that_reads_no_data() -> None:
    config = {"cluster": {"worker": ["a:1"], "ps": ["p:1"]}, "task": {"type": "ps", "index": 0}}
    with pytest.raises(OptionsError, match='"ps" reads no data'):
        resolve_world(env={"TF_CONFIG": json.dumps(config)})


def test_agreeing_families_complete_each_other() -> None:
    env = {"PMI_RANK": "1", "PMI_SIZE": "2", "SLURM_STEP_ID": "0", "MPI_LOCALRANKID": "1"}
    assert world_from_env(env) == World(1, 2, "pmi", local_rank=1)
