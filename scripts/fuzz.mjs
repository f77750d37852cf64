// The fuzz tests with many more mutated files than the normal run: `npm run fuzz`, `npm run fuzz -- 1000000`.
import { spawnSync } from "node:child_process";
import { binOf, root } from "./lib/run.mjs";

const [runs = "200000"] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(runs)) {
  console.error(`fuzz: the number of mutated files per format must be a whole number, not ${runs}`);
  process.exit(2);
}
const args = [binOf("vitest"), "run", "--testTimeout=0", "--hookTimeout=0", "fuzz"];
const { status } = spawnSync(process.execPath, args, {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
  env: { ...process.env, INGEST_FUZZ_RUNS: runs },
});
process.exit(status ?? 1);
