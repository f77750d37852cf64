import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  bindPredicate,
  type ByteSource,
  channels,
  defaultLimits,
  type Format,
  type FragmentRead,
  type Limits,
  type Predicate,
  type Select,
} from "@ingest-ts/core";
import { countingSource, memorySource } from "@ingest-ts/core/testing";
import { describe, expect, it } from "vitest";
import { checkedSource } from "../src/checked-source.ts";
import { createReader, type Reader } from "../src/reader.ts";
import { toyFormat } from "./toy-format.ts";

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

interface Setup {
  readonly source?: ByteSource;
  readonly limits?: Partial<Limits>;
  readonly where?: Predicate;
  readonly batchRows?: number;
}

async function toyReader(format: Format<unknown, unknown>, setup: Setup = {}): Promise<Reader> {
  const source = setup.source ?? memorySource(bytes);
  const checked = checkedSource(source, await source.stat());
  const limits = { ...defaultLimits, ...setup.limits };
  const select: Select = { dictionary: "decode", limits, where: setup.where };
  const metadata = await format.readMetadata(checked, select);
  const readSchema = format.toSchema(metadata, select);
  return createReader({
    source: checked,
    format,
    metadata,
    select,
    readSchema,
    output: undefined,
    where: setup.where === undefined ? undefined : bindPredicate(setup.where, readSchema),
    fragments: format.plan(metadata, select),
    batchRows: setup.batchRows ?? 65_536,
    batchBytes: 2 ** 20,
    signal: undefined,
    close: () => source.close(),
  });
}

async function valuesOf(reader: Reader): Promise<number[]> {
  const values: number[] = [];
  for await (const slab of reader.slabs()) values.push(...(slab.columns[0]?.data as Uint8Array));
  return values;
}

describe("the driver", () => {
  it("joins the fragments", async () => {
    expect(await valuesOf(await toyReader(toyFormat(64), { batchRows: 10 }))).toEqual([...bytes]);
  });

  it("fetches the next fragment while one is decoded, and no more", async () => {
    const source = countingSource(memorySource(bytes));
    const slabs = (await toyReader(toyFormat(100), { source, batchRows: 10 })).slabs();
    await slabs.next();
    expect(source.counts).toEqual({ calls: 2, ranges: 2, sizeBytes: 200 });
    await slabs.return();
    expect(source.counts.calls).toBe(2);
  });

  it("keeps bytes in flight below the limit", async () => {
    for (const [bytesInFlight, peak] of [
      [250, 200],
      [199, 100],
      [100, 100],
    ] as const) {
      const source = countingSource(memorySource(bytes));
      const reader = await toyReader(toyFormat(100), { source, limits: { bytesInFlight }, batchRows: 50 });
      const slabs = reader.slabs();
      await slabs.next();
      expect(source.counts.sizeBytes).toBe(peak);
      expect(await valuesOf(reader)).toEqual([...bytes]);
      await slabs.return();
    }
  });

  it("refuses a fragment that needs more at once, naming the limit", async () => {
    const reader = await toyReader(toyFormat(100), { limits: { bytesInFlight: 99 } });
    await expect(valuesOf(reader)).rejects.toMatchObject({
      code: "INGEST_UNSUPPORTED",
      where: { fragment: 0 },
      message: expect.stringContaining("limits.bytesInFlight = 99"),
    });
  });

  it("never yields fewer or more rows than the metadata says", async () => {
    for (const lie of [1, -1]) {
      await expect(valuesOf(await toyReader(toyFormat(100, lie)))).rejects.toMatchObject({
        code: "INGEST_FORMAT",
        where: { url: "memory://object", fragment: 0 },
      });
    }
  });

  it("says where a decoder failed, and lets the decoder clean up", async () => {
    let cleaned = 0;
    const toy = toyFormat(100);
    const format: Format<unknown, unknown> = {
      ...toy,
      *decode(fragment, metadata, options) {
        try {
          if (fragment.ordinal === 2) bindPredicate(["eq", "nope", 1], { fields: [], metadata: {} });
          yield* toy.decode(fragment as never, metadata as never, options);
        } finally {
          cleaned++;
        }
      },
    };
    await expect(valuesOf(await toyReader(format))).rejects.toMatchObject({
      where: { url: "memory://object", fragment: 2 },
    });
    expect(cleaned).toBe(3);
  });

  it("delivers the rows before a failure that it meets ahead of time", async () => {
    const toy = toyFormat(100);
    const format: Format<unknown, unknown> = {
      ...toy,
      *decode(fragment, metadata, options) {
        if (fragment.ordinal === 2) bindPredicate(["eq", "nope", 1], { fields: [], metadata: {} });
        yield* toy.decode(fragment as never, metadata as never, options);
      },
    };
    let rows = 0;
    const reading = (async () => {
      for await (const slab of (await toyReader(format, { batchRows: 10 })).slabs()) rows += slab.rows;
    })();
    await expect(reading).rejects.toMatchObject({ where: { fragment: 2 } });
    expect(rows).toBe(200);
  });

  it("refuses ranges outside the object as a defect of the object", async () => {
    const toy = toyFormat(100);
    const format: Format<unknown, unknown> = {
      ...toy,
      *decode() {
        yield { need: [{ start: 990, end: 1010 }] };
      },
    };
    await expect(valuesOf(await toyReader(format))).rejects.toMatchObject({
      code: "INGEST_FORMAT",
      where: { url: "memory://object", fragment: 0, offset: 990 },
    });
  });

  it("filters, or hands on everything when asked to", async () => {
    const reader = await toyReader(toyFormat(100), { where: ["gt", "value", 249] });
    expect(reader.rows).toBeUndefined();
    expect(await valuesOf(reader)).toEqual([250, 250, 250]);
    let rows = 0;
    for await (const slab of reader.fragmentSlabs(reader.fragments[0] as never, { filter: false })) rows += slab.rows;
    expect(rows).toBe(100);
  });

  it("tells of every fragment read", async () => {
    const seen: FragmentRead[] = [];
    const listener = (message: unknown): number => seen.push(message as FragmentRead);
    subscribe(channels.fragmentRead.name, listener);
    await valuesOf(await toyReader(toyFormat(600), { where: ["gt", "value", 249] }));
    unsubscribe(channels.fragmentRead.name, listener);
    expect(seen).toMatchObject([
      { url: "memory://object", fragment: 0, rows: 600, rowsPassed: 2, fetchedBytes: 600 },
      { fragment: 1, rows: 400, rowsPassed: 1, fetchedBytes: 400 },
    ]);
  });
});
