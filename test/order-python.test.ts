import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const cases = readFileSync(new URL("../packages/sharder/test/golden-order.json", import.meta.url), "utf8");
const script = fileURLToPath(new URL("python/order.py", import.meta.url));
const python = spawnSync("python3", ["--version"]).status === 0;

test.skipIf(!python)(`a Python program repeats the golden order${python ? "" : " (skipped: no python3)"}`, () => {
  const run = spawnSync("python3", [script], { input: cases, encoding: "utf8" });
  expect(run.stderr).toBe("");
  expect(JSON.parse(run.stdout)).toEqual(JSON.parse(cases));
});
