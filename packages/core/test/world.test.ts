import { readFileSync } from "node:fs";
import { type Environment, isIngestError, resolveWorld, type World, worldFromEnv } from "@ingest-ts/core";
import { describe, expect, test } from "vitest";

interface Case {
  readonly name: string;
  readonly env: Environment;
  readonly expect: Partial<World> & { readonly error?: "INGEST_OPTIONS"; readonly mentions?: readonly string[] };
}

const { cases } = JSON.parse(readFileSync(new URL("world-cases.json", import.meta.url), "utf8")) as { cases: Case[] };

function errorOf(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("world-cases.json", () => {
  test.each(cases.map((item) => [item.name, item] as const))("%s", (_, item) => {
    const { error, mentions, ...world } = item.expect;
    if (error === undefined) {
      expect(worldFromEnv(item.env)).toMatchObject(world);
      return;
    }
    const thrown = errorOf(() => worldFromEnv(item.env));
    expect(isIngestError(thrown, error)).toBe(true);
    for (const word of mentions ?? []) expect((thrown as Error).message).toContain(word);
  });
});

test("an explicit world wins over any environment, even a broken one", () => {
  expect(resolveWorld({ rank: 1, worldSize: 2 }, { RANK: "one" })).toEqual({
    rank: 1,
    worldSize: 2,
    source: "explicit",
  });
  expect(() => resolveWorld({ rank: 2, worldSize: 2 }, {})).toThrow(/world.rank 2 is not in \[0, 2\)/);
  expect(() => resolveWorld({ rank: 0, worldSize: 0.5 }, {})).toThrow(/worldSize 0.5/);
});

test("a role that reads no data cannot load", () => {
  const env = { TF_CONFIG: '{"cluster": {"worker": ["a:1"], "ps": ["p:1"]}, "task": {"type": "ps", "index": 0}}' };
  expect(() => resolveWorld(undefined, env)).toThrow(/role "ps" reads no data/);
  expect(resolveWorld({ rank: 0, worldSize: 1 }, env).rank).toBe(0);
});

test.each<[string, Environment, RegExp]>([
  ["our own rank without a size", { INGEST_RANK: "1" }, /INGEST_WORLD_SIZE/],
  ["our own size without a rank", { INGEST_WORLD_SIZE: "4" }, /JOB_COMPLETION_INDEX/],
  ["a SLURM step without its rank", { SLURM_STEP_ID: "0", SLURM_NTASKS: "4" }, /SLURM_PROCID/],
  [
    "plain RANK against SLURM",
    { RANK: "0", WORLD_SIZE: "2", SLURM_STEP_ID: "0", SLURM_PROCID: "1", SLURM_NTASKS: "2" },
    /SLURM_PROCID=1/,
  ],
  ["Horovod without a size", { HOROVOD_RANK: "1" }, /HOROVOD_SIZE/],
  [
    "TF_CONFIG without a task",
    { TF_CONFIG: '{"cluster": {"worker": ["a:1"]}}' },
    /TF_CONFIG names a cluster but no task/,
  ],
  ["a size of none", { RANK: "0", WORLD_SIZE: "0" }, /WORLD_SIZE=0/],
])("%s is refused", (_, env, message) => {
  expect(() => worldFromEnv(env)).toThrow(message);
});

test("one process per Kubeflow pod: the pod's RANK is the process's", () => {
  expect(worldFromEnv({ RANK: "1", WORLD_SIZE: "2", PET_NPROC_PER_NODE: "1" })).toMatchObject({
    rank: 1,
    worldSize: 2,
  });
});
