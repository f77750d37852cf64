// Real S3 servers, started for one test file (or benchmark) each. `node scripts/tools.mjs` installs them.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const accessKey = "testkey";
export const secretKey = "testsecret-3f9a1c";

const tools = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "..", ".tools");
const versitygw = join(tools, "bin", "versitygw");
const s3proxy = join(tools, "jars", "s3proxy-4.1.0-jar-with-dependencies.jar");

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function missing(path, name) {
  return existsSync(path) ? undefined : `${name} is not installed (node scripts/tools.mjs)`;
}

async function ready(endpoint, child, output) {
  const until = Date.now() + 60_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended: ${output()}`);
    try {
      await (await fetch(endpoint)).arrayBuffer();
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function run(name, command, argsOf, env) {
  const folder = mkdtempSync(join(tmpdir(), `ingest-${name}-`));
  const port = await freePort();
  let output = "";
  const child = spawn(command, argsOf(port, folder), {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes) => (output = `${output}${bytes}`.slice(-5000)));
  const ended = new Promise((resolve) => child.once("close", () => resolve()));
  child.once("error", () => {});
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await ready(endpoint, child, () => output);
  } catch (error) {
    await stop();
    throw error;
  }
  return { name, endpoint, pid: child.pid, stop };
}

export const servers = [
  {
    name: "versitygw",
    missing: missing(versitygw, "versitygw"),
    start: () =>
      run(
        "versitygw",
        versitygw,
        (port, folder) => {
          for (const each of ["iam", "data", "side"]) mkdirSync(join(folder, each));
          const iam = ["--keep-alive", "--iam-dir", join(folder, "iam")];
          return [
            "--port",
            `127.0.0.1:${port}`,
            "--quiet",
            ...iam,
            "posix",
            "--sidecar",
            join(folder, "side"),
            join(folder, "data"),
          ];
        },
        { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
      ),
  },
  {
    name: "s3proxy",
    missing: missing(s3proxy, "s3proxy"),
    start: () =>
      run(
        "s3proxy",
        "java",
        (port, folder) => {
          mkdirSync(join(folder, "data"));
          const lines = [
            `s3proxy.endpoint=http://127.0.0.1:${port}`,
            "s3proxy.authorization=aws-v4",
            `s3proxy.identity=${accessKey}`,
            `s3proxy.credential=${secretKey}`,
            "jclouds.provider=filesystem-nio2",
            `jclouds.filesystem.basedir=${join(folder, "data")}`,
            "jclouds.identity=x",
            "jclouds.credential=y",
          ];
          writeFileSync(join(folder, "s3proxy.conf"), lines.join("\n"));
          return ["-Xmx512m", "-jar", s3proxy, "--properties", join(folder, "s3proxy.conf")];
        },
        {},
      ),
  },
];
