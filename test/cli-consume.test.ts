// `ingest consume` against a real broker: needs `npm run build` first (npm test does it).
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "@ingest-ts/readers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type KafkaCluster, kafkaMissing, startKafka } from "../packages/kafka/test/lib/kafka-broker.ts";
import { ingest, Running } from "./lib/cli.ts";

const missing = kafkaMissing();
if (missing !== undefined) it.skip(`ingest consume (skipped: ${missing})`, () => {});

describe.skipIf(missing !== undefined)("ingest consume", () => {
  let kafka: KafkaCluster;
  let folder: string;
  beforeAll(async () => {
    kafka = await startKafka();
    await kafka.helper.producer("p", { "compression.type": "lz4" });
  });
  afterAll(() => kafka?.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ingest-consume-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const urlOf = (topic: string): string => `kafka://${kafka.brokers().join(",")}/${topic}`;
  const valueOf = (partition: number, i: number): string => JSON.stringify({ partition, i, text: `row ${i}` });

  /** Rows 0 … rows − 1 in each of some partitions. */
  async function fill(topic: string, partitions: number, rows: number): Promise<void> {
    await kafka.helper.createTopic(topic, { partitions });
    await more(topic, partitions, 0, rows);
  }

  async function more(topic: string, partitions: number, from: number, to: number): Promise<void> {
    for (let partition = 0; partition < partitions; partition++) {
      const values = Array.from({ length: to - from }, (_, i) => ({ value: valueOf(partition, from + i) }));
      await kafka.helper.send("p", topic, values, partition);
    }
  }

  /** `partition:i` of every row in the shards, sorted; with the files that are there. */
  async function rowsIn(where: string): Promise<string[]> {
    const reader = await open(where, { columns: ["partition", "value"] });
    const rows: string[] = [];
    for await (const batch of reader) {
      for (const row of batch) {
        const { value } = row as unknown as { value: { partition: bigint; i: bigint } };
        rows.push(`${value.partition}:${value.i}`);
      }
    }
    await reader.close();
    return rows.sort();
  }

  const expected = (partitions: number, rows: number): string[] =>
    Array.from({ length: partitions * rows }, (_, k) => `${k % partitions}:${Math.floor(k / partitions)}`).sort();

  it("prints what a topic holds now", async () => {
    await fill("printed", 2, 3);
    const { status, stdout } = await ingest([
      "consume",
      urlOf("printed"),
      "--until",
      "latest",
      "--to",
      "jsonl",
      "--value-as",
      "json",
    ]);
    expect(status).toBe(0);
    const rows = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { partition: number; value: { i: number } });
    expect(rows.map(({ partition, value }) => `${partition}:${value.i}`).sort()).toEqual(expected(2, 3));
    expect(rows[0]).toMatchObject({ topic: "printed", kafkaOffset: 0, key: null, headers: [] });
    const few = await ingest(["consume", urlOf("printed"), "--to", "jsonl", "--limit", "1", "--log-format", "json"]);
    expect(few.status).toBe(0);
    const events = few.stderr
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events).toEqual(["reading", "done"]);
  });

  it("without a group goes on behind its last shard, however it was killed", async () => {
    await fill("assigned", 2, 3000);
    const args = [
      urlOf("assigned"),
      "--to",
      folder,
      "--value-as",
      "json",
      "--roll-rows",
      "500",
      "--bytes-in-flight",
      "64KiB",
    ];
    for (let kill = 0; kill < 3; kill++) {
      const running = new Running(["consume", ...args, "--until", "latest"]);
      await running.says("shard written");
      await running.kill("SIGKILL");
    }
    const { status, stderr } = await ingest(["consume", ...args, "--until", "latest"]);
    expect([status, stderr]).toEqual([0, expect.stringContaining("going on behind the last shard")]);
    expect(await rowsIn(folder)).toEqual(expected(2, 3000));
    await more("assigned", 2, 3000, 3010);
    expect((await ingest(["consume", ...args, "--until", "latest"])).status).toBe(0);
    expect(await rowsIn(folder)).toEqual(expected(2, 3010));
    const count = await ingest(["count", folder]);
    expect(count.stdout).toBe("6020\n");
  }, 120_000);

  it("without a group goes on with no topic that was made again under its name", async () => {
    await fill("again", 1, 100);
    const args = ["consume", urlOf("again"), "--to", folder, "--value-as", "json", "--until", "latest"];
    expect((await ingest(args)).status).toBe(0);
    await kafka.helper.deleteTopic("again");
    await kafka.helper.producer("p");
    await fill("again", 1, 150);
    const { status, stderr } = await ingest(args);
    expect([status, stderr]).toEqual([4, expect.stringContaining("deleted and made again")]);
    expect(await rowsIn(folder)).toEqual(expected(1, 100));
  });

  it("in a group answers probes, and finishes and commits when it is stopped", async () => {
    await fill("grouped", 2, 100);
    const args = [urlOf("grouped"), "--group", "g", "--to", folder, "--value-as", "json", "--ops-port", "0"];
    const running = new Running(["consume", ...args, "--log-format", "json"]);
    await running.says("listening for probes");
    const port = Number(/"port":(\d+)/.exec(running.stderr)?.[1]);
    const get = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: answer.status, text: await answer.text() };
    };
    await expect
      .poll(async () => (await get("/metrics")).text, { timeout: 60_000 })
      .toContain('ingest_records_total{source="kafka",result="delivered"} 200');
    expect((await get("/livez")).status).toBe(200);
    expect(await get("/readyz")).toEqual({ status: 200, text: '{"ok":true}\n' });
    const metrics = (await get("/metrics")).text;
    expect(metrics).toContain('ingest_assigned_partitions{source="kafka"} 2');
    expect(metrics).toContain('ingest_consumer_lag_records{topic="grouped",partition="1"} 0');
    const visible = (await readdir(folder, { recursive: true })).filter((name) => /[^/]+\.parquet$/.test(name));
    expect(visible.filter((name) => !name.includes("/."))).toEqual([]);
    expect(await running.kill("SIGTERM")).toBe(0);
    expect(running.stderr).toMatch(/"event":"stopping/);
    expect(await rowsIn(folder)).toEqual(expected(2, 100));
    const lag = JSON.parse(
      (await ingest(["kafka", "lag", urlOf("grouped"), "--group", "g", "--json"])).stdout,
    ) as object;
    expect(lag).toMatchObject({ lag: 0, topics: [{ committed: 100 }, { committed: 100 }] });
  });

  it("in a group loses nothing to SIGKILL, and doubles nothing in its shards", async () => {
    await fill("killed", 2, 2000);
    const args = [urlOf("killed"), "--group", "k", "--instance-id", "one", "--to", folder, "--value-as", "json"];
    const roll = ["--roll-rows", "300", "--bytes-in-flight", "32KiB"];
    for (let kill = 0; kill < 3; kill++) {
      const running = new Running(["consume", ...args, ...roll]);
      await running.says("shard written");
      await running.kill("SIGKILL");
    }
    const last = new Running(["consume", ...args, ...roll, "--roll-seconds", "1"]);
    await expect
      .poll(
        async () =>
          (
            JSON.parse((await ingest(["kafka", "lag", urlOf("killed"), "--group", "k", "--json"])).stdout) as {
              lag: number;
            }
          ).lag,
        { timeout: 90_000, interval: 1000 },
      )
      .toBe(0);
    expect(await last.kill("SIGTERM")).toBe(0);
    expect(await rowsIn(folder)).toEqual(expected(2, 2000));
  }, 180_000);

  it("leaves a bad record out within the budget, or ends with its place", async () => {
    await kafka.helper.createTopic("bad");
    await kafka.helper.send("p", "bad", [{ value: '{"a":1}' }, { value: "{" }, { value: '{"a":3}' }], 0);
    const args = ["consume", urlOf("bad"), "--until", "latest", "--to", "jsonl", "--value-as", "json"];
    const failed = await ingest(args);
    expect([failed.status, failed.stderr]).toEqual([
      3,
      expect.stringMatching(/topic "bad", partition 0, kafkaOffset 1/),
    ]);
    // TFRecord has no maps: headers are text there.
    const records = join(folder, "records");
    const written = await ingest([
      "consume",
      urlOf("bad"),
      "--until",
      "latest",
      "--to",
      records,
      "--format",
      "tfrecord",
    ]);
    expect([written.status, (await ingest(["count", records])).stdout]).toEqual([0, "3\n"]);
    const skipped = await ingest([...args, "--bad-records", "skip"]);
    expect(skipped.status).toBe(0);
    expect(skipped.stdout.trim().split("\n")).toHaveLength(2);
  });

  it("names what is wrong before it reads", async () => {
    const wrong = async (...args: string[]) => {
      const { status, stderr } = await ingest(["consume", ...args]);
      return `${status} ${stderr}`;
    };
    expect(await wrong()).toMatch(/^2 ingest: no topic is named/);
    expect(await wrong("kafka://user:secret@b/t")).toMatch(/^2 ingest: a Kafka URL carries no user/);
    expect(await wrong(urlOf("nothing-here"), "--to", folder)).toMatch(/^2 .*there is no topic "nothing-here"/s);
    expect(await wrong(urlOf("bad"), "--group", "g", "--until", "latest")).toMatch(
      /^2 .*--until is for readers without/s,
    );
    expect(await wrong(urlOf("bad"), "--to", "jsonl", "--format", "orc")).toMatch(
      /^2 .*--format, --codec and --lossy are of shards/s,
    );
    // Lines of JSON, and nothing else.
    const told = await ingest(["consume", urlOf("nothing-here"), "--to", folder, "--log-format", "json"]);
    expect([told.status, JSON.parse(told.stderr)]).toMatchObject([2, { event: "failed", code: "INGEST_OPTIONS" }]);
    expect(await wrong(urlOf("bad"), "--to", folder, "--instance-id", "x")).toMatch(/^2 .*are for members of a group/s);
    await ingest(["consume", urlOf("bad"), "--to", folder, "--until", "latest"]);
    expect(await wrong(urlOf("bad"), "--to", folder, "--until", "latest", "--value-as", "utf8")).toMatch(
      /^2 .*the shards there hold raw, and now it is to be utf8/s,
    );
    expect(await readFile(join(folder, "_shards", "columns.json"), "utf8")).toContain('"as":"raw"');
  });
});
