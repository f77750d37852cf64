import { OptionsError } from "./errors.ts";
import { taskOfTfConfig } from "./world-tf.ts";

/** Environment variables; an empty string counts as absent. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type WorldSource =
  | "explicit"
  | "ingest"
  | "torchrun"
  | "torch"
  | "horovod"
  | "openmpi"
  | "pmi"
  | "tf_config"
  | "slurm"
  | "kubernetes"
  | "default";

/** Who reads: ranks and sizes as in torch.distributed. */
export interface World {
  /** In [0, worldSize); null for a role that reads no data. */
  readonly rank: number | null;
  readonly worldSize: number;
  readonly source: WorldSource;
  /** As TF_CONFIG names it: "chief", "worker", "ps", "evaluator", … */
  readonly role?: string;
  readonly localRank?: number;
  readonly localWorldSize?: number;
}

/** Names of the variables in which a launcher tells ranks. */
interface Names {
  readonly source: WorldSource;
  readonly rank: string;
  readonly size: string;
  readonly localRank?: string;
  readonly localSize?: string;
}

const torch: Names = {
  source: "torch",
  rank: "RANK",
  size: "WORLD_SIZE",
  localRank: "LOCAL_RANK",
  localSize: "LOCAL_WORLD_SIZE",
};

const mpiLike: readonly Names[] = [
  {
    source: "horovod",
    rank: "HOROVOD_RANK",
    size: "HOROVOD_SIZE",
    localRank: "HOROVOD_LOCAL_RANK",
    localSize: "HOROVOD_LOCAL_SIZE",
  },
  {
    source: "openmpi",
    rank: "OMPI_COMM_WORLD_RANK",
    size: "OMPI_COMM_WORLD_SIZE",
    localRank: "OMPI_COMM_WORLD_LOCAL_RANK",
    localSize: "OMPI_COMM_WORLD_LOCAL_SIZE",
  },
  { source: "pmi", rank: "PMI_RANK", size: "PMI_SIZE", localRank: "MPI_LOCALRANKID", localSize: "MPI_LOCALNRANKS" },
];

const remedy = "Set INGEST_RANK and INGEST_WORLD_SIZE, or pass world: { rank, worldSize }.";

function fail(what: string): never {
  throw new OptionsError(what, { remedy });
}

function read(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === undefined || value === "" ? undefined : value;
}

/** A whole number, or undefined when absent. */
function readInt(env: Environment, name: string | undefined): number | undefined {
  const text = name === undefined ? undefined : read(env, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) fail(`${name}="${text}" is not a whole number of 0 or more`);
  return value;
}

/** What one family says, and with which variables. */
interface Claim {
  readonly world: World;
  /** Started the process itself, so what it runs in (SLURM, Kubernetes) has no say. */
  readonly inner: boolean;
  /** For messages: `RANK=0 of WORLD_SIZE=2`. */
  readonly told: string;
}

function checkRange(rank: number, size: number, rankName: string, sizeName: string): void {
  if (size < 1) fail(`${sizeName}=${size} is no world: at least one rank reads`);
  if (rank >= size) fail(`${rankName}=${rank} is not below ${sizeName}=${size}`);
}

function claimOf(env: Environment, family: Names, inner: boolean, source = family.source): Claim | undefined {
  if (read(env, family.rank) === undefined || read(env, family.size) === undefined) return undefined;
  const rank = readInt(env, family.rank) as number;
  const worldSize = readInt(env, family.size) as number;
  checkRange(rank, worldSize, family.rank, family.size);
  const localRank = readInt(env, family.localRank);
  const localWorldSize = readInt(env, family.localSize);
  const world: World = {
    rank,
    worldSize,
    source,
    ...(localRank === undefined ? {} : { localRank }),
    ...(localWorldSize === undefined ? {} : { localWorldSize }),
  };
  return { world, inner, told: `${family.rank}=${rank} of ${family.size}=${worldSize}` };
}

