// The reference client of Kafka in one warm Java process: JSON lines over its stdin and stdout (KafkaHelper.java).
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const tools = join(here, "..", "..", "..", "..", ".tools", "kafka");
/** The jars of Apache Kafka. */
export const kafkaLibs = join(tools, "libs");
/** What is made once for all runs: compiled helper, formatted disks. */
export const kafkaMade = join(tools, "made");

function works(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

let whyMissing: string | undefined | null = null;
/** Why no broker can run here; undefined when one can. */
export function kafkaMissing(): string | undefined {
  if (whyMissing === null) {
    if (!existsSync(join(kafkaLibs, "kafka-tools-4.3.1.jar"))) {
      whyMissing = "Apache Kafka is not installed (node scripts/tools.mjs kafka)";
    } else if (!works("javac", ["-version"])) whyMissing = "there is no Java 17 with javac";
    else whyMissing = undefined;
  }
  return whyMissing;
}

/** The folder of the compiled helper; compiled when its source changed. */
function compiledHelper(): string {
  const source = join(here, "KafkaHelper.java");
  const folder = join(
    kafkaMade,
    `helper-${createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 12)}`,
  );
  if (existsSync(folder)) return folder;
  mkdirSync(kafkaMade, { recursive: true });
  const fresh = `${folder}.${process.pid}`;
  const { status, stderr } = spawnSync("javac", ["-cp", `${kafkaLibs}/*`, "-d", fresh, source], { encoding: "utf8" });
  if (status !== 0) throw new Error(`javac: ${stderr}`);
  moveIntoPlace(fresh, folder);
  return folder;
}

/** Renames, unless another process was first. */
export function moveIntoPlace(fresh: string, folder: string): void {
  try {
    renameSync(fresh, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    rmSync(fresh, { recursive: true, force: true });
  }
}

type Bytes = Uint8Array | string;

/** A record to be produced; text is UTF-8, null a tombstone. */
export interface NewRecord {
  readonly topic?: string;
  readonly partition?: number;
  readonly key?: Bytes | null;
  readonly value: Bytes | null;
  /** Milliseconds since 1970. */
  readonly timestamp?: number;
  readonly headers?: readonly (readonly [string, Bytes | null])[];
}

export interface PartitionOffsets {
  readonly partition: number;
  readonly start: number;
  readonly highWatermark: number;
  readonly lastStable: number;
}

export interface PartitionPlace {
  readonly partition: number;
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
}

/** What the reference consumer read. */
export interface ReadRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [string, Buffer | null])[];
}

interface ReadOptions {
  readonly partition?: number;
  readonly isolation?: "read_committed" | "read_uncommitted";
  readonly from?: number;
  readonly to?: number;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

const base64 = (bytes: Bytes | null | undefined): string | null =>
  bytes === null || bytes === undefined ? null : Buffer.from(bytes as Uint8Array).toString("base64");
const unbase64 = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text, "base64"));

/** Administration, a producer with transactions and a reading oracle. Every call ends when Kafka acknowledged it. */
export class KafkaHelper {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #next = 0;
  #errors = "";

