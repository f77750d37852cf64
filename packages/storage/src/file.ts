import { Buffer, constants as bufferConstants } from "node:buffer";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open as openFile } from "node:fs/promises";
import {
  type ByteRange,
  type ByteSource,
  type ByteSpan,
  channels,
  type ObjectLister,
  type ObjectStat,
  OptionsError,
  publicUrl,
  type RangeOptions,
  type ReadOptions,
  SourceError,
  UnsupportedError,
} from "@ingest-ts/core";
import { fileError } from "./file-errors.ts";
import { etagOf, pathOf } from "./file-path.ts";
import { listFiles, probeFile } from "./list-files.ts";
import { absoluteRange, isRange, planReads, type PlannedRead } from "./plan-ranges.ts";

/** A local disk serves small gaps faster than another system call. */
const planOptions = { holeBytes: 32 * 1024, mergedBytes: 8 * 1024 * 1024 };
/** One system call reads at most so much: an abort is noticed between two of them. */
const STEP_BYTES = 16 * 1024 * 1024;
const PARALLEL_READS = 4;

/** Folders of files. */
export const lister: ObjectLister = { probe: probeFile, list: listFiles };

/** Not from Node's shared pool: callers may keep or transfer the buffer. */
function fresh(sizeBytes: number): Uint8Array {
  const slow = Buffer.allocUnsafeSlow(sizeBytes);
  return new Uint8Array(slow.buffer, slow.byteOffset, slow.byteLength);
}

/** Opens a regular file for positional reads. @throws SourceError, OptionsError (not a path). */
export async function open(url: string, options: ReadOptions = {}): Promise<ByteSource> {
  options.signal?.throwIfAborted();
  const shown = publicUrl(url);
  const startedAt = performance.now();
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for its writer.
    handle = await openFile(pathOf(url), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = await handle.stat({ bigint: true });
    if (stat.isDirectory()) {
      throw new SourceError("is a folder, not a file", { where: { url: shown }, remedy: "Name one file in it." });
    }
    if (!stat.isFile()) {
      throw new SourceError("is not a regular file", {
        where: { url: shown },
        remedy: "Columnar files need random access: save the stream to a file first.",
      });
    }
    if (channels.sourceOpened.hasSubscribers) {
      channels.sourceOpened.publish({ url: shown, durationMs: performance.now() - startedAt });
    }
    return new FileSource(shown, handle, stat);
  } catch (error) {
    await handle?.close();
    throw fileError(error, shown);
  }
}

/** One open file, pinned by device, inode, size and modification time in nanoseconds. */
class FileSource implements ByteSource {
  readonly url: string;
  readonly nearby = true;
  readonly #handle: FileHandle;
  readonly #sizeBytes: number;
  readonly #etag: string;
  #closing: Promise<void> | undefined;

  constructor(url: string, handle: FileHandle, stat: BigIntStats) {
    this.url = url;
    this.#handle = handle;
    this.#sizeBytes = Number(stat.size);
    this.#etag = etagOf(stat);
  }

