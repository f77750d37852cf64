import type { Columns, Stage } from "@ingest-ts/core";
import type { KafkaConnection } from "../connection.ts";
import type { Gap } from "../records/gap.ts";
import type { Isolation, TopicPartition } from "../transport/types.ts";

/** Offsets by topic and partition. */
export type PartitionOffsets = Readonly<Record<string, Readonly<Record<number, number>>>>;

/**
 * Where a partition's reading begins when no state was loaded. `offsets` must name every partition that is read, unless
 * `otherwise` says where the others begin; "earliest" and "latest" are taken when the reader opens; `timestampMs`: the first
 * record that is not older, else the end.
 */
export type StartAt =
  | "earliest"
  | "latest"
  | { readonly offsets: PartitionOffsets; readonly otherwise?: "earliest" | "latest" | undefined }
  | { readonly timestampMs: number };

/**
 * Where it ends, exclusive. "latest": the end when the reader opens, kept in the state, so that a resumed run ends at the
 * same place; with "read_committed" it is the last stable offset. `timestampMs`: before the first record that is not older.
 * "none": never.
 */
export type EndAt = "none" | "latest" | { readonly offsets: PartitionOffsets } | { readonly timestampMs: number };

/** What happens when the wanted offsets are not in the log any more. "fail" names the lost range. */
export type OnDataLoss = "fail" | "earliest" | "latest";

/** Rows of one partition in the order of its log. */
export interface KafkaSlab extends TopicPartition {
  /** Where this slab begins: the end of the partition's slab before. */
  readonly startOffset: number;
  /** Exclusive: where the next one begins. Behind the last row when what follows it holds none. */
  readonly endOffset: number;
  /** Of `recordSchema`; may have no rows, when the offsets hold none. */
  readonly columns: Columns;
  /** By rising offset. Rows and gaps together cover [startOffset, endOffset). */
  readonly gaps: readonly Gap[];
  /** As the broker said with these rows. */
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  /** Of the batch that ends last; -1 when not known. */
  readonly leaderEpoch: number;
  /** Group mode: in which assignment it was read. Acknowledgements of an earlier one are fenced. */
  readonly epoch: number;
}

