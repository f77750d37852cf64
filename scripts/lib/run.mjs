// What the scripts share: where the repository is, how a tool of ours is started, how a command's output is kept.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** The script behind the command of a root dependency, so that it starts without a shell (paths may hold spaces). */
export function binOf(name, command = name) {
  const folder = join(root, "node_modules", name);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, typeof bin === "string" ? bin : bin[command]);
}

/**
 * Runs a command without stdin and keeps what it printed.
 *
 * @returns {Promise<{status: number, stdout: string, output: string}>} output is stdout and stderr as they came
 */
export function capture(file, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: root, ...options, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", (error) => resolve({ status: 127, stdout, output: `${output}${error.message}\n` }));
    child.on("close", (code) => resolve({ status: code ?? 1, stdout, output }));
  });
}

/** Seconds since a `performance.now()`, for people. */
export function secondsSince(started) {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}
