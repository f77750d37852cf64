import type { ByteRange, ByteSource, ObjectStat, ReadOptions } from "../source.ts";
import { SourceError } from "../errors.ts";

function spanOf(range: ByteRange, sizeBytes: number, url: string): { start: number; end: number } {
  const span = "suffixBytes" in range ? { start: Math.max(0, sizeBytes - range.suffixBytes), end: sizeBytes } : range;
  if (span.start < 0 || span.end < span.start || span.end > sizeBytes) {
    throw new SourceError(`bytes ${span.start} to ${span.end} are asked of an object of ${sizeBytes}`, {
      where: { url },
    });
  }
  return span;
}

/** An object in memory. Every answer is a copy, as a remote source's would be. */
export function memorySource(bytes: Uint8Array, url = "memory://object"): ByteSource {
  let closed = false;
  const check = (options: ReadOptions = {}): void => {
    options.signal?.throwIfAborted();
    if (closed) throw new SourceError("the source is closed", { where: { url } });
  };
  return {
    url,
    async stat(options): Promise<ObjectStat> {
      check(options);
      return { sizeBytes: bytes.length, etag: `memory-${bytes.length}` };
    },
    async getRanges(ranges, options): Promise<Uint8Array[]> {
      check(options);
      return ranges.map((range) => {
        const { start, end } = spanOf(range, bytes.length, url);
        return bytes.slice(start, end);
      });
    },
    async close(): Promise<void> {
      closed = true;
    },
  };
}

/** A source that counts what is asked of the one it wraps. */
export interface CountingSource extends ByteSource {
  /** Calls of `getRanges`, ranges in them, and bytes answered. */
  readonly counts: { readonly calls: number; readonly ranges: number; readonly sizeBytes: number };
  /** The largest sum of bytes of calls that were unanswered at the same time. */
  readonly peakBytes: number;
}

/** Counts what is asked of `source`, and passes it on. */
export function countingSource(source: ByteSource): CountingSource {
  const counts = { calls: 0, ranges: 0, sizeBytes: 0 };
  let pending = 0;
  let peakBytes = 0;
  return {
    url: source.url,
    counts,
    get peakBytes() {
      return peakBytes;
    },
    stat: (options) => source.stat(options),
    close: () => source.close(),
    async getRanges(ranges, options): Promise<Uint8Array[]> {
      counts.calls++;
      counts.ranges += ranges.length;
      let asked = 0;
      for (const range of ranges) asked += "suffixBytes" in range ? range.suffixBytes : range.end - range.start;
      pending += asked;
      peakBytes = Math.max(peakBytes, pending);
      try {
        const answers = await source.getRanges(ranges, options);
        counts.sizeBytes += answers.reduce((sum, answer) => sum + answer.length, 0);
        return answers;
      } finally {
        pending -= asked;
      }
    },
  };
}

/** What goes wrong, and at which call of `getRanges` (counted from 0). */
export interface Fault {
  readonly call: number;
  /** "error": a retryable SourceError; "changed": the object is another one; "short": the last array lacks bytes. */
  readonly kind: "error" | "changed" | "short";
}

/** A source that fails on purpose. "short" breaks the contract: what a careless source would do. */
export function faultySource(source: ByteSource, faults: readonly Fault[]): ByteSource {
  let call = 0;
  return {
    url: source.url,
    stat: (options) => source.stat(options),
    close: () => source.close(),
    async getRanges(ranges, options): Promise<Uint8Array[]> {
      const now = call++;
      const fault = faults.find((candidate) => candidate.call === now);
      if (fault?.kind === "error") {
        throw new SourceError("the connection was reset", { where: { url: source.url }, retryable: true });
      }
      if (fault?.kind === "changed") {
        throw new SourceError("the object changed while it was read", { where: { url: source.url } });
      }
      const answers = await source.getRanges(ranges, options);
      const last = answers.at(-1);
      if (fault?.kind === "short" && last !== undefined) answers[answers.length - 1] = last.subarray(0, -1);
      return answers;
    },
  };
}
