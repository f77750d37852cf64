// Topics that change under a reader, clocks, credentials, registries and dead letters, on one real broker.
import { FormatError, isIngestError, OptionsError, SourceError } from "@ingest-ts/core";
import { type AssignOptions, type KafkaConnection, type KafkaReader, openKafka, openTransport } from "@ingest-ts/kafka";
import { deadLetterHeaders, PayloadReader } from "@ingest-ts/kafka/payload";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Collected, collect, failureOf } from "../packages/kafka/test/lib/collect.ts";
import {
  type KafkaCluster,
  kafkaMissing,
  saslPassword,
  saslUser,
  startKafka,
} from "../packages/kafka/test/lib/kafka-broker.ts";
import { RegistryStub } from "../packages/kafka/test/lib/registry-stub.ts";

const missing = kafkaMissing();
if (missing !== undefined) it.skip(`topics of a real broker (skipped: ${missing})`, () => {});

/** A token without a signature, as the broker takes it in tests. */
function token(expiresInSeconds: number): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString("base64url");
  return `${part({ alg: "none" })}.${part({ sub: "reader", iat: now - 100, exp: now + expiresInSeconds })}.`;
}

describe.skipIf(missing !== undefined)("topics of a real broker", { timeout: 180_000 }, () => {
  let kafka: KafkaCluster;
  const readers: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    kafka = await startKafka({
      secure: true,
      config: {
        // Sessions of this mechanism end soon, unless they are renewed.
        "listener.name.sasltls.scram-sha-256.connections.max.reauth.ms": 4000,
      },
    });
    const { helper } = kafka;
    await helper.producer("p");
    await helper.scramUser(saslUser, saslPassword, "SCRAM-SHA-256");
    await helper.scramUser(saslUser, saslPassword, "SCRAM-SHA-512");
  }, 180_000);
  afterEach(async () => {
    for (const reader of readers.splice(0)) await reader.close();
  });
  afterAll(() => kafka?.stop());

  async function open(
    topic: string,
    options: Partial<AssignOptions> = {},
    connection: Partial<KafkaConnection> = {},
  ): Promise<KafkaReader> {
    const whole = { brokers: kafka.brokers(), ...connection };
    const reader = await openKafka({ mode: "assign", topics: [topic], end: "latest", ...options, connection: whole });
    readers.push(reader);
    return reader;
  }

  it("that get partitions while they are read: the new ones from their beginning", async () => {
    const { helper } = kafka;
    await helper.createTopic("grows");
    await helper.fill("p", "grows", { count: 50 });
    const reader = await open("grows", { end: "none", discoveryIntervalMs: 300 });
    const got = await collect(reader, 50);
    await helper.addPartitions("grows", 3);
    await helper.fill("p", "grows", { count: 60, partitions: 3, from: 50 });
    await collect(reader, 110, got);
    await got.expectAll(helper, "grows", 3);
  });

  it("that are deleted and made again while they are read: an error, never rows of the new one", async () => {
    const { helper } = kafka;
    await helper.createTopic("again");
    await helper.fill("p", "again", { count: 100 });
    const reader = await open("again", { end: "none", discoveryIntervalMs: 300 }, { retryTimeoutMs: 20_000 });
    const got = await collect(reader, 100);
    const before = [...got.lines(0)];
    const state = reader.stateDict();
    await helper.deleteTopic("again");
    await helper.createTopic("again");
    // More than there were: offsets alone show nothing.
    await helper.producer("fresh");
    await helper.fill("fresh", "again", { count: 300, size: 40 });
    const error = await failureOf(collect(reader, 101, got), 60_000);
    expect(isIngestError(error) && error.where.topic).toBe("again");
    expect(isIngestError(error) && error.remedy).toBeDefined();
    expect(got.lines(0)).toEqual(before);
    const resumed = await open("again", { end: "none" });
    expect(() => resumed.loadStateDict(state)).toThrow(/deleted and made again/);
  });

  it("that are deleted while they are read: an error in time", async () => {
    const { helper } = kafka;
    await helper.createTopic("gone");
    await helper.fill("p", "gone", { count: 10 });
    const reader = await open("gone", { end: "none", discoveryIntervalMs: 300 }, { retryTimeoutMs: 4000 });
    const got = await collect(reader, 10);
    await helper.deleteTopic("gone");
    const error = await failureOf(collect(reader, 11, got), 60_000);
    expect(isIngestError(error) && error.where.topic).toBe("gone");
    await expect(open("never-made")).rejects.toThrow(/never-made/);
  });

  it("whose clock is the broker's", async () => {
    const { helper } = kafka;
    await helper.createTopic("clock", { config: { "message.timestamp.type": "LogAppendTime" } });
    const started = Date.now();
    await helper.send(
      "p",
      "clock",
      [
        { value: "a", timestamp: 1000 },
        { value: "b", timestamp: 2000 },
      ],
      0,
    );
    const slab = (await (await open("clock")).next()).value;
    const bytes = slab?.columns.columns[3]?.data as Uint8Array;
    const times = [0, 8].map((at) => Number(new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(at, true)));
    expect(times).toEqual((await helper.read("clock")).map(({ timestamp }) => timestamp));
    expect(times[0]).toBeGreaterThan(started - 60_000);
    const later = await open("clock", { start: { timestampMs: started - 60_000 } });
    expect((await collect(later)).rows).toBe(2);
  });

  describe("behind TLS and passwords", () => {
    const ssl = () => ({ ca: kafka.ca as string });
    const secure = () => ({ brokers: kafka.brokers("SASLTLS"), ssl: ssl(), retryTimeoutMs: 5000 });
    const login = { username: saslUser, password: saslPassword };

    beforeAll(async () => {
      await kafka.helper.createTopic("safe");
      await kafka.helper.fill("p", "safe", { count: 500 });
    });

    it.each(["plain", "scram-sha-256", "scram-sha-512"] as const)("are read with %s", async (mechanism) => {
      const got = await collect(await open("safe", {}, { ...secure(), sasl: { mechanism, ...login } }));
      await got.expectAll(kafka.helper, "safe");
    });

    it("are read with a token, with TLS alone, and without TLS", async () => {
      const sasl = { mechanism: "oauthbearer", token: () => Promise.resolve(token(600)) } as const;
      for (const connection of [
        { ...secure(), sasl },
        { brokers: kafka.brokers("TLS"), ssl: ssl() },
        { brokers: kafka.brokers("SASL"), sasl: { mechanism: "plain", ...login } as const },
      ]) {
        expect((await collect(await open("safe", {}, connection))).rows).toBe(500);
      }
    });

    it("refuse a wrong password, an expired token and an unknown authority, in time and without a secret", async () => {
      const wrong = { mechanism: "plain", username: saslUser, password: "wr0ng-pass" } as const;
      const expired = { mechanism: "oauthbearer", token: () => Promise.resolve(token(-50)) } as const;
      const scram = { mechanism: "scram-sha-512", username: "nobody", password: "wr0ng-pass" } as const;
      for (const sasl of [wrong, expired, scram]) {
        const error = await failureOf(open("safe", {}, { ...secure(), sasl }), 30_000);
        expect(error, error.message).toBeInstanceOf(SourceError);
        expect(error, error.message).toMatchObject({ reason: "AccessDenied" });
        expect(`${error.stack}${String(error.cause)}`).not.toMatch(/wr0ng|eyJ/);
      }
      const stranger = { brokers: kafka.brokers("SASLTLS"), ssl: true, sasl: wrong, retryTimeoutMs: 3000 };
      const error = await failureOf(open("safe", {}, stranger), 30_000);
      expect(error).toBeInstanceOf(SourceError);
      expect(error.message).toMatch(/certificate|TLS/i);
    });

    it("stay read when sessions end and have to be renewed", async () => {
      const { helper } = kafka;
      await helper.createTopic("renewed");
      const sasl = { mechanism: "scram-sha-256", ...login } as const;
      const reader = await open("renewed", { end: "none" }, { ...secure(), sasl, retryTimeoutMs: 60_000 });
      const got = new Collected();
      // Seven seconds are several sessions.
      for (let i = 0; i < 14; i++) {
        await helper.fill("p", "renewed", { count: 20, from: i * 20 });
        await collect(reader, (i + 1) * 20, got);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      await got.expectAll(helper, "renewed");
    });
  });

  describe("with Avro and a registry", () => {
    let stub: RegistryStub;
    beforeAll(async () => {
      stub = await RegistryStub.start();
    });
    afterAll(() => stub?.stop());

    const framed = (id: number, ...bytes: number[]): Uint8Array => Uint8Array.from([0, 0, 0, 0, id, ...bytes]);

    it("wait for a registry that is down, and skip what it does not know", async () => {
      const { helper } = kafka;
      const { id } = stub.register("avro-value", { type: "record", name: "R", fields: [{ name: "x", type: "int" }] });
      await helper.createTopic("avro");
      const values = [framed(id, 2), framed(99, 2), framed(id, 4), Uint8Array.of(7)];
      await helper.send(
        "p",
        "avro",
        values.map((value) => ({ value })),
        0,
      );
      stub.fault = (index) => (index < 3 ? { status: 503 } : undefined);
      const registry = { url: stub.url };
      const options = { valueAs: { as: "avro", registry, subject: "avro-value" }, expand: true } as const;
      const skipping = new PayloadReader(await open("avro"), { ...options, onPoison: "skip", maxBadFraction: 0.5 });
      const slab = (await skipping.next()).value;
      expect(slab?.columns.columns[5]?.data).toEqual(new Uint8Array(Int32Array.of(1, 2).buffer));
      expect(slab?.gaps).toEqual([
        { cause: "skipped", start: 1, end: 2 },
        { cause: "skipped", start: 3, end: 4 },
      ]);
      const failing = new PayloadReader(await open("avro"), options);
      const error = await failureOf(failing.next(), 30_000);
      expect(isIngestError(error) && error.where).toMatchObject({ topic: "avro", partition: 0, kafkaOffset: 1 });
      stub.fault = () => ({ hang: true });
      const impatient = { url: stub.url, requestTimeoutMs: 500, retryTimeoutMs: 1500 };
      const waiting = new PayloadReader(await open("avro"), { valueAs: { as: "avro", registry: impatient } });
      expect(await failureOf(waiting.next(), 30_000)).toBeInstanceOf(SourceError);
    });

    it("whose dead letters are there before the rows are handed over", async () => {
      const { helper } = kafka;
      await helper.createTopic("letters");
      await helper.createTopic("dead", { partitions: 2 });
      const good = { value: '{"x":1}' };
      const bad = { key: "k", value: "{", headers: [["h", "1"]] as const };
      await helper.send("p", "letters", [good, bad, good, { value: "[" }], 0);
      const transport = openTransport({ brokers: kafka.brokers() });
      readers.push(transport);
      const deadLetters = { topic: "dead", transport };
      const reader = new PayloadReader(await open("letters"), { valueAs: "json", onPoison: "deadLetter", deadLetters });
      const slab = (await reader.next()).value;
      const letters = await helper.read("dead");
      expect(slab?.columns.rows).toBe(2);
      expect(letters.map(({ key, value }) => [String(key), String(value)])).toEqual([
        ["k", "{"],
        ["null", "["],
      ]);
      const headers = new Map(letters[0]?.headers.map(([name, bytes]) => [name, String(bytes)]));
      expect(headers.get("h")).toBe("1");
      expect(headers.get(deadLetterHeaders.topic)).toBe("letters");
      expect(headers.get(deadLetterHeaders.offset)).toBe("1");
      const missingTopic = { topic: "no-such-topic", transport };
      const lost = new PayloadReader(await open("letters"), {
        valueAs: "json",
        onPoison: "deadLetter",
        deadLetters: missingTopic,
      });
      expect(await failureOf(lost.next(), 30_000)).toBeInstanceOf(OptionsError);
      const strict = new PayloadReader(await open("letters"), { valueAs: "json" });
      expect(await failureOf(strict.next(), 30_000)).toBeInstanceOf(FormatError);
    });
  });
});
