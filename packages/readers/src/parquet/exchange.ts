import type { ByteSpan, Need } from "@ingest-ts/core";

/** Something that waits for bytes [start, end) of the file. */
export interface Waiting {
  readonly wanted: ByteSpan | undefined;
  give(bytes: Uint8Array): void;
}

export interface Exchange {
  readonly request: Need;
  /** Hands out the bytes that answer `request`. */
  answer(bytes: readonly Uint8Array[]): void;
}

/** One range never grows past this by joining. */
const MAX_JOINED_BYTES = 64 * 1024 * 1024;

/** Joins what neighbouring columns want into one range, since their chunks mostly lie side by side. */
export function exchange(waiting: readonly Waiting[]): Exchange {
  const wants = waiting
    .map((each) => ({ each, span: each.wanted as ByteSpan }))
    .sort((a, b) => a.span.start - b.span.start);
  const joined: { start: number; end: number }[] = [];
  const places = wants.map(({ each, span }) => {
    const last = joined.at(-1);
    if (last !== undefined && last.end === span.start && span.end - last.start <= MAX_JOINED_BYTES) last.end = span.end;
    else joined.push({ ...span });
    return { each, span, range: joined.length - 1 };
  });
  return {
    request: { need: joined },
    answer: (bytes) => {
      for (const { each, span, range } of places) {
        const base = (joined[range] as ByteSpan).start;
        each.give((bytes[range] as Uint8Array).subarray(span.start - base, span.end - base));
      }
    },
  };
}
