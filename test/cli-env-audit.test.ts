// `ingest env` and `ingest audit` as users meet them: needs `npm run build` first (npm test does it).
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "@ingest-ts/loader";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { everyTypeStream } from "./lib/every-type.ts";

const main = fileURLToPath(new URL("../packages/cli/dist/main.js", import.meta.url));

function ingest(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { PATH } = process.env;
  const options = { encoding: "utf8", env: { PATH, NO_COLOR: "1", ...env } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], options);
  return { status, stdout, stderr };
}

const torchrun = { RANK: "5", WORLD_SIZE: "8", LOCAL_RANK: "1", LOCAL_WORLD_SIZE: "4", TORCHELASTIC_RUN_ID: "job" };

describe("env", () => {
  it("says the rank, then who said so", () => {
    const { status, stdout, stderr } = ingest(["env"], { ...torchrun, JOB_COMPLETION_INDEX: "1" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(
      /^world: rank 5 of 8 \(torchrun\)\nlocal rank: 1 of 4\n\ntorchrun {4}rank 5 of 8, decides\n/,
    );
    expect(stdout).toContain("kubernetes  incomplete");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("is one rank where nothing is set", () => {
    expect(ingest(["env"]).stdout).toMatch(/^world: rank 0 of 1 \(default\)\n/);
  });

  it("shows what disagrees, and ends with 2", () => {
    const { status, stdout, stderr } = ingest(["env"], { ...torchrun, PMI_RANK: "1", PMI_SIZE: "2" });
    expect(status).toBe(2);
    expect(stdout).toContain("pmi         rank 1 of 2, not used");
    expect(stderr).toMatch(/^ingest: .*PMI_RANK=1.*disagree/);
    const json = ingest(["env", "--json"], { ...torchrun, PMI_RANK: "1", PMI_SIZE: "2" });
    expect(json.status).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({
      world: null,
      error: expect.stringContaining("disagree") as string,
    });
  });
});

describe("audit", () => {
  let folder = "";
  let ledger = "";

  async function run(path: string, seed: number): Promise<void> {
    const source = join(folder, "every type.arrow");
    const loader = await load({ source, batchSize: 1, seed, ledger: path, world: { rank: 0, worldSize: 1 } });
    for await (const batch of loader) expect(batch.rows).toBe(1);
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ingest audit "));
    await writeFile(join(folder, "every type.arrow"), everyTypeStream());
    ledger = join(folder, "whole.jsonl");
    await run(ledger, 1);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("says that every row was consumed once", () => {
    const { status, stdout, stderr } = ingest(["audit", ledger]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^\d+ rows, each once\n/);
    expect(JSON.parse(ingest(["audit", ledger, "--json"]).stdout)).toMatchObject({ ok: true, findings: [] });
  });

  it("names lost rows, and ends with 1", async () => {
    const lines = (await readFile(ledger, "utf8")).trimEnd().split("\n");
    const cut = join(folder, "cut.jsonl");
    await writeFile(cut, `${lines.filter((_, i) => i !== lines.length - 2).join("\n")}\n`);
    const { status, stdout } = ingest(["audit", cut]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/1 lost:\n +every type\.arrow rows \[\d+, \d+\)/);
  });

  it("ends with 2 for another run's ledger, 3 for a damaged one, 4 for a missing one", async () => {
    const other = join(folder, "other.jsonl");
    await run(other, 2);
    const damaged = join(folder, "damaged.jsonl");
    await writeFile(damaged, (await readFile(ledger, "utf8")).replace("\n", "\n{oops\n"));
    const results = [[ledger, other], [damaged], [join(folder, "none.jsonl")]].map((paths) =>
      ingest(["audit", ...paths]),
    );
    expect(results.map(({ status }) => status)).toEqual([2, 3, 4]);
    for (const { stdout, stderr } of results) {
      expect(stdout).toBe("");
      expect(stderr).toMatch(/^ingest: /);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
    expect(await readdir(folder)).toContain("damaged.jsonl");
  });
});
