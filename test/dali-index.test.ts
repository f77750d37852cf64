// Indexes that NVIDIA DALI's tfrecord2idx made: taken over without reading a record, and verified when records are read.
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Column, DataType, ObjectIndex, Schema } from "@ingest-ts/core";
import { rowsOf } from "@ingest-ts/core/testing";
import { buildIndexFile, importDaliIndex, load } from "@ingest-ts/loader";
import { open } from "@ingest-ts/readers";
import { fileSink } from "@ingest-ts/storage";
import { createTFRecordWriter } from "@ingest-ts/writers/tfrecord";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROWS = 40_000;
const int64: DataType = { kind: "int", bits: 64, signed: true };

let folder = "";
let path = "";
let idx = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest dali "));
  path = join(folder, "train.tfrecord");
  const column: Column = {
    type: int64,
    length: ROWS,
    nullCount: 0,
    validity: null,
    offsets: null,
    data: new Uint8Array(BigInt64Array.from({ length: ROWS }, (_, i) => BigInt(i) ** 3n).buffer),
    children: [],
    dictionary: null,
  };
  const schema: Schema = { fields: [{ name: "x", type: int64, nullable: false }], metadata: {} };
  const writer = await createTFRecordWriter(await fileSink(path), schema);
  await writer.write({ rows: ROWS, columns: [column] });
  await writer.finish();
  idx = tfrecord2idx(await readFile(path));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the script of that name writes: the offset and the size of each record. */
function tfrecord2idx(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const size = 16 + Number(view.getBigUint64(at, true));
    text += `${at} ${size}\n`;
    at += size;
  }
  return text;
}

async function importText(text: string): Promise<Awaited<ReturnType<typeof importDaliIndex>>> {
  await writeFile(join(folder, "some.idx"), text);
  return importDaliIndex(path, join(folder, "some.idx"));
}

/** All rows by the index beside the file. */
async function readByIndex(): Promise<number> {
  let rows = 0;
  for await (const batch of await load({ source: path, batchSize: 1000, shuffle: false, ends: "uneven" }))
    rows += batch.rows;
  return rows;
}

describe("an index of DALI", () => {
  it("becomes the index that reading the file makes", async () => {
    await buildIndexFile(path);
    const built = await readFile(`${path}.ingest-index`, "utf8");
    await rm(`${path}.ingest-index`);
    expect(await importText(idx)).toEqual({ path: `${path}.ingest-index`, rows: ROWS, fragments: 3 });
    expect(await readFile(`${path}.ingest-index`, "utf8")).toBe(built);
    expect(await readByIndex()).toBe(ROWS);
  });

  it.each<[string, (lines: string[]) => string[], RegExp]>([
    ["a record left out", (lines) => lines.toSpliced(7, 1), /line 8 .* begins at \d+, and the record before ends at/],
    ["the last one left out", (lines) => lines.slice(0, -1), /line 40000 .*is missing/],
    ["one too many", (lines) => [...lines, "9 9"], /line 40001 .*begins at 9/],
    [
      "a size beyond the file",
      (lines) => lines.with(-1, `${(lines.at(-1) ?? "").split(" ")[0]} 99999`),
      /and the file at/,
    ],
    ["text", (lines) => lines.with(3, "three 4"), /line 4 .*not an offset and a size/],
    ["a record of nothing", (lines) => lines.with(0, "0 3"), /line 1 .*record of 3 bytes/],
    ["nothing", () => [], /line 1 .*is missing/],
  ])("is refused with %s", async (_, change, message) => {
    const text = change(idx.trimEnd().split("\n")).map((line) => `${line}\n`);
    const failure = importText(text.join(""));
    await expect(failure).rejects.toMatchObject({ code: "INGEST_FORMAT", where: { url: join(folder, "some.idx") } });
    await expect(failure).rejects.toThrow(message);
  });

  it("that lies about records is an error when they are read, never fewer rows", async () => {
    const lines = idx
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" ").map(Number) as [number, number]);
    const joined = lines.flatMap(([offset, size], i) => {
      if (i === 101) return [];
      return [i === 100 ? [offset, size + (lines[101]?.[1] ?? 0)] : [offset, size]];
    });
    // The borders of runs are where it matters: one byte into a record.
    const moved = lines.map(([offset, size], i) => {
      const shift = (at: number): number => (at > 16_000 && at < 39_000 ? 1 : 0);
      return [offset + shift(i), size - shift(i) + shift(i + 1)];
    });
    for (const lie of [joined, moved]) {
      await importText(lie.map((pair) => `${pair.join(" ")}\n`).join(""));
      await expect(readByIndex()).rejects.toMatchObject({ code: "INGEST_FORMAT" });
    }
    await importText(idx);
  });

  it("of a compressed file, or of another format, is refused", async () => {
    const gzip = join(folder, "train.tfrecord.gz");
    const writer = await createTFRecordWriter(await fileSink(gzip), { fields: [], metadata: {} }, { codec: "gzip" });
    await writer.write({ rows: 2, columns: [] });
    await writer.finish();
    await writeFile(join(folder, "some.idx"), idx);
    await expect(importDaliIndex(gzip, join(folder, "some.idx"))).rejects.toThrow(/plain TFRecord.*gzip/);
    const other = join(folder, "x.arrow");
    await writeFile(other, "ARROW1\0\0 and more");
    await expect(importDaliIndex(other, join(folder, "some.idx"))).rejects.toThrow(/plain TFRecord.*arrow/);
  });

  it("comes by the command line: one file, or a folder of them", async () => {
    const main = join(import.meta.dirname, "..", "packages", "cli", "dist", "main.js");
    const ingest = (...args: string[]) =>
      spawnSync(process.execPath, [main, "index", ...args], { encoding: "utf8", env: { ...process.env, DEBUG: "" } });
    await mkdir(join(folder, "idx"), { recursive: true });
    await writeFile(join(folder, "idx", "train.idx"), idx);
    await rm(`${path}.ingest-index`, { force: true });
    const one = ingest(path, "--dali", join(folder, "idx", "train.idx"));
    expect(one.stderr).toBe("");
    expect(one.stdout).toBe(`${path}.ingest-index: 40,000 rows, 3 fragments\n`);
    await rm(`${path}.ingest-index`);
    const many = ingest(path, "--dali", join(folder, "idx"), "--json");
    const index = { path: `${path}.ingest-index`, rows: ROWS, fragments: 3 };
    expect([many.status, JSON.parse(many.stdout)]).toEqual([0, index]);
    expect(ingest(path, "--dali", join(folder, "none.idx")).status).toBe(4);
  }, 120_000);

  it("is exact: rows of any fragment are those at its place", async () => {
    const { daliIndex } = await import("@ingest-ts/readers/tfrecord");
    const plain = await open(path);
    const stat = await plain.source.stat();
    const index: ObjectIndex = daliIndex(idx, stat, path);
    await plain.close();
    const reader = await open(path, { index });
    const [, second] = reader.fragments;
    const found: unknown[][] = [];
    if (second !== undefined) for await (const slab of reader.fragmentSlabs(second)) found.push(...rowsOf(slab));
    await reader.close();
    expect(found).toHaveLength(16_384);
    expect(found[0]).toEqual([[Buffer.from(BigInt64Array.of(16_384n ** 3n).buffer).toString("hex")]]);
  });
});