  stat(options: ReadOptions = {}): Promise<ObjectStat> {
    return this.#guard(async () => {
      options.signal?.throwIfAborted();
      await this.#checkUnchanged();
      return { sizeBytes: this.#sizeBytes, etag: this.#etag };
    });
  }

  getRanges(ranges: readonly ByteRange[], options: RangeOptions = {}): Promise<Uint8Array[]> {
    return this.#guard(async () => {
      options.signal?.throwIfAborted();
      const spans = ranges.map((range) => this.#spanOf(range));
      const startedAt = performance.now();
      const out: Uint8Array[] = spans.map(() => new Uint8Array(0));
      await this.#checkUnchanged();
      const reads = planReads(spans, planOptions);
      await this.#readAll(reads, spans, out, options);
      await this.#checkUnchanged();
      if (channels.sourceRead.hasSubscribers) {
        channels.sourceRead.publish({
          url: this.url,
          ranges: ranges.length,
          requests: reads.length,
          askedBytes: spans.reduce((sum, span) => sum + span.end - span.start, 0),
          sizeBytes: reads.reduce((sum, read) => sum + read.end - read.start, 0),
          durationMs: performance.now() - startedAt,
        });
      }
      return out;
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#handle.close();
    return this.#closing;
  }

  async #guard<T>(body: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) {
      throw new SourceError("the source is closed", { where: { url: this.url }, remedy: "Open it again." });
    }
    try {
      return await body();
    } catch (error) {
      throw fileError(error, this.url);
    }
  }

  #spanOf(range: ByteRange): ByteSpan {
    if (!isRange(range)) {
      throw new OptionsError(`not a byte range: ${JSON.stringify(range)}`, { where: { url: this.url } });
    }
    const span = absoluteRange(range, this.#sizeBytes);
    if (span.end > this.#sizeBytes) {
      throw new SourceError(`bytes ${span.start} to ${span.end} are asked of an object of ${this.#sizeBytes}`, {
        where: { url: this.url, offset: span.start },
      });
    }
    if (span.end - span.start > bufferConstants.MAX_LENGTH) {
      throw new UnsupportedError(`one range of ${span.end - span.start} bytes`, {
        where: { url: this.url, offset: span.start },
        remedy: `Ask for at most ${bufferConstants.MAX_LENGTH} bytes at once.`,
      });
    }
    return span;
  }

  async #checkUnchanged(): Promise<void> {
    const now = await this.#handle.stat({ bigint: true });
    if (etagOf(now) === this.#etag) return;
    throw new SourceError("the file changed while it was read", {
      where: { url: this.url },
      remedy: "Read it again once it is complete; writers should write to a temporary name and rename.",
    });
  }

  async #readAll(
    reads: readonly PlannedRead[],
    spans: readonly ByteSpan[],
    out: Uint8Array[],
    { signal, into = [] }: RangeOptions,
  ): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < reads.length) {
        const read = reads[next++] as PlannedRead;
        const places = scattered(read, spans, into);
        if (places !== undefined) {
          await this.#fill(places, read.start, signal);
          for (const i of read.wanted) out[i] = into[i]?.subarray(0, lengthOf(spans[i] as ByteSpan)) as Uint8Array;
          continue;
        }
        const bytes = fresh(lengthOf(read));
        await this.#fill([bytes], read.start, signal);
        for (const i of read.wanted) {
          const span = spans[i] as ByteSpan;
          out[i] = bytes.subarray(span.start - read.start, span.end - read.start);
        }
      }
    };
    const workers = Array.from({ length: Math.min(PARALLEL_READS, reads.length) }, worker);
    // Wait for all even when one fails: nothing may read on after the caller was told.
    const results = await Promise.allSettled(workers);
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  /** Reads into `places`, one behind the other, what lies in the file from `offset` on. */
  async #fill(places: readonly Uint8Array[], offset: number, signal: AbortSignal | undefined): Promise<void> {
    const left = [...places];
    let at = offset;
    for (let first = left[0]; first !== undefined; first = left[0]) {
      signal?.throwIfAborted();
      // Together they are a merged read, which is short; alone, one may be of any length.
      const { bytesRead } =
        left.length > 1
          ? await this.#handle.readv(left, at)
          : await this.#handle.read(first, 0, Math.min(STEP_BYTES, first.length), at);
      if (bytesRead === 0) {
        throw new SourceError(`the file ends ${left.reduce((sum, { length }) => sum + length, 0)} bytes early`, {
          where: { url: this.url, offset: at },
          remedy: "It was truncated while it was read: read it again once it is complete.",
        });
      }
      at += bytesRead;
      pass(left, bytesRead);
    }
  }
}

/** Takes `count` bytes off the front of `places`. */
function pass(places: Uint8Array[], count: number): void {
  for (let left = count; left > 0; ) {
    const first = places[0] as Uint8Array;
    if (first.length > left) {
      places[0] = first.subarray(left);
      return;
    }
    left -= first.length;
    places.shift();
  }
}

const lengthOf = ({ start, end }: ByteSpan): number => end - start;

/** Bytes between two ranges that nobody wants, of every read at once. */
const unwanted = new Uint8Array(planOptions.holeBytes);

/** Where the bytes of `read` go when each of its ranges has a place of its own; undefined when one has none, or two overlap. */
function scattered(
  read: PlannedRead,
  spans: readonly ByteSpan[],
  into: readonly Uint8Array[],
): Uint8Array[] | undefined {
  const places: Uint8Array[] = [];
  let at = read.start;
  for (const i of read.wanted) {
    const { start, end } = spans[i] as ByteSpan;
    const place = into[i];
    if (place === undefined || place.length < end - start || start < at) return undefined;
    if (start > at) places.push(unwanted.subarray(0, start - at));
    places.push(place.subarray(0, end - start));
    at = end;
  }
  return places;
}