function torchClaim(env: Environment): Claim | undefined {
  const isTorchrun = read(env, "TORCHELASTIC_RUN_ID") !== undefined;
  const inner = isTorchrun || read(env, "LOCAL_RANK") !== undefined;
  const perNode = read(env, "PET_NPROC_PER_NODE");
  if (!inner && perNode !== undefined && perNode !== "1" && read(env, "RANK") !== undefined) {
    fail(`RANK=${read(env, "RANK")} is the pod's, not the process's: PET_NPROC_PER_NODE=${perNode} and no LOCAL_RANK`);
  }
  return claimOf(env, torch, inner, isTorchrun ? "torchrun" : "torch");
}

function tfClaim(env: Environment): Claim | undefined {
  const text = read(env, "TF_CONFIG");
  const task = text === undefined ? undefined : taskOfTfConfig(text);
  if (task === undefined) return undefined;
  const { rank, worldSize, role } = task;
  const told = `TF_CONFIG's ${role} (rank ${rank ?? "none"} of ${worldSize})`;
  return { world: { rank, worldSize, source: "tf_config", role }, inner: false, told };
}

/** Outside a step (no SLURM_STEP_ID) the variables describe the allocation, not this process. */
function slurmClaim(env: Environment): Claim | undefined {
  if (read(env, "SLURM_STEP_ID") === undefined) return undefined;
  const size = read(env, "SLURM_STEP_NUM_TASKS") === undefined ? "SLURM_NTASKS" : "SLURM_STEP_NUM_TASKS";
  return claimOf(env, { source: "slurm", rank: "SLURM_PROCID", size, localRank: "SLURM_LOCALID" }, false);
}

function kubernetesClaim(env: Environment): Claim | undefined {
  return claimOf(env, { source: "kubernetes", rank: "JOB_COMPLETION_INDEX", size: "INGEST_WORLD_SIZE" }, false);
}

/** The variables of one launcher, and what it makes of them. */
export interface Family {
  readonly source: WorldSource;
  /** Every variable that is read. */
  readonly variables: readonly string[];
  /** Of these, the ones that only this launcher sets. */
  readonly signs: readonly string[];
  /** @throws OptionsError */
  claim(env: Environment): { readonly world: World } | undefined;
}

function familyOf(names: Names): Family {
  const { source, rank, size, localRank, localSize } = names;
  const variables = [rank, size, localRank, localSize].filter((name) => name !== undefined);
  return { source, variables, signs: variables, claim: (env) => claimOf(env, names, true) };
}

const ours: Names = { source: "ingest", rank: "INGEST_RANK", size: "INGEST_WORLD_SIZE" };

