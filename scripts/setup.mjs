// The front door: installs the pinned dependencies and builds, with nothing but Node and npm on the machine.
// Repeated runs skip what is done: the install when no manifest or lockfile changed, the build by its own bookkeeping.
// Imports nothing but Node's own modules: it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const manifest = readJson(join(root, "package.json"));
const stamp = join(root, "node_modules", ".ingest-setup");

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

function fail(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}

function checkNode() {
  const wanted = /(\d+)\.(\d+)/.exec(manifest.engines.node).slice(1).map(Number);
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > wanted[0] || (major === wanted[0] && minor >= wanted[1])) return;
  fail(`Node ${manifest.engines.node} is needed, this is ${process.versions.node}. Install a newer Node.`);
}

/** Folders of the workspace, as pnpm-workspace.yaml lists them. */
function workspaceFolders() {
  const packages = readdirSync(join(root, "packages")).map((name) => join("packages", name));
  return [...packages, "bench", "test"].filter((folder) => existsSync(join(root, folder, "package.json")));
}

/** Changes when an install could give another result. */
function installDigest() {
  const digest = createHash("sha256").update(`${process.platform} ${process.arch} ${process.versions.modules}`);
  const manifests = ["", ...workspaceFolders()].map((folder) => join(folder, "package.json"));
  for (const path of ["pnpm-lock.yaml", "pnpm-workspace.yaml", ...manifests]) {
    digest.update(path).update(readFileSync(join(root, path)));
  }
  return digest.digest("hex");
}

function isInstalled(digest) {
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== digest) return false;
  return workspaceFolders().every((folder) => {
    const { dependencies, devDependencies } = readJson(join(root, folder, "package.json"));
    const names = Object.keys({ ...dependencies, ...devDependencies });
    return names.every((name) => existsSync(join(root, folder, "node_modules", name)));
  });
}

/** The pinned pnpm when it is installed already, else the same version through npx. */
function pnpmCommand() {
  const wanted = manifest.devDependencies.pnpm;
  const folder = join(root, "node_modules", "pnpm");
  const installed = existsSync(join(folder, "package.json")) ? readJson(join(folder, "package.json")) : undefined;
  if (installed?.version === wanted) return [process.execPath, join(folder, installed.bin.pnpm)];
  return ["npx", "--yes", `pnpm@${wanted}`];
}

function install() {
  const [file, ...first] = pnpmCommand();
  const args = [
    ...first,
    "install",
    "--frozen-lockfile",
    "--prefer-offline",
    "--prod=false", // NODE_ENV=production must not lose the compiler
    "--config.confirm-modules-purge=false", // there may be nobody to answer
    "--reporter=append-only",
  ];
  const { status, error, output } = spawnSync(file, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  if (status === 0) return;
  for (const text of output ?? []) if (text) process.stderr.write(text);
  fail(`pnpm install failed${error ? `: ${error.message}` : ""}. It needs the npm registry; is it reachable?`);
}

checkNode();
const digest = installDigest();
if (!isInstalled(digest)) {
  console.error("setup: installing dependencies (first run, or they changed) …");
  rmSync(stamp, { force: true });
  install();
  writeFileSync(stamp, digest);
}
const { status } = spawnSync(process.execPath, [join(root, "scripts", "build.mjs")], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
});
process.exit(status ?? 1);
