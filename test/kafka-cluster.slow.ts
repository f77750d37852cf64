// Three brokers with replication while they are killed, frozen and restarted, and leaders move: every record once, in order.
// Not in `npm test`: three brokers are much for a small machine. `INGEST_SLOW=1 npx vitest run kafka-cluster`, and .ci/run.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { channels } from "@ingest-ts/core";
import { type AssignOptions, type KafkaReader, openKafka } from "@ingest-ts/kafka";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Collected, collect, failureOf } from "../packages/kafka/test/lib/collect.ts";
import {
  type KafkaCluster,
  kafkaMissing,
  type KafkaNode,
  startKafka,
} from "../packages/kafka/test/lib/kafka-broker.ts";

const missing = kafkaMissing();
if (missing !== undefined) it.skip(`three brokers (skipped: ${missing})`, () => {});

const PARTITIONS = 3;

describe.skipIf(missing !== undefined)("three brokers", () => {
  let kafka: KafkaCluster;
  const readers: KafkaReader[] = [];

  beforeAll(async () => {
    kafka = await startKafka({ nodes: 3 });
    await kafka.helper.producer("p", {
      "delivery.timeout.ms": 180_000,
      "request.timeout.ms": 5000,
      "batch.size": 16_384,
    });
  }, 240_000);
  afterEach(async () => {
    for (const reader of readers.splice(0)) await reader.close();
    for (const node of kafka.nodes) {
      node.thaw();
      node.proxy.heal();
      if (!node.running) node.start();
    }
    await kafka.ready();
  }, 240_000);
  afterAll(() => kafka?.stop());

  async function open(topic: string, options: Partial<AssignOptions> = {}, patience = {}): Promise<KafkaReader> {
    const connection = { brokers: kafka.brokers("PROXIED"), requestTimeoutMs: 5000, ...patience };
    const reader = await openKafka({ mode: "assign", connection, topics: [topic], end: "none", ...options });
    readers.push(reader);
    return reader;
  }

  async function topic(name: string): Promise<void> {
    await kafka.helper.createTopic(name, { partitions: PARTITIONS, replication: 3 });
  }

  async function leaderOf(name: string, partition = 0): Promise<KafkaNode> {
    const { partitions } = await kafka.helper.describeTopic(name);
    return kafka.node(partitions[partition]?.leader as number);
  }

  const ROUND = 3000;
  /** Writes a round, reads it; `between` strikes while it is read. */
  async function round(name: string, reader: KafkaReader, got: Collected, n: number, between: () => Promise<void>) {
    const written = kafka.helper.fill("p", name, { count: ROUND, size: 300, partitions: PARTITIONS, from: n * ROUND });
    await collect(reader, n * ROUND + ROUND / 3, got);
    await between();
    await written;
    await collect(reader, (n + 1) * ROUND, got);
  }

  it("a leader that is killed in the middle of a fetch, and comes back", async () => {
    await topic("killed");
    const reader = await open("killed", { partitionBytes: 32 * 1024 });
    const got = new Collected();
    for (let n = 0; n < 3; n++) {
      let victim: KafkaNode | undefined;
      await round("killed", reader, got, n, async () => {
        victim = await leaderOf("killed", n);
        await victim.kill();
      });
      victim?.start();
      await kafka.ready();
    }
    await got.expectAll(kafka.helper, "killed", PARTITIONS, ROUND);
  }, 300_000);

  it("brokers that are restarted one after the other", async () => {
    await topic("rolling");
    const reader = await open("rolling");
    const got = new Collected();
    let n = 0;
    for (const node of kafka.nodes) {
      await round("rolling", reader, got, n++, async () => {
        await node.stop();
        node.start();
        await kafka.ready();
      });
    }
    await got.expectAll(kafka.helper, "rolling", PARTITIONS, ROUND);
  }, 300_000);

  it("leaders that move under load", async () => {
    await topic("moved");
    const retries: unknown[] = [];
    const listen = (message: unknown): void => void retries.push(message);
    subscribe(channels.kafkaRetry.name, listen);
    const reader = await open("moved", { partitionBytes: 16 * 1024 });
    const got = new Collected();
    for (let n = 0; n < 6; n++) {
      await round("moved", reader, got, n, async () => {
        const { id } = await leaderOf("moved", n % PARTITIONS);
        await kafka.helper.moveLeader("moved", n % PARTITIONS, (id % 3) + 1);
      });
    }
    unsubscribe(channels.kafkaRetry.name, listen);
    await got.expectAll(kafka.helper, "moved", PARTITIONS, 2 * ROUND);
    expect(retries.length).toBeGreaterThan(0);
  }, 300_000);

  it("a leader that is frozen: others go on, or an error comes in time when none can", async () => {
    await topic("frozen");
    const reader = await open("frozen");
    const got = new Collected();
    await round("frozen", reader, got, 0, async () => {
      const node = await leaderOf("frozen");
      node.freeze();
      setTimeout(() => node.thaw(), 20_000).unref();
    });
    await got.expectAll(kafka.helper, "frozen", PARTITIONS, ROUND / PARTITIONS);

    const impatient = await open("frozen", {}, { requestTimeoutMs: 2000, retryTimeoutMs: 6000 });
    const again = await collect(impatient, 10);
    for (const node of kafka.nodes) node.freeze();
    const error = await failureOf(collect(impatient, Number.POSITIVE_INFINITY, again), 60_000);
    expect(error.message).toMatch(/127\.0\.0\.1/);
  }, 300_000);

  it("slow and cut links to each broker while leaders are killed", async () => {
    await topic("all");
    for (const node of kafka.nodes) {
      node.proxy.link({ latencyMs: 20 });
      node.proxy.answers(({ apiKey, frame, index }) =>
        apiKey === 1 && index % 7 === 3 ? { cutAt: Math.floor(frame.length / 2) } : undefined,
      );
    }
    const reader = await open("all", { partitionBytes: 64 * 1024 });
    const got = new Collected();
    await round("all", reader, got, 0, async () => {
      await (await leaderOf("all", 1)).kill();
    });
    await got.expectAll(kafka.helper, "all", PARTITIONS, ROUND / PARTITIONS);
  }, 300_000);
});
