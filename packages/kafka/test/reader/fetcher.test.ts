// The fetch planner against a cluster of plain data: what no real broker does on demand.
import { isIngestError } from "@ingest-ts/core";
import { beforeAll, describe, expect, test } from "vitest";
import { ClusterView } from "../../src/reader/cluster.ts";
import { Cursor } from "../../src/reader/cursor.ts";
import { Fetcher } from "../../src/reader/fetcher.ts";
import { OffsetFinder, partitionName } from "../../src/reader/offsets.ts";
import { type Settings, settingsOf } from "../../src/reader/settings.ts";
import type { KafkaSlab } from "../../src/reader/types.ts";
import { prepareRecords } from "../../src/records/index.ts";
import type { FetchedPartition, FetchRequest, Transport } from "../../src/transport/types.ts";
import { batchBytes, concatBytes } from "../lib/batches.ts";
import { Collected } from "../lib/collect.ts";

beforeAll(prepareRecords);

/** A log of batches of ten records, `leader` by partition. */
interface Log {
  readonly leader: number;
  readonly batches: readonly { readonly last: number; readonly bytes: Uint8Array }[];
  readonly end: number;
  readonly localStart?: number;
}

function logOf(count: number, leader: number, more: Partial<Log> = {}): Log {
  const batches = Array.from({ length: count }, (_, i) => {
    const records = Array.from({ length: 10 }, (_, k) => {
      return { offset: i * 10 + k, timestampMs: 1, key: null, value: new Uint8Array(100), headers: [] };
    });
    return { last: i * 10 + 9, bytes: batchBytes({ baseOffset: i * 10, lastOffset: i * 10 + 9, records }) };
  });
  return { leader, batches, end: count * 10, ...more };
}

interface Watched {
  readonly fetches: { readonly broker: number; readonly request: FetchRequest }[];
  mostAtOnce: number;
  mostBytes: number;
  /** Answers whose memory was given back, of those with records. */
  reused: number;
}

/** Answers as a broker does: within `maxBytes`, the first batch whole. */
function clusterOf(logs: readonly Log[]): { transport: Transport; watched: Watched } {
  const watched: Watched = { fetches: [], mostAtOnce: 0, mostBytes: 0, reused: 0 };
  const busy = new Map<number, number>();
  const answer = (request: FetchRequest): FetchedPartition[] => {
    let left = request.maxBytes;
    return request.partitions.map(({ topic, partition, fetchOffset, maxBytes }) => {
      const log = logs[partition] as Log;
      const parts: Uint8Array[] = [];
      let room = Math.min(left, maxBytes);
      for (const { last, bytes } of log.batches) {
        if (last < fetchOffset) continue;
        if (bytes.length > room && (parts.length > 0 || left < request.maxBytes)) {
          parts.push(bytes.subarray(0, Math.max(0, room)));
          room = 0;
          break;
        }
        parts.push(bytes);
        room -= bytes.length;
      }
      const records = concatBytes(parts).slice();
      left -= records.length;
      const offsets = { highWatermark: log.end, lastStableOffset: log.end, logStartOffset: 0 };
      return { topic, partition, errorCode: 0, ...offsets, preferredReadReplica: -1, aborted: [], records };
    });
  };
  const never = (): never => {
    throw new Error("not asked for here");
  };
  const transport: Transport = {
    url: "kafka://plain",
    metadata: () =>
      Promise.resolve({
        clusterId: null,
        controllerId: 1,
        brokers: [],
        topics: [
          {
            name: "t",
            topicId: null,
            internal: false,
            errorCode: 0,
            partitions: logs.map(({ leader }, partition) => {
              return { topic: "t", partition, leader, leaderEpoch: 0, replicas: [], inSync: [] };
            }),
          },
        ],
      }),
    listOffsets: (_broker, queries) =>
      Promise.resolve(
        queries.map(({ topic, partition }) => {
          const offset = logs[partition]?.localStart ?? 0;
          return { topic, partition, offset, timestampMs: -1, leaderEpoch: 0, errorCode: 0 };
        }),
      ),
    fetchRaw: async (broker, request) => {
      watched.fetches.push({ broker, request });
      busy.set(broker, (busy.get(broker) ?? 0) + 1);
      watched.mostAtOnce = Math.max(watched.mostAtOnce, busy.get(broker) ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 1));
      busy.set(broker, (busy.get(broker) ?? 0) - 1);
      const answers = answer(request);
      watched.mostBytes = Math.max(
        watched.mostBytes,
        answers.reduce((sum, { records }) => sum + records.length, 0),
      );
      return answers;
    },
    // Whoever still looked would see other records.
    reuse: (answers) => {
      if (answers.some(({ records }) => records.length > 0)) watched.reused++;
      for (const { records } of answers) records.fill(0xa5);
    },
    findCoordinator: never,
    offsetCommit: never,
    offsetFetch: never,
    joinGroup: never,
    syncGroup: never,
    heartbeat: never,
    leaveGroup: never,
    produce: never,
    close: () => Promise.resolve(),
  };
  return { transport, watched };
}

async function opened(logs: readonly Log[], more: Partial<Settings>, ends: readonly (number | undefined)[]) {
  const { transport, watched } = clusterOf(logs);
  const connection = { brokers: ["plain:1"], retryTimeoutMs: 5000 };
  const settings = { ...settingsOf({ mode: "assign", connection, topics: ["t"], maxWaitMs: 1 }), ...more };
  const control = new AbortController();
  const view = new ClusterView(transport, ["t"], 5000, control.signal);
  await view.open();
  const finder = new OffsetFinder(transport, view, "read_committed", 5000, control.signal);
  const fetcher = new Fetcher(transport, view, finder, settings, control.signal);
  const cursors = logs.map((_, partition) => {
    return new Cursor({ topic: "t", partition }, { position: 0, end: ends[partition], epoch: 0 }, settings);
  });
  fetcher.add(cursors);
  const next = async (): Promise<KafkaSlab | undefined> => {
    for (;;) {
      const slab = fetcher.take();
      if (slab !== undefined) return slab;
      if (fetcher.done) return undefined;
      await fetcher.changed();
    }
  };
  return { fetcher, watched, next, control };
}

