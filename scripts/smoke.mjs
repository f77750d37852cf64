// The built command line on whatever Node runs this script: a few commands on the ZSTD Parquet file of the main job
// (native zstd where Node has it, WebAssembly where not), then a short bench. Ends with `N passed, N failed`.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { capture, root } from "./lib/run.mjs";

const cli = join(root, "packages", "cli", "dist", "main.js");
const flights = join(root, "packages", "cli", "node_modules", "vega-datasets", "data", "flights-3m.parquet");
const folder = mkdtempSync(join(tmpdir(), "ingest smoke "));
const arrow = join(folder, "first.arrow");

const lines = (text) => text.trimEnd().split("\n");

/** Arguments, and what must hold of stdout. */
const cases = [
  [["--version"], (out) => /^\d+\.\d+\.\d+\n$/.test(out)],
  [["--help"], (out) => ["bench", "cat", "schema", "count"].every((name) => out.includes(name))],
  [["schema", flights], (out) => ["delay", "distance", "origin"].every((name) => out.includes(name))],
  [["count", flights], (out) => out === "3000000\n"],
  [["cat", flights, "--limit", "3", "--to", "jsonl"], (out) => lines(out).map((line) => JSON.parse(line)).length === 3],
  [["cat", flights, "--limit", "1000", "--to", "arrow", "--output", arrow], () => readFileSync(arrow).length > 0],
  [["cat", arrow, "--limit", "7", "--to", "csv"], (out) => lines(out).length === 8],
  [["bench", "--quick", "--json"], (out) => JSON.parse(out).results.length > 0],
];

let failed = 0;
for (const [args, holds] of cases) {
  const { status, stdout, output } = await capture(process.execPath, [cli, ...args], { cwd: folder });
  let ok = false;
  try {
    ok = status === 0 && holds(stdout);
  } catch {
    // The output is not what it should be; it is printed below.
  }
  if (ok) continue;
  failed += 1;
  console.log(`Node ${process.version}: ingest ${args.join(" ")}: exit ${status}\n${output.slice(0, 4000)}`);
}
rmSync(folder, { recursive: true, force: true });
console.log(`${cases.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
