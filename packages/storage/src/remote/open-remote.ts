import { type ByteSource, channels, type ReadOptions } from "@ingest-ts/core";
import { sharedLimiter } from "./limiter.ts";
import { type Opening, readOpening } from "./opening.ts";
import { NetworkReader, RemoteSource } from "./remote-source.ts";
import type { Transport } from "./transport.ts";

/** Bytes that an opening counts as, before its size is known. */
const OPENING_BYTES = 256 * 1024;

/** An object that was opened and its transport. */
export interface Opened {
  readonly transport: Transport;
  readonly opening: Opening;
}

/** Opens an object by one request. @throws SourceError, UnsupportedError */
export async function openTransport(transport: Transport, { signal }: ReadOptions): Promise<Opened> {
  const startedAt = performance.now();
  const opening = (await sharedLimiter().run(OPENING_BYTES, false, signal, () =>
    readOpening(transport, signal),
  )) as Opening;
  if (channels.sourceOpened.hasSubscribers) {
    channels.sourceOpened.publish({ url: transport.target.url, durationMs: performance.now() - startedAt });
  }
  return { transport, opening };
}

/** The source of an opened object. */
export function sourceOf({ transport, opening }: Opened): ByteSource {
  return new RemoteSource(transport.target.url, opening, new NetworkReader(transport, opening.pin));
}