const slurmVariables = ["SLURM_STEP_ID", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_LOCALID"];

/** Every family, in the order in which they are asked. */
export const families: readonly Family[] = [
  { ...familyOf(ours), signs: ["INGEST_RANK"] },
  {
    source: "torch",
    variables: ["RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "TORCHELASTIC_RUN_ID", "PET_NPROC_PER_NODE"],
    signs: ["RANK", "WORLD_SIZE", "LOCAL_RANK"],
    claim: torchClaim,
  },
  ...mpiLike.map(familyOf),
  { source: "tf_config", variables: ["TF_CONFIG"], signs: ["TF_CONFIG"], claim: tfClaim },
  { source: "slurm", variables: slurmVariables, signs: ["SLURM_PROCID", "SLURM_NTASKS"], claim: slurmClaim },
  {
    source: "kubernetes",
    variables: ["JOB_COMPLETION_INDEX", "INGEST_WORLD_SIZE"],
    signs: ["JOB_COMPLETION_INDEX"],
    claim: kubernetesClaim,
  },
];

function isClaim(claim: Claim | undefined): claim is Claim {
  return claim !== undefined;
}

/** The claims that count, all of which agree; empty when no family is complete. */
function agreeing(env: Environment): Claim[] {
  const launchers = [torchClaim(env), ...mpiLike.map((family) => claimOf(env, family, true)), tfClaim(env)].filter(
    isClaim,
  );
  // A launcher that started this process may run inside anything: what surrounds it is not even looked at.
  const outer = launchers.some((claim) => claim.inner) ? [] : [slurmClaim(env), kubernetesClaim(env)].filter(isClaim);
  const claims = [...launchers.filter((claim) => claim.inner), ...launchers.filter((claim) => !claim.inner), ...outer];
  const [first] = claims;
  for (const claim of claims) {
    const { rank, worldSize } = (first as Claim).world;
    if (claim.world.rank === rank && claim.world.worldSize === worldSize) continue;
    fail(`${(first as Claim).told} and ${claim.told} disagree about who this process is`);
  }
  return claims;
}

/** A world was meant but this process's place in it cannot be told: never answered with "one rank". */
function refuseHalfWorlds(env: Environment): void {
  if (read(env, "LOCAL_RANK") !== undefined && read(env, "RANK") === undefined) {
    fail(`LOCAL_RANK=${read(env, "LOCAL_RANK")} is set but RANK is not`);
  }
  const named = [torch, ...mpiLike];
  if (read(env, "SLURM_STEP_ID") !== undefined) {
    named.push({ source: "slurm", rank: "SLURM_PROCID", size: "SLURM_NTASKS" });
  }
  named.push({ source: "kubernetes", rank: "JOB_COMPLETION_INDEX", size: "INGEST_WORLD_SIZE" });
  for (const { rank, size } of named) {
    if (read(env, rank) !== undefined && read(env, size) === undefined) {
      fail(`${rank}=${read(env, rank)} is set but ${size} is not`);
    }
    const worldSize = readInt(env, size);
    if (worldSize !== undefined && worldSize !== 1 && read(env, rank) === undefined) {
      fail(`${size}=${worldSize} is set but ${rank} is not`);
    }
  }
}

/**
 * Who this process is, from its environment: INGEST_RANK + INGEST_WORLD_SIZE, else one complete family of variables, else
 * one rank. design/world-cases.json decides every case.
 *
 * @throws OptionsError naming the variables when families disagree, a value is no number, or a rank cannot be told.
 */
export function worldFromEnv(env: Environment): World {
  const explicit = claimOf(env, ours, true);
  if (explicit !== undefined) return explicit.world;
  if (read(env, "INGEST_RANK") !== undefined) {
    fail(`INGEST_RANK=${read(env, "INGEST_RANK")} is set but INGEST_WORLD_SIZE is not`);
  }
  const claims = agreeing(env);
  const [first] = claims;
  if (first === undefined) {
    refuseHalfWorlds(env);
    return { rank: 0, worldSize: 1, source: "default" };
  }
  // Families that agree complete each other: Horovod over Open MPI may leave the local rank to the latter.
  const localRank = claims.find((claim) => claim.world.localRank !== undefined)?.world.localRank;
  const localWorldSize = claims.find((claim) => claim.world.localWorldSize !== undefined)?.world.localWorldSize;
  return {
    ...first.world,
    ...(localRank === undefined ? {} : { localRank }),
    ...(localWorldSize === undefined ? {} : { localWorldSize }),
  };
}

/** A rank that reads data. */
export interface DataWorld extends World {
  readonly rank: number;
}

/**
 * The world to read as: `explicit` when given, else the environment's.
 *
 * @throws OptionsError when the numbers make no world, or the environment's role reads no data (ps, evaluator).
 */
export function resolveWorld(
  explicit: { readonly rank: number; readonly worldSize: number } | undefined,
  env: Environment,
): DataWorld {
  if (explicit !== undefined) {
    const { rank, worldSize } = explicit;
    if (!Number.isSafeInteger(worldSize) || worldSize < 1)
      fail(`world.worldSize ${worldSize} is not a whole number above 0`);
    if (!Number.isSafeInteger(rank) || rank < 0 || rank >= worldSize) {
      fail(`world.rank ${rank} is not in [0, ${worldSize})`);
    }
    return { rank, worldSize, source: "explicit" };
  }
  const world = worldFromEnv(env);
  if (world.rank === null) {
    throw new OptionsError(`TF_CONFIG's role "${world.role}" reads no data`, {
      remedy: "Do not load in this process, or pass world: { rank, worldSize }.",
    });
  }
  return { ...world, rank: world.rank };
}
