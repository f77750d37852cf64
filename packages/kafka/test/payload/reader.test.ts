import {
  type Column,
  FormatError,
  isIngestError,
  OptionsError,
  SourceError,
  type StateDict,
  StateError,
} from "@ingest-ts/core";
import { Dice, rowsOf, valuesOf } from "@ingest-ts/core/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { type DecodedSlab, deadLetterHeaders, PayloadReader } from "../../src/payload/index.ts";
import type { KafkaReader, KafkaSlab } from "../../src/reader/types.ts";
import { recordSchema } from "../../src/records/schema.ts";
import type { RecordToProduce, TopicPartition, Transport } from "../../src/transport/types.ts";
import { binary, headersOf, type Value } from "./support.ts";

interface Row {
  readonly key?: Value;
  readonly value: Value;
  readonly headers?: readonly (readonly [string, Value])[];
}

function fixed(name: string, data: ArrayBuffer, length: number): Column {
  const type = recordSchema.fields.find((field) => field.name === name)?.type;
  if (type === undefined) throw new Error(name);
  const none = { nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };
  return { ...none, type, length, data: new Uint8Array(data) };
}

/** Rows at offsets from `start` on. */
function slabOf(partition: number, start: number, rows: readonly Row[]): KafkaSlab {
  const { length } = rows;
  const topic = { ...binary(["t"]), type: { kind: "utf8" } as const };
  const columns = [
    { ...fixed("topic", new ArrayBuffer(length * 4), length), dictionary: topic },
    fixed("partition", new Int32Array(length).fill(partition).buffer, length),
    fixed("kafkaOffset", BigInt64Array.from(rows, (_, i) => BigInt(start + i)).buffer, length),
    fixed("timestamp", BigInt64Array.from(rows, (_, i) => BigInt(1000 + i)).buffer, length),
    binary(rows.map(({ key }) => key ?? null)),
    binary(rows.map(({ value }) => value)),
    headersOf(rows.map(({ headers }) => headers ?? [])),
  ];
  return {
    topic: "t",
    partition,
    startOffset: start,
    endOffset: start + length,
    columns: { rows: length, columns },
    gaps: [],
    highWatermark: 1000,
    lastStableOffset: 1000,
    leaderEpoch: 0,
    epoch: 0,
  };
}

/** A reader whose slabs are given. */
class FakeReader implements KafkaReader {
  readonly mode = "assign";
  readonly positions = [];
  readonly #slabs: readonly KafkaSlab[];
  #at = 0;

  constructor(slabs: readonly KafkaSlab[]) {
    this.#slabs = slabs;
  }

  next(): Promise<IteratorResult<KafkaSlab, undefined>> {
    const value = this.#slabs[this.#at];
    if (value === undefined) return Promise.resolve({ done: true, value: undefined });
    this.#at++;
    return Promise.resolve({ done: false, value });
  }

