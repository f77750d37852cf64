// Group mode against a real broker.
import { spawn } from "node:child_process";
import { OptionsError, StateError } from "@ingest-ts/core";
import { rowsOf } from "@ingest-ts/core/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  assign,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from "../../src/reader/group-protocol.ts";
import { openKafka } from "../../src/reader/open.ts";
import type { GroupOptions, KafkaReader, KafkaSlab } from "../../src/reader/types.ts";
import { type KafkaCluster, kafkaMissing, kcatMissing, startKafka } from "../lib/kafka-broker.ts";

describe("the group's protocol", () => {
  const partitions = [0, 1, 2, 3, 4].map((partition) => ({ topic: "a", partition }));
  const more = [...partitions, { topic: "b", partition: 0 }];
  const member = (memberId: string, topics: string[], instanceId: string | null = null) => ({
    memberId,
    topics,
    instanceId,
  });

  it("goes through bytes", () => {
    expect(decodeSubscription(encodeSubscription(["a", "ü"]))).toEqual(["a", "ü"]);
    expect(decodeAssignment(encodeAssignment(more))).toEqual(more);
    expect(decodeAssignment(new Uint8Array(0))).toEqual([]);
  });

  it.each(["roundrobin", "range"] as const)("%s gives each partition to one of those who want it", (name) => {
    const members = [member("x", ["a"]), member("y", ["a", "b"]), member("z", ["c"])];
    const given = assign(name, members, more);
    expect(
      [...given.values()].flat().toSorted((a, b) => (a.topic + a.partition < b.topic + b.partition ? -1 : 1)),
    ).toEqual(more);
    expect(given.get("z")).toEqual([]);
    expect(given.get("x")?.every(({ topic }) => topic === "a")).toBe(true);
    const sizes = [...assign(name, [member("x", ["a"]), member("y", ["a"])], partitions).values()].map(
      ({ length }) => length,
    );
    expect(Math.max(...sizes) - Math.min(...sizes)).toBe(1);
  });

  it("keeps static members' places, whatever their ids", () => {
    const before = assign("range", [member("m9", ["a"], "pod-0"), member("m1", ["a"], "pod-1")], partitions);
    const after = assign("range", [member("m2", ["a"], "pod-0"), member("m1", ["a"], "pod-1")], partitions);
    expect(after.get("m2")).toEqual(before.get("m9"));
  });
});

const missing = kafkaMissing();
if (missing !== undefined) it.skip(`group mode (skipped: ${missing})`, () => {});

