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
    { signal, into }: RangeOptions,
  ): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < reads.length) {
        const read = reads[next++] as PlannedRead;
        const [only = -1] = read.wanted.length === 1 ? read.wanted : [];
        const bytes = await this.#read(read, signal, into?.[only]);
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

  async #read(
    { start, end }: ByteSpan,
    signal: AbortSignal | undefined,
    into: Uint8Array | undefined,
  ): Promise<Uint8Array> {
    const bytes = into !== undefined && into.length >= end - start ? into.subarray(0, end - start) : fresh(end - start);
    let done = 0;
    while (done < bytes.length) {
      signal?.throwIfAborted();
      const want = Math.min(STEP_BYTES, bytes.length - done);
      const { bytesRead } = await this.#handle.read(bytes, done, want, start + done);
      if (bytesRead === 0) {
        throw new SourceError(`the file ends ${bytes.length - done} bytes early`, {
          where: { url: this.url, offset: start + done },
          remedy: "It was truncated while it was read: read it again once it is complete.",
        });
      }
      done += bytesRead;
    }
    return bytes;
  }
}
