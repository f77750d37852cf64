// Builds everything: the WebAssembly kernels, then every package by project references. Incremental.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);
const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");

function run(script, args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/** What was built from a source that is gone would be packed and published. */
function removeStale() {
  for (const name of readdirSync(join(root, "packages"))) {
    const dist = join(root, "packages", name, "dist");
    if (!existsSync(dist)) continue;
    for (const file of readdirSync(dist, { recursive: true })) {
      const stem = /^(.*?)(\.d\.ts|\.js)(\.map)?$/.exec(file)?.[1];
      if (stem === undefined || existsSync(join(root, "packages", name, "src", `${stem}.ts`))) continue;
      rmSync(join(dist, file));
    }
  }
}

removeStale();
run(join(root, "packages", "kernels", "scripts", "build.mjs"), []);
run(tsc, ["-b", ...process.argv.slice(2)]);
