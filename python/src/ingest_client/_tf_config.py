"""TF_CONFIG, as TensorFlow defines it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from .errors import OptionsError

#: Roles whose tasks read data, in the order of their ranks: the chief is rank 0.
_DATA_ROLES = ("chief", "master", "worker")


@dataclass(frozen=True)
class TfTask:
    #: None for roles that read no data.
    rank: int | None
    world_size: int
    role: str


def _fail(what: str) -> NoReturn:
    raise OptionsError(what, remedy="Correct TF_CONFIG, or set INGEST_RANK and INGEST_WORLD_SIZE.")


def _tasks_of(cluster: dict[str, Any], role: str) -> int:
    """How many tasks a role has: its addresses stand in a list, or in an object from index to address."""
    tasks = cluster.get(role, [])
    if not isinstance(tasks, (list, dict)):
        _fail(f"TF_CONFIG's cluster.{role} is not a list of addresses")
    return len(tasks)


def _index_of(task: dict[str, Any]) -> int:
    index = task.get("index")
    try:
        number = int(str(index))
    except ValueError:
        number = -1
    if number < 0:
        _fail(f"TF_CONFIG's task index {index} is no whole number")
    return number


def task_of_tf_config(text: str) -> TfTask | None:
    """The task of this process; None when TF_CONFIG names no cluster. Raises OptionsError."""
    try:
        config = json.loads(text)
    except ValueError:
        _fail("TF_CONFIG is not JSON")
    if not isinstance(config, dict):
        _fail("TF_CONFIG is not a JSON object")
    cluster, task = config.get("cluster"), config.get("task")
    if cluster is None or cluster == {}:
        return None
    if not isinstance(cluster, dict):
        _fail("TF_CONFIG's cluster is not an object")
    if not isinstance(task, dict):
        _fail("TF_CONFIG names a cluster but no task")
    role = task.get("type")
    if not isinstance(role, str):
        _fail("TF_CONFIG's task has no type")
    index = _index_of(task)
    world_size = sum(_tasks_of(cluster, name) for name in _DATA_ROLES)
    if role not in _DATA_ROLES:
        return TfTask(None, world_size, role)
    count = _tasks_of(cluster, role)
    if index >= count:
        _fail(f"TF_CONFIG's task is {role} {index}, but its cluster has {count} of them")
    before = sum(_tasks_of(cluster, name) for name in _DATA_ROLES[: _DATA_ROLES.index(role)])
    return TfTask(before + index, world_size, role)
