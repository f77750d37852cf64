import { type ByteSource, channels, type ReadOptions } from "@ingest-ts/core";
import type { BlockStore } from "../cache/block-store.ts";
import { CachedReader } from "../cache/cached-reader.ts";
import { cachedOpening } from "../cache/cached-opening.ts";
import { sharedStore } from "../cache/shared-store.ts";
import { sharedLimiter } from "./limiter.ts";
import { type Opening, readOpening } from "./opening.ts";
import { NetworkReader, RemoteSource } from "./remote-source.ts";
import { isStrong, type Transport } from "./transport.ts";

/** Bytes that an opening counts as, before its size is known. */
const OPENING_BYTES = 256 * 1024;

/** An object that was opened and its transport. */
export interface Opened {
  readonly transport: Transport;
  readonly opening: Opening;
  readonly store: BlockStore | undefined;
}

/** Opens an object by one request. @throws SourceError, UnsupportedError */
export async function openTransport(transport: Transport, { signal }: ReadOptions): Promise<Opened> {
  const startedAt = performance.now();
  const { cacheId } = transport;
  const store = cacheId === undefined ? undefined : await sharedStore();
  const opening = await sharedLimiter().run(OPENING_BYTES, false, signal, () =>
    store === undefined || cacheId === undefined
      ? (readOpening(transport, signal) as Promise<Opening>)
      : cachedOpening(store, transport, cacheId, signal),
  );
  if (channels.sourceOpened.hasSubscribers) {
    channels.sourceOpened.publish({ url: transport.target.url, durationMs: performance.now() - startedAt });
  }
  return { transport, opening, store };
}

/** The source of an opened object. */
export function sourceOf({ transport, opening, store }: Opened): ByteSource {
  const { target, cacheId } = transport;
  const network = new NetworkReader(transport, opening.pin);
  const cached = store !== undefined && cacheId !== undefined && isStrong(opening.pin.identity);
  const reader = cached ? new CachedReader(store, network, opening.pin, cacheId) : network;
  return new RemoteSource(target.url, opening, reader);
}
