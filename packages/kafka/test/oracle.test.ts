// Consumers that are killed: what they noted is what was committed. In assign mode exactly; in group mode nothing is lost and
// what comes twice stays within the rows handed over since the last commit.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Dice, rowsOf } from "@ingest-ts/core/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openKafka } from "../src/reader/open.ts";
import { type KafkaCluster, kafkaMissing, kcatMissing, startKafka } from "./lib/kafka-broker.ts";

const missing = kafkaMissing() ?? kcatMissing();
if (missing !== undefined) it.skip(`killed consumers (skipped: ${missing})`, () => {});

const kills = Number(process.env["INGEST_KAFKA_KILLS"] ?? 6);
const seed = Number(process.env["INGEST_SEED"] ?? 7);
const worker = join(dirname(fileURLToPath(import.meta.url)), "lib", "oracle-worker.mjs");
const partitions = 3;

describe.skipIf(missing !== undefined)("killed consumers", () => {
  let kafka: KafkaCluster;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "ingest-oracle-"));
    kafka = await startKafka({ config: { "group.min.session.timeout.ms": 500 } });
  }, 180_000);
  afterAll(async () => {
    await kafka?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Numbered and hashed records by two producers with transactions, a third of which abort, and one without. */
  async function write(topic: string, rounds: number, dice: Dice, from: number): Promise<number> {
    let number = from;
    const records = () =>
      Array.from({ length: 1 + dice.below(40) }, () => {
        const text = `${number++}`;
        const key = dice.below(5) === 0 ? Buffer.alloc(4) : text;
        return { key, value: `${text} ${createHash("sha256").update(text).digest("hex").slice(0, 16)}` };
      });
    for (let i = 0; i < rounds; i++) {
      for (const name of ["t1", "t2"]) await kafka.helper.begin(`${topic}-${name}`);
      for (const name of ["t1", "plain", "t2", "t1"]) {
        await kafka.helper.send(`${topic}-${name}`, topic, records(), dice.below(partitions));
      }
      for (const name of ["t2", "t1"]) {
        if (dice.below(3) === 0) await kafka.helper.abort(`${topic}-${name}`);
        else await kafka.helper.commit(`${topic}-${name}`);
      }
    }
    return number;
  }

  async function prepared(topic: string, rounds: number): Promise<Dice> {
    const dice = new Dice(seed);
    await kafka.helper.createTopic(topic, { partitions });
    await kafka.helper.producer(`${topic}-plain`, { "compression.type": "lz4" });
    await kafka.helper.producer(`${topic}-t1`, { "transactional.id": `${topic}-t1`, "compression.type": "zstd" });
    await kafka.helper.producer(`${topic}-t2`, { "transactional.id": `${topic}-t2` });
    await write(topic, rounds, dice, 0);
    return dice;
  }

  /** What Java's consumer reads of committed records, as the worker notes them. */
  async function committed(topic: string): Promise<string[]> {
    const lines: string[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      for (const { offset, value } of await kafka.helper.read(topic, { partition })) {
        lines.push(`${partition}:${offset}:${value?.toString("latin1")}`);
      }
    }
    return lines.toSorted();
  }

  interface Ran {
    readonly signal: NodeJS.Signals | null;
    readonly code: number | null;
    readonly output: string;
  }

  function run(options: object, stop: number, atMs: number): Promise<Ran> {
    return new Promise((resolve) => {
      const child = spawn(process.execPath, [worker, JSON.stringify({ ...options, stop, atMs })]);
      let output = "";
      child.stdout.on("data", (bytes) => (output += bytes));
      child.stderr.on("data", (bytes) => (output += bytes));
      child.once("close", (code, signal) => resolve({ code, signal, output }));
    });
  }

  const linesOf = (log: string): string[] =>
    existsSync(log)
      ? readFileSync(log, "utf8")
          .split("\n")
          .filter((line) => line !== "")
          .toSorted()
      : [];

  it(`assign mode: ${kills} kills, nothing lost and nothing doubled`, async () => {
    const dice = await prepared("assigned", 6 + kills);
    const log = join(folder, "assign.log");
    const options = {
      log,
      state: join(folder, "assign.json"),
      checkpointEvery: 3,
      reader: {
        mode: "assign",
        connection: { brokers: kafka.brokers() },
        topics: ["assigned"],
        end: "latest",
        slabRows: 20,
        partitionBytes: 2000,
      },
    };
    let killed = 0;
    for (let i = 0; i < kills; i++) {
      const timed = dice.below(3) === 0;
      const ran = await run(options, timed ? 0 : 1 + dice.below(24), timed ? 150 + dice.below(700) : 0);
      if (ran.signal === "SIGKILL") killed++;
      else expect(ran, `seed ${seed}`).toMatchObject({ code: 0 });
    }
    const last = await run(options, 0, 0);
    expect(last).toEqual({ code: 0, signal: null, output: "done\n" });
    expect(killed).toBeGreaterThanOrEqual(Math.min(kills, 3));
    expect(linesOf(log), `seed ${seed}`).toEqual(await committed("assigned"));
  }, 1_200_000);

  it(`group mode: ${kills} kills of two members, nothing lost, doubles within the bound`, async () => {
    const dice = await prepared("grouped", 6 + kills);
    const logs = [0, 1].map((member) => join(folder, `group-${member}.log`));
    const slabRows = 20;
    const most = 40 + slabRows; // a slab is cut behind the batch that fills it
    const target = (await kafka.helper.offsets("grouped")).map(({ highWatermark }) => highWatermark);
    const options = (member: number, last: boolean): object => ({
      log: logs[member],
      ...(last ? { target } : {}),
      reader: {
        mode: "group",
        groupId: "grouped",
        instanceId: member === 0 ? "static-0" : undefined,
        connection: { brokers: kafka.brokers() },
        topics: ["grouped"],
        acknowledge: "call",
        slabRows,
        partitionBytes: 2000,
        maxWaitMs: 50,
        sessionTimeoutMs: 1000,
        heartbeatIntervalMs: 100,
        rebalanceTimeoutMs: 5000,
        drainTimeoutMs: 2000,
      },
    });
    for (let i = 0; i < kills; i += 2) {
      await Promise.all(
        [0, 1].map(async (member) => {
          const timed = dice.below(2) === 0;
          const atMs = timed ? 400 + dice.below(1500) : 4000; // one that gets nothing to do dies too
          const ran = await run(options(member, false), timed ? 0 : 1 + dice.below(12), atMs);
          expect(ran.signal, ran.output).toBe("SIGKILL");
        }),
      );
    }
    const last = await run(options(0, true), 0, 0);
    expect(last, last.output).toMatchObject({ code: 0, signal: null });
    const seen = logs.flatMap(linesOf);
    const wanted = await committed("grouped");
    expect([...new Set(seen)].toSorted(), `seed ${seed}`).toEqual(wanted);
    const doubles = seen.length - wanted.length;
    process.stdout.write(`group mode: ${wanted.length} records, ${kills} kills, ${doubles} came twice\n`);
    expect(doubles).toBeLessThanOrEqual((kills + (kills % 2)) * most);
  }, 1_200_000);

  it.each(["none", "gzip", "snappy", "lz4", "zstd"])(
    "%s: kcat, Java and this reader print the same hash",
    async (codec) => {
      const topic = `codec-${codec}`;
      await kafka.helper.createTopic(topic);
      await kafka.helper.producer(topic, { "compression.type": codec, "linger.ms": 20 });
      await kafka.helper.fill(topic, topic, { count: 3000, size: 120 });
      await kafka.helper.send(
        topic,
        topic,
        [
          { key: null, value: "" },
          { key: "", value: "v".repeat(100_000) },
        ],
        0,
      );
      const brokers = kafka.brokers().join();
      const kcatHash = createHash("sha256");
      let kcatRecords = 0;
      await new Promise<void>((resolve, reject) => {
        const args = [
          "-b",
          brokers,
          "-C",
          "-e",
          "-q",
          "-t",
          topic,
          "-o",
          "beginning",
          "-f",
          "%o:%k:%s\n",
          "-X",
          "check.crcs=true",
        ];
        const child = spawn("kcat", args);
        child.stdout.on("data", (bytes: Buffer) => {
          kcatHash.update(bytes);
          kcatRecords += bytes.reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0);
        });
        child.once("error", reject);
        child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`kcat: ${code}`))));
      });
      const ours = createHash("sha256");
      const java = createHash("sha256");
      let rows = 0;
      const reader = await openKafka({
        mode: "assign",
        connection: { brokers: kafka.brokers() },
        topics: [topic],
        end: "latest",
      });
      for await (const { columns } of reader) {
        rows += columns.rows;
        for (const [, , offset, , key, value] of rowsOf(columns)) {
          const at = Buffer.from(offset as string, "hex").readBigInt64LE();
          ours
            .update(`${at}:`)
            .update(Buffer.from((key as string | null) ?? "", "hex"))
            .update(":");
          ours.update(Buffer.from((value as string | null) ?? "", "hex")).update("\n");
          java.update(`${at}:${(key as string | null) ?? "-"}:${(value as string | null) ?? "-"}\n`);
        }
      }
      await reader.close();
      expect(rows).toBe(3002);
      expect(kcatRecords).toBe(3002);
      expect(ours.digest("hex")).toBe(kcatHash.digest("hex"));
      expect(await kafka.helper.digest(topic)).toEqual({ records: 3002, sha256: java.digest("hex") });
    },
  );
});