describe.skipIf(missing !== undefined)("group mode", () => {
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

  async function member(groupId: string, topic: string, more: Partial<GroupOptions> = {}): Promise<KafkaReader> {
    const connection = { brokers: kafka.brokers("PROXIED"), requestTimeoutMs: 10_000, retryTimeoutMs: 50_000 };
    const one = await openKafka({
      mode: "group",
      connection,
      topics: [topic],
      groupId,
      maxWaitMs: 100,
      heartbeatIntervalMs: 100,
      sessionTimeoutMs: 6_000,
      rebalanceTimeoutMs: 15_000,
      drainTimeoutMs: 5_000,
      ...more,
    });
    open.push(one);
    return one;
  }

  async function filled(topic: string, partitions: number, count: number): Promise<void> {
    await kafka.helper.createTopic(topic, { partitions });
    await kafka.helper.producer(topic, { "batch.size": 1000 });
    await kafka.helper.fill(topic, topic, { count, size: 50, partitions });
  }

  const keys = (slab: KafkaSlab): string[] =>
    rowsOf(slab.columns).map((row) => `${slab.partition}:${Buffer.from(row[2] as string, "hex").readBigInt64LE()}`);
  const committed = async (group: string): Promise<number[]> =>
    (await kafka.helper.groupOffsets(group)).toSorted((a, b) => a.partition - b.partition).map(({ offset }) => offset);

  async function take(one: KafkaReader, until: (seen: string[]) => boolean): Promise<string[]> {
    const seen: string[] = [];
    while (!until(seen)) {
      const { done, value } = await one.next();
      if (done === true) break;
      seen.push(...keys(value));
    }
    return seen;
  }

  it("commits what was acknowledged by asking on, and begins there again", async () => {
    await filled("plain", 2, 400);
    const one = await member("g1", "plain", { slabRows: 50 });
    const seen = await take(one, ({ length }) => length >= 400);
    expect(new Set(seen).size).toBe(400);
    expect(one.positions).toMatchObject([
      { partition: 0, position: 200 },
      { partition: 1, position: 200 },
    ]);
    // The last slab was not acknowledged, since nothing was asked for after it.
    await one.close();
    const [a = 0, b = 0] = await committed("g1");
    expect(a + b).toBeLessThan(400);
    const two = await member("g1", "plain");
    const again = await take(two, ({ length }) => length >= 400 - a - b);
    expect(again.toSorted()).toEqual(
      seen.filter((key) => Number(key.split(":")[1]) >= (key.startsWith("0") ? a : b)).toSorted(),
    );
    expect(() => two.loadStateDict({})).toThrow(StateError);
    expect(two.stateDict()).toEqual({});
  });

  it("commits what is acknowledged by call, every so many slabs", async () => {
    await filled("called", 1, 300);
    const one = await member("g2", "called", { acknowledge: "call", commitEvery: 2, slabRows: 30 });
    const slabs: KafkaSlab[] = [];
    for (let i = 0; i < 4; i++) slabs.push((await one.next()).value as KafkaSlab);
    expect(await committed("g2")).toEqual([]);
    expect(await one.ack(slabs[0] as KafkaSlab)).toBe("deferred");
    expect(await one.ack(slabs[2] as KafkaSlab)).toBe("committed");
    expect(await committed("g2")).toEqual([slabs[2]?.endOffset]);
    expect(await one.ack(slabs[3] as KafkaSlab)).toBe("deferred");
    await one.close();
    expect(await committed("g2")).toEqual([slabs[3]?.endOffset]);
    expect(await one.ack(slabs[3] as KafkaSlab)).toBe("fenced");
  });

  /** Pulls until the reader is closed. */
  function collect(one: KafkaReader): { readonly seen: string[]; readonly ended: Promise<void> } {
    const seen: string[] = [];
    const pull = async (): Promise<void> => {
      for await (const slab of one) seen.push(...keys(slab));
    };
    return { seen, ended: pull() };
  }

  it("divides partitions anew when members come and go, and loses and doubles nothing in order", async () => {
    await filled("shared", 4, 2000);
    const one = await member("g3", "shared", { slabRows: 40 });
    const first = await take(one, ({ length }) => length >= 300);
    const two = await member("g3", "shared", { slabRows: 40 });
    const pulls = [collect(one), collect(two)] as const;
    const count = (): number => first.length + pulls[0].seen.length + pulls[1].seen.length;
    await expect.poll(count, { timeout: 20_000 }).toBe(2000);
    await expect.poll(() => two.positions.length, { timeout: 20_000 }).toBe(2);
    await kafka.helper.fill("shared", "shared", { count: 400, size: 10, partitions: 4, from: 2000 });
    await expect.poll(count, { timeout: 20_000 }).toBe(2400);
    expect(pulls[1].seen.length).toBeGreaterThanOrEqual(200);
    // One leaves, and the other gets all.
    await two.close();
    await expect.poll(() => one.positions.length, { timeout: 20_000 }).toBe(4);
    await kafka.helper.fill("shared", "shared", { count: 40, size: 10, partitions: 4, from: 2400 });
    await expect.poll(count, { timeout: 20_000 }).toBe(2440);
    await one.close();
    await Promise.all(pulls.map(({ ended }) => ended));
    expect(new Set([first, pulls[0].seen, pulls[1].seen].flat()).size).toBe(2440);
  });

  it("lets slabs in hand be acknowledged while partitions go, for a bounded time, and fences late ones", async () => {
    await filled("drained", 2, 200);
    const revoked: string[] = [];
    const held: KafkaSlab[] = [];
    const one = await member("g4", "drained", {
      acknowledge: "call",
      onRevoke: async (partitions) => {
        revoked.push(...partitions.map(({ partition }) => `${partition}`));
        expect(await one.ack(held[0] as KafkaSlab)).toBe("committed");
      },
    });
    held.push((await one.next()).value as KafkaSlab, (await one.next()).value as KafkaSlab);
    const two = await member("g4", "drained", { onAssign: (partitions) => void revoked.push(`+${partitions.length}`) });
    const other = two.next();
    const pulling = one.next();
    await expect.poll(() => revoked, { timeout: 20_000 }).toEqual(["0", "1", "+1"]);
    expect(await one.ack(held[1] as KafkaSlab)).toBe("fenced");
    const offsets = await committed("g4");
    expect(offsets.filter((offset) => offset > 0)).toEqual([held[0]?.endOffset]);
    await Promise.all([one.close(), two.close()]);
    await Promise.all([other, pulling]);
  });

  it("does not wait longer than drainTimeoutMs for who never acknowledges", async () => {
    await filled("stuck", 2, 200);
    const one = await member("g5", "stuck", { acknowledge: "call", drainTimeoutMs: 300 });
    const slab = (await one.next()).value as KafkaSlab;
    const two = await member("g5", "stuck");
    const waiting = one.next();
    const got = (await two.next()).value as KafkaSlab;
    expect(got.startOffset).toBe(0);
    expect(await one.ack(slab)).toBe("fenced");
    await one.close();
    await waiting;
  });

  it("keeps a static member's partitions while it restarts", async () => {
    await filled("static", 2, 100);
    const assigned: string[] = [];
    const start = (instanceId: string): Promise<KafkaReader> =>
      member("g6", "static", {
        instanceId,
        sessionTimeoutMs: 20_000,
        onAssign: (partitions) =>
          void assigned.push(`${instanceId}:${partitions.map(({ partition }) => partition).join()}`),
      });
    const a = await start("pod-a");
    const b = await start("pod-b");
    const pulls = [a.next(), b.next()];
    await expect.poll(() => [a, b].map(({ positions }) => positions.length), { timeout: 20_000 }).toEqual([1, 1]);
    await Promise.all(pulls);
    const before = assigned.length;
    await b.close();
    const again = await start("pod-b");
    await again.next();
    expect(assigned.slice(before)).toEqual([assigned.findLast((line) => line.startsWith("pod-b"))]);
    expect(a.positions).toHaveLength(1);
    // A second one under the same name fences the first.
    const twin = await start("pod-b");
    const pulled = collect(twin);
    await expect(take(again, () => false)).rejects.toThrow("FENCED_INSTANCE_ID");
    await twin.close();
    await pulled.ended;
  });

  it("asks the group whose partitions are, since another member may have them before this one knows", async () => {
    await filled("held", 1, 100);
    const start = (): Promise<KafkaReader> =>
      member("g12", "held", { instanceId: "pod-a", acknowledge: "call", heartbeatIntervalMs: 2_900 });
    const one = await start();
    const slab = (await one.next()).value as KafkaSlab;
    expect(await one.holds(slab)).toBe(true);
    const twin = await start();
    const got = (await twin.next()).value as KafkaSlab;
    expect(await one.holds(slab)).toBe(false);
    expect(await twin.holds(got)).toBe(true);
    await twin.close();
    expect(await twin.holds(got)).toBe(false);
  });

  it("heartbeats while rows are worked on, and comes back when it was not heard", async () => {
    await filled("slow", 1, 100);
    const one = await member("g7", "slow", { slabRows: 10, sessionTimeoutMs: 6_000 });
    const slab = (await one.next()).value as KafkaSlab;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await one.next()).value).toMatchObject({ startOffset: slab.endOffset, epoch: slab.epoch });
    expect(await committed("g7")).toEqual([slab.endOffset]);
    // Links break: the member finds its coordinator again, and goes on.
    kafka.nodes[0]?.proxy.reset();
    const rest = await take(one, (seen) => seen.some((key) => key === "0:99"));
    expect(rest.length).toBeGreaterThan(0);
  });

  it("goes on after its broker was killed, and loses nothing", async () => {
    await filled("outage", 2, 400);
    const one = await member("g10", "outage", { slabRows: 20 });
    const first = await take(one, ({ length }) => length >= 100);
    const [node] = kafka.nodes;
    await node?.kill();
    node?.start();
    const rest = await take(one, (seen) => new Set([...first, ...seen]).size >= 400);
    expect(new Set([...first, ...rest]).size).toBe(400);
    await kafka.ready();
  });

  const noKcat = kcatMissing();
  const why = noKcat === undefined ? "" : ` (skipped: ${noKcat})`;
  it.skipIf(noKcat !== undefined)(`shares a group with members that run another client${why}`, async () => {
    await filled("mixed", 4, 400);
    const one = await member("g11", "mixed");
    const pulled = collect(one);
    await expect.poll(() => pulled.seen.length, { timeout: 30_000 }).toBe(400);
    const settings = ["auto.offset.reset=earliest", "session.timeout.ms=6000", "heartbeat.interval.ms=200"];
    const args = ["-b", kafka.brokers().join(), "-G", "g11", "-q", "-u", "-f", "%p:%o\n"];
    const kcat = spawn("kcat", [...args, ...settings.flatMap((each) => ["-X", each]), "mixed"]);
    let printed = "";
    kcat.stdout.on("data", (bytes) => (printed += bytes));
    try {
      await expect.poll(() => one.positions.length, { timeout: 30_000 }).toBe(2);
      await kafka.helper.fill("mixed", "mixed", { count: 80, size: 10, partitions: 4, from: 400 });
      await expect.poll(() => pulled.seen.length + printed.split("\n").length - 1, { timeout: 30_000 }).toBe(480);
      expect(new Set([...pulled.seen, ...printed.split("\n").slice(0, -1)]).size).toBe(480);
    } finally {
      kcat.kill("SIGKILL");
    }
    await expect.poll(() => one.positions.length, { timeout: 30_000 }).toBe(4);
    await one.close();
    await pulled.ended;
  });

  it("finds new partitions", async () => {
    await filled("widened", 1, 10);
    const one = await member("g8", "widened", { discoveryIntervalMs: 200 });
    await one.next();
    await kafka.helper.addPartitions("widened", 2);
    await kafka.helper.send("widened", "widened", [{ value: "x" }], 1);
    expect(await take(one, (seen) => seen.includes("1:0"))).toContain("1:0");
  });

  it("refuses options that cannot work", async () => {
    for (const more of [
      { groupId: "" },
      { commitEvery: 0 },
      { heartbeatIntervalMs: 5_000 },
      { drainTimeoutMs: 60_000 },
      { topics: [] },
    ]) {
      await expect(member("g9", "plain", more), JSON.stringify(more)).rejects.toThrow(OptionsError);
    }
    const one = await member("g9", "plain", { sessionTimeoutMs: 1_000, heartbeatIntervalMs: 100 });
    await expect(one.next()).rejects.toThrow("INVALID_SESSION_TIMEOUT");
  });
});