  constructor(bootstrap: string) {
    const path = `${compiledHelper()}:${kafkaLibs}/*`;
    const flags = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
    const log = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";
    this.#child = spawn("java", [...flags, log, "-cp", path, "KafkaHelper", bootstrap], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child.stderr?.on("data", (bytes) => (this.#errors = `${this.#errors}${bytes}`.slice(-5000)));
    this.#child.stdin?.on("error", () => {});
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const answer = JSON.parse(line) as { id: number; result?: unknown; error?: string };
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if (answer.error === undefined) pending?.resolve(answer.result ?? null);
      else pending?.reject(new Error(answer.error));
    });
    const ended = (): void => {
      for (const pending of this.#pending.values()) pending.reject(new Error(`the helper ended: ${this.#errors}`));
      this.#pending.clear();
    };
    this.#child.once("close", ended);
    this.#child.once("error", ended);
  }

  #ask(op: string, request: object = {}): Promise<unknown> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#child.stdin?.write(`${JSON.stringify({ id, op, ...request })}\n`);
    });
  }

  /** Resolves when the topic has leaders. `assignment`: brokers of each partition, the leader first. */
  async createTopic(
    topic: string,
    options: {
      readonly partitions?: number;
      readonly replication?: number;
      readonly config?: Readonly<Record<string, string | number>>;
      readonly assignment?: readonly (readonly number[])[];
    } = {},
  ): Promise<void> {
    await this.#ask("createTopic", { topic, ...options });
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#ask("deleteTopic", { topic });
  }

  async addPartitions(topic: string, partitions: number): Promise<void> {
    await this.#ask("addPartitions", { topic, partitions });
  }

  async alterTopic(topic: string, config: Readonly<Record<string, string | number>>): Promise<void> {
    await this.#ask("alterConfig", { topic, config });
  }

  async deleteRecords(topic: string, partition: number, before: number): Promise<void> {
    await this.#ask("deleteRecords", { topic, partition, before });
  }

  /** Makes broker `to` the leader, and resolves when it is. */
  async moveLeader(topic: string, partition: number, to: number): Promise<void> {
    await this.#ask("moveLeader", { topic, partition, to });
  }

  async describeTopic(topic: string): Promise<{ topicId: string; partitions: readonly PartitionPlace[] }> {
    return (await this.#ask("describeTopic", { topic })) as { topicId: string; partitions: PartitionPlace[] };
  }

  async offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    return (await this.#ask("offsets", { topic })) as PartitionOffsets[];
  }

  async groupOffsets(
    group: string,
  ): Promise<readonly { topic: string; partition: number; offset: number; metadata: string }[]> {
    return (await this.#ask("groupOffsets", { group })) as never;
  }

  async scramUser(user: string, password: string, mechanism: "SCRAM-SHA-256" | "SCRAM-SHA-512"): Promise<void> {
    await this.#ask("scramUser", { user, password, mechanism });
  }

  /** Opens a producer: acks=all and idempotent unless `config` says else; with `transactional.id` for transactions. */
  async producer(producer: string, config: Readonly<Record<string, string | number>> = {}): Promise<void> {
    await this.#ask("producer", { producer, config });
  }

  /** An open transaction stays open until its own time-out: `timeoutMs` is how long the close may wait for sends. */
  async closeProducer(producer: string, timeoutMs = 10_000): Promise<void> {
    await this.#ask("closeProducer", { producer, timeoutMs });
  }

  async begin(producer: string): Promise<void> {
    await this.#ask("begin", { producer });
  }

  async commit(producer: string): Promise<void> {
    await this.#ask("commit", { producer });
  }

  async abort(producer: string): Promise<void> {
    await this.#ask("abort", { producer });
  }

  /** @returns offsets, once all are acknowledged */
  async send(
    producer: string,
    topic: string,
    records: readonly NewRecord[],
    partition?: number,
  ): Promise<readonly number[]> {
    const lines = records.map(({ key, value, headers, ...rest }) => ({
      ...rest,
      key: base64(key),
      value: base64(value),
      ...(headers === undefined ? {} : { headers: headers.map(([name, bytes]) => [name, base64(bytes)]) }),
    }));
    return (await this.#ask("send", { producer, topic, partition, records: lines })) as number[];
  }

  /** Many records, made in the helper: see `fill` there. */
  async fill(
    producer: string,
    topic: string,
    options: {
      readonly count: number;
      readonly size?: number;
      readonly partitions?: number;
      readonly from?: number;
      readonly keys?: boolean;
      readonly values?: readonly Uint8Array[];
    },
  ): Promise<void> {
    const { values, ...rest } = options;
    await this.#ask("fill", {
      producer,
      topic,
      ...rest,
      ...(values === undefined ? {} : { values: values.map(base64) }),
    });
  }

  /** What the reference consumer reads of one partition, up to its end. */
  async read(topic: string, options: ReadOptions = {}): Promise<readonly ReadRecord[]> {
    const records = (await this.#ask("read", { topic, lane: `read-${topic}`, ...options })) as {
      offset: number;
      timestamp: number;
      key: string | null;
      value: string | null;
      headers: [string, string | null][];
    }[];
    return records.map(({ key, value, headers, ...rest }) => ({
      ...rest,
      key: unbase64(key),
      value: unbase64(value),
      headers: headers.map(([name, bytes]) => [name, unbase64(bytes)] as const),
    }));
  }

  /** Count and SHA-256 of the lines "offset:key:value\n": bytes as hex, null as "-". */
  async digest(topic: string, options: ReadOptions = {}): Promise<{ records: number; sha256: string }> {
    return (await this.#ask("digest", { topic, lane: `read-${topic}`, ...options })) as never;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill("SIGKILL");
    await ended;
  }
}
