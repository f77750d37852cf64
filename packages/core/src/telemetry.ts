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
  /** Fetched, gaps between joined ranges included. */
  readonly sizeBytes: number;
  readonly durationMs: number;
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
  readonly readerOpened: Channel<ReaderOpened>;
  readonly fragmentRead: Channel<FragmentRead>;
} = {
  sourceOpened: channel<SourceOpened>("ingest:source.opened"),
  sourceRead: channel<SourceRead>("ingest:source.read"),
  readerOpened: channel<ReaderOpened>("ingest:reader.opened"),
  fragmentRead: channel<FragmentRead>("ingest:fragment.read"),
};
