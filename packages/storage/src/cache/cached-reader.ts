import type { ByteSpan } from "@ingest-ts/core";
import type { Pin } from "../remote/fetch-span.ts";
import { freshBytes } from "../remote/opening.ts";
import type { Fetched, SpanReader, SpanReadOptions } from "../remote/remote-source.ts";
import { BLOCK_BYTES } from "./block-file.ts";
import type { BlockStore } from "./block-store.ts";

const FILES_AT_ONCE = 8;

/** Reads whole blocks: those in the cache from the disk, the others over the network, which then are in the cache. */
export class CachedReader implements SpanReader {
  readonly #store: BlockStore;
  readonly #network: SpanReader;
  readonly #pin: Pin;
  readonly #cacheId: string;

  constructor(store: BlockStore, network: SpanReader, pin: Pin, cacheId: string) {
    this.#store = store;
    this.#network = network;
    this.#pin = pin;
    this.#cacheId = cacheId;
  }

  async read(spans: readonly ByteSpan[], out: Uint8Array[], options: SpanReadOptions): Promise<Fetched> {
    spans.forEach(({ start, end }, i) => {
      const given = options.into[i];
      out[i] =
        given !== undefined && given.length >= end - start ? given.subarray(0, end - start) : freshBytes(end - start);
    });
    const missing = await this.#fromDisk(blocksOf(spans), spans, out, options.signal);
    if (missing.length === 0) return { requests: 0, sizeBytes: 0 };
    const wanted = missing.map((block) => this.#spanOf(block));
    const fetched = wanted.map(() => new Uint8Array(0));
    const report = await this.#network.read(wanted, fetched, { ...options, into: [] });
    for (const [k, block] of missing.entries()) {
      const bytes = fetched[k] as Uint8Array;
      copyOverlaps(wanted[k] as ByteSpan, bytes, spans, out);
      await this.#store.put(this.#labelOf(block), bytes);
    }
    return report;
  }

  /** Copies what the cache has of `blocks`. @returns the others */
  async #fromDisk(
    blocks: readonly number[],
    spans: readonly ByteSpan[],
    out: Uint8Array[],
    signal: AbortSignal,
  ): Promise<number[]> {
    const missing: number[] = [];
    for (let from = 0; from < blocks.length; from += FILES_AT_ONCE) {
      signal.throwIfAborted();
      const some = blocks.slice(from, from + FILES_AT_ONCE);
      const found = await Promise.all(some.map((block) => this.#store.get(this.#labelOf(block))));
      found.forEach((bytes, k) => {
        const block = some[k] as number;
        const span = this.#spanOf(block);
        if (bytes === undefined || bytes.length !== span.end - span.start) missing.push(block);
        else copyOverlaps(span, bytes, spans, out);
      });
    }
    return missing;
  }

  #spanOf(block: number): ByteSpan {
    return { start: block * BLOCK_BYTES, end: Math.min((block + 1) * BLOCK_BYTES, this.#pin.sizeBytes) };
  }

  #labelOf(block: number): string {
    const { identity, sizeBytes } = this.#pin;
    return JSON.stringify(["block", this.#cacheId, identity, sizeBytes, block]);
  }
}

/** Every block that some span touches, in order. */
function blocksOf(spans: readonly ByteSpan[]): number[] {
  const blocks = new Set<number>();
  for (const { start, end } of spans) {
    for (let block = Math.floor(start / BLOCK_BYTES); block * BLOCK_BYTES < end; block++) blocks.add(block);
  }
  return [...blocks].sort((a, b) => a - b);
}

function copyOverlaps(from: ByteSpan, bytes: Uint8Array, spans: readonly ByteSpan[], out: readonly Uint8Array[]): void {
  spans.forEach(({ start, end }, i) => {
    const [first, last] = [Math.max(start, from.start), Math.min(end, from.end)];
    if (first < last) out[i]?.set(bytes.subarray(first - from.start, last - from.start), first - start);
  });
}