interface CommonOptions {
  readonly connection: KafkaConnection;
  readonly topics: readonly string[];
  /** Default "read_committed". */
  readonly isolation?: Isolation | undefined;
  /** Default "fail". */
  readonly onDataLoss?: OnDataLoss | undefined;
  /** Fetched or decoded and not yet handed over, in bytes. Default 64 MiB. */
  readonly bytesInFlight?: number | undefined;
  /** Of one partition in one fetch. Default 4 MiB; a larger batch comes whole. */
  readonly partitionBytes?: number | undefined;
  /** A slab is cut after the batch that brings it to so many rows, or to `slabBytes`. Default 65,536. */
  readonly slabRows?: number | undefined;
  /** Default 16 MiB. */
  readonly slabBytes?: number | undefined;
  /** How long a broker waits for `minBytes`. Default 500. */
  readonly maxWaitMs?: number | undefined;
  /** Default 1: answer as soon as there is anything. */
  readonly minBytes?: number | undefined;
  /** One record batch, uncompressed, in bytes. Default limits.pageBytes (256 MiB). */
  readonly batchBytes?: number | undefined;
  /**
   * What offsets mean that were never given to a record, or whose records were compacted away. "fail": a topic that is not
   * compacted has none, so that a `FormatError` finds what a damaged base offset, which no CRC covers, would hide. Default
   * "allow".
   */
  readonly onRemoved?: "allow" | "fail" | undefined;
  /** How often topics are looked at for new partitions, which are read from their beginning. Default 300,000; 0: never. */
  readonly discoveryIntervalMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A process reads the partitions that are its own: partition p of the k-th topic, by name, belongs to rank (k + p) mod
 * worldSize, so that new partitions move no other. Offsets live in the state. Ranks get uneven numbers of rows.
 */
export interface AssignOptions extends CommonOptions {
  readonly mode: "assign";
  /** Default rank 0 of 1. More ranks than partitions are an `OptionsError`. */
  readonly world?: { readonly rank: number; readonly worldSize: number } | undefined;
  /** Only these, in place of all. */
  readonly partitions?: Readonly<Record<string, readonly number[]>> | undefined;
  /** Default "earliest". */
  readonly start?: StartAt | undefined;
  /** Default "none". */
  readonly end?: EndAt | undefined;
  /**
   * Ids that the topics had when `start` was noted, by name (`KafkaReader.topicIds`): a topic that was deleted and made again
   * since has other records at these offsets, and is refused.
   */
  readonly topicIds?: Readonly<Record<string, string>> | undefined;
  /** Commits what was acknowledged to this group, for monitoring alone: nothing is ever read from it. */
  readonly monitorGroupId?: string | undefined;
}

/**
 * A member of a consumer group: partitions come and go, offsets live in the group. Nothing is lost; rows handed over since
 * the last commit may come twice after a crash.
 */
export interface GroupOptions extends CommonOptions {
  readonly mode: "group";
  readonly groupId: string;
  /** Static membership: the same name after a restart gets the same partitions back without a rebalance. */
  readonly instanceId?: string | undefined;
  /** For partitions without a commit. Default "earliest". */
  readonly start?: "earliest" | "latest" | { readonly timestampMs: number } | undefined;
  /**
   * "next" (default): asking for the next slab acknowledges the one before. "call": only `ack` does; for whoever writes
   * rows somewhere before they count.
   */
  readonly acknowledge?: "next" | "call" | undefined;
  /** Acknowledged slabs per commit. Default 1. */
  readonly commitEvery?: number | undefined;
  /** How long a revoked partition waits for slabs that were handed over to be acknowledged. Default 10,000. */
  readonly drainTimeoutMs?: number | undefined;
  /** Default 45,000. */
  readonly sessionTimeoutMs?: number | undefined;
  /** Default 60,000. */
  readonly rebalanceTimeoutMs?: number | undefined;
  /** Default 3,000. */
  readonly heartbeatIntervalMs?: number | undefined;
  /** Called when partitions go: write out and acknowledge what you hold of them until `signal` fires. */
  readonly onRevoke?:
    | ((partitions: readonly TopicPartition[], options: { readonly signal: AbortSignal }) => Promise<void>)
    | undefined;
  readonly onAssign?: ((partitions: readonly TopicPartition[]) => void) | undefined;
}

export type KafkaOptions = AssignOptions | GroupOptions;

/** A place in one partition, as `positions` and the state tell it. */
export interface PartitionPosition extends TopicPartition {
  /** The next offset that will be handed over. */
  readonly position: number;
  /** Where reading ends; undefined: never. */
  readonly end: number | undefined;
  /** -1 before the first answer. */
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  /** Records behind: up to the last stable offset with "read_committed", else to the high watermark. */
  readonly lag: number | undefined;
  /** Of the newest row handed over. */
  readonly timestampMs: number | undefined;
}

/** What became of an acknowledgement. "fenced": the partition had gone; another member reads these rows again. */
export type AckOutcome = "committed" | "deferred" | "fenced";

/**
 * Slabs of the partitions that this process reads, of each in order.
 *
 * Assign mode: the state is the place after the last slab returned, for every partition of this rank; it also holds frozen
 * ends, topic ids and leader epochs. `mergeStates` of all ranks' states restores any number of ranks. A topic made again is a
 * `StateError` (at resume) or a `SourceError` "ObjectChanged". A bounded reader closes itself when it has come to its end. Group mode has no state: `stateDict` is `{}` and loading one
 * is a `StateError`.
 */
export interface KafkaReader extends Stage<KafkaSlab> {
  readonly mode: "assign" | "group";
  /** Partitions of this process now, by topic and partition. */
  readonly positions: readonly PartitionPosition[];
  /** By name, where the brokers tell them (since Kafka 2.8): a topic that is deleted and made again has another one. */
  readonly topicIds: Readonly<Record<string, string>>;
  /**
   * Rows up to the end of `slab` are safe; earlier slabs of the partition too. Group mode: commits when `commitEvery` is
   * reached. Assign mode: with `monitorGroupId`, at most one commit per second.
   */
  ack(slab: Pick<KafkaSlab, "topic" | "partition" | "endOffset" | "epoch">): Promise<AckOutcome>;
  /**
   * Whether the rows are still this reader's to write: in group mode it asks the group, since a process that stood still may
   * not know yet that others read its partitions. Ask before something becomes visible under a name that they use too. When
   * it is false, the partition comes back, if it does, at the last commit. Assign mode: always.
   *
   * @throws SourceError when the group does not answer within a session
   */
  holds(slab: Pick<KafkaSlab, "topic" | "partition" | "epoch">): Promise<boolean>;
  /** Stops fetching, drains, commits what is acknowledged, leaves the group (not with `instanceId`), closes connections. */
  close(): Promise<void>;
}
