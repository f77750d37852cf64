// The transport against a real broker.
import { SourceError } from "@ingest-ts/core";
import { rowsOf } from "@ingest-ts/core/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepareRecords, RecordsDecoder } from "../../src/records/index.ts";
import { metadataApi } from "../../src/transport/api/metadata.ts";
import { listOffsetsApi } from "../../src/transport/api/offsets.ts";
import { BrokerLink } from "../../src/transport/broker-link.ts";
import { FrameMemory } from "../../src/transport/frame-memory.ts";
import { openTransport } from "../../src/transport/kafkajs-transport.ts";
import type { FetchedPartition, Transport } from "../../src/transport/types.ts";
import { type KafkaCluster, kafkaMissing, saslPassword, saslUser, startKafka } from "../lib/kafka-broker.ts";

/** Records with old timestamps would be deleted in the middle of a test. */
const keep = { "retention.ms": -1 };

const missing = kafkaMissing();
if (missing !== undefined) it.skip(`the transport (skipped: ${missing})`, () => {});

describe.skipIf(missing !== undefined)("the transport", () => {
  let kafka: KafkaCluster;
  let transport: Transport;
  beforeAll(async () => {
    await prepareRecords();
    kafka = await startKafka({ secure: true });
    transport = openTransport({ brokers: kafka.brokers() });
  }, 180_000);
  afterAll(async () => {
    await transport?.close();
    await kafka?.stop();
  });

  async function fetchOne(topic: string, fetchOffset: number, more = {}): Promise<FetchedPartition> {
    const [one] = await transport.fetchRaw(1, {
      partitions: [{ topic, partition: 0, topicId: null, fetchOffset, leaderEpoch: -1, maxBytes: 1 << 20 }],
      isolation: "read_committed",
      maxWaitMs: 200,
      minBytes: 1,
      maxBytes: 1 << 22,
      ...more,
    });
    if (one === undefined) throw new Error("no answer for the partition");
    return one;
  }

  it("tells brokers, topics and their ids, and creates no topic", async () => {
    await kafka.helper.createTopic("meta", { partitions: 3 });
    const info = await transport.metadata(["meta", "absent"]);
    expect(info.brokers).toMatchObject([{ id: 1, host: "127.0.0.1", port: kafka.nodes[0]?.ports.PLAIN }]);
    expect(info.topics.find(({ name }) => name === "absent")).toMatchObject({ errorCode: 3, partitions: [] });
    const topic = info.topics.find(({ name }) => name === "meta");
    expect(topic).toMatchObject({ errorCode: 0, internal: false });
    expect(topic?.topicId).toMatch(/^[0-9a-f]{32}$/);
    expect(topic?.partitions.map(({ partition, leader, leaderEpoch }) => [partition, leader, leaderEpoch])).toEqual([
      [0, 1, 0],
      [1, 1, 0],
      [2, 1, 0],
    ]);
    expect((await transport.metadata("all")).topics.map(({ name }) => name)).toContain("meta");
    expect((await transport.metadata([])).topics).toEqual([]);
    await kafka.helper.deleteTopic("meta");
    await kafka.helper.createTopic("meta");
    const again = await transport.metadata(["meta"]);
    expect(again.topics[0]?.topicId).not.toBe(topic?.topicId);
  });

  it("speaks the versions of older brokers too", async () => {
    await kafka.helper.createTopic("old", { partitions: 2 });
    await kafka.helper.producer("old");
    await kafka.helper.send("old", "old", [{ value: "x" }, { value: "y" }], 1);
    const port = kafka.nodes[0]?.ports.PLAIN ?? 0;
    const link = new BrokerLink("127.0.0.1", port, { brokers: [] }, 10_000, "kafka://old", new FrameMemory());
    const limit = { timeoutMs: 10_000 };
    const newest = await link.call(metadataApi, ["old", "absent"], limit);
    const older = await link.call({ ...metadataApi, versions: [7] }, ["old", "absent"], limit);
    const sorted = ({ topics, ...rest }: typeof newest): object => {
      const byName = topics.toSorted((a, b) => (a.name < b.name ? -1 : 1));
      return { ...rest, topics: byName.map((topic) => ({ ...topic, topicId: null })) };
    };
    expect(sorted(older)).toEqual(sorted(newest));
    expect((await link.call({ ...metadataApi, versions: [7] }, "all", limit)).topics.length).toBeGreaterThan(0);
    expect((await link.call({ ...metadataApi, versions: [7] }, [], limit)).topics).toEqual([]);
    const isolation = "read_committed" as const;
    for (const at of ["earliest", "latest", "earliestLocal", { timestampMs: 1 }] as const) {
      const queries = [0, 1].map((partition) => ({ topic: "old", partition, at }));
      const answers = await link.call(listOffsetsApi, { queries, isolation }, limit);
      expect(answers.map(({ errorCode }) => errorCode)).toEqual([0, 0]);
      for (const version of [5, 4]) {
        const same = await link.call({ ...listOffsetsApi, versions: [version] }, { queries, isolation }, limit);
        expect(same, `${version}`).toEqual(answers);
      }
    }
    link.close();
  });

  it("lists offsets by time, and the last stable one while a transaction is open", async () => {
    await kafka.helper.createTopic("times", { config: keep });
    await kafka.helper.producer("plain");
    await kafka.helper.producer("open", { "transactional.id": "open" });
    for (const timestamp of [1000, 2000, 3000])
      await kafka.helper.send("plain", "times", [{ value: "x", timestamp }], 0);
    await kafka.helper.begin("open");
    await kafka.helper.send("open", "times", [{ value: "y", timestamp: 4000 }], 0);
    const at = async (spec: Parameters<Transport["listOffsets"]>[1][0]["at"], isolation = "read_committed" as const) =>
      (await transport.listOffsets(1, [{ topic: "times", partition: 0, at: spec }], isolation))[0];
    expect(await at("earliest")).toMatchObject({ offset: 0, errorCode: 0, leaderEpoch: 0 });
    expect(await at({ timestampMs: 1500 })).toMatchObject({ offset: 1, timestampMs: 2000 });
    expect(await at({ timestampMs: 9000 })).toMatchObject({ offset: -1 });
    expect(await at("latest")).toMatchObject({ offset: 3 });
    const uncommitted = await transport.listOffsets(
      1,
      [{ topic: "times", partition: 0, at: "latest" }],
      "read_uncommitted",
    );
    expect(uncommitted[0]).toMatchObject({ offset: 4 });
    const fetched = await fetchOne("times", 0);
    expect(fetched).toMatchObject({ errorCode: 0, highWatermark: 4, lastStableOffset: 3, logStartOffset: 0 });
    await kafka.helper.abort("open");
    const [unknown] = await transport.listOffsets(
      1,
      [{ topic: "absent", partition: 0, at: "latest" }],
      "read_committed",
    );
    expect(unknown?.errorCode).toBe(3);
  });

  it("fetches batches as they are stored, with what was aborted", async () => {
    await kafka.helper.createTopic("raw");
    await kafka.helper.producer("txn", { "transactional.id": "txn", "compression.type": "lz4" });
    await kafka.helper.begin("txn");
    await kafka.helper.send("txn", "raw", [{ value: "no" }, { value: "no" }], 0);
    await kafka.helper.abort("txn");
    await kafka.helper.begin("txn");
    await kafka.helper.send("txn", "raw", [{ key: "k", value: "yes" }], 0);
    await kafka.helper.commit("txn");
    // Markers are written in their own time.
    await expect.poll(async () => (await fetchOne("raw", 0)).lastStableOffset, { timeout: 30_000 }).toBe(5);
    const one = await fetchOne("raw", 0);
    expect(one.aborted).toMatchObject([{ firstOffset: 0 }]);
    const slab = new RecordsDecoder(one.records, { ...one, position: 0 }).next();
    expect(slab && rowsOf(slab).map((row) => [row[4], row[5]])).toEqual([["6b", "796573"]]);
    expect(slab).toMatchObject({
      endOffset: 5,
      gaps: [{ cause: "aborted" }, { cause: "control", start: 2 }, { cause: "control" }],
    });
    expect(await fetchOne("raw", 5)).toMatchObject({ errorCode: 0, records: new Uint8Array(0) });
    expect(await fetchOne("raw", 99)).toMatchObject({ errorCode: 1 });
    expect(await fetchOne("absent", 0)).toMatchObject({ errorCode: 3 });
    const fenced = { topic: "raw", partition: 0, topicId: null, fetchOffset: 0, leaderEpoch: 7, maxBytes: 1000 };
    expect(await fetchOne("raw", 0, { partitions: [fenced] })).toMatchObject({ errorCode: 75 });
    // By its id: the same bytes, and nothing of a topic that was made again under the name.
    const topicId = (await transport.metadata(["raw"])).topics[0]?.topicId ?? null;
    const byId = { ...fenced, topicId, leaderEpoch: 0, maxBytes: 1 << 20 };
    expect(await fetchOne("raw", 0, { partitions: [byId] })).toEqual(one);
    await kafka.helper.deleteTopic("raw");
    await kafka.helper.createTopic("raw");
    expect(await fetchOne("raw", 0, { partitions: [byId] })).toMatchObject({ errorCode: 100 });
  });

  it("writes records that others read, and not twice", async () => {
    await kafka.helper.createTopic("written", { partitions: 2, config: keep });
    const records = [
      {
        key: Uint8Array.of(1),
        value: null,
        headers: [
          ["a", Uint8Array.of(2)],
          ["a", null],
        ] as const,
        timestampMs: 5000,
      },
      { key: null, value: new TextEncoder().encode("two"), headers: [], timestampMs: 4000 },
    ];
    expect(await transport.produce({ topic: "written", partition: 1 }, records)).toMatchObject({ baseOffset: 0 });
    const many = Array.from({ length: 20 }, (_, i) =>
      transport.produce({ topic: "written", partition: i % 2 }, records),
    );
    await Promise.all(many);
    const read = await kafka.helper.read("written", { partition: 1 });
    expect(read).toHaveLength(22);
    expect(read[0]).toMatchObject({ timestamp: 5000, key: Buffer.from([1]), value: null });
    expect(read[0]?.headers).toEqual([
      ["a", Buffer.from([2])],
      ["a", null],
    ]);
    expect(read[1]).toMatchObject({ timestamp: 4000, key: null, value: Buffer.from("two") });
    await expect(
      transport.produce({ topic: "written", partition: 9 }, records, { signal: AbortSignal.timeout(300) }),
    ).rejects.toThrow();
  });

  it("repeats a lost answer without writing twice", async () => {
    const { proxy } = kafka.nodes[0] as (typeof kafka.nodes)[0];
    await kafka.helper.createTopic("once", { config: keep });
    const through = openTransport({ brokers: kafka.brokers("PROXIED"), requestTimeoutMs: 5000 });
    const records = [{ key: null, value: Uint8Array.of(7), headers: [], timestampMs: 1 }];
    const to = { topic: "once", partition: 0 };
    await through.produce(to, records);
    proxy.answers(({ apiKey, index }) => (apiKey === 0 && index < 2 ? { cutAt: 6 } : undefined));
    await through.produce(to, records);
    await through.produce(to, records);
    proxy.heal();
    await through.close();
    expect(await kafka.helper.read("once")).toHaveLength(3);
  });

  it("commits and reads offsets of a group without members", async () => {
    await kafka.helper.createTopic("offsets", { partitions: 2 });
    const coordinator = await untilFound("group-a");
    const member = { groupId: "group-a", generation: -1, memberId: "", instanceId: null };
    const offset = { topic: "offsets", partition: 1, offset: 42, leaderEpoch: 0, metadata: "step 7" };
    // The coordinator may still be loading.
    await expect
      .poll(() => transport.offsetCommit(coordinator, member, [offset]), { timeout: 30_000 })
      .toEqual([{ topic: "offsets", partition: 1, errorCode: 0 }]);
    const both = [0, 1].map((partition) => ({ topic: "offsets", partition }));
    const fetched = await transport.offsetFetch(coordinator, "group-a", both);
    expect(fetched.toSorted((a, b) => a.partition - b.partition)).toMatchObject([
      { offset: -1 },
      { offset: 42, metadata: "step 7" },
    ]);
    expect(await transport.offsetFetch(coordinator, "group-a", null)).toMatchObject([{ partition: 1, offset: 42 }]);
    expect(await kafka.helper.groupOffsets("group-a")).toMatchObject([{ partition: 1, offset: 42 }]);
  });

  async function untilFound(groupId: string): Promise<number> {
    for (;;) {
      try {
        return await transport.findCoordinator(groupId);
      } catch (error) {
        if (!(error instanceof SourceError) || !error.retryable) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  it("joins, syncs, beats and leaves a group as a static member", async () => {
    const coordinator = await untilFound("group-b");
    const request = {
      groupId: "group-b",
      memberId: "",
      instanceId: "pod-0",
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      protocols: [{ name: "range", metadata: Uint8Array.of(0, 1, 2) }],
    };
    let joined = await transport.joinGroup(coordinator, request);
    while (joined.errorCode === 14) joined = await transport.joinGroup(coordinator, request);
    expect(joined).toMatchObject({ errorCode: 0, generation: 1, protocol: "range", leaderId: joined.memberId });
    expect(joined.members).toMatchObject([{ memberId: joined.memberId, instanceId: "pod-0" }]);
    expect([...(joined.members[0]?.metadata ?? [])]).toEqual([0, 1, 2]);
    const member = { groupId: "group-b", generation: 1, memberId: joined.memberId, instanceId: "pod-0" };
    const assignments = [{ memberId: joined.memberId, assignment: Uint8Array.of(9) }];
    const synced = await transport.syncGroup(coordinator, member, assignments);
    expect([synced.errorCode, ...synced.assignment]).toEqual([0, 9]);
    expect(await transport.heartbeat(coordinator, member)).toBe(0);
    expect(await transport.heartbeat(coordinator, { ...member, generation: 5 })).toBe(22);
    expect(await transport.leaveGroup(coordinator, member)).toBe(0);
    expect(await transport.heartbeat(coordinator, member)).toBe(25);
  });

  it("knows passwords, tokens and certificates, and says which is wrong", async () => {
    const brokers = kafka.brokers("SASLTLS");
    const ssl = { ca: kafka.ca as string };
    await kafka.helper.scramUser(saslUser, saslPassword, "SCRAM-SHA-256");
    await kafka.helper.scramUser(saslUser, saslPassword, "SCRAM-SHA-512");
    const token = (): Promise<string> => {
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
      const iat = Math.floor(Date.now() / 1000);
      return Promise.resolve(`${part({ alg: "none" })}.${part({ sub: "reader", iat, exp: iat + 60 })}.`);
    };
    const user = { username: saslUser, password: saslPassword };
    for (const sasl of [
      { mechanism: "plain", ...user },
      { mechanism: "scram-sha-256", ...user },
      { mechanism: "scram-sha-512", ...user },
      { mechanism: "oauthbearer", token },
    ] as const) {
      const client = openTransport({ brokers, ssl, sasl });
      expect((await client.metadata([])).brokers, sasl.mechanism).toHaveLength(1);
      await client.close();
    }
    const fail = async (options: Partial<Parameters<typeof openTransport>[0]>): Promise<SourceError> => {
      const client = openTransport({ brokers, ssl, ...options });
      const error: unknown = await client.metadata([]).then(
        () => undefined,
        (caught: unknown) => caught,
      );
      await client.close();
      expect(error).toBeInstanceOf(SourceError);
      expect((error as Error).message).not.toContain("guess");
      return error as SourceError;
    };
    for (const mechanism of ["plain", "scram-sha-256"] as const) {
      const wrong = await fail({ sasl: { mechanism, username: saslUser, password: "guess" } });
      expect(wrong).toMatchObject({ reason: "AccessDenied", retryable: false });
    }
    const expired = (): Promise<string> =>
      Promise.resolve(Buffer.from('{"alg":"none"}').toString("base64url") + ".e30.");
    expect(await fail({ sasl: { mechanism: "oauthbearer", token: expired } })).toMatchObject({
      reason: "AccessDenied",
    });
    expect(await fail({ ssl: true, sasl: { mechanism: "plain", ...user } })).toMatchObject({ reason: "Refused" });
    expect((await fail({ ssl: true, sasl: { mechanism: "plain", ...user } })).message).toContain("ssl.ca");
    // Without TLS to a TLS port, and the other way.
    expect((await fail({ ssl: false, connectTimeoutMs: 2000 })).retryable).toBe(true);
  });
});
