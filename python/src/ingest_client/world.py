"""Who this process is: rank and world size from an argument or from the environment.

The same cases as in TypeScript; `packages/core/test/world-cases.json` decides every one of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from ._tf_config import task_of_tf_config
from .errors import OptionsError

__all__ = ["World", "resolve_world", "world_from_env"]

Environment = Mapping[str, str]

_REMEDY = "Set INGEST_RANK and INGEST_WORLD_SIZE, or pass rank= and world=."


@dataclass(frozen=True)
class World:
    """Who reads: ranks and sizes as in torch.distributed."""

    #: In [0, world_size); None for a role that reads no data.
    rank: int | None
    world_size: int
    #: explicit, ingest, torchrun, torch, horovod, openmpi, pmi, tf_config, slurm, kubernetes or default.
    source: str
    #: As TF_CONFIG names it: "chief", "worker", "ps", "evaluator".
    role: str | None = None
    local_rank: int | None = None
    local_world_size: int | None = None


@dataclass(frozen=True)
class _Family:
    """One launcher's variables."""

    source: str
    rank: str
    size: str
    local_rank: str | None = None
    local_size: str | None = None


@dataclass(frozen=True)
class _Claim:
    """What one family says, and with which variables."""

    world: World
    #: Started the process itself, so what it runs in (SLURM, Kubernetes) has no say.
    inner: bool
    #: For messages: `RANK=0 of WORLD_SIZE=2`.
    told: str


