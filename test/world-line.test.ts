// The line that says who reads. Needs `npm run build` first (npm test does it).
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeIds } from "./lib/write-ids.ts";

const main = fileURLToPath(new URL("../packages/cli/dist/main.js", import.meta.url));
const torchrun = { RANK: "3", WORLD_SIZE: "8", LOCAL_RANK: "3", LOCAL_WORLD_SIZE: "8", TORCHELASTIC_RUN_ID: "job" };
const { PATH } = process.env;
let folder = "";
let data = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "world line "));
  data = join(folder, "ids.parquet");
  await writeIds(data, 0, 100);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs `load` in a process of its own, once for each `world` (in TypeScript's words); what it says on stderr. */
function loading(worlds: readonly string[], env: NodeJS.ProcessEnv): string {
  const calls = worlds.map((world) => `await (await load({ source, batchSize: 4, ${world} })).close();`);
  const code = `import { load } from "@ingest-ts/loader"; const source = ${JSON.stringify(data)}; ${calls.join("\n")}`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    env: { PATH, ...env },
    encoding: "utf8",
  });
  expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: "" });
  return stderr;
}

test("load says the environment's world once per process, and nothing of one that it was given", () => {
  expect(loading(["", "", "seed: 2"], torchrun)).toBe("world: rank 3 of 8 (torchrun)\n");
  expect(loading([""], {})).toBe("world: rank 0 of 1 (default)\n");
  expect(loading(["world: { rank: 0, worldSize: 1 }"], torchrun)).toBe("");
});

test("serve says what it is told of itself, and that clients say their own", async () => {
  const lines: readonly [string[], NodeJS.ProcessEnv, string][] = [
    [[], torchrun, "rank 3 of 8 (torchrun), and each client says its own"],
    [[], {}, "each client says its own"],
    // Half a world is nobody's rank: the clients' are what counts.
    [[], { RANK: "1" }, "each client says its own"],
    [["--world", "4"], torchrun, "4 ranks (--world)"],
  ];
  for (const [args, env, said] of lines) {
    const child = spawn(process.execPath, [main, "serve", data, "--batch", "4", "--port", "0", ...args], {
      env: { PATH, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    child.stderr.on("data", (part: Buffer) => (text += part.toString()));
    child.stdout.once("data", () => child.kill("SIGTERM"));
    const code = await new Promise((ended) => child.once("close", ended));
    expect({ code, text }).toEqual({ code: 0, text: `world: ${said}\n` });
  }
});
