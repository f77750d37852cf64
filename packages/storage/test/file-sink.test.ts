import { chmod, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fileSink } from "../src/index.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest sink "));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

it("shows the file only when closed, small and large writes in order", async () => {
  const path = join(folder, "out.bin");
  const sink = await fileSink(path);
  const large = new Uint8Array(700_000).fill(2);
  await sink.write(text("ab"));
  await sink.write(large);
  await sink.write(text("cd"));
  expect((await readdir(folder)).filter((name) => name === "out.bin")).toEqual([]);
  await sink.close();
  const written = await readFile(path);
  expect(written.length).toBe(700_004);
  expect(written.equals(Buffer.concat([text("ab"), large, text("cd")]))).toBe(true);
  expect(await readdir(folder)).toEqual(["out.bin"]);
});

it("a sealed one waits for close or abort, and takes no more", async () => {
  const path = join(folder, "out.bin");
  for (const end of ["close", "abort"] as const) {
    const sink = await fileSink(path);
    await sink.write(text("whole"));
    await sink.seal?.();
    expect((await readdir(folder)).filter((name) => name === "out.bin")).toEqual(end === "close" ? [] : ["out.bin"]);
    await expect(sink.write(text("x"))).rejects.toMatchObject({
      code: "INGEST_SOURCE",
      what: "the output is complete",
    });
    await sink[end]();
    expect(await readdir(folder)).toEqual(["out.bin"]);
    expect(await readFile(path, "utf8")).toBe("whole");
  }
});

it("replaces bytes that were written, wherever they are by then", async () => {
  const path = join(folder, "out.bin");
  const sink = await fileSink(path);
  await sink.write(text("head"));
  await sink.patch?.(0, text("HE"));
  await sink.write(new Uint8Array(700_000).fill(2));
  await sink.patch?.(2, text("AD"));
  await sink.write(text("tail"));
  await sink.close();
  const written = await readFile(path);
  expect([written.subarray(0, 4).toString(), written.length, written.subarray(-4).toString()]).toEqual([
    "HEAD",
    700_008,
    "tail",
  ]);
});

it("abort leaves nothing, and an old file as it was", async () => {
  const path = join(folder, "out.bin");
  await writeFile(path, "old");
  const sink = await fileSink(path);
  await sink.write(text("new"));
  await sink.abort();
  await sink.abort();
  expect(await readdir(folder)).toEqual(["out.bin"]);
  expect(await readFile(path, "utf8")).toBe("old");
  await expect(sink.write(text("x"))).rejects.toMatchObject({ code: "INGEST_SOURCE" });
});

it("abort after close does nothing", async () => {
  const path = join(folder, "out.bin");
  const sink = await fileSink(path);
  await sink.close();
  await sink.abort();
  expect((await stat(path)).size).toBe(0);
});

it("keeps permissions and symbolic links", async () => {
  const path = join(folder, "real");
  await writeFile(path, "old");
  await chmod(path, 0o640);
  await symlink("real", join(folder, "link"));
  const sink = await fileSink(join(folder, "link"));
  await sink.write(text("new"));
  await sink.close();
  expect(await readlink(join(folder, "link"))).toBe("real");
  expect(await readFile(path, "utf8")).toBe("new");
  expect((await stat(path)).mode & 0o777).toBe(0o640);
});

it("writes devices in place", async () => {
  const sink = await fileSink("/dev/null");
  await sink.write(text("x"));
  await sink.close();
  expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
});

it("refuses folders and missing folders by name", async () => {
  await expect(fileSink(folder)).rejects.toMatchObject({ code: "INGEST_SOURCE", where: { url: folder } });
  const missing = join(folder, "no", "out.bin");
  await expect(fileSink(missing)).rejects.toMatchObject({ code: "INGEST_SOURCE", where: { url: missing } });
});

it("a full disk is a SourceError naming the file", async () => {
  const sink = await fileSink("/dev/full");
  await expect(sink.write(new Uint8Array(300_000))).rejects.toMatchObject({
    code: "INGEST_SOURCE",
    what: "no space left on the device",
  });
  await sink.abort();
  expect((await stat("/dev/full")).isCharacterDevice()).toBe(true);
});
