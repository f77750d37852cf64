import { constants } from "node:buffer";
import {
  type ByteRange,
  type ByteSource,
  type ByteSpan,
  channels,
  type ObjectStat,
  OptionsError,
  type RangeOptions,
  type ReadOptions,
  SourceError,
  UnsupportedError,
} from "@ingest-ts/core";
import { absoluteRange, isRange } from "../plan-ranges.ts";
import { storageSettings } from "../settings.ts";
import { fetchSpan } from "./fetch-span.ts";
import { sharedLimiter } from "./limiter.ts";
import { onAbort } from "./on-abort.ts";
import { freshBytes, type Opening } from "./opening.ts";
import { type PlannedBuffer, planRequests } from "./plan-requests.ts";
import type { Transport } from "./transport.ts";

/** Reads spans that are not at hand: over the network, or through the cache. @returns the requests it took */
export interface SpanReader {
  read(spans: readonly ByteSpan[], out: Uint8Array[], options: SpanReadOptions): Promise<Fetched>;
}

export interface SpanReadOptions {
  readonly signal: AbortSignal;
  readonly ahead: boolean;
  /** Where the bytes may be put; see `RangeOptions.into`. */
  readonly into: readonly (Uint8Array | undefined)[];
}

export interface Fetched {
  readonly requests: number;
  readonly sizeBytes: number;
}

/** Reads by as few requests as the settings allow. */
export class NetworkReader implements SpanReader {
  readonly #transport: Transport;
  readonly #pin: Opening["pin"];

  constructor(transport: Transport, pin: Opening["pin"]) {
    this.#transport = transport;
    this.#pin = pin;
  }

  async read(spans: readonly ByteSpan[], out: Uint8Array[], options: SpanReadOptions): Promise<Fetched> {
    const buffers = planRequests(spans, storageSettings());
    const failed = new AbortController();
    const unlisten = onAbort(options.signal, (reason) => failed.abort(reason));
    try {
      // Wait for all even when one fails: nothing may write on after the caller was told.
      const results = await Promise.allSettled(
        buffers.map((buffer) => this.#fill(buffer, spans, out, options, failed)),
      );
      options.signal.throwIfAborted();
      if (failed.signal.aborted) throw failed.signal.reason;
      for (const result of results) if (result.status === "rejected") throw result.reason;
    } finally {
      unlisten();
    }
    return {
      requests: buffers.reduce((sum, { parts }) => sum + parts.length, 0),
      sizeBytes: buffers.reduce((sum, { start, end }) => sum + end - start, 0),
    };
  }

  /** One buffer by its requests; the first failure aborts all. */
  async #fill(
    { start, end, parts, wanted }: PlannedBuffer,
    spans: readonly ByteSpan[],
    out: Uint8Array[],
    { ahead, into }: SpanReadOptions,
    failed: AbortController,
  ): Promise<void> {
    const given = wanted.length === 1 ? into[wanted[0] as number] : undefined;
    let bytes: Uint8Array | undefined;
    const bytesFor = (): Uint8Array => {
      // Allocated when the first request may go, not while it waits for its turn.
      bytes ??=
        given !== undefined && given.length >= end - start ? given.subarray(0, end - start) : freshBytes(end - start);
      return bytes;
    };
    const part = async (span: ByteSpan): Promise<void> => {
      try {
        await sharedLimiter().run(span.end - span.start, ahead, failed.signal, () =>
          fetchSpan(
            this.#transport,
            this.#pin,
            span,
            bytesFor().subarray(span.start - start, span.end - start),
            failed.signal,
          ),
        );
      } catch (error) {
        if (!failed.signal.aborted) failed.abort(error);
        throw error;
      }
    };
    await Promise.all(parts.map(part));
    for (const i of wanted) {
      const span = spans[i] as ByteSpan;
      out[i] = bytesFor().subarray(span.start - start, span.end - start);
    }
  }
}

