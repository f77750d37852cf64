import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Field, Schema } from "@ingest-ts/core";
import { Dice, randomColumns, rowsOf } from "@ingest-ts/core/testing";
import type { DecodedSlab } from "@ingest-ts/kafka/payload";
import { open } from "@ingest-ts/readers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Consumer } from "../../src/consume/consumer.ts";
import type { ConsumeOutput } from "../../src/consume/output.ts";
import { type ShardEvents, ShardOutput } from "../../src/consume/shards/shard-output.ts";
import { ShardStore } from "../../src/consume/shards/shard-store.ts";
import { type TargetFormat, targetOf, type TargetOptions, targetOptions } from "../../src/convert/targets.ts";
import { createLog } from "../../src/ops/log.ts";
import { FakeReader, slabOf } from "./fake-reader.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ingest-consume-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lines: string[] = [];
const log = createLog("json", (line) => lines.push(line));
const never = { rows: 1e9, sizeBytes: 1e12, ageMs: 1e9 };

const events: ShardEvents = {
  holds: () => Promise.resolve(true),
  topicId: () => undefined,
  written: () => {},
  changed: () => {},
  givenUp: () => {},
};

function shards(
  roll: Partial<typeof never>,
  format: TargetFormat = "parquet",
  told: Partial<ShardEvents> = {},
): ShardOutput {
  const target = targetOf(format, "");
  const limits = { ...never, ...roll };
  return new ShardOutput(new ShardStore(folder), target, optionsOf(format), limits, { ...events, ...told });
}

function optionsOf(format: TargetFormat): TargetOptions {
  const nothing = { codec: undefined, level: undefined, groupRows: undefined, groupBytes: undefined };
  return targetOptions(targetOf(format, ""), { ...nothing, float64: "refuse" }, "");
}

function consumerOf(reader: FakeReader, output: ConsumeOutput, limit = Number.POSITIVE_INFINITY): Consumer {
  return new Consumer(reader, { output, log, limit });
}

/** Every file below the folder. */
function files(): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true, encoding: "utf8" })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

async function offsetsIn(path: string): Promise<number[]> {
  const reader = await open(join(folder, path));
  const offsets: number[] = [];
  for await (const batch of reader) offsets.push(...Array.from(batch.getChildAt(0) ?? [], Number));
  await reader.close();
  return offsets;
}

const first = "flights/0/00000000000000000000.parquet";

