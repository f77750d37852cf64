import { readFileSync } from "node:fs";
import { type Environment, explainWorld, isIngestError, worldFromEnv, worldText } from "@ingest-ts/core";
import { describe, expect, test } from "vitest";

const { cases } = JSON.parse(readFileSync(new URL("world-cases.json", import.meta.url), "utf8")) as {
  cases: { readonly name: string; readonly env: Environment }[];
};

describe("explains every case of world-cases.json", () => {
  test.each(cases.map(({ name, env }) => [name, env] as const))("%s", (_, env) => {
    const report = explainWorld(env);
    let expected: unknown;
    try {
      expected = worldFromEnv(env);
    } catch (error) {
      expect(isIngestError(error, "INGEST_OPTIONS")).toBe(true);
      expect(report.world).toBeUndefined();
      expect(report.error?.message).toBe((error as Error).message);
      expect(report.families.filter(({ use }) => use === "decides" || use === "agrees")).toEqual([]);
      return;
    }
    expect(report.world).toEqual(expected);
    expect(report.error).toBeUndefined();
    const deciding = report.families.filter(({ use }) => use === "decides");
    if (report.world?.source === "default") {
      expect(deciding).toEqual([]);
    } else {
      expect(deciding).toHaveLength(1);
      expect(deciding[0]).toMatchObject({ rank: report.world?.rank, worldSize: report.world?.worldSize });
    }
  });
});

test("what a launcher runs in is shown, and not asked", () => {
  const { families } = explainWorld({
    RANK: "5",
    WORLD_SIZE: "8",
    LOCAL_RANK: "1",
    TORCHELASTIC_RUN_ID: "job",
    SLURM_STEP_ID: "0",
    SLURM_PROCID: "1",
    SLURM_NTASKS: "2",
    UNRELATED: "x",
  });
  expect(families).toEqual([
    {
      source: "torchrun",
      rank: 5,
      worldSize: 8,
      use: "decides",
      variables: { RANK: "5", WORLD_SIZE: "8", LOCAL_RANK: "1", TORCHELASTIC_RUN_ID: "job" },
    },
    {
      source: "slurm",
      rank: 1,
      worldSize: 2,
      use: "not asked",
      variables: { SLURM_STEP_ID: "0", SLURM_PROCID: "1", SLURM_NTASKS: "2" },
    },
  ]);
});

test("what is incomplete or wrong is named", () => {
  expect(explainWorld({ HOROVOD_RANK: "1" }).families).toMatchObject([{ source: "horovod", use: "incomplete" }]);
  const { families, error } = explainWorld({ PMI_RANK: "x", PMI_SIZE: "2" });
  expect(families).toMatchObject([{ source: "pmi", use: "invalid", message: error?.message }]);
});

test("one line", () => {
  expect(worldText({ rank: 3, worldSize: 8, source: "torchrun" })).toBe("rank 3 of 8 (torchrun)");
  expect(worldText({ rank: null, worldSize: 8, source: "tf_config" })).toBe("no rank of 8 (tf_config)");
});
