// The tests' own tools: a real broker, the reference client and the proxy before it do what the other tests rely on.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  type KafkaCluster,
  kafkaMissing,
  kcatMissing,
  saslPassword,
  saslUser,
  startKafka,
} from "./lib/kafka-broker.ts";

const run = promisify(execFile);
const missing = kafkaMissing() ?? kcatMissing();
if (missing !== undefined) it.skip(`a real broker (skipped: ${missing})`, () => {});

describe.skipIf(missing !== undefined)("a real broker", { timeout: 180_000 }, () => {
  let kafka: KafkaCluster;
  beforeAll(async () => {
    kafka = await startKafka({ secure: true });
  }, 180_000);
  afterAll(() => kafka?.stop());

  it("keeps records, headers, tombstones, transactions and codecs", async () => {
    const { helper } = kafka;
    // A record of 1970 would be gone as soon as the broker looks for old ones.
    await helper.createTopic("first", { partitions: 2, config: { "retention.ms": -1 } });
    await helper.producer("p", { "compression.type": "zstd" });
    const records = [
      {
        key: "a",
        value: "one",
        timestamp: 1000,
        headers: [
          ["h", "x"],
          ["h", null],
        ] as const,
      },
      { key: null, value: null },
    ];
    expect(await helper.send("p", "first", records, 1)).toEqual([0, 1]);
    const [one, two] = await helper.read("first", { partition: 1 });
    expect(one).toMatchObject({ offset: 0, timestamp: 1000, key: Buffer.from("a"), value: Buffer.from("one") });
    expect(one?.headers).toEqual([
      ["h", Buffer.from("x")],
      ["h", null],
    ]);
    expect(two).toMatchObject({ key: null, value: null });

    await helper.producer("t", { "transactional.id": "t" });
    await helper.begin("t");
    await helper.send("t", "first", [{ value: "aborted" }], 0);
    await helper.abort("t");
    await helper.begin("t");
    await helper.send("t", "first", [{ value: "committed" }], 0);
    await helper.commit("t");
    expect((await helper.read("first")).map(({ offset, value }) => [offset, String(value)])).toEqual([
      [2, "committed"],
    ]);
    expect(await helper.read("first", { isolation: "read_uncommitted" })).toHaveLength(2);
    expect(await helper.digest("first")).toMatchObject({ records: 1 });
    await helper.deleteRecords("first", 0, 2);
    await helper.addPartitions("first", 3);
    expect(await helper.offsets("first")).toMatchObject([
      { start: 2, lastStable: 4 },
      { highWatermark: 2 },
      { start: 0 },
    ]);
    await helper.deleteTopic("first");
    await helper.createTopic("first");
    expect((await helper.describeTopic("first")).partitions).toHaveLength(1);
  });

  it("keeps its records through kill -9, and waits while it is frozen", async () => {
    const { helper } = kafka;
    const [node] = kafka.nodes;
    await helper.createTopic("kept");
    await helper.producer("k");
    await helper.fill("k", "kept", { count: 1000, size: 50 });
    const before = await helper.digest("kept");
    expect(before.records).toBe(1000);
    await node?.kill();
    node?.start();
    await kafka.ready();
    expect(await helper.digest("kept")).toEqual(before);
    node?.freeze();
    let answered = false;
    const asked = helper.offsets("kept").then(() => (answered = true));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(answered).toBe(false);
    node?.thaw();
    await asked;
  });

  it("lets kcat in over TLS with the right password alone", async () => {
    const { helper } = kafka;
    await helper.createTopic("secret");
    await helper.producer("s");
    await helper.send("s", "secret", [{ value: "seen" }], 0);
    const caFile = join(tmpdir(), `ingest-ca-${process.pid}.pem`);
    writeFileSync(caFile, kafka.ca as string);
    // Not SCRAM: Debian's librdkafka repeats a nonce there, which brokers since 3.7.2 refuse.
    const read = (password: string, seconds: number): Promise<{ stdout: string }> => {
      const settings = ["sasl.mechanism=PLAIN", `sasl.username=${saslUser}`, `sasl.password=${password}`];
      const security = ["security.protocol=SASL_SSL", `ssl.ca.location=${caFile}`];
      const brokers = kafka.brokers("SASLTLS").join(",");
      const args = ["-b", brokers, "-m", String(seconds), "-C", "-e", "-q", "-t", "secret", "-o", "beginning"];
      return run("kcat", [...args, ...[...security, ...settings].flatMap((each) => ["-X", each])]);
    };
    expect((await read(saslPassword, 40)).stdout).toBe("seen\n");
    await expect(read("wrong", 3)).rejects.toThrow();
    expect(kafka.nodes[0]?.log).toContain("Failed authentication");
  });

  /** A metadata request through the proxy: what came until the end, a reset or 300 ms of silence. */
  function ask(port: number): Promise<Buffer | "reset"> {
    return new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1");
      let got = Buffer.alloc(0);
      socket.write(Buffer.from([0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 7, 255, 255, 0, 0, 0, 0]));
      socket.on("data", (bytes) => {
        got = Buffer.concat([got, bytes]);
        if (got.length >= 4 && got.length === got.readInt32BE(0) + 4) socket.destroy();
      });
      socket.setTimeout(1500, () => socket.destroy());
      let failed = false;
      socket.on("error", () => (failed = true));
      socket.on("close", () => resolve(failed && got.length === 0 ? "reset" : got));
    });
  }

  it("stands behind a proxy that slows, slices, cuts, flips and swallows", async () => {
    const { proxy } = kafka.nodes[0] as (typeof kafka.nodes)[0];
    const whole = (await ask(proxy.port)) as Buffer;
    expect(whole.readInt32BE(0)).toBe(whole.length - 4);
    expect(whole.readInt32BE(4)).toBe(7);
    proxy.link({ latencyMs: 100, sliceBytes: 1 });
    const started = Date.now();
    expect(await ask(proxy.port)).toEqual(whole);
    expect(Date.now() - started).toBeGreaterThanOrEqual(190);
    proxy.heal();
    proxy.answers(({ apiKey }) => (apiKey === 3 ? { flipAt: 20 } : undefined));
    const flipped = (await ask(proxy.port)) as Buffer;
    expect((flipped[20] as number) ^ (whole[20] as number)).toBe(1);
    expect(proxy.requests.get(3)).toBe(1);
    proxy.answers(({ index }) => (index === 0 ? { cutAt: 10 } : undefined));
    expect(await ask(proxy.port)).toEqual(whole.subarray(0, 10));
    expect(await ask(proxy.port)).toEqual(whole);
    proxy.link({ blackhole: true });
    expect(await ask(proxy.port)).toHaveLength(0);
    proxy.link({ refuse: true });
    expect(await ask(proxy.port)).toBe("reset");
    proxy.heal();
    expect(await ask(proxy.port)).toEqual(whole);
  });
});
