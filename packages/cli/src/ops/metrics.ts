import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** Why a record did not become a row, or that it did. */
export const recordResults = ["delivered", "skipped", "dead_letter", "failed"] as const;
/** One of `recordResults`. */
export type RecordResult = (typeof recordResults)[number];

/** Why offsets hold no row. */
export const gapCauses = ["control", "aborted", "removed", "lost"] as const;
/** One of `gapCauses`. */
export type OffsetGapCause = (typeof gapCauses)[number];

/** Bounds of the age of a record at hand-over. None is a whole number: Prometheus 3 writes `1` as `1.0`, and rules miss it. */
const ageBounds = [0.05, 0.25, 0.5, 1.5, 2.5, 5.5, 10.5, 30.5, 60.5, 300.5, 3600.5];
/** Bounds of the time that a shard takes from its first row until it is visible. */
const shardBounds = [0.5, 1.5, 5.5, 15.5, 60.5, 300.5, 900.5];

/**
 * What a consumer tells Prometheus. The names stay (a golden test and the deployment's files hold them); every series
 * whose labels are known beforehand exists from the start at 0, so that its first increase is seen.
 */
export class ConsumerMetrics {
  readonly registry: Registry = new Registry();
  readonly #records: Counter<"source" | "result">;
  readonly #bytes: Counter<"source" | "layer">;
  readonly #batches: Counter<"source">;
  readonly #gaps: Counter<"source" | "cause">;
  readonly #lagRecords: Gauge<"topic" | "partition">;
  readonly #lagSeconds: Gauge<"topic" | "partition">;
  readonly #age: Histogram<"source">;
  readonly #commits: Counter<"source" | "result">;
  readonly #rebalances: Counter<"source">;
  readonly #retries: Counter<"source" | "request">;
  readonly #corrupt: Counter<"source">;
  readonly #buffered: Gauge<"queue">;
  readonly #assigned: Gauge<"source">;
  readonly #shards: Counter<"format">;
  readonly #shardSeconds: Histogram<"format">;
  readonly #active: Gauge;

