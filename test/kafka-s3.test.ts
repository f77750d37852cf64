// A real topic into Parquet on a real S3 server, by consumers that are killed: needs `npm run build` (npm test does it).
import { configureStorage } from "@ingest-ts/storage";
import { open } from "@ingest-ts/readers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type KafkaCluster, kafkaMissing, startKafka } from "../packages/kafka/test/lib/kafka-broker.ts";
import { setCredentials, TestBucket } from "../packages/storage/test/lib/s3-fixture.ts";
import { accessKey, type S3Server, secretKey, servers } from "../packages/storage/test/lib/servers.ts";
import { ingest, Running } from "./lib/cli.ts";

/** Five in .ci/run. */
const KILLS = Number(process.env["INGEST_S3_KILLS"] ?? 1);
const ROWS = 4000;
const PARTITIONS = 3;

const kind = servers[0];
const missing = kafkaMissing() ?? kind?.missing;
if (missing !== undefined) it.skip(`Kafka to S3 (skipped: ${missing})`, () => {});

describe.skipIf(missing !== undefined || kind === undefined)("Kafka to S3", () => {
  let kafka: KafkaCluster;
  let server: S3Server;
  let undo = (): void => {};
  beforeAll(async () => {
    if (kind === undefined) return;
    [kafka, server] = await Promise.all([startKafka(), kind.start()]);
    undo = setCredentials();
    configureStorage({ s3: { endpoint: server.endpoint } });
    await new TestBucket(server.endpoint, "shards").create();
  });
  afterAll(async () => {
    undo();
    configureStorage({});
    await Promise.all([kafka?.stop(), server?.stop()]);
  });

  it.each([
    ["in a group", ["--group", "s3", "--instance-id", "one"]],
    ["without a group", []],
  ])(
    `holds every record once after ${KILLS} kills, %s`,
    async (name, mode) => {
      const topic = mode.length > 0 ? "grouped" : "assigned";
      await kafka.helper.createTopic(topic, { partitions: PARTITIONS });
      await kafka.helper.producer(topic, { "compression.type": "snappy" });
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const values = Array.from({ length: ROWS }, (_, i) => ({
          value: JSON.stringify({ id: partition * ROWS + i }),
        }));
        await kafka.helper.send(topic, topic, values, partition);
      }
      const env = { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey, AWS_REGION: "us-east-1" };
      const store = ["--to", `s3://shards/${topic}`, "--endpoint-url", server.endpoint];
      const url = `kafka://${kafka.brokers().join(",")}/${topic}`;
      const roll = ["--value-as", "json", "--roll-rows", "400", "--bytes-in-flight", "32KiB"];
      const args = ["consume", url, ...mode, ...store, ...roll];
      for (let kill = 0; kill < KILLS; kill++) {
        const running = new Running(args, env);
        await running.says(/(shard written[\s\S]*){2}/);
        await running.kill("SIGKILL");
      }
      if (mode.length === 0) {
        expect((await ingest([...args, "--until", "latest"], env)).status, name).toBe(0);
      } else {
        const last = new Running([...args, "--roll-seconds", "1"], env);
        const lag = ["kafka", "lag", url, "--group", "s3", "--json"];
        const behind = async (): Promise<number> => (JSON.parse((await ingest(lag)).stdout) as { lag: number }).lag;
        await expect.poll(behind, { timeout: 120_000, interval: 1000 }).toBe(0);
        expect(await last.kill("SIGTERM")).toBe(0);
      }
      const reader = await open(`s3://shards/${topic}/`, { columns: ["value"] });
      const ids: number[] = [];
      for await (const batch of reader) {
        for (const row of batch) ids.push(Number((row as unknown as { value: { id: bigint } }).value.id));
      }
      await reader.close();
      expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: PARTITIONS * ROWS }, (_, i) => i));
    },
    300_000,
  );
});
