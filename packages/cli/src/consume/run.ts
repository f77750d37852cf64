import { columnBytes, type JsonValue, OptionsError, resolveWorld, StateError } from "@ingest-ts/core";
import type {
  GroupOptions,
  KafkaAddress,
  KafkaConnection,
  KafkaOptions,
  TopicPartition,
  Transport,
} from "@ingest-ts/kafka";
import type { DecodedSlab, PayloadOptions, PayloadReader, PayloadReaderOptions } from "@ingest-ts/kafka/payload";
import { targetOf, targetOptions } from "../convert/targets.ts";
import { asOffsets, offsetsAt, partitionKey, partitionsOf } from "../kafka/cluster.ts";
import { openRecords } from "../kafka/open-records.ts";
import { payloadOptionsOf } from "../kafka/payload-options.ts";
import { openOutput } from "../output/rows-out.ts";
import { errorFields, type Log } from "../ops/log.ts";
import type { ConsumerMetrics } from "../ops/metrics.ts";
import { Consumer } from "./consumer.ts";
import { type ConsumeFlags, printFormats } from "./flags.ts";
import type { ConsumeOutput } from "./output.ts";
import { RowOutput } from "./row-output.ts";
import { type ShardEvents, ShardOutput } from "./shards/shard-output.ts";
import { ShardStore } from "./shards/shard-store.ts";

/** Everything that is decided before a broker is asked for records. */
export interface ConsumeRun {
  readonly address: KafkaAddress;
  readonly connection: KafkaConnection;
  readonly flags: ConsumeFlags;
  readonly log: Log;
  readonly metrics: ConsumerMetrics;
}

type PrintFormat = (typeof printFormats)[number];

const isPrinted = (to: string): to is PrintFormat => (printFormats as readonly string[]).includes(to);

/** Where rows go: printed, or to shards below a folder. */
type Destination =
  | { readonly kind: "rows"; readonly format: PrintFormat }
  | { readonly kind: "shards"; readonly store: ShardStore };

/** @throws OptionsError for options of shards without shards */
function destinationOf({ to, format, codec, lossy }: ConsumeFlags): Destination {
  const printed = to ?? (process.stdout.isTTY ? "table" : "jsonl");
  if (!isPrinted(printed)) return { kind: "shards", store: new ShardStore(printed) };
  if (format !== undefined || codec !== undefined || lossy === true) {
    throw new OptionsError(
      `--format, --codec and --lossy are of shards, but rows go to standard output as ${printed}`,
      {
        remedy: "Name a folder by --to, or leave them out.",
      },
    );
  }
  if (printed === "arrow" && process.stdout.isTTY) {
    throw new OptionsError("Arrow data is binary and would garble the terminal", { remedy: "Pipe it to a program." });
  }
  return { kind: "rows", format: printed };
}

async function outputOf(
  destination: Destination,
  run: ConsumeRun,
  reader: Pick<ShardEvents, "holds" | "topicId">,
): Promise<ConsumeOutput> {
  if (destination.kind === "rows") return new RowOutput(destination.format, await openOutput(undefined));
  const { flags, log, metrics } = run;
  const target = targetOf(flags.format ?? "parquet", "");
  // A row group of each partition is in memory until it is full.
  const groupBytes = target.group.rows === null ? undefined : GROUP_BYTES;
  const asked = { codec: flags.codec, level: undefined, groupRows: undefined, groupBytes, float64: "refuse" } as const;
  const options = targetOptions(target, asked, "");
  const roll = { rows: flags.rollRows, sizeBytes: flags.rollBytes, ageMs: flags.rollSeconds * 1000 };
  return new ShardOutput(destination.store, target, { ...options, lossy: flags.lossy === true }, roll, {
    ...reader,
    changed: (changes) => log.warn("columns are changed, since the format cannot hold them", { changes }),
    written: (entry, durationMs) => {
      metrics.shard(target.format, durationMs);
      const { topic, partition, startOffset, endOffset, rows, sizeBytes, name } = entry;
      log.info("shard written", { topic, partition, startOffset, endOffset, rows, sizeBytes, name });
    },
    givenUp: ({ topic, partition, endOffset }, rows) =>
      log.warn("shard given up: its partition went, and is read again from the last commit", {
        topic,
        partition,
        endOffset,
        rows,
      }),
  });
}

const GROUP_BYTES = 32 * 2 ** 20;
const SLAB_ROWS = 65_536;

/** The consumer, ready to run. */
export interface OpenedConsumer {
  readonly consumer: Consumer;
  /** Ends the reader and its connections, and leaves the group. What fails then is told, not thrown. */
  close(): Promise<void>;
}

/** Opens output and reader. @throws OptionsError, StateError, SourceError before a record is read */
export async function openConsumer(run: ConsumeRun): Promise<OpenedConsumer> {
  const { flags, address, connection, log } = run;
  const destination = destinationOf(flags);
  const { openTransport } = await import("@ingest-ts/kafka");
  const holder: { consumer?: Consumer } = {};
  const transport = openTransport(connection);
  try {
    const payloads = await payloadsFor(destination, await payloadOptionsOf(flags, process.env, transport));
    const options =
      flags.group === undefined
        ? await assignOptions(run, transport, destination)
        : groupOptions(run, flags.group, (gone, signal) => holder.consumer?.release(gone, signal) ?? Promise.resolve());
    const reader = await openRecords(options, payloads);
    const output = await outputOf(destination, run, {
      holds: (place) => reader.holds(place),
      topicId: (topic) => reader.topicIds[topic],
    });
    const limit = flags.limit ?? Number.POSITIVE_INFINITY;
    const onSlab = slabWatcher(run, reader, destination);
    holder.consumer = new Consumer(reader, { output, log, limit, onSlab });
    log.info("reading", { brokers: connection.brokers, topics: address.topics, mode: options.mode });
    return { consumer: holder.consumer, close: () => closeAll([reader, transport], log) };
  } catch (error) {
    await transport.close();
    throw error;
  }
}

