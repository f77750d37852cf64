// Two processes read one object through one cache of a few blocks, are killed, and have files flipped and cut under them.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, open, readdir, rm, truncate } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const SIZE_BYTES = 8 * 1024 * 1024;
const bytes = new Uint8Array(SIZE_BYTES).map((_, i) => ((i >>> 16) * 31 + (i >>> 8) * 7 + i) & 0xff);
let server: Server;
let folder = "";
let url = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest shared "));
  server = createServer(({ headers }, response) => {
    const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? "") ?? [];
    const from = first === "" ? SIZE_BYTES - Number(last) : Number(first);
    const to = first === "" ? SIZE_BYTES : Number(last) + 1;
    response.writeHead(206, {
      etag: '"one"',
      "content-range": `bytes ${from}-${to - 1}/${SIZE_BYTES}`,
      "content-length": to - from,
    });
    response.end(bytes.subarray(from, to));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/object`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

async function blockFiles(): Promise<string[]> {
  const names = await readdir(join(folder, "v1"), { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith(".blk")).map((name) => join(folder, "v1", name));
}

async function flip(path: string, at: number): Promise<void> {
  const handle = await open(path, "r+").catch(() => undefined);
  try {
    await handle?.write(Uint8Array.of(at & 0xff), 0, 1, at);
  } finally {
    await handle?.close();
  }
}

it("never a wrong byte, and the processes go on", async () => {
  const worker = fileURLToPath(new URL("source-worker.mjs", import.meta.url));
  let output = "";
  let seed = 1;
  const start = (): ChildProcess => {
    // Three blocks of a mebibyte.
    const args = [worker, url, folder, String(3_300_000), `${seed++}`, String(SIZE_BYTES)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout?.on("data", (text) => (output += String(text)));
    child.stderr?.on("data", (text) => (output += `stderr ${String(text)}`));
    return child;
  };
  const children = [start(), start()];
  const doneRounds = (): number => output.split("done ").length - 1;
  // Until each was killed a few times and much was read, however busy the machine is.
  const until = Date.now() + 40_000;
  for (let round = 0; (round < 150 || doneRounds() < 20) && Date.now() < until; round++) {
    await new Promise((resolve) => setTimeout(resolve, 20 + ((round * 37) % 40)));
    if (round % 50 === 49) {
      const at = Math.floor(round / 50) & 1;
      children[at]?.kill("SIGKILL");
      children[at] = start();
    }
    const files = await blockFiles();
    const path = files[(round * 7) % Math.max(1, files.length)];
    if (path === undefined) continue;
    if (round % 3 === 0) await truncate(path, (round * 7919) % 1_000_000).catch(() => {});
    else await flip(path, (round * 104_729) % 1_000_000);
  }
  // They go on: what was spoilt is stored again.
  await expect.poll(async () => (await blockFiles()).length, { timeout: 20_000 }).toBeGreaterThan(0);
  for (const child of children) child.kill("SIGKILL");
  expect(output).not.toContain("wrong");
  expect(output).not.toContain("stderr");
  expect(doneRounds()).toBeGreaterThan(3);
}, 90_000);