describe("shards", () => {
  test("end after the run that fills them, are noted, and only then acknowledged", async () => {
    const reader = new FakeReader([slabOf("flights", 0, 0, 4), slabOf("flights", 1, 0, 2), slabOf("flights", 0, 4, 7)]);
    await consumerOf(reader, shards({ rows: 6 })).run();
    expect(reader.acked).toEqual(["flights/0:7", "flights/1:2"]);
    expect(files()).toEqual([
      "_shards/flights/0/00000000000000000000.json",
      "_shards/flights/1/00000000000000000000.json",
      first,
      "flights/1/00000000000000000000.parquet",
    ]);
    expect(await offsetsIn(first)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    const last = await new ShardStore(folder).last("flights", 0);
    expect(last).toMatchObject({ startOffset: 0, endOffset: 7, rows: 7, name: first });
  });

  test("hold in their metadata what they are of", async () => {
    await consumerOf(new FakeReader([slabOf("flights", 3, 10, 12)]), shards({})).run();
    const reader = await open(join(folder, "flights/3/00000000000000000010.parquet"));
    expect(reader.schema.metadata).toMatchObject({
      "ingest.kafka.topic": "flights",
      "ingest.kafka.partition": "3",
      "ingest.kafka.start": "10",
      "ingest.kafka.end": "12",
    });
    await reader.close();
  });

  test.each(["orc", "avro"] as const)("hold it as %s too", async (format) => {
    await consumerOf(new FakeReader([slabOf("flights", 3, 10, 12)]), shards({}, format)).run();
    const reader = await open(join(folder, `flights/3/00000000000000000010.${format}`));
    const { metadata } = reader.schema;
    expect([metadata["ingest.kafka.start"], Number(metadata["ingest.kafka.end"])]).toEqual(["10", 12]);
    await reader.close();
  });

  test.each(["parquet", "orc", "avro", "tfrecord"] as const)("are written as %s", async (format) => {
    await consumerOf(new FakeReader([slabOf("flights", 0, 5, 9)]), shards({}, format)).run();
    const written = files().find((name) => name.startsWith("flights/") && !name.endsWith(".json"));
    expect(await offsetsIn(written ?? "")).toEqual([5, 6, 7, 8]);
  });

  test("of TFRecord have the headers as text; what else it cannot hold is refused, or changed with `lossy`", async () => {
    const entry: Schema["fields"] = [
      { name: "key", type: { kind: "utf8" }, nullable: false },
      { name: "value", type: { kind: "binary" }, nullable: true },
    ];
    const map = { kind: "map", keysSorted: false } as const;
    const child = { name: "entries", type: { kind: "struct", children: entry }, nullable: false } as const;
    const headers: Field = { name: "headers", type: { ...map, child }, nullable: false };
    const half: Field = { name: "half", type: { kind: "float", bits: 64 }, nullable: true };
    const dice = new Dice(7);
    const slab = (...fields: Field[]): DecodedSlab => {
      const schema = { metadata: {}, fields: [...fields] };
      return { ...slabOf("flights", 0, 0, 30), schema, columns: randomColumns(dice, schema, 30) };
    };
    const one = slab(headers);
    await consumerOf(new FakeReader([one]), shards({}, "tfrecord")).run();
    const reader = await open(join(folder, "flights/0/00000000000000000000.tfrecord"));
    const texts: string[] = [];
    for await (const batch of reader) texts.push(...Array.from(batch.getChild("headers") ?? [], String));
    await reader.close();
    const rows = rowsOf(one.columns).map(([row]) => row as [string, string | null][]);
    const hexOf = (base64: string): string => Buffer.from(base64, "base64").toString("hex");
    const read = texts.map((each) =>
      (JSON.parse(each) as [string, string | null][]).map(([name, value]) => [
        Buffer.from(name).toString("hex"),
        value === null ? null : hexOf(value),
      ]),
    );
    expect(read).toEqual(rows);
    const two = slab(headers, half);
    await expect(consumerOf(new FakeReader([two]), shards({}, "tfrecord")).run()).rejects.toThrow(/float64/);
    const changes: string[] = [];
    const output = new ShardOutput(
      new ShardStore(folder),
      targetOf("tfrecord", ""),
      { ...optionsOf("tfrecord"), lossy: true },
      never,
      { ...events, changed: (each) => changes.push(...each) },
    );
    await consumerOf(new FakeReader([two]), output).run();
    expect(changes).toEqual(['"headers": map as text', '"half": float64 as float32']);
  });

  test("are not begun by offsets without rows, but go on over them", async () => {
    const reader = new FakeReader([
      slabOf("flights", 0, 0, 3, true),
      slabOf("flights", 0, 3, 5),
      slabOf("flights", 0, 5, 6, true),
    ]);
    await consumerOf(reader, shards({})).run();
    expect(reader.acked).toEqual(["flights/0:3", "flights/0:6"]);
    expect(await new ShardStore(folder).last("flights", 0)).toMatchObject({ startOffset: 3, endOffset: 6, rows: 2 });
  });

  test("end by their age while nothing comes", async () => {
    const reader = new FakeReader([slabOf("flights", 0, 0, 4)], true);
    const running = consumerOf(reader, shards({ ageMs: 20 })).run();
    await expect.poll(() => reader.acked, { timeout: 20_000 }).toEqual(["flights/0:4"]);
    reader.end();
    await running;
  });

  test("are replaced by one that begins at the same place", async () => {
    await consumerOf(new FakeReader([slabOf("flights", 0, 0, 4)]), shards({})).run();
    await consumerOf(new FakeReader([slabOf("flights", 0, 0, 9)]), shards({})).run();
    expect(await offsetsIn(first)).toHaveLength(9);
    expect(await new ShardStore(folder).last("flights", 0)).toMatchObject({ endOffset: 9 });
  });
});

describe("stopping", () => {
  test("finishes what is open, and acknowledges it", async () => {
    const reader = new FakeReader([slabOf("flights", 0, 0, 4)], true);
    const consumer = consumerOf(reader, shards({}));
    const running = consumer.run();
    await expect.poll(() => consumer.rows, { timeout: 20_000 }).toBe(4);
    expect(reader.acked).toEqual([]);
    consumer.stop();
    await running;
    expect(reader.acked).toEqual(["flights/0:4"]);
    expect(consumer.ready).toEqual({ ok: false, why: "stopping" });
  });

  test("comes by itself after as many rows as were asked for", async () => {
    const reader = new FakeReader([slabOf("flights", 0, 0, 4), slabOf("flights", 0, 4, 8), slabOf("flights", 0, 8, 9)]);
    await consumerOf(reader, shards({}), 5).run();
    expect(reader.acked).toEqual(["flights/0:8"]);
  });

  test("with an error leaves nothing of what was open", async () => {
    const reader = new FakeReader([slabOf("flights", 0, 0, 4), slabOf("flights", 0, 4, 5)]);
    reader.failAt = 4;
    const consumer = consumerOf(reader, shards({}));
    await expect(consumer.run()).rejects.toThrow("bad record");
    expect(files()).toEqual([]);
    expect(reader.acked).toEqual([]);
  });
});

describe("partitions that go", () => {
  test("are finished and acknowledged, others stay open", async () => {
    const reader = new FakeReader([slabOf("flights", 0, 0, 4), slabOf("flights", 1, 0, 4)], true);
    const consumer = consumerOf(reader, shards({}));
    const running = consumer.run();
    await expect.poll(() => consumer.rows, { timeout: 20_000 }).toBe(8);
    await consumer.release([{ topic: "flights", partition: 1 }], new AbortController().signal);
    expect(reader.acked).toEqual(["flights/1:4"]);
    reader.end();
    await running;
    expect(reader.acked).toEqual(["flights/1:4", "flights/0:4"]);
  });

  test("are given up when there is no time left", async () => {
    const reader = new FakeReader([slabOf("flights", 0, 0, 4)], true);
    const consumer = consumerOf(reader, shards({}));
    const running = consumer.run();
    await expect.poll(() => consumer.rows, { timeout: 20_000 }).toBe(4);
    await consumer.release([{ topic: "flights", partition: 0 }], AbortSignal.abort());
    reader.end();
    await running;
    expect([reader.acked, files()]).toEqual([[], []]);
  });

  test("and come back begin a new shard at the commit: what was open before is given up", async () => {
    // Open up to 50 in one assignment; in the next one another member had committed 100.
    const before = slabOf("flights", 0, 0, 50);
    const after = { ...slabOf("flights", 0, 100, 120), epoch: 2 };
    const again = { ...slabOf("flights", 1, 0, 6), epoch: 2 };
    const reader = new FakeReader([before, slabOf("flights", 1, 0, 4), after, again]);
    const given: string[] = [];
    const givenUp: ShardEvents["givenUp"] = ({ partition, endOffset }, rows) =>
      given.push(`${partition}:${endOffset} ${rows}`);
    await consumerOf(reader, shards({}, "parquet", { givenUp })).run();
    expect(given).toEqual(["0:50 50", "1:4 4"]);
    expect(files().filter((name) => name.endsWith(".parquet"))).toEqual([
      "flights/0/00000000000000000100.parquet",
      "flights/1/00000000000000000000.parquet",
    ]);
    expect(await offsetsIn("flights/0/00000000000000000100.parquet")).toHaveLength(20);
    expect(await offsetsIn("flights/1/00000000000000000000.parquet")).toEqual([0, 1, 2, 3, 4, 5]);
    expect(reader.acked.toSorted()).toEqual(["flights/0:120", "flights/1:6"]);
  });

  test("while this process stood still are not written over what another member wrote", async () => {
    await consumerOf(new FakeReader([slabOf("flights", 0, 0, 9)]), shards({})).run();
    const reader = new FakeReader([slabOf("flights", 0, 0, 4)]);
    await consumerOf(reader, shards({}, "parquet", { holds: () => Promise.resolve(false) })).run();
    expect(await offsetsIn(first)).toHaveLength(9);
    expect(await new ShardStore(folder).last("flights", 0)).toMatchObject({ endOffset: 9 });
    expect(reader.acked).toEqual([]);
  });

  test("are told of when another member had them already", async () => {
    lines.length = 0;
    const reader = new FakeReader([slabOf("flights", 0, 0, 4)]);
    reader.outcome = "fenced";
    await consumerOf(reader, shards({})).run();
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { level: "warn", topic: "flights", partition: 0, endOffset: 4 },
    ]);
  });
});