_TORCH = _Family("torch", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
_MPI_LIKE = (
    _Family("horovod", "HOROVOD_RANK", "HOROVOD_SIZE", "HOROVOD_LOCAL_RANK", "HOROVOD_LOCAL_SIZE"),
    _Family(
        "openmpi",
        "OMPI_COMM_WORLD_RANK",
        "OMPI_COMM_WORLD_SIZE",
        "OMPI_COMM_WORLD_LOCAL_RANK",
        "OMPI_COMM_WORLD_LOCAL_SIZE",
    ),
    _Family("pmi", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"),
)
_KUBERNETES = _Family("kubernetes", "JOB_COMPLETION_INDEX", "INGEST_WORLD_SIZE")


def _fail(what: str) -> NoReturn:
    raise OptionsError(what, remedy=_REMEDY)


def _read(env: Environment, name: str) -> str | None:
    """The variable without white space; an empty one counts as absent."""
    return env.get(name, "").strip() or None


def _read_int(env: Environment, name: str | None) -> int | None:
    text = None if name is None else _read(env, name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,15}", text):
        _fail(f'{name}="{text}" is not a whole number of 0 or more')
    return int(text)


def _claim_of(env: Environment, family: _Family, *, inner: bool, source: str | None = None) -> _Claim | None:
    rank, size = _read_int(env, family.rank), _read_int(env, family.size)
    if rank is None or size is None:
        return None
    if size < 1:
        _fail(f"{family.size}={size} is no world: at least one rank reads")
    if rank >= size:
        _fail(f"{family.rank}={rank} is not below {family.size}={size}")
    world = World(
        rank,
        size,
        source or family.source,
        local_rank=_read_int(env, family.local_rank),
        local_world_size=_read_int(env, family.local_size),
    )
    return _Claim(world, inner, f"{family.rank}={rank} of {family.size}={size}")


def _torch_claim(env: Environment) -> _Claim | None:
    is_torchrun = _read(env, "TORCHELASTIC_RUN_ID") is not None
    inner = is_torchrun or _read(env, "LOCAL_RANK") is not None
    per_node, rank = _read(env, "PET_NPROC_PER_NODE"), _read(env, "RANK")
    if not inner and per_node not in (None, "1") and rank is not None:
        _fail(f"RANK={rank} is the pod's, not the process's: PET_NPROC_PER_NODE={per_node} and no LOCAL_RANK")
    return _claim_of(env, _TORCH, inner=inner, source="torchrun" if is_torchrun else "torch")


def _tf_claim(env: Environment) -> _Claim | None:
    text = _read(env, "TF_CONFIG")
    task = None if text is None else task_of_tf_config(text)
    if task is None:
        return None
    rank = "none" if task.rank is None else task.rank
    world = World(task.rank, task.world_size, "tf_config", role=task.role)
    return _Claim(world, False, f"TF_CONFIG's {task.role} (rank {rank} of {task.world_size})")


def _slurm_claim(env: Environment) -> _Claim | None:
    """Outside a step (no SLURM_STEP_ID) the variables describe the allocation, not this process."""
    if _read(env, "SLURM_STEP_ID") is None:
        return None
    size = "SLURM_NTASKS" if _read(env, "SLURM_STEP_NUM_TASKS") is None else "SLURM_STEP_NUM_TASKS"
    return _claim_of(env, _Family("slurm", "SLURM_PROCID", size, "SLURM_LOCALID"), inner=False)


def _agreeing(env: Environment) -> list[_Claim]:
    """The claims that count, all of which agree; empty when no family is complete."""
    launchers = [_torch_claim(env), *(_claim_of(env, family, inner=True) for family in _MPI_LIKE), _tf_claim(env)]
    found = [claim for claim in launchers if claim is not None]
    inner = [claim for claim in found if claim.inner]
    claims = inner + [claim for claim in found if not claim.inner]
    # A launcher that started this process may run inside anything: what surrounds it is not even looked at.
    if not inner:
        outer = [_slurm_claim(env), _claim_of(env, _KUBERNETES, inner=False)]
        claims += [claim for claim in outer if claim is not None]
    for claim in claims[1:]:
        first = claims[0]
        if (claim.world.rank, claim.world.world_size) != (first.world.rank, first.world.world_size):
            _fail(f"{first.told} and {claim.told} disagree about who this process is")
    return claims


def _refuse_half_worlds(env: Environment) -> None:
    """A world was meant but this process's place in it cannot be told: never answered with "one rank"."""
    local_rank = _read(env, "LOCAL_RANK")
    if local_rank is not None and _read(env, "RANK") is None:
        _fail(f"LOCAL_RANK={local_rank} is set but RANK is not")
    families = [_TORCH, *_MPI_LIKE]
    if _read(env, "SLURM_STEP_ID") is not None:
        families.append(_Family("slurm", "SLURM_PROCID", "SLURM_NTASKS"))
    families.append(_KUBERNETES)
    for family in families:
        rank = _read(env, family.rank)
        if rank is not None and _read(env, family.size) is None:
            _fail(f"{family.rank}={rank} is set but {family.size} is not")
        size = _read_int(env, family.size)
        if size is not None and size != 1 and rank is None:
            _fail(f"{family.size}={size} is set but {family.rank} is not")


def world_from_env(env: Environment) -> World:
    """Who this process is: INGEST_RANK + INGEST_WORLD_SIZE, else one complete family of variables, else one rank.

    Raises OptionsError, naming the variables, when families disagree, a value is no number, or a rank cannot be told.
    """
    ours = _claim_of(env, _Family("ingest", "INGEST_RANK", "INGEST_WORLD_SIZE"), inner=True)
    if ours is not None:
        return ours.world
    ours_rank = _read(env, "INGEST_RANK")
    if ours_rank is not None:
        _fail(f"INGEST_RANK={ours_rank} is set but INGEST_WORLD_SIZE is not")
    claims = _agreeing(env)
    if not claims:
        _refuse_half_worlds(env)
        return World(0, 1, "default")
    # Families that agree complete each other: Horovod over Open MPI may leave the local rank to the latter.
    worlds = [claim.world for claim in claims]
    local_ranks = [world.local_rank for world in worlds if world.local_rank is not None]
    local_sizes = [world.local_world_size for world in worlds if world.local_world_size is not None]
    return replace(
        worlds[0],
        local_rank=local_ranks[0] if local_ranks else None,
        local_world_size=local_sizes[0] if local_sizes else None,
    )


def resolve_world(
    rank: int | None = None, world_size: int | None = None, env: Environment | None = None
) -> tuple[int, int, str]:
    """(rank, world size, where from) to read as: the arguments when given, else the environment's.

    Raises OptionsError when the numbers make no world, or when the environment's role reads no data.
    """
    if rank is not None or world_size is not None:
        if rank is None or world_size is None:
            missing = "rank" if rank is None else "world"
            raise OptionsError(f"{missing} is not given", remedy="Pass rank= and world= together, or neither.")
        for name, value in (("rank", rank), ("world", world_size)):
            if type(value) is not int:
                raise OptionsError(f"{name} {value!r} is not a whole number", remedy="Pass an int.")
        if world_size < 1:
            raise OptionsError(f"world {world_size} is not above 0", remedy="At least one rank reads.")
        if not 0 <= rank < world_size:
            raise OptionsError(f"rank {rank} is not in [0, {world_size})", remedy="Ranks count from 0.")
        return rank, world_size, "explicit"
    world = world_from_env(os.environ if env is None else env)
    if world.rank is None:
        raise OptionsError(
            f'TF_CONFIG\'s role "{world.role}" reads no data',
            remedy="Do not read in this process, or pass rank= and world=.",
        )
    return world.rank, world.world_size, world.source