async function closeAll(parts: readonly { close(): Promise<void> }[], log: Log): Promise<void> {
  for (const part of parts) {
    try {
      await part.close();
    } catch (error) {
      log.warn("something did not end well", errorFields(error));
    }
  }
}

/** Columns that the shards there have are not decided again. */
async function payloadsFor(destination: Destination, options: PayloadReaderOptions): Promise<PayloadReaderOptions> {
  const decided = destination.kind === "shards" ? await destination.store.columns() : undefined;
  if (decided === undefined) return options;
  const { resumedOptions } = await import("@ingest-ts/kafka/payload");
  const side = (asked: PayloadOptions = "raw", resolved: JsonValue): PayloadOptions => {
    const as = typeof asked === "string" ? asked : asked.as;
    const before = (resolved as { readonly as?: unknown }).as;
    if (as === before) return resumedOptions(asked, resolved);
    throw new StateError(`the shards there hold ${String(before)}, and now it is to be ${as}`, {
      remedy: "Name another output folder, or read keys and values as before.",
    });
  };
  return { ...options, keyAs: side(options.keyAs, decided.key), valueAs: side(options.valueAs, decided.value) };
}

function slabWatcher(
  { metrics }: ConsumeRun,
  reader: PayloadReader,
  destination: Destination,
): (slab: DecodedSlab) => Promise<void> {
  let decided = destination.kind !== "shards";
  return async (slab) => {
    const { columns, badRecords } = slab;
    if (!decided && destination.kind === "shards") {
      const { key = null, value = null } = reader.stateDict();
      await destination.store.decide({ key, value });
      decided = true;
    }
    metrics.records("delivered", columns.rows);
    metrics.records(slab.gaps.some(({ cause }) => cause === "deadLettered") ? "dead_letter" : "skipped", badRecords);
    const newest = reader.positions.find((one) => partitionKey(one) === partitionKey(slab))?.timestampMs;
    metrics.handedOver(columnBytes(columns), columns.rows > 0 ? newest : undefined);
  };
}

function commonOptions({ address, connection, flags }: ConsumeRun) {
  const { isolation, onDataLoss, bytesInFlight, rollRows } = flags;
  // A shard ends with the slab that fills it.
  const slabRows = Math.min(SLAB_ROWS, rollRows);
  return { connection, topics: address.topics, isolation, onDataLoss, bytesInFlight, slabRows };
}

function groupOptions(
  run: ConsumeRun,
  groupId: string,
  release: (partitions: readonly TopicPartition[], signal: AbortSignal) => Promise<void>,
): GroupOptions {
  const { from, until, commitEvery, instanceId, drainSeconds } = run.flags;
  if (until !== undefined) {
    throw new OptionsError("--until is for readers without a group", { remedy: "Leave --group or --until out." });
  }
  if (typeof from === "object" && "offset" in from) {
    throw new OptionsError("--from with an offset is for readers without a group", {
      remedy: "A group starts at earliest, latest or a time where it has committed nothing.",
    });
  }
  return {
    ...commonOptions(run),
    mode: "group",
    groupId,
    instanceId,
    start: from,
    acknowledge: "call",
    commitEvery,
    drainTimeoutMs: drainSeconds * 1000,
    onRevoke: async (partitions, { signal }) => {
      run.log.info("partitions go", { partitions: partitions.map(partitionKey) });
      await release(partitions, signal);
    },
    onAssign: (partitions) => run.log.info("partitions assigned", { partitions: partitions.map(partitionKey) }),
  };
}

/** Without a group: what was noted beside the shards says where each partition goes on. */
async function assignOptions(run: ConsumeRun, transport: Transport, destination: Destination): Promise<KafkaOptions> {
  const { flags, address, log } = run;
  if (flags.instanceId !== undefined || flags.commitEvery !== undefined) {
    throw new OptionsError("--instance-id and --commit-every are for members of a group", {
      remedy: "Add --group, or leave them out.",
    });
  }
  const world = resolveWorld(undefined, process.env);
  const isolation = flags.isolation ?? "read_committed";
  const partitions = await partitionsOf(transport, address.topics);
  // As readers deal them out (`AssignOptions`).
  const names = [...new Set(address.topics)].sort();
  const mine = partitions.filter(
    ({ topic, partition }) => (names.indexOf(topic) + partition) % world.worldSize === world.rank,
  );
  const start = new Map(await offsetsAt(transport, mine, flags.from, isolation));
  const topicIds: Record<string, string> = {};
  if (destination.kind === "shards") {
    for (const one of mine) {
      const last = await destination.store.last(one.topic, one.partition);
      if (last === undefined) continue;
      start.set(partitionKey(one), last.endOffset);
      if (last.topicId !== undefined) topicIds[one.topic] = last.topicId;
      log.info("going on behind the last shard", {
        topic: one.topic,
        partition: one.partition,
        offset: last.endOffset,
      });
    }
  }
  const end = flags.until === undefined ? undefined : await offsetsAt(transport, mine, flags.until, isolation);
  return {
    ...commonOptions(run),
    mode: "assign",
    world: { rank: world.rank, worldSize: world.worldSize },
    start: asOffsets(mine, start),
    topicIds,
    end: end === undefined ? "none" : asOffsets(mine, end),
  };
}
