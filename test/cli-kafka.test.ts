// `ingest kafka` against a real broker: needs `npm run build` first (npm test does it).
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type KafkaCluster,
  kafkaMissing,
  saslPassword,
  saslUser,
  startKafka,
} from "../packages/kafka/test/lib/kafka-broker.ts";
import { ingest } from "./lib/cli.ts";

const missing = kafkaMissing();
if (missing !== undefined) it.skip(`ingest kafka (skipped: ${missing})`, () => {});

describe.skipIf(missing !== undefined)("ingest kafka", () => {
  let kafka: KafkaCluster;
  let url: string;
  beforeAll(async () => {
    kafka = await startKafka({ secure: true });
    url = `kafka://${kafka.brokers().join(",")}`;
    const { helper } = kafka;
    await helper.scramUser(saslUser, saslPassword, "SCRAM-SHA-512");
    await helper.createTopic("flights", { partitions: 2 });
    await helper.producer("p");
    await helper.send("p", "flights", [{ value: "a" }, { value: "b" }, { value: "c" }], 0);
    await helper.producer("t", { "transactional.id": "t" });
    await helper.begin("t");
    await helper.send("t", "flights", [{ value: "open" }], 1);
  });
  afterAll(() => kafka?.stop());

  it("inspect says which brokers and topics there are", async () => {
    const { status, stdout, stderr } = await ingest(["kafka", "inspect", url]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      /^cluster \S+, 1 broker\n {2}1 {2}\S+:\d+ {2}controller\n\n1 topic\n {2}flights {2}2 partitions\n$/,
    );
  });

  it("inspect of a topic says where its partitions stand", async () => {
    const { stdout } = await ingest(["kafka", "inspect", `${url}/flights`]);
    const cells = stdout.split("\n").map((line) => line.split(/ {2,}/));
    expect(cells[0]).toEqual(["topic", "partition", "leader", "in sync", "earliest", "stable", "end"]);
    expect(cells[1]?.map((cell) => cell.trim())).toEqual(["flights", "0", "1", "1/1", "0", "3", "3"]);
    // An open transaction: records that nobody may read yet.
    expect(cells[2]?.map((cell) => cell.trim())).toEqual(["flights", "1", "1", "1/1", "0", "0", "1"]);
    const { partitions } = JSON.parse((await ingest(["kafka", "inspect", `${url}/flights`, "--json"])).stdout) as {
      partitions: object[];
    };
    expect(partitions[1]).toMatchObject({ partition: 1, lastStableOffset: 0, highWatermark: 1 });
  });

  it("lag counts from the commit, or from the beginning", async () => {
    const { status, stdout } = await ingest(["kafka", "lag", `${url}/flights`, "--group", "nobody"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/flights +0 +none +3 +3\n/);
    expect(stdout).toContain("group nobody: 3 records behind\n");
    const all = await ingest([
      "kafka",
      "lag",
      `${url}/flights`,
      "--group",
      "nobody",
      "--json",
      "--isolation",
      "read_uncommitted",
    ]);
    expect(JSON.parse(all.stdout)).toMatchObject({
      group: "nobody",
      lag: 4,
      topics: [{ committed: null, lag: 3 }, { lag: 1 }],
    });
  });

  it("logs in, and never says the password", async () => {
    const args = [
      "kafka",
      "inspect",
      `kafka://${kafka.brokers("SASL").join(",")}`,
      "--security-protocol",
      "sasl_plaintext",
    ];
    const user = { INGEST_KAFKA_USERNAME: saslUser };
    const good = await ingest([...args, "--sasl-mechanism", "scram-sha-512"], {
      ...user,
      INGEST_KAFKA_PASSWORD: saslPassword,
    });
    expect([good.status, good.stderr]).toEqual([0, ""]);
    const bad = await ingest([...args, "--sasl-mechanism", "plain"], { ...user, INGEST_KAFKA_PASSWORD: "wrong-77c2" });
    expect(bad.status).toBe(4);
    expect(bad.stderr).toMatch(/^ingest: .*(credentials|login|refused|authentication)/i);
    expect(bad.stdout + bad.stderr).not.toContain("wrong-77c2");
  });

  it("names what is wrong, and ends with the code for it", async () => {
    const missingTopic = await ingest(["kafka", "inspect", `${url}/nothing`]);
    expect([missingTopic.status, missingTopic.stderr]).toEqual([
      2,
      expect.stringContaining('there is no topic "nothing"'),
    ]);
    const nowhere = await ingest(["kafka", "inspect", "kafka://127.0.0.1:1"]);
    expect([nowhere.status, nowhere.stderr]).toEqual([4, expect.stringContaining("127.0.0.1:1")]);
    const noTopic = await ingest(["kafka", "lag", url, "--group", "g"]);
    expect([noTopic.status, noTopic.stderr]).toEqual([2, expect.stringContaining("names no topic")]);
    expect((await ingest(["kafka", "lag", "http://x/y", "--group", "g"])).status).toBe(2);
  });
});