  /** @param version of the program @param format of the shards, undefined for other outputs */
  constructor(version: string, format: string | undefined) {
    const registers = [this.registry];
    const counter = <T extends string>(name: string, help: string, labelNames: readonly T[]): Counter<T> =>
      new Counter({ name, help, labelNames, registers });
    const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[]): Gauge<T> =>
      new Gauge({ name, help, labelNames, registers });
    this.#records = counter("ingest_records_total", "Records read, by what became of them.", ["source", "result"]);
    this.#bytes = counter("ingest_bytes_total", "Bytes fetched (wire) and handed over (decoded).", ["source", "layer"]);
    this.#batches = counter("ingest_batches_total", "Runs of records of one partition handed over.", ["source"]);
    this.#gaps = counter("ingest_offsets_without_rows_total", "Offsets passed over, by cause.", ["source", "cause"]);
    const byPartition = ["topic", "partition"] as const;
    this.#lagRecords = gauge("ingest_consumer_lag_records", "Offsets between the place and the end.", byPartition);
    this.#lagSeconds = gauge(
      "ingest_consumer_lag_seconds",
      "Age of the last record handed over while there are later ones; 0 at the end.",
      byPartition,
    );
    this.#age = new Histogram({
      name: "ingest_record_age_seconds",
      help: "Time from a record's timestamp to its hand-over: of the newest record of every run.",
      labelNames: ["source"],
      buckets: ageBounds,
      registers,
    });
    this.#commits = counter("ingest_commits_total", "Commits of places, by result.", ["source", "result"]);
    this.#rebalances = counter("ingest_rebalances_total", "Times that the partitions were assigned.", ["source"]);
    this.#retries = counter("ingest_retries_total", "Requests that failed and were repeated.", ["source", "request"]);
    this.#corrupt = counter("ingest_corrupt_batches_total", "Batches of records refused for their CRC or form.", [
      "source",
    ]);
    this.#buffered = gauge(
      "ingest_queue_bytes",
      "Bytes fetched and not yet handed over, and room taken for answers on their way.",
      ["queue"],
    );
    this.#assigned = gauge("ingest_assigned_partitions", "Partitions that this process reads.", ["source"]);
    this.#shards = counter("ingest_shards_total", "Shards written and visible.", ["format"]);
    this.#shardSeconds = new Histogram({
      name: "ingest_shard_seconds",
      help: "Time from the first row of a shard until it is visible.",
      labelNames: ["format"],
      buckets: shardBounds,
      registers,
    });
    this.#active = gauge("ingest_run_active", "1 while records are read, 0 before and while stopping.", []);
    gauge("ingest_build_info", "Always 1; the version is a label.", ["version"]).set({ version }, 1);
    this.#startAtZero(format);
    collectDefaultMetrics({ register: this.registry });
  }

  #startAtZero(format: string | undefined): void {
    const source = "kafka";
    for (const result of recordResults) this.#records.inc({ source, result }, 0);
    for (const layer of ["wire", "decoded"]) this.#bytes.inc({ source, layer }, 0);
    for (const cause of gapCauses) this.#gaps.inc({ source, cause }, 0);
    for (const result of ["ok", "fenced", "failed"]) this.#commits.inc({ source, result }, 0);
    for (const counter of [this.#batches, this.#rebalances, this.#corrupt]) counter.inc({ source }, 0);
    this.#retries.inc({ source, request: "Fetch" }, 0);
    this.#buffered.set({ queue: "fetched" }, 0);
    this.#assigned.set({ source }, 0);
    this.#active.set(0);
    if (format !== undefined) this.#shards.inc({ format }, 0);
  }

  /** Records that met one end. */
  records(result: RecordResult, count: number): void {
    this.#records.inc({ source: "kafka", result }, count);
  }

  /** A run of records of one partition was handed over. @param timestampMs of its newest record */
  handedOver(decodedBytes: number, timestampMs: number | undefined): void {
    const source = "kafka";
    this.#batches.inc({ source });
    this.#bytes.inc({ source, layer: "decoded" }, decodedBytes);
    if (timestampMs !== undefined) this.#age.observe({ source }, Math.max(0, (Date.now() - timestampMs) / 1000));
  }

  /** Bytes of records as the broker sent them. */
  fetched(wireBytes: number): void {
    this.#bytes.inc({ source: "kafka", layer: "wire" }, wireBytes);
  }

  /** Offsets passed over. */
  gap(cause: OffsetGapCause, offsets: number): void {
    this.#gaps.inc({ source: "kafka", cause }, offsets);
  }

  /** How far one partition is behind. @param seconds undefined before a record told it: no series then, rather than a 0 */
  lag(topic: string, partition: number, records: number, seconds: number | undefined): void {
    const labels = { topic, partition: String(partition) };
    this.#lagRecords.set(labels, records);
    if (seconds === undefined) this.#lagSeconds.remove(labels);
    else this.#lagSeconds.set(labels, seconds);
  }

  /** Partitions came or went: so many are read from now on; series of others end. @param joined an assignment came */
  assigned(partitions: number, joined: boolean): void {
    this.#lagRecords.reset();
    this.#lagSeconds.reset();
    if (joined) this.#rebalances.inc({ source: "kafka" });
    this.#assigned.set({ source: "kafka" }, partitions);
  }

  /** @param outcome "ok", "fenced", or the broker's name for the error */
  commit(outcome: string): void {
    const result = outcome === "ok" || outcome === "fenced" ? outcome : "failed";
    this.#commits.inc({ source: "kafka", result });
  }

  /** A request of this name is repeated. */
  retry(request: string): void {
    this.#retries.inc({ source: "kafka", request });
  }

  /** A batch of records was refused. */
  corrupt(): void {
    this.#corrupt.inc({ source: "kafka" });
  }

  /** Bytes that the reader holds now. */
  buffered(sizeBytes: number): void {
    this.#buffered.set({ queue: "fetched" }, sizeBytes);
  }

  /** A shard became visible. */
  shard(format: string, durationMs: number): void {
    this.#shards.inc({ format });
    this.#shardSeconds.observe({ format }, durationMs / 1000);
  }

  /** Whether records are being read. */
  active(is: boolean): void {
    this.#active.set(is ? 1 : 0);
  }
}
