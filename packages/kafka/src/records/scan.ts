import { at, LOG_OVERHEAD_BYTES } from "./spec.ts";

/** What the headers of a fetch's batches claim; nothing is checked here, the decoder does that later. */
export interface BatchScan {
  /** Behind the last whole batch; the offset given when there is none. */
  readonly next: number;
  readonly wholeBytes: number;
  /** What a batch that was cut off at the end claims to take; 0 when none was. */
  readonly claimedBytes: number;
}

/** Hops over batches, so that the next fetch can begin before they are decoded. */
export function scanBatches(bytes: Uint8Array, position: number): BatchScan {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let next = position;
  let start = 0;
  while (bytes.length - start >= at.records) {
    const size = LOG_OVERHEAD_BYTES + view.getInt32(start + at.batchLength);
    if (size < at.records) return { next, wholeBytes: start, claimedBytes: 0 };
    if (size > bytes.length - start) return { next, wholeBytes: start, claimedBytes: size };
    const base = view.getInt32(start) * 2 ** 32 + view.getUint32(start + 4);
    const after = base + view.getInt32(start + at.lastOffsetDelta) + 1;
    if (!Number.isSafeInteger(after)) return { next, wholeBytes: start, claimedBytes: 0 };
    next = Math.max(next, after);
    start += size;
  }
  const left = bytes.length - start;
  const claimed = left >= LOG_OVERHEAD_BYTES ? LOG_OVERHEAD_BYTES + view.getInt32(start + at.batchLength) : left;
  return { next, wholeBytes: start, claimedBytes: claimed };
}
