import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The command line as it was built: `npm run build` first (npm test does it). */
const main = fileURLToPath(new URL("../../packages/cli/dist/main.js", import.meta.url));

/** A command line that runs. */
export class Running {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  /** The exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [main, ...args], {
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout?.on("data", (part) => (this.stdout += String(part)));
    this.child.stderr?.on("data", (part) => (this.stderr += String(part)));
    this.ended = new Promise((resolve) => this.child.once("close", resolve));
  }

  /** Resolves when stderr says it. @throws Error when the process ends before */
  async says(text: string | RegExp): Promise<void> {
    const found = (): boolean => (typeof text === "string" ? this.stderr.includes(text) : text.test(this.stderr));
    while (!found()) {
      if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}: ${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return this.ended;
  }
}

/** Runs a command to its end. */
export async function ingest(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const running = new Running(args, env);
  const status = await running.ended;
  return { status, stdout: running.stdout, stderr: running.stderr };
}