  stateDict(): StateDict {
    return { at: this.#at };
  }

  loadStateDict(state: StateDict): void {
    this.#at = Number(state["at"]);
  }

  ack(): Promise<"deferred"> {
    return Promise.resolve("deferred");
  }

  get topicIds(): Readonly<Record<string, string>> {
    return {};
  }

  holds(): Promise<boolean> {
    return Promise.resolve(true);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async return(): Promise<IteratorResult<KafkaSlab, undefined>> {
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const json = (x: number, s = "a"): string => JSON.stringify({ x, s });
const int64 = (x: number): string => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(x));
  return bytes.toString("hex");
};

async function all(reader: PayloadReader): Promise<DecodedSlab[]> {
  const slabs: DecodedSlab[] = [];
  for await (const slab of reader) slabs.push(slab);
  return slabs;
}

const valueOf = (slab: DecodedSlab): Column => slab.columns.columns[5] as Column;

/** Values that were handed over, by offset. */
function handedOver(slabs: readonly DecodedSlab[]): string[] {
  return slabs.flatMap((slab) =>
    rowsOf(slab.columns).map(
      (row) => `${slab.partition}:${BigInt.asIntN(64, Buffer.from(String(row[2]), "hex").readBigInt64LE())}`,
    ),
  );
}

describe("keys and values", () => {
  it("are decoded, nested or as columns of their own", async () => {
    const slabs = [
      slabOf(0, 0, []),
      slabOf(0, 0, [{ key: "k", value: json(1) }, { value: null }, { value: json(2, "b") }]),
    ];
    const nested = new PayloadReader(new FakeReader(slabs), { keyAs: "utf8", valueAs: "json" });
    const schema = await nested.schema();
    expect(schema.fields.map(({ name }) => name)).toEqual(recordSchema.fields.map(({ name }) => name));
    const got = await all(nested);
    expect(got.map(({ columns }) => columns.rows)).toEqual([0, 3]);
    expect(got[1]?.schema).toBe(schema);
    expect(valuesOf(valueOf(got[1] as DecodedSlab))).toEqual([[int64(1), "61"], null, [int64(2), "62"]]);
    expect(valuesOf(got[1]?.columns.columns[4] as Column)).toEqual(["6b", null, null]);

    const expanded = new PayloadReader(new FakeReader(slabs), {
      valueAs: {
        as: "json",
        type: {
          kind: "struct",
          children: [
            { name: "x", type: { kind: "int", bits: 64, signed: true }, nullable: false },
            { name: "key", type: { kind: "utf8" }, nullable: true },
            { name: "s", type: { kind: "utf8" }, nullable: true },
          ],
        },
      },
      expand: true,
    });
    expect((await expanded.schema()).fields.map(({ name }) => name)).toEqual([
      "topic",
      "partition",
      "kafkaOffset",
      "timestamp",
      "key",
      "x",
      "value.key",
      "s",
      "headers",
    ]);
    const [, slab] = await all(expanded);
    expect(slab?.columns.columns.map(({ length }) => length)).toEqual(Array(9).fill(3));
    expect(slab?.columns.columns.slice(5, 8).map(valuesOf)).toEqual([
      [int64(1), null, int64(2)],
      [null, null, null],
      ["61", null, "62"],
    ]);
    await expect(new PayloadReader(new FakeReader(slabs), { expand: true }).schema()).rejects.toThrow(/only structs/);
  });

  it("have the columns of the state again, whatever comes first then", async () => {
    const slabs = [slabOf(0, 0, [{ value: json(1) }]), slabOf(0, 1, [{ value: '{"x":2}' }])];
    const first = new PayloadReader(new FakeReader(slabs), { valueAs: "json" });
    const before = first.stateDict();
    await first.schema();
    expect(first.stateDict()["source"]).toEqual(before["source"]);
    await first.next();
    const state = JSON.parse(JSON.stringify(first.stateDict())) as StateDict;
    const second = new PayloadReader(new FakeReader(slabs), { valueAs: "json" });
    second.loadStateDict(state);
    expect(await second.schema()).toEqual(await first.schema());
    expect((await all(second)).map(({ startOffset }) => startOffset)).toEqual([1]);
    expect(second.counts({ topic: "t", partition: 0 })).toEqual({ records: 2, skipped: 0, deadLettered: 0 });
    expect(() => new PayloadReader(new FakeReader(slabs), { valueAs: "avro" }).loadStateDict(state)).toThrow(
      StateError,
    );
    expect(() => new PayloadReader(new FakeReader(slabs)).loadStateDict({ version: 2 })).toThrow(StateError);
    expect(() => first.loadStateDict(state)).toThrow(StateError);
  });

  it("that no record shows have to be declared", async () => {
    await expect(new PayloadReader(new FakeReader([slabOf(0, 0, [])]), { valueAs: "json" }).next()).rejects.toThrow(
      OptionsError,
    );
  });
});

describe("records that cannot be decoded", () => {
  const bad = "{";
  const rows = (pattern: string): Row[] =>
    Array.from(pattern).map((sign, i) => ({ value: sign === "x" ? bad : json(i) }));

  it("end the run with their place by default", async () => {
    const reader = new PayloadReader(new FakeReader([slabOf(3, 40, rows("..x."))]), { valueAs: "json" });
    const error: unknown = await reader.next().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FormatError);
    expect(isIngestError(error) && error.where).toMatchObject({
      topic: "t",
      partition: 3,
      kafkaOffset: 42,
      column: "value",
    });
    expect((error as Error).message).toContain("kafkaOffset 42");
    // The state is still before the slab.
    expect(reader.stateDict()["source"]).toEqual({ at: 0 });
  });

  it("are left out within the budget, each with a gap", async () => {
    const options = { valueAs: "json", onPoison: "skip", maxBadRecords: 3 } as const;
    const reader = new PayloadReader(
      new FakeReader([slabOf(0, 10, rows(".xx.")), slabOf(0, 14, rows("x.")), slabOf(0, 16, rows("x"))]),
      options,
    );
    const one = (await reader.next()).value as DecodedSlab;
    expect(handedOver([one])).toEqual(["0:10", "0:13"]);
    expect(one.gaps).toEqual([{ cause: "skipped", start: 11, end: 13 }]);
    expect(one.badRecords).toBe(2);
    await reader.next();
    const error: unknown = await reader.next().catch((reason: unknown) => reason);
    expect((error as Error).message).toMatch(/4 records could not be decoded, more than maxBadRecords = 3/);
    expect(isIngestError(error) && error.where.kafkaOffset).toBe(16);
    expect(reader.counts({ topic: "t", partition: 0 })).toEqual({ records: 6, skipped: 3, deadLettered: 0 });
  });

  it("are at most a fraction of a partition, the same whatever the slabs", async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const dice = new Dice(seed);
      const pattern = Array.from({ length: 2500 }, () => (dice.chance(0.02) ? "x" : ".")).join("");
      const run = async (cuts: Dice): Promise<string> => {
        const slabs: KafkaSlab[] = [];
        for (let at = 0; at < pattern.length; ) {
          const end = Math.min(pattern.length, at + 1 + cuts.below(400));
          slabs.push(slabOf(0, at, rows(pattern.slice(at, end))));
          at = end;
        }
        const declared = { as: "json", type: { kind: "struct", children: [] } } as const;
        const reader = new PayloadReader(new FakeReader(slabs), {
          valueAs: declared,
          onPoison: "skip",
          maxBadFraction: 0.02,
        });
        return all(reader).then(
          () => "whole",
          (error: unknown) => (isIngestError(error) ? `${error.what} at ${error.where.kafkaOffset}` : String(error)),
        );
      };
      expect(await run(new Dice(seed + 100))).toBe(await run(new Dice(seed + 200)));
    }
  });

