// Links that are slow, cut, silent or lying between a reader and one real broker: exact rows or a typed error, in time.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { FormatError, isIngestError, SourceError } from "@ingest-ts/core";
import { Dice } from "@ingest-ts/core/testing";
import { type AssignOptions, type KafkaReader, openKafka } from "@ingest-ts/kafka";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Collected, collect, failureOf } from "../packages/kafka/test/lib/collect.ts";
import {
  type KafkaCluster,
  kafkaMissing,
  type KafkaNode,
  startKafka,
} from "../packages/kafka/test/lib/kafka-broker.ts";

const missing = kafkaMissing();
if (missing !== undefined) it.skip(`links to a real broker (skipped: ${missing})`, () => {});

const FETCH = 1;
const run = promisify(execFile);

describe.skipIf(missing !== undefined)("links to a real broker", { timeout: 180_000 }, () => {
  let kafka: KafkaCluster;
  let node: KafkaNode;
  const readers: KafkaReader[] = [];

  beforeAll(async () => {
    kafka = await startKafka();
    node = kafka.nodes[0] as KafkaNode;
    const { helper } = kafka;
    await helper.createTopic("many", { partitions: 2 });
    await helper.producer("plain", { "batch.size": 16_384 });
    await helper.fill("plain", "many", { count: 20_000, size: 200, partitions: 2 });
    await helper.createTopic("few");
    await helper.fill("plain", "few", { count: 100, size: 100 });
  }, 180_000);
  beforeEach(async () => {
    for (const reader of readers.splice(0)) await reader.close();
    node.proxy.heal();
  });
  afterAll(async () => {
    for (const reader of readers.splice(0)) await reader.close();
    await kafka?.stop();
  });

  async function open(topic: string, options: Partial<AssignOptions> = {}, patience = {}): Promise<KafkaReader> {
    const connection = { brokers: kafka.brokers("PROXIED"), ...patience };
    const reader = await openKafka({ mode: "assign", connection, topics: [topic], end: "latest", ...options });
    readers.push(reader);
    return reader;
  }

  it("that are slow and bring one byte at a time", async () => {
    node.proxy.link({ latencyMs: 50, bytesPerSecond: 375_000, sliceBytes: 1 });
    const got = await collect(await open("few"));
    await got.expectAll(kafka.helper, "few");
  });

  it("that are cut in the middle of an answer, again and again", async () => {
    const dice = new Dice(1);
    node.proxy.answers(({ apiKey, frame, index }) =>
      apiKey === FETCH && index % 2 === 0 && index < 12 ? { cutAt: 1 + dice.below(frame.length - 1) } : undefined,
    );
    const got = await collect(await open("many", { partitionBytes: 64 * 1024 }));
    await got.expectAll(kafka.helper, "many", 2);
    expect(node.proxy.requests.get(FETCH)).toBeGreaterThan(12);
  });

  it("whose answers end within a batch, and whose batches are larger than what was asked for", async () => {
    for (const partitionBytes of [1, 5000, 20_000]) {
      const got = await collect(await open("few", { partitionBytes }));
      await got.expectAll(kafka.helper, "few");
    }
  });

  it("that turn bits over: never a row that was not written", async () => {
    const { helper } = kafka;
    const truth = new Collected();
    await collect(await open("few"), Number.POSITIVE_INFINITY, truth);
    await truth.expectAll(helper, "few");
    const outcomes = { exact: 0, refused: 0 };
    for (let seed = 1; seed <= 40; seed++) {
      const dice = new Dice(seed);
      // Behind length and correlation id, with which the whole connection would be lost.
      node.proxy.answers(({ apiKey, frame, index }) =>
        apiKey === FETCH && index === 0 ? { flipAt: 8 + dice.below(frame.length - 8) } : undefined,
      );
      const got = new Collected();
      const patience = { requestTimeoutMs: 5000, retryTimeoutMs: 20_000 };
      try {
        await collect(await open("few", {}, patience), Number.POSITIVE_INFINITY, got);
        expect(got.lines(0), `seed ${seed}`).toEqual(truth.lines(0));
        outcomes.exact++;
      } catch (error) {
        if (!isIngestError(error)) throw error;
        expect(error.where, `seed ${seed}: ${error.message}`).toMatchObject({ topic: "few", partition: 0 });
        expect(error.remedy, error.message).toBeDefined();
        expect(truth.lines(0).slice(0, got.rows), `seed ${seed}`).toEqual(got.lines(0));
        outcomes.refused++;
      }
      await readers.pop()?.close();
    }
    // Most bytes are the records', and those are covered by a checksum.
    expect(outcomes.refused).toBeGreaterThan(20);
  });

  it("that turn a bit of a record over: the batch is named", async () => {
    node.proxy.answers(({ apiKey, frame, index }) =>
      apiKey === FETCH && index === 0 ? { flipAt: frame.length - 30 } : undefined,
    );
    const error = await failureOf(collect(await open("few")), 30_000);
    expect(error).toBeInstanceOf(FormatError);
    expect(isIngestError(error) && error.where).toMatchObject({ topic: "few", partition: 0 });
    expect(isIngestError(error) && error.where.kafkaOffset).toBeLessThan(100);
    expect(error.message).toMatch(/CRC|checksum/i);
  });

  it("that fall silent: an error in time, and no row lost when they come back", async () => {
    const patience = { requestTimeoutMs: 1000, retryTimeoutMs: 1500, connectTimeoutMs: 1000 };
    const silent = await open("many", { partitionBytes: 32 * 1024, bytesInFlight: 64 * 1024 }, patience);
    const got = await collect(silent, 100);
    node.proxy.link({ blackhole: true });
    const error = await failureOf(collect(silent, Number.POSITIVE_INFINITY, got), 30_000);
    expect(error).toBeInstanceOf(SourceError);
    expect(error.message).toContain("127.0.0.1");
    node.proxy.heal();
    node.proxy.reset();

    const patient = await open(
      "many",
      { partitionBytes: 32 * 1024, bytesInFlight: 64 * 1024 },
      { requestTimeoutMs: 1500 },
    );
    const again = await collect(patient, 100);
    node.proxy.link({ blackhole: true });
    setTimeout(() => node.proxy.heal(), 1500);
    await collect(patient, Number.POSITIVE_INFINITY, again);
    await again.expectAll(kafka.helper, "many", 2);
  });

  it("that are refused: an error that names the brokers, in time", async () => {
    node.proxy.link({ refuse: true });
    const error = await failureOf(open("few", {}, { connectTimeoutMs: 1000, retryTimeoutMs: 2000 }), 30_000);
    expect(error).toBeInstanceOf(SourceError);
    expect(error.message).toContain(`127.0.0.1:${node.proxy.port}`);
  });

  it.each(["assign", "group"])("to a trainer that stops: memory within the budget, no rebalance (%s)", async (mode) => {
    const { helper } = kafka;
    const topic = `stopped-${mode}`;
    await helper.createTopic(topic, { partitions: 4 });
    await helper.fill("plain", topic, { count: 120_000, size: 1000, partitions: 4 });
    // Longer than the session: without heartbeats the group would have thrown it out.
    const job = { brokers: kafka.brokers(), topic, mode, seconds: mode === "group" ? 8 : 3, budgetBytes: 32 * 2 ** 20 };
    const worker = join(import.meta.dirname, "lib", "slow-trainer-worker.mjs");
    const { stdout } = await run(process.execPath, ["--expose-gc", worker, JSON.stringify(job)]);
    const result = JSON.parse(stdout) as {
      baseMb: number;
      peakMb: number;
      broken: number;
      rows: number;
      before: number;
    };
    expect(result.peakMb - result.baseMb).toBeLessThan(32 + 150);
    expect(result.broken).toBe(0);
    expect(result.rows).toBeGreaterThan(result.before);
  });
});
