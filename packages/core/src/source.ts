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
  /** Nobody waits for it yet: requests of a remote store that somebody waits for go first. */
  readonly ahead?: boolean | undefined;
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
  /**
   * True for a local file: several small reads cost hardly more than a large one, and `RangeOptions.into` is written to.
   * Readers then ask for less at a time, and use the same memory again.
   */
  readonly nearby?: boolean | undefined;
  /** Answered from the first response when there was one. */
  stat(options?: ReadOptions): Promise<ObjectStat>;
  getRanges(ranges: readonly ByteRange[], options?: RangeOptions): Promise<Uint8Array[]>;
  /** Releases handles; harmless when repeated. */
  close(): Promise<void>;
}

/** Opens a URL of one scheme. */
export type SourceOpener = (url: string, options?: ReadOptions) => Promise<ByteSource>;

/** One object as a listing saw it: whoever opens it later can tell whether it is still the same. */
export interface ListedObject extends ObjectStat {
  /** What `open` takes. */
  readonly url: string;
  /** Below the folder that was listed, with `/`. */
  readonly path: string;
}

/** What a URL names, found out without opening it. */
export type Probed =
  | { readonly kind: "object"; readonly object: ListedObject }
  | { readonly kind: "folder" }
  | { readonly kind: "missing" };

/** What of a folder to list. */
export interface ListOptions extends ReadOptions {
  /** Whether a file or folder, given by its path below the one that is listed, is wanted. Default: all are. */
  readonly accept?: ((path: string) => boolean) | undefined;
}

/** What a store that has folders (or key prefixes) offers besides `open`. */
export interface ObjectLister {
  /** @throws SourceError when it cannot be told. */
  probe(url: string, options?: ReadOptions): Promise<Probed>;
  /** Every object below a folder, in any order. @throws SourceError naming what cannot be listed. */
  list(url: string, options?: ListOptions): Promise<ListedObject[]>;
}

/** What one scheme's module exports; without a lister its URLs name single objects. */
export interface Scheme {
  readonly open: SourceOpener;
  readonly lister?: ObjectLister;
}

/** From scheme (without colon) to the module that opens it, loaded on first use. */
export type SchemeTable = Readonly<Record<string, () => Promise<Scheme>>>;
