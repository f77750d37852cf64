/** A half-open range of bytes [start, end), or the last `suffixBytes` of the object. */
export type ByteRange = { readonly start: number; readonly end: number } | { readonly suffixBytes: number };

/** What is known of an object without reading its rows. */
export interface ObjectStat {
  readonly sizeBytes: number;
  /** Changes whenever the content does: an HTTP ETag, or (device, inode, size, mtime in ns) of a file. */
  readonly etag: string;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface RangeOptions extends ReadOptions {
  /**
   * For each range an array at least as long. A source may write the answer to its beginning and answer a view of that,
   * which spares both sides a new array; it may as well ignore it. Until the answer the arrays are the source's.
   */
  readonly into?: readonly Uint8Array[] | undefined;
}

/**
 * Random access to one immutable object.
 *
 * The object is pinned when it is first touched: a source never mixes bytes of two versions, it throws a `SourceError`
 * when the object changed. `getRanges` answers in the order asked, each array exactly as long as its range (a suffix
 * range longer than the object answers with the whole object); it may coalesce neighbours, and the arrays it returns
 * belong to the caller.
 */
export interface ByteSource {
  /** Without user-info and query: shown in errors, logs and state. */
  readonly url: string;
  /** Answered from the first response when there was one. */
  stat(options?: ReadOptions): Promise<ObjectStat>;
  getRanges(ranges: readonly ByteRange[], options?: RangeOptions): Promise<Uint8Array[]>;
  /** Releases handles; harmless when repeated. */
  close(): Promise<void>;
}

/** Opens a URL of one scheme. */
export type SourceOpener = (url: string, options?: ReadOptions) => Promise<ByteSource>;

/** From scheme (without colon) to the module that opens it, loaded on first use. */
export type SchemeTable = Readonly<Record<string, () => Promise<{ open: SourceOpener }>>>;