/** One object of a remote store, pinned to the version that was there when it was opened. */
export class RemoteSource implements ByteSource {
  readonly url: string;
  readonly #opening: Opening;
  readonly #reader: SpanReader;
  readonly #stop = new AbortController();

  constructor(url: string, opening: Opening, reader: SpanReader) {
    this.url = url;
    this.#opening = opening;
    this.#reader = reader;
  }

  async stat(options: ReadOptions = {}): Promise<ObjectStat> {
    this.#check(options.signal);
    const { sizeBytes, identity } = this.#opening.pin;
    return { sizeBytes, etag: identity };
  }

  async getRanges(ranges: readonly ByteRange[], options: RangeOptions = {}): Promise<Uint8Array[]> {
    this.#check(options.signal);
    const spans = ranges.map((range) => this.#spanOf(range));
    const startedAt = performance.now();
    const missing: number[] = [];
    const out = spans.map((span, i) => {
      const bytes = this.#atHand(span);
      if (bytes === undefined) missing.push(i);
      return bytes ?? new Uint8Array(0);
    });
    const fetched =
      missing.length === 0 ? { requests: 0, sizeBytes: 0 } : await this.#fetch(missing, spans, out, options);
    if (channels.sourceRead.hasSubscribers) {
      const askedBytes = spans.reduce((sum, { start, end }) => sum + end - start, 0);
      const durationMs = performance.now() - startedAt;
      channels.sourceRead.publish({ url: this.url, ranges: ranges.length, askedBytes, ...fetched, durationMs });
    }
    return out;
  }

  async close(): Promise<void> {
    if (!this.#stop.signal.aborted) this.#stop.abort(this.#closed());
  }

  async #fetch(
    missing: readonly number[],
    spans: readonly ByteSpan[],
    out: Uint8Array[],
    { signal, into, ahead = false }: RangeOptions,
  ): Promise<Fetched> {
    const stop = new AbortController();
    const undo = [this.#stop.signal, signal].map((each) => onAbort(each, (reason) => stop.abort(reason)));
    try {
      const wanted = missing.map((i) => spans[i] as ByteSpan);
      const parts = wanted.map(() => new Uint8Array(0));
      const places = missing.map((i) => into?.[i]);
      const fetched = await this.#reader.read(wanted, parts, { signal: stop.signal, ahead, into: places });
      missing.forEach((i, k) => {
        out[i] = parts[k] as Uint8Array;
      });
      return fetched;
    } finally {
      for (const each of undo) each();
    }
  }

  /** Bytes that the opening brought, copied: what callers get is theirs. */
  #atHand({ start, end }: ByteSpan): Uint8Array | undefined {
    if (start === end) return new Uint8Array(0);
    const { start: first, bytes } = this.#opening;
    if (start < first || end > first + bytes.length) return undefined;
    return bytes.slice(start - first, end - first);
  }

  #check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#stop.signal.aborted) throw this.#closed();
  }

  #closed(): SourceError {
    return new SourceError("the source is closed", { where: { url: this.url }, remedy: "Open it again." });
  }

  #spanOf(range: ByteRange): ByteSpan {
    if (!isRange(range)) {
      throw new OptionsError(`not a byte range: ${JSON.stringify(range)}`, { where: { url: this.url } });
    }
    const { sizeBytes } = this.#opening.pin;
    const span = absoluteRange(range, sizeBytes);
    if (span.end > sizeBytes) {
      throw new SourceError(`bytes ${span.start} to ${span.end} are asked of an object of ${sizeBytes}`, {
        where: { url: this.url, offset: span.start },
      });
    }
    if (span.end - span.start > constants.MAX_LENGTH) {
      throw new UnsupportedError(`one range of ${span.end - span.start} bytes`, {
        where: { url: this.url, offset: span.start },
        remedy: `Ask for at most ${constants.MAX_LENGTH} bytes at once.`,
      });
    }
    return span;
  }
}
