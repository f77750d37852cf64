import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { channels, type StorageCache } from "@ingest-ts/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BlockStore } from "../../src/cache/block-store.ts";
import { sampleBytes } from "../lib/s3-fixture.ts";

let folder = "";
let outcomes: string[] = [];
const listener = (message: unknown): number => outcomes.push((message as StorageCache).outcome);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest cache "));
  outcomes = [];
  subscribe(channels.storageCache.name, listener);
});
afterEach(async () => {
  unsubscribe(channels.storageCache.name, listener);
  await rm(folder, { recursive: true, force: true });
});

async function blockFiles(): Promise<string[]> {
  const names = await readdir(join(folder, "v1"), { recursive: true });
  return names.filter((name) => /[0-9a-f]{64}\.blk$/.test(name)).map((name) => join(folder, "v1", name));
}

async function totalBytes(): Promise<number> {
  const sizes = await Promise.all(
    (await blockFiles()).map(async (path) => (await stat(path).catch(() => undefined))?.size ?? 0),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe("block store", () => {
  it("keeps blocks, for the next process too", async () => {
    const store = new BlockStore(folder, 1e9);
    expect(await store.get("a")).toBeUndefined();
    await store.put("a", sampleBytes(1000));
    await store.flush();
    expect(await new BlockStore(folder, 1e9).get("a")).toEqual(Buffer.from(sampleBytes(1000)));
    expect(outcomes).toEqual(["miss", "stored", "hit"]);
  });

  it("a file that was changed or cut is a miss, and goes", async () => {
    const store = new BlockStore(folder, 1e9);
    await store.put("a", sampleBytes(1000));
    await store.flush();
    const [path = ""] = await blockFiles();
    const file = await readFile(path);
    file[500] = (file[500] as number) ^ 1;
    await writeFile(path, file);
    expect(await store.get("a")).toBeUndefined();
    expect(await blockFiles()).toEqual([]);
    await store.put("a", sampleBytes(1000));
    await store.flush();
    await truncate(path, 700);
    expect(await store.get("a")).toBeUndefined();
    expect(outcomes).toEqual(["stored", "corrupt", "stored", "corrupt"]);
  });

  it("stays within its limit, evicts what was unused for longest, and touches nothing else", async () => {
    const store = new BlockStore(folder, 500_000);
    const foreign = ["notes.txt", "v1/notes.txt", "v1/ab/notes.txt", "v1/ab/important.blk", "v1/tmp/mine.tmp"];
    await mkdir(join(folder, "v1", "ab"), { recursive: true });
    await mkdir(join(folder, "v1", "tmp"), { recursive: true });
    for (const name of foreign) {
      await writeFile(join(folder, name), "x".repeat(1000));
      await utimes(join(folder, name), 1, 1);
    }
    for (let i = 0; i < 40; i++) {
      await store.put(`block ${i}`, sampleBytes(50_000, i));
      await store.flush();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await totalBytes()).toBeLessThanOrEqual(500_000);
    expect(outcomes).toContain("evicted");
    expect(await store.get("block 0")).toBeUndefined();
    for (const name of foreign) expect((await stat(join(folder, name))).size).toBe(1000);
  });

  it("a folder that cannot be made is refused, one that goes away is survived", async () => {
    // Where Node would try for ever.
    await expect(new BlockStore("/proc/no-such/cache", 1000).check()).rejects.toThrow(/cannot be made \(ENOENT\)/);
    await writeFile(join(folder, "file"), "");
    const refused = new BlockStore(join(folder, "file"), 1e6);
    await expect(refused.check()).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
    const store = new BlockStore(join(folder, "gone"), 1e6);
    await store.check();
    await rm(join(folder, "gone"), { recursive: true });
    await store.put("a", sampleBytes(10));
    await store.flush();
    expect(await store.get("a")).toBeUndefined();
    expect(outcomes).toEqual(["failed", "miss"]);
  });

  it("a full disk is survived", async (context) => {
    const small = join(folder, "small");
    await mkdir(small);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", small], { stdio: "ignore" });
    } catch {
      // Not every machine lets tests mount: a folder without the right to write is the next best.
      if (process.getuid?.() === 0) return context.skip("mounting a small tmpfs is not permitted here");
      await mkdir(join(small, "v1", "tmp"), { recursive: true });
      await chmod(join(small, "v1", "tmp"), 0o500);
    }
    try {
      const store = new BlockStore(small, 1e9);
      for (let i = 0; i < 10; i++) await store.put(`block ${i}`, sampleBytes(100_000, i));
      await store.flush();
      expect(outcomes).toContain("failed");
      for (let i = 0; i < 10; i++) {
        const found = await store.get(`block ${i}`);
        if (found !== undefined) expect(Buffer.compare(found, sampleBytes(100_000, i))).toBe(0);
      }
    } finally {
      try {
        execFileSync("umount", [small], { stdio: "ignore" });
      } catch {
        await chmod(join(small, "v1", "tmp"), 0o700);
      }
    }
  });

  it("two processes that are killed, and files cut and flipped under them: never a wrong byte", async () => {
    const worker = fileURLToPath(new URL("cache-worker.mjs", import.meta.url));
    let output = "";
    let seed = 1;
    const start = (): ChildProcess => {
      const child = spawn(process.execPath, [worker, folder, "400000", `${seed++}`], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      child.stdout?.on("data", (text) => (output += String(text)));
      child.stderr?.on("data", (text) => (output += `stderr ${String(text)}`));
      return child;
    };
    const children = [start(), start()];
    const until = Date.now() + 6000;
    for (let round = 0; Date.now() < until; round++) {
      await new Promise((resolve) => setTimeout(resolve, 20 + ((round * 37) % 60)));
      if (round % 10 === 9) {
        const at = (round / 10) & 1;
        children[at]?.kill("SIGKILL");
        children[at] = start();
      }
      const files = await blockFiles().catch(() => []);
      const path = files[(round * 7) % Math.max(1, files.length)];
      if (path === undefined) continue;
      if (round % 2 === 0) await truncate(path, (round * 977) % 100_000).catch(() => {});
      else await flip(path, (round * 7919) % 100_000);
    }
    for (const child of children) child.kill("SIGKILL");
    expect(output).not.toContain("wrong");
    expect(output).not.toContain("stderr");
    expect(Math.max(...[...output.matchAll(/done (\d+)/g)].map(([, n]) => Number(n)))).toBeGreaterThan(20);
    // Two estimates of one folder: a few blocks over the limit may be there until the next count.
    expect(await totalBytes()).toBeLessThan(400_000 * 2);
  });
});

async function flip(path: string, at: number): Promise<void> {
  try {
    const handle = await open(path, "r+");
    try {
      const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at);
      buffer[0] = (buffer[0] as number) ^ 0x10;
      await handle.write(buffer, 0, 1, at);
    } finally {
      await handle.close();
    }
  } catch {
    // Evicted in between.
  }
}
