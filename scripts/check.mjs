// Everything a change must pass before it is proposed, in under a minute: build, format, lint, types, unit tests,
// unused code, and the packages as they would be published. Prints only what failed.
// `node scripts/check.mjs lint types` runs some of the steps.
import { availableParallelism, tmpdir } from "node:os";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { binOf, capture, root, secondsSince } from "./lib/run.mjs";

/** Few mutated files here: `npm test` has the many. A number asked for in the environment wins. */
const env = { INGEST_FUZZ_RUNS: "200", ...process.env, NO_COLOR: "1" };
const node = (...args) => capture(process.execPath, args, { env });

/** Packs every package as it would be published and checks the tarballs: exports, types, module kinds. */
async function checkPackages() {
  const folder = mkdtempSync(join(tmpdir(), "ingest-pack-"));
  try {
    const packed = await node(binOf("pnpm"), "-r", "--filter", "./packages/*", "pack", "--pack-destination", folder);
    if (packed.status !== 0) return packed;
    const runs = readdirSync(folder).map(async (name) => {
      const tarball = join(folder, name);
      return [
        await node(binOf("publint"), tarball, "--strict"),
        await node(
          binOf("@arethetypeswrong/cli", "attw"),
          tarball,
          "--profile",
          "esm-only",
          "--format",
          "table-flipped",
        ),
      ];
    });
    const failed = (await Promise.all(runs)).flat().filter(({ status }) => status !== 0);
    return { status: failed.length, output: failed.map(({ output }) => output).join("\n") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In the order they start; the build comes before all of them. */
const steps = {
  unit: () => node(binOf("vitest"), "run", "--reporter=dot", "packages"),
  packages: checkPackages,
  types: () => node(binOf("typescript", "tsc"), "-p", "tsconfig.test.json"),
  lint: () => node(binOf("oxlint"), "--type-aware", "--deny-warnings"),
  format: () => node(binOf("@biomejs/biome", "biome"), "format", "."),
  unused: () => node(binOf("knip"), "--treat-config-hints-as-errors"),
};

let failures = 0;

async function runStep(name, step) {
  const started = performance.now();
  const { status, output } = await step();
  console.log(`${status === 0 ? "pass" : "FAIL"}  ${name}  ${secondsSince(started)}`);
  if (status === 0) return;
  failures += 1;
  console.log(output.trimEnd());
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in steps));
if (unknown.length > 0) {
  console.error(`check: no step ${unknown.join(", ")}; there are ${Object.keys(steps).join(", ")}`);
  process.exit(2);
}
const started = performance.now();
await runStep("build", () => node(join(root, "scripts", "build.mjs")));
const waiting = Object.entries(steps).filter(([name]) => wanted.length === 0 || wanted.includes(name));
const lanes = Array.from({ length: Math.min(3, availableParallelism()) }, async () => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await runStep(...next);
});
await Promise.all(lanes);
console.log(`${failures === 0 ? "all passed" : `${failures} failed`} in ${secondsSince(started)}`);
process.exit(failures === 0 ? 0 : 1);
