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

  it("cat reads a topic like a file, up to its end now", async () => {
    const { helper } = kafka;
    await helper.createTopic("cat", { partitions: 2 });
    // Older than its retention, a topic would delete them.
    const now = Date.now();
    const timeOf = (i: number): number => now - (10 - i) * 60_000;
    const values = [1, 2, 3, 4].map((i) => ({
      value: JSON.stringify({ i, name: `n${i}` }),
      timestamp: timeOf(i),
    }));
    await helper.send("p", "cat", values, 1);
    const cat = async (...args: string[]) => {
      const { status, stdout, stderr } = await ingest([
        "cat",
        `${url}/cat`,
        "--value-as",
        "json",
        "--to",
        "jsonl",
        ...args,
      ]);
      expect([status, stderr]).toEqual([0, ""]);
      return stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object);
    };
    expect(await cat("--limit", "1")).toEqual([
      {
        topic: "cat",
        partition: 1,
        kafkaOffset: 0,
        timestamp: new Date(timeOf(1)).toISOString(),
        key: null,
        value: { i: 1, name: "n1" },
        headers: [],
      },
    ]);
    expect(await cat("--expand", "--columns", "i,name", "--where", "i > 1 and i < 4")).toEqual([
      { i: 2, name: "n2" },
      { i: 3, name: "n3" },
    ]);
    expect(await cat("--columns", "kafkaOffset", "--from", "1", "--until", "3")).toEqual([
      { kafkaOffset: 1 },
      { kafkaOffset: 2 },
    ]);
    expect(await cat("--columns", "kafkaOffset", "--from", new Date(timeOf(3)).toISOString())).toEqual([
      { kafkaOffset: 2 },
      { kafkaOffset: 3 },
    ]);
    // What is refused ends the process: nothing stays connected.
    const refused = async (...args: string[]) => {
      const { status, stdout, stderr } = await ingest(["cat", ...args]);
      expect([status, stdout]).toEqual([2, ""]);
      return stderr;
    };
    expect(await refused(`${url}/nowhere`)).toContain('there is no topic "nowhere"');
    expect(await refused(`${url}/cat`, "--from", "3", "--until", "2")).toContain("would begin at 3 and end at 2");
    expect(await refused(`${url}/cat`, "--from", "5")).toContain("no partition has it: they go from 0 to 0, 0 to 4");
    expect(await refused(`${url}/cat`, "--until", "5")).toContain("--until is 5");
    expect(await refused(`${url}/cat`, "--max-bad-records", "1")).toContain("maxBadRecords");
    const two = await ingest(["cat", `${url}/cat`, `${url}/flights`]);
    expect([two.status, two.stderr]).toEqual([2, expect.stringContaining("read by themselves")]);
    const file = await ingest(["cat", "x.parquet", "--from", "1"]);
    expect([file.status, file.stderr]).toEqual([2, expect.stringContaining("are of topics of Kafka")]);
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
