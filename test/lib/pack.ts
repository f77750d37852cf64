import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "./tree.ts";

const run = promisify(execFile);

/** The environment less what `npm test` adds to it, which would point npm back at this repository. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const added =
    /^(npm_package_|npm_lifecycle_|npm_config_local_prefix$|npm_command$|npm_execpath$|INIT_CWD$|NODE_OPTIONS$|NODE_PATH$|VITEST|NODE_ENV$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !added.test(name)));
}

/** What a program printed. Rejects with its stderr when it exits with something other than 0. */
export async function runIn(folder: string, file: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(file, args, { cwd: folder, env: plainEnvironment(), maxBuffer: 64 << 20 });
  return stdout;
}

/**
 * Packs every package as it would be published and installs the tarballs with npm in an empty folder.
 *
 * @returns the folder where they are installed
 */
export async function installPacked(parent: string): Promise<string> {
  const tarballs = join(parent, "tarballs");
  const project = join(parent, "project");
  mkdirSync(tarballs);
  mkdirSync(project);
  const pnpm = join(root, "node_modules", "pnpm", "bin", "pnpm.cjs");
  const pack = [pnpm, "-r", "--filter", "./packages/*", "pack", "--pack-destination", tarballs];
  await runIn(root, process.execPath, pack);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  const files = readdirSync(tarballs).map((name) => join(tarballs, name));
  await runIn(project, "npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", ...files]);
  return project;
}