test("an output folder of other data is refused", async () => {
  await consumerOf(new FakeReader([slabOf("flights", 0, 0, 4)]), shards({})).run();
  const store = new ShardStore(folder);
  await store.put(
    "_shards/other/0/00000000000000000000.json",
    '{"version":1,"topic":"flights","partition":0,"startOffset":0,"endOffset":4}',
  );
  await expect(store.last("other", 0)).rejects.toThrow(/the note is of flights, partition 0/);
  await store.put("_shards/other/1/00000000000000000000.json", "{}");
  await expect(store.last("other", 1)).rejects.toThrow(/no note about a shard/);
  expect(await store.last("other", 2)).toBeUndefined();
});

test("the columns of shards are decided once", async () => {
  const store = new ShardStore(folder);
  expect(await store.columns()).toBeUndefined();
  await store.decide({ key: { as: "raw" }, value: { as: "json" } });
  await store.decide({ key: { as: "raw" }, value: { as: "json" } });
  await expect(store.decide({ key: { as: "raw" }, value: { as: "utf8" } })).rejects.toThrow(
    /another consumer saw other/,
  );
  expect(await store.columns()).toEqual({ version: 1, key: { as: "raw" }, value: { as: "json" } });
  await store.put("_shards/columns.json", "{}");
  await expect(store.columns()).rejects.toThrow(/does not say how keys and values are read/);
});
