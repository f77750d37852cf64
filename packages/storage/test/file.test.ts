import { appendFile, mkdir, mkdtemp, rename, rm, stat, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { channels, type SourceRead } from "@ingest-ts/core";
import { memorySource, testSource } from "@ingest-ts/core/testing";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isMissing, openSource } from "../src/index.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest file "));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let counter = 0;
async function fileOf(bytes: Uint8Array | string): Promise<string> {
  const path = join(folder, `object ${counter++} 100%.bin`);
  await writeFile(path, bytes);
  return path;
}

const fixture = (urlOf: (path: string) => string) => ({
  async create(bytes: Uint8Array) {
    const path = await fileOf(bytes);
    return {
      open: () => openSource(urlOf(path)),
      change: async (other: Uint8Array) => {
        await writeFile(path, other);
        await utimes(path, 1, 2);
      },
      remove: () => rm(path),
    };
  },
});

describe("file source, plain path", () =>
  testSource(
    it,
    fixture((path) => path),
  ));
describe("file source, URL", () =>
  testSource(
    it,
    fixture((path) => pathToFileURL(path).href),
  ));
describe("memory source", () =>
  testSource(it, {
    create: async (bytes) => ({ open: async () => memorySource(bytes), remove: async () => {} }),
  }));

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.unreachable("expected a rejection"),
    (error: unknown) => error as Error,
  );
}

describe("file source errors", () => {
  it("a missing file names its path", async () => {
    const error = await failure(openSource(join(folder, "no such.parquet")));
    expect(error).toMatchObject({ code: "INGEST_SOURCE", where: { url: join(folder, "no such.parquet") } });
    expect(error.message).toContain("no such file (");
    expect(isMissing(error)).toBe(true);
  });
  it("folders and pipes are refused", async () => {
    await mkdir(join(folder, "sub"));
    await expect(openSource(join(folder, "sub"))).rejects.toMatchObject({ what: "is a folder, not a file" });
    execFileSync("mkfifo", [join(folder, "pipe")]);
    await expect(openSource(join(folder, "pipe"))).rejects.toMatchObject({ what: "is not a regular file" });
  });
  it("what is not a path or a known scheme is an OptionsError", async () => {
    for (const url of ["file://elsewhere/x", "file:///a%2fb", "gopher://x/y", "a\0b", "constructor://x"]) {
      await expect(openSource(url), url).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
    }
  });
  it("refuses nonsense ranges", async () => {
    const source = await openSource(await fileOf("0123456789"));
    for (const range of [{ start: 3, end: 2 }, { start: -1, end: 2 }, { start: 0.5, end: 2 }, { suffixBytes: -1 }]) {
      await expect(source.getRanges([range])).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
    }
    await source.close();
  });
  it("notices growth, truncation and rewriting, naming the file", async () => {
    const changes: ((path: string) => Promise<void>)[] = [
      (path) => appendFile(path, "more"),
      (path) => truncate(path, 5),
      async (path) => {
        await writeFile(path, "9876543210");
        await utimes(path, 1, 2);
      },
    ];
    for (const change of changes) {
      const path = await fileOf("0123456789");
      const source = await openSource(path);
      await change(path);
      const error = await failure(source.getRanges([{ start: 0, end: 4 }]));
      expect(error).toMatchObject({ what: "the file changed while it was read", where: { url: path } });
      await expect(source.stat()).rejects.toMatchObject({ code: "INGEST_SOURCE" });
      await source.close();
    }
  });
  it("keeps reading the file it opened when another takes its name", async () => {
    const path = await fileOf("old");
    const source = await openSource(path);
    await rename(await fileOf("new"), path);
    expect(Buffer.from((await source.getRanges([{ start: 0, end: 3 }]))[0] as Uint8Array).toString()).toBe("old");
    await source.close();
  });
  it("follows symbolic links", async () => {
    await symlink(await fileOf("linked"), join(folder, "link"));
    const source = await openSource(join(folder, "link"));
    expect((await source.stat()).sizeBytes).toBe(6);
    await source.close();
  });
});

describe("file source reads", () => {
  it("joins near ranges, not far ones, and tells about it", async () => {
    const source = await openSource(await fileOf(new Uint8Array(1_000_000)));
    const seen: SourceRead[] = [];
    const listener = (message: unknown): number => seen.push(message as SourceRead);
    subscribe(channels.sourceRead.name, listener);
    await source.getRanges([
      { start: 0, end: 1000 },
      { start: 2000, end: 3000 },
      { start: 900_000, end: 900_010 },
    ]);
    unsubscribe(channels.sourceRead.name, listener);
    expect(seen).toMatchObject([{ url: source.url, ranges: 3, requests: 2, sizeBytes: 3010 }]);
    await source.close();
  });
  it("an abort stops a long read", async () => {
    const path = join(folder, "sparse");
    await writeFile(path, "");
    await truncate(path, 600 * 1024 * 1024);
    const source = await openSource(path);
    const controller = new AbortController();
    const reading = source.getRanges([{ start: 0, end: 600 * 1024 * 1024 }], { signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    await expect(reading).rejects.toMatchObject({ name: "AbortError" });
    await source.close();
    expect((await stat(path)).size).toBe(600 * 1024 * 1024);
  });
});
