// Assign mode against a real broker.
import { isIngestError, OptionsError, SourceError, StateError, type StateDict } from "@ingest-ts/core";
import { rowsOf } from "@ingest-ts/core/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openAssign } from "../../src/reader/assign.ts";
import { mergeStates } from "../../src/reader/state.ts";
import type { AssignOptions, KafkaReader, KafkaSlab } from "../../src/reader/types.ts";
import { type KafkaCluster, kafkaMissing, startKafka } from "../lib/kafka-broker.ts";

const missing = kafkaMissing();
if (missing !== undefined) it.skip(`assign mode (skipped: ${missing})`, () => {});

describe.skipIf(missing !== undefined)("assign mode", () => {
  let kafka: KafkaCluster;
  const open: KafkaReader[] = [];
  beforeAll(async () => {
    kafka = await startKafka();
  }, 180_000);
  afterEach(async () => {
    await Promise.all(open.splice(0).map((reader) => reader.close()));
    kafka.nodes[0]?.proxy.heal();
  });
  afterAll(() => kafka?.stop());

  async function reader(topic: string, more: Partial<AssignOptions> = {}): Promise<KafkaReader> {
    const connection = { brokers: kafka.brokers("PROXIED"), requestTimeoutMs: 10_000, retryTimeoutMs: 50_000 };
    const one = await openAssign({ mode: "assign", connection, topics: [topic], maxWaitMs: 100, ...more });
    open.push(one);
    return one;
  }

  const values = (slab: KafkaSlab): string[] =>
    rowsOf(slab.columns).map((row) => Buffer.from(row[5] as string, "hex").toString());
  const offsets = (slab: KafkaSlab): number[] =>
    rowsOf(slab.columns).map((row) => Number(Buffer.from(row[2] as string, "hex").readBigInt64LE()));

  async function drain(one: KafkaReader): Promise<KafkaSlab[]> {
    const slabs: KafkaSlab[] = [];
    for await (const slab of one) slabs.push(slab);
    return slabs;
  }

  async function failure(work: Promise<unknown>): Promise<Error> {
    const error: unknown = await work.then(
      () => undefined,
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(Error);
    return error as Error;
  }

  async function filled(topic: string, partitions: number, count: number, config = {}): Promise<void> {
    await kafka.helper.createTopic(topic, { partitions, config });
    await kafka.helper.producer(topic, { "batch.size": 2000 });
    await kafka.helper.fill(topic, topic, { count, size: 50, partitions });
  }

  it("reads everything once, in order, and ends at the frozen end", async () => {
    await filled("all", 3, 3000);
    const one = await reader("all", { end: "latest", slabRows: 100 });
    await kafka.helper.send("all", "all", [{ value: "too late" }], 0);
    const slabs = await drain(one);
    for (const partition of [0, 1, 2]) {
      const own = slabs.filter((slab) => slab.partition === partition);
      expect(own.flatMap(offsets)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
      for (const [i, slab] of own.entries()) expect(slab.startOffset).toBe(own[i - 1]?.endOffset ?? 0);
    }
    expect(slabs.some((slab) => slab.columns.rows > 100)).toBe(true);
    // Partitions take turns.
    expect(new Set(slabs.slice(0, 3).map(({ partition }) => partition)).size).toBe(3);
    expect(one.positions).toMatchObject(
      [1, 0, 0].map((lag, partition) => ({ partition, position: 1000, end: 1000, lag })),
    );
    expect(await one.next()).toEqual({ done: true, value: undefined });
  });

  it("resumes exactly, at any slab, with any number of ranks", async () => {
    await filled("resumed", 4, 4000);
    const run = async (state: StateDict | undefined, rank: number, worldSize: number, stopAfter: number) => {
      const one = await reader("resumed", { end: "latest", slabRows: 60, world: { rank, worldSize } });
      if (state !== undefined) one.loadStateDict(state);
      const seen: string[] = [];
      for (let i = 0; i < stopAfter; i++) {
        const { done, value } = await one.next();
        if (done === true) break;
        seen.push(...offsets(value).map((offset) => `${value.partition}:${offset}`));
      }
      return { seen, state: JSON.parse(JSON.stringify(one.stateDict())) as StateDict };
    };
    const everything = [0, 1, 2, 3].flatMap((p) => Array.from({ length: 1000 }, (_, i) => `${p}:${i}`)).toSorted();
    for (const [before, after, stop] of [
      [1, 1, 3],
      [3, 2, 5],
      [2, 4, 1],
    ] as const) {
      const first = await Promise.all(Array.from({ length: before }, (_, rank) => run(undefined, rank, before, stop)));
      const merged = mergeStates(first.map(({ state }) => state)) as StateDict;
      const second = await Promise.all(Array.from({ length: after }, (_, rank) => run(merged, rank, after, 1000)));
      expect([...first, ...second].flatMap(({ seen }) => seen).toSorted()).toEqual(everything);
    }
    const alone = await run(undefined, 0, 2, 2);
    const other = await reader("resumed", { end: "latest", world: { rank: 1, worldSize: 2 } });
    expect(() => other.loadStateDict(alone.state)).toThrow("leaves out a partition");
  });

  it("starts and ends by time and by offset, and refuses what cannot be", async () => {
    await kafka.helper.createTopic("timed", { config: { "retention.ms": -1 } });
    await kafka.helper.producer("timed");
    for (let i = 0; i < 10; i++) await kafka.helper.send("timed", "timed", [{ value: `${i}`, timestamp: 1000 * i }], 0);
    const read = async (more: Partial<AssignOptions>): Promise<string> => {
      return (await drain(await reader("timed", { end: "latest", ...more }))).flatMap(values).join("");
    };
    expect(await read({ start: { timestampMs: 3500 }, end: { timestampMs: 7000 } })).toBe("456");
    expect(await read({ start: { timestampMs: 99_000 } })).toBe("");
    expect(await read({ start: { timestampMs: 7000 }, end: { timestampMs: 99_000 } })).toBe("789");
    expect(await read({ start: { offsets: { timed: { 0: 2 } } }, end: { offsets: { timed: { 0: 4 } } } })).toBe("23");
    expect(await read({ start: { offsets: { timed: { 0: 4 } } }, end: { offsets: { timed: { 0: 4 } } } })).toBe("");
    expect(await read({ start: "latest" })).toBe("");
    const refused: Partial<AssignOptions>[] = [
      { start: { offsets: { timed: { 0: 5 } } }, end: { offsets: { timed: { 0: 4 } } } },
      { end: { offsets: { timed: { 0: 11 } } } },
      { start: { offsets: {} } },
      { start: { offsets: { timed: { 0: -1 } } } },
      { world: { rank: 0, worldSize: 2 } },
      { world: { rank: 2, worldSize: 2 } },
      { partitions: { timed: [4] } },
      { topics: [] },
      { topics: ["a b"] },
      { slabRows: 0 },
    ];
    for (const more of refused) await expect(reader("timed", more), JSON.stringify(more)).rejects.toThrow(OptionsError);
    const absent = await failure(reader("absent"));
    expect(absent).toMatchObject({ code: "INGEST_SOURCE", reason: "NotFound", where: { topic: "absent" } });
    const beyond = await reader("timed", { start: { offsets: { timed: { 0: 50 } } } });
    expect(await failure(beyond.next())).toMatchObject({
      reason: "ObjectChanged",
      where: { topic: "timed", partition: 0, kafkaOffset: 50 },
    });
  });

  it("sees committed transactions, ends at the last stable offset, and names what it passes over", async () => {
    await kafka.helper.createTopic("txns");
    for (const name of ["a", "b"]) await kafka.helper.producer(name, { "transactional.id": name });
    const write = (name: string, value: string) => kafka.helper.send(name, "txns", [{ value }], 0);
    await kafka.helper.begin("a");
    await kafka.helper.begin("b");
    await write("a", "a1");
    await write("b", "b1");
    await kafka.helper.abort("a");
    await write("b", "b2");
    await kafka.helper.commit("b");
    await kafka.helper.begin("a");
    await write("a", "open");
    const committed = await drain(await reader("txns", { end: "latest" }));
    expect(committed.flatMap(values)).toEqual(["b1", "b2"]);
    expect(committed.at(-1)).toMatchObject({ endOffset: 5, lastStableOffset: 5, highWatermark: 6 });
    // Which marker comes first is not sure.
    const gaps = committed.flatMap((slab) => slab.gaps);
    expect(gaps[0]).toEqual({ cause: "aborted", start: 0, end: 1 });
    expect(
      gaps.slice(1).reduce((sum, { cause, start, end }) => sum + (cause === "control" ? end - start : 100), 0),
    ).toBe(2);
    const all = await drain(await reader("txns", { end: "latest", isolation: "read_uncommitted" }));
    expect(all.flatMap(values)).toEqual(["a1", "b1", "b2", "open"]);
    await kafka.helper.abort("a");
    // A tail of markers alone: the position gets there all the same.
    const tail = await reader("txns", { end: "latest", start: { offsets: { txns: { 0: 6 } } } });
    expect((await drain(tail)).map(({ columns, endOffset }) => [columns.rows, endOffset])).toEqual([[0, 7]]);
  });

  it("fails on lost data with the range, or passes over it when told to", async () => {
    await filled("lost", 1, 100);
    await kafka.helper.deleteRecords("lost", 0, 40);
    const start = { offsets: { lost: { 0: 10 } } };
    const error = await failure((await reader("lost", { start })).next());
    expect(error.message).toContain("records 10 to 39 are no longer in the log");
    expect(error).toMatchObject({ where: { topic: "lost", partition: 0, kafkaOffset: 10 }, reason: "NotFound" });
    const earliest = await drain(await reader("lost", { start, end: "latest", onDataLoss: "earliest" }));
    expect(earliest[0]).toMatchObject({
      startOffset: 10,
      endOffset: 40,
      gaps: [{ cause: "lost", start: 10, end: 40 }],
    });
    expect(earliest.flatMap(offsets)[0]).toBe(40);
    const latest = await reader("lost", { start, onDataLoss: "latest" });
    expect((await latest.next()).value).toMatchObject({ endOffset: 100 });
  });

  it("crosses what compaction left, to an end that holds nothing", async () => {
    await kafka.helper.createTopic("compacted", {
      config: {
        "cleanup.policy": "compact",
        "segment.ms": 200,
        "min.cleanable.dirty.ratio": 0.01,
        "max.compaction.lag.ms": 200,
        "delete.retention.ms": 100,
      },
    });
    await kafka.helper.producer("c", { "enable.idempotence": "false" });
    for (let i = 0; i < 30; i++) await kafka.helper.send("c", "compacted", [{ key: `k${i % 3}`, value: `${i}` }], 0);
    // Rolls the segment; what is left of it is seen from outside.
    await expect
      .poll(
        async () => {
          await kafka.helper.send("c", "compacted", [{ key: "other", value: "x" }], 0);
          return (await kafka.helper.read("compacted")).length;
        },
        { timeout: 50_000, interval: 500 },
      )
      .toBeLessThan(12);
    const slabs = await drain(await reader("compacted", { end: "latest" }));
    const rows = slabs.flatMap(offsets);
    const oracle = (await kafka.helper.read("compacted")).map(({ offset }) => offset);
    expect(rows.filter((offset) => oracle.includes(offset)).length).toBe(
      oracle.filter((o) => o < (slabs.at(-1)?.endOffset ?? 0)).length,
    );
    expect(slabs[0]?.startOffset).toBe(0);
    expect(slabs.flatMap(({ gaps }) => gaps).every(({ cause }) => cause === "removed")).toBe(true);
    const strict = await failure(drain(await reader("compacted", { end: "latest", onRemoved: "fail" })));
    expect(isIngestError(strict, "INGEST_FORMAT")).toBe(true);
  });

  it("stays within its bytes while nobody asks, and reads a record larger than all of them", async () => {
    await kafka.helper.createTopic("large");
    await kafka.helper.producer("l", { "max.request.size": 30_000_000, "buffer.memory": 64_000_000 });
    await kafka.helper.fill("l", "large", { count: 1, size: 20_000_000 });
    await kafka.helper.fill("l", "large", { count: 2000, size: 1000 });
    const one = await reader("large", {
      bytesInFlight: 1 << 20,
      partitionBytes: 1 << 18,
      slabBytes: 1 << 18,
      end: "latest",
    });
    const first = (await one.next()).value as KafkaSlab;
    expect(first.columns.columns[5]?.data?.length).toBe(20_000_000);
    expect((await drain(one)).reduce((sum, slab) => sum + slab.columns.rows, 1)).toBe(2001);
  });

  it("finds new partitions, and topics that were made again", async () => {
    await filled("grown", 1, 10);
    const one = await reader("grown", { discoveryIntervalMs: 200 });
    expect((await one.next()).value).toMatchObject({ partition: 0, endOffset: 10 });
    await kafka.helper.addPartitions("grown", 2);
    await kafka.helper.send("grown", "grown", [{ value: "new" }], 1);
    const fresh = (await one.next()).value as KafkaSlab;
    expect([fresh.partition, fresh.startOffset, ...values(fresh)]).toEqual([1, 0, "new"]);
    const state = one.stateDict();
    // Made again while nobody looks, and longer than before: told apart by its id alone.
    const blind = await reader("grown", { discoveryIntervalMs: 0, end: "none" });
    await blind.next();
    await kafka.helper.deleteTopic("grown");
    await filled("grown", 2, 100);
    expect(await failure(drain(blind))).toMatchObject({ reason: "ObjectChanged", where: { topic: "grown" } });
    expect(await failure(one.next())).toMatchObject({ reason: "ObjectChanged", where: { topic: "grown" } });
    const again = await reader("grown");
    expect(() => again.loadStateDict(state)).toThrow(StateError);
    await kafka.helper.deleteTopic("grown");
    const gone = await failure(reader("grown").then((each) => each.next()));
    expect(gone).toMatchObject({ reason: "NotFound" });
  });

  it("does not hand over a flipped bit", async () => {
    await filled("flipped", 1, 500);
    const { proxy } = kafka.nodes[0] as (typeof kafka.nodes)[0];
    proxy.answers(({ apiKey, frame }) =>
      apiKey === 1 && frame.length > 1000 ? { flipAt: frame.length - 300 } : undefined,
    );
    const error = await failure(drain(await reader("flipped", { end: "latest" })));
    expect(isIngestError(error, "INGEST_FORMAT"), String(error)).toBe(true);
    expect(error).toMatchObject({ where: { topic: "flipped", partition: 0 } });
  });

  it("survives links that are slow, sliced and cut, and a broker that is killed", async () => {
    await filled("rough", 2, 4000);
    const [node] = kafka.nodes as [(typeof kafka.nodes)[0]];
    node.proxy.answers(({ apiKey, frame, index }) =>
      apiKey === 1 && index % 2 === 0 ? { cutAt: frame.length >> 1 } : undefined,
    );
    node.proxy.link({ latencyMs: 5 });
    const one = await reader("rough", { end: "latest", partitionBytes: 20_000, slabRows: 200 });
    const slabs: KafkaSlab[] = [];
    for await (const slab of one) {
      slabs.push(slab);
      if (slabs.length === 6) {
        node.proxy.heal();
        await node.kill();
        setTimeout(() => node.start(), 300);
      }
    }
    for (const partition of [0, 1]) {
      const own = slabs.filter((slab) => slab.partition === partition).flatMap(offsets);
      expect(own).toEqual(Array.from({ length: 2000 }, (_, i) => i));
    }
    await kafka.ready();
  });

  it("says that nothing answers within the time it was given", async () => {
    await filled("silent", 1, 10);
    const connection = {
      brokers: kafka.brokers("PROXIED"),
      requestTimeoutMs: 500,
      connectTimeoutMs: 500,
      retryTimeoutMs: 1500,
    };
    const one = await reader("silent", { connection });
    await one.next();
    kafka.nodes[0]?.proxy.link({ blackhole: true });
    const started = performance.now();
    const error = await failure(one.next());
    expect(error).toBeInstanceOf(SourceError);
    expect(error).toMatchObject({ where: { topic: "silent", partition: 0, kafkaOffset: 10 } });
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it("ends at once when it is closed or given up", async () => {
    await filled("quiet", 1, 1);
    const one = await reader("quiet", { maxWaitMs: 20_000 });
    await one.next();
    const waiting = one.next();
    await one.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    const control = new AbortController();
    const two = await reader("quiet", { maxWaitMs: 20_000, signal: control.signal });
    await two.next();
    const given = two.next();
    control.abort();
    expect(await failure(given)).toMatchObject({ name: "AbortError" });
  });

  it("commits for monitoring, and never reads it", async () => {
    await filled("watched", 1, 10);
    const one = await reader("watched", { monitorGroupId: "watch", end: "latest" });
    for await (const slab of one) expect(await one.ack(slab)).toBe("deferred");
    await one.close();
    await expect.poll(() => kafka.helper.groupOffsets("watch")).toMatchObject([{ partition: 0, offset: 10 }]);
    expect(
      (await drain(await reader("watched", { monitorGroupId: "watch", end: "latest" }))).flatMap(offsets),
    ).toHaveLength(10);
  });
});