async function drained(next: () => Promise<KafkaSlab | undefined>): Promise<KafkaSlab[]> {
  const slabs: KafkaSlab[] = [];
  for (let slab = await next(); slab !== undefined; slab = await next()) slabs.push(slab);
  return slabs;
}

describe("the fetch planner", () => {
  test("asks each broker one thing at a time, within its bytes, and lets no partition starve", async () => {
    const logs = Array.from({ length: 12 }, (_, i) => logOf(40, i % 3));
    const limits = { bytesInFlight: 20_000, partitionBytes: 4_000, slabRows: 20 };
    const { watched, next } = await opened(
      logs,
      limits,
      logs.map(() => 400),
    );
    const slabs = await drained(next);
    expect(slabs.reduce((sum, { columns }) => sum + columns.rows, 0)).toBe(12 * 400);
    expect(watched.mostAtOnce).toBe(1);
    expect(watched.mostBytes).toBeLessThanOrEqual(20_000);
    const turns = slabs.slice(0, slabs.length / 2).map(partitionName);
    for (let partition = 0; partition < 12; partition++) {
      const share = turns.filter((name) => name === `t/${partition}`).length / turns.length;
      expect(share, `partition ${partition}`).toBeGreaterThan(1 / 48);
      const own = slabs.filter((slab) => slab.partition === partition);
      for (const [i, slab] of own.entries()) expect(slab.startOffset).toBe(own[i - 1]?.endOffset ?? 0);
    }
  });

  test("gives memory back when all is decoded, and what it hands over are copies", async () => {
    const logs = [logOf(40, 1), logOf(40, 1), logOf(40, 2)];
    const { watched, next } = await opened(logs, { partitionBytes: 9_000, slabRows: 20 }, [400, 400, 400]);
    const slabs = await drained(next);
    expect(watched.reused).toBeGreaterThan(5);
    const collected = new Collected();
    for (const slab of slabs) collected.add(slab);
    const zeros = "0".repeat(200);
    const lines = Array.from({ length: 400 }, (_, offset) => `${offset}:-:${zeros}`);
    for (const partition of [0, 1, 2]) expect(collected.lines(partition)).toEqual(lines);
  });

  test("stops asking while nobody takes", async () => {
    const { watched, control } = await opened(
      [logOf(500, 1)],
      { bytesInFlight: 10_000, partitionBytes: 3_000 },
      [5000],
    );
    // One chunk to read, one ahead.
    await expect.poll(() => watched.fetches.length, { timeout: 20_000 }).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(watched.fetches.length).toBe(2);
    control.abort();
  });

  test("gets a batch larger than what partitions may take, and all the others", async () => {
    const logs = [logOf(30, 1), logOf(30, 1)];
    const { next } = await opened(logs, { bytesInFlight: 500, partitionBytes: 100 }, [300, 300]);
    expect((await drained(next)).reduce((sum, { columns }) => sum + columns.rows, 0)).toBe(600);
  });

  test("comes to an end that holds nothing, by the word of the leader alone, asked again", async () => {
    const { watched, next } = await opened([logOf(2, 1, { end: 25 }), logOf(2, 1)], {}, [25, 20]);
    const slabs = (await drained(next)).filter(({ partition }) => partition === 0);
    expect(slabs.at(-1)).toMatchObject({
      startOffset: 20,
      endOffset: 25,
      gaps: [{ cause: "removed", start: 20, end: 25 }],
    });
    const alone = watched.fetches.filter(
      ({ request: { partitions } }) => partitions[0]?.fetchOffset === 20 && partitions.length === 1,
    );
    expect(alone.length).toBeGreaterThanOrEqual(3);
  });

  test("does not take what lies in remote storage for nothing", async () => {
    const { watched, next, control } = await opened([logOf(2, 1, { end: 25, localStart: 25 })], {}, [25]);
    await next();
    const pending = next();
    await expect.poll(() => watched.fetches.length).toBeGreaterThan(12);
    expect(await Promise.race([pending, Promise.resolve("waits")])).toBe("waits");
    control.abort();
  });

  test("calls an empty end damage where nothing may be removed", async () => {
    const { next } = await opened([logOf(2, 1, { end: 25 })], { onRemoved: "fail" }, [25]);
    await next();
    const error: unknown = await next().catch((caught: unknown) => caught);
    expect(isIngestError(error, "INGEST_FORMAT")).toBe(true);
    expect(error).toMatchObject({ where: { topic: "t", partition: 0, kafkaOffset: 20 } });
  });

  test("refuses a batch that claims more than comes, even alone", async () => {
    const whole = logOf(1, 1).batches[0]?.bytes as Uint8Array;
    const lying = whole.slice();
    new DataView(lying.buffer).setInt32(8, 5_000_000);
    const { next } = await opened([{ leader: 1, batches: [{ last: 9, bytes: lying }], end: 10 }], {}, [10]);
    const error: unknown = await next().catch((caught: unknown) => caught);
    expect(isIngestError(error, "INGEST_FORMAT")).toBe(true);
    expect((error as Error).message).toContain("claims 5000012 bytes");
  });
});
