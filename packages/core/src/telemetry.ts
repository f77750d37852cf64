import { channel } from "#channel";

/** A named stream of events; publishing without a subscriber costs one property read. */
export interface Channel<T> {
  readonly name: string;
  readonly hasSubscribers: boolean;
  publish(message: T): void;
}

/** An object was opened: a descriptor taken, or a connection made. */
export interface SourceOpened {
  readonly url: string;
  readonly durationMs: number;
}

/** Bytes were read from a source. */
export interface SourceRead {
  readonly url: string;
  /** Ranges asked for, and requests that fetched them. */
  readonly ranges: number;
  readonly requests: number;
  /** Sum of the ranges. */
  readonly askedBytes: number;
  /** Fetched, gaps between joined ranges included. */
  readonly sizeBytes: number;
  readonly durationMs: number;
}

/** One request to a remote store came to its end. */
export interface StorageRequest {
  readonly store: "s3" | "http";
  readonly op: "get" | "list" | "put";
  readonly url: string;
  /** The status of the answer, as "206"; "reset", "stalled", "corrupt" or "aborted" where its body did not come whole. */
  readonly outcome: string;
  /** 1 for the first; more for repeated ones. */
  readonly attempt: number;
  /** Sent because another one was slow. */
  readonly hedge: boolean;
  /** Of the body, as far as it came. */
  readonly sizeBytes: number;
  /** Until the head of the answer was there; undefined when it never was. */
  readonly firstByteMs: number | undefined;
  readonly durationMs: number;
}

/** A request is made again. */
export interface StorageRetry {
  readonly store: "s3" | "http";
  readonly url: string;
  /** For example "SlowDown", "ECONNRESET", "stalled". */
  readonly cause: string;
  readonly delayMs: number;
  /** Bytes that need not be fetched again. */
  readonly keptBytes: number;
}

/** What the cache on the local disk did with one block. */
export interface StorageCache {
  readonly outcome: "hit" | "miss" | "corrupt" | "stored" | "evicted" | "failed";
  readonly sizeBytes: number;
}

/** A reader learnt what an object holds. */
export interface ReaderOpened {
  readonly url: string;
  readonly format: string;
  readonly fragments: number;
  readonly rows: number | undefined;
  readonly durationMs: number;
}

/** A fragment was read to its end. */
export interface FragmentRead {
  readonly url: string;
  readonly fragment: number;
  /** Decoded, and those left by `where`. */
  readonly rows: number;
  readonly rowsPassed: number;
  readonly fetchedBytes: number;
  readonly durationMs: number;
}

/** A broker answered a fetch. */
export interface KafkaFetched {
  readonly brokerId: number;
  /** Asked for. */
  readonly partitions: number;
  /** "ok", or why there was no answer: "stalled", "reset", "aborted". */
  readonly outcome: string;
  /** Of record batches as stored. */
  readonly sizeBytes: number;
  readonly durationMs: number;
}

/** Rows of one partition were decoded. */
export interface KafkaDecoded {
  readonly topic: string;
  readonly partition: number;
  readonly rows: number;
  /** As stored, and of the columns. */
  readonly storedBytes: number;
  readonly sizeBytes: number;
  readonly durationMs: number;
}

/** How far a partition's reader is behind, with every answer of its broker. */
export interface KafkaLag {
  readonly topic: string;
  readonly partition: number;
  /** The next offset that is handed over, and the end that it is measured against. */
  readonly position: number;
  readonly end: number;
  readonly lagRecords: number;
  /** Now less the timestamp of the newest row handed over; 0 without lag, undefined before the first row. */
  readonly lagMs: number | undefined;
}

/** Offsets hold no row. */
export interface KafkaGap {
  readonly topic: string;
  readonly partition: number;
  readonly cause: "control" | "aborted" | "removed" | "lost" | "skipped" | "deadLettered";
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** Bytes that were refused: a CRC that does not match, or a batch that breaks its format. */
export interface KafkaCorrupt {
  readonly topic: string;
  readonly partition: number;
  readonly kafkaOffset: number;
}

/** Bytes that a reader holds, and partitions that it does not fetch because of them. */
export interface KafkaBuffered {
  readonly sizeBytes: number;
  readonly limitBytes: number;
  readonly pausedPartitions: number;
}

/** A member of a group got its assignment, or lost it. */
export interface KafkaRebalance {
  readonly groupId: string;
  readonly generation: number;
  readonly cause: "joined" | "revoked" | "lost" | "left";
  /** Held from now on. */
  readonly partitions: number;
  readonly durationMs: number;
}

/** Offsets were committed, or not. */
export interface KafkaCommit {
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
  readonly kafkaOffset: number;
  /** "ok", "fenced", or the broker's name for the error. */
  readonly outcome: string;
}

/** Something that may pass failed; it is tried again. */
export interface KafkaRetry {
  /** As the protocol names it: "Fetch", "JoinGroup", … */
  readonly request: string;
  readonly brokerId: number;
  /** The broker's name for the error, or "stalled", "reset". */
  readonly cause: string;
  readonly attempt: number;
  readonly delayMs: number;
}

/**
 * What can be observed, under names that stay (node:diagnostics_channel; other runtimes have no subscribers).
 * `durationMs` is wall time.
 */
export const channels: {
  readonly sourceOpened: Channel<SourceOpened>;
  readonly sourceRead: Channel<SourceRead>;
  readonly storageRequest: Channel<StorageRequest>;
  readonly storageRetry: Channel<StorageRetry>;
  readonly storageCache: Channel<StorageCache>;
  readonly readerOpened: Channel<ReaderOpened>;
  readonly fragmentRead: Channel<FragmentRead>;
  readonly kafkaFetched: Channel<KafkaFetched>;
  readonly kafkaDecoded: Channel<KafkaDecoded>;
  readonly kafkaLag: Channel<KafkaLag>;
  readonly kafkaGap: Channel<KafkaGap>;
  readonly kafkaCorrupt: Channel<KafkaCorrupt>;
  readonly kafkaBuffered: Channel<KafkaBuffered>;
  readonly kafkaRebalance: Channel<KafkaRebalance>;
  readonly kafkaCommit: Channel<KafkaCommit>;
  readonly kafkaRetry: Channel<KafkaRetry>;
} = {
  sourceOpened: channel<SourceOpened>("ingest:source.opened"),
  sourceRead: channel<SourceRead>("ingest:source.read"),
  storageRequest: channel<StorageRequest>("ingest:storage.request"),
  storageRetry: channel<StorageRetry>("ingest:storage.retry"),
  storageCache: channel<StorageCache>("ingest:storage.cache"),
  readerOpened: channel<ReaderOpened>("ingest:reader.opened"),
  fragmentRead: channel<FragmentRead>("ingest:fragment.read"),
  kafkaFetched: channel<KafkaFetched>("ingest:kafka.fetched"),
  kafkaDecoded: channel<KafkaDecoded>("ingest:kafka.decoded"),
  kafkaLag: channel<KafkaLag>("ingest:kafka.lag"),
  kafkaGap: channel<KafkaGap>("ingest:kafka.gap"),
  kafkaCorrupt: channel<KafkaCorrupt>("ingest:kafka.corrupt"),
  kafkaBuffered: channel<KafkaBuffered>("ingest:kafka.buffered"),
  kafkaRebalance: channel<KafkaRebalance>("ingest:kafka.rebalance"),
  kafkaCommit: channel<KafkaCommit>("ingest:kafka.commit"),
  kafkaRetry: channel<KafkaRetry>("ingest:kafka.retry"),
};
