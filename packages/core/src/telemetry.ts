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
} = {
  sourceOpened: channel<SourceOpened>("ingest:source.opened"),
  sourceRead: channel<SourceRead>("ingest:source.read"),
  storageRequest: channel<StorageRequest>("ingest:storage.request"),
  storageRetry: channel<StorageRetry>("ingest:storage.retry"),
  storageCache: channel<StorageCache>("ingest:storage.cache"),
  readerOpened: channel<ReaderOpened>("ingest:reader.opened"),
  fragmentRead: channel<FragmentRead>("ingest:fragment.read"),
};