  it("are counted through a resume", async () => {
    const slabs = [slabOf(0, 0, rows("x.")), slabOf(0, 2, rows("x."))];
    const options = { valueAs: "json", onPoison: "skip", maxBadRecords: 1 } as const;
    const sampled = new PayloadReader(new FakeReader([slabOf(0, 0, rows(".x")), ...slabs]), options);
    await sampled.next();
    const resumed = new PayloadReader(new FakeReader([slabOf(0, 0, rows(".x")), ...slabs]), options);
    resumed.loadStateDict(sampled.stateDict());
    await expect(resumed.next()).rejects.toThrow(/2 records/);
  });

  it("are what the options say they are", () => {
    const make = (options: object) => () => new PayloadReader(new FakeReader([]), options);
    expect(make({ onPoison: "deadLetter" })).toThrow(OptionsError);
    expect(make({ maxBadRecords: 1 })).toThrow(OptionsError);
    expect(make({ onPoison: "skip", maxBadRecords: -1 })).toThrow(OptionsError);
    expect(make({ onPoison: "skip", maxBadFraction: 2 })).toThrow(OptionsError);
    expect(make({ onPoison: "skip", deadLetters: {} })).toThrow(OptionsError);
  });
});

describe("dead letters", () => {
  let produced: { to: TopicPartition; records: readonly RecordToProduce[] }[];
  let failing: boolean;
  const transport = {
    url: "kafka://127.0.0.1:1",
    metadata: () =>
      Promise.resolve({
        topics: [
          { name: "dlq", errorCode: 0, partitions: [{}, {}] },
          { name: "none", errorCode: 3, partitions: [] },
        ],
      }),
    produce: (to: TopicPartition, records: readonly RecordToProduce[]) => {
      if (failing) return Promise.reject(new SourceError("not written", { retryable: true }));
      produced.push({ to, records });
      return Promise.resolve({ ...to, baseOffset: 0 });
    },
  } as unknown as Transport;
  beforeEach(() => {
    produced = [];
    failing = false;
  });
  const options = (topic = "dlq") =>
    ({ valueAs: "json", keyAs: "utf8", onPoison: "deadLetter", deadLetters: { topic, transport } }) as const;
  const slab = slabOf(3, 7, [
    { value: json(1) },
    {
      key: "k",
      value: "{",
      headers: [
        ["h", "1"],
        ["h", null],
      ],
    },
    { key: [0xff], value: null },
  ]);

  it("are written with what they were and why, before the slab is handed over", async () => {
    const reader = new PayloadReader(new FakeReader([slab]), options());
    const got = (await reader.next()).value as DecodedSlab;
    expect(handedOver([got])).toEqual(["3:7"]);
    expect(got.gaps).toEqual([{ cause: "deadLettered", start: 8, end: 10 }]);
    expect(produced).toHaveLength(1);
    expect(produced[0]?.to).toEqual({ topic: "dlq", partition: 1 });
    const [one, two] = produced[0]?.records ?? [];
    expect(one?.key).toEqual(new Uint8Array(Buffer.from("k")));
    expect(one?.value).toEqual(new Uint8Array(Buffer.from("{")));
    expect(one?.headers.slice(0, 2)).toEqual([
      ["h", new Uint8Array(Buffer.from("1"))],
      ["h", null],
    ]);
    const said = Object.fromEntries(
      (one?.headers.slice(2) ?? []).map(([name, bytes]) => [name, Buffer.from(bytes ?? []).toString()]),
    );
    expect(said).toMatchObject({
      [deadLetterHeaders.topic]: "t",
      [deadLetterHeaders.partition]: "3",
      [deadLetterHeaders.offset]: "8",
      [deadLetterHeaders.timestamp]: "1001",
      [deadLetterHeaders.stage]: "value",
      [deadLetterHeaders.className]: "FormatError",
    });
    expect(said[deadLetterHeaders.message]).toContain("JSON");
    expect(two?.value).toBeNull();
    expect(reader.counts({ topic: "t", partition: 3 })).toEqual({ records: 3, skipped: 0, deadLettered: 2 });
  });

  it("that are not written keep the place: asking again begins with the same slab", async () => {
    const reader = new PayloadReader(new FakeReader([slab]), options());
    failing = true;
    await expect(reader.next()).rejects.toThrow(/not written/);
    expect(reader.stateDict()).toMatchObject({ source: { at: 0 }, counts: {} });
    failing = false;
    expect(handedOver([(await reader.next()).value as DecodedSlab])).toEqual(["3:7"]);
    expect(reader.stateDict()).toMatchObject({ source: { at: 1 }, counts: { t: { 3: [3, 0, 2] } } });
  });

  it("go to a topic that exists and is not read itself", async () => {
    await expect(new PayloadReader(new FakeReader([slab]), options("none")).next()).rejects.toThrow(OptionsError);
    await expect(new PayloadReader(new FakeReader([slab]), options("t")).next()).rejects.toThrow(OptionsError);
  });

  it("of many are written in requests that brokers take", async () => {
    const large = "{".padEnd(200_000, " ");
    const reader = new PayloadReader(
      new FakeReader([slabOf(0, 0, [{ value: json(1) }, ...Array(5).fill({ value: large })])]),
      options(),
    );
    await reader.next();
    expect(produced.map(({ records }) => records.length)).toEqual([2, 2, 1]);
  });
});
