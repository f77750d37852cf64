// Runs every test that needs only Node, says what was skipped and why, and ends with `N passed, N failed`.
// Arguments go to Vitest: `node scripts/test.mjs packages/readers`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binOf, root } from "./lib/run.mjs";

/** What needs more than Node and npm; `.ci/run` installs that and runs these. */
const elsewhere = [
  "our files read by pyarrow, DuckDB and tf.data (needs Python packages: .ci/run)",
  "the command line on other Node versions (fetches them: .ci/run)",
  "the grader of the conformance set (needs Python packages and ../shared: .ci/run)",
  "ten thousand small files, here a thousand (.ci/run)",
  "three Kafka brokers killed, frozen and moved (minutes: .ci/run)",
  "resume of three million rows on 1, 2, 4 and 8 ranks (.ci/run)",
];

/** In CI a skipped test is a failure, except for what is not part of the repository. */
const everythingMustRun = process.env.INGEST_SKIP_IS_FAILURE === "1";
const mayBeAbsent = /\.\.\/shared/;

const folder = mkdtempSync(join(tmpdir(), "ingest-test-"));
const file = join(folder, "summary.json");
const filters = process.argv.slice(2);
const reporters = ["--reporter=default", `--reporter=${join(root, "scripts", "lib", "vitest-reporter.mjs")}`];
const { status } = spawnSync(process.execPath, [binOf("vitest"), "run", ...reporters, ...filters], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
  env: { ...process.env, INGEST_TEST_SUMMARY: file },
});

const summary = existsSync(file)
  ? JSON.parse(readFileSync(file, "utf8"))
  : { passed: 0, failed: 1, skipped: 0, notices: [{ reason: "Vitest ended without a result", count: 1 }] };
rmSync(folder, { recursive: true, force: true });

for (const { reason, count } of summary.notices) {
  console.log(`notice: skipped: ${reason.replace(/^skipped: /, "")}${count > 1 ? ` (${count} tests)` : ""}`);
}
if (filters.length === 0 && !everythingMustRun) {
  for (const part of elsewhere) console.log(`notice: not run here: ${part}`);
}
// Vitest can fail for reasons that are no test (a bad option, no test files): never hide that.
let failed = summary.failed === 0 && status !== 0 ? 1 : summary.failed;
if (everythingMustRun) {
  for (const { reason, count } of summary.notices) if (!mayBeAbsent.test(reason)) failed += count;
}
if (summary.skipped > 0) console.log(`${summary.skipped} skipped, for the reasons above`);
console.log(`${summary.passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
