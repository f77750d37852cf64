import { OptionsError } from "@ingest-ts/core";
import type { LoadOptions } from "../options.ts";
import type { KafkaLoadOptions } from "../stream/kafka-options.ts";

/** Where a server listens: a unix socket, or a port of this machine (0: a free one). */
export type ServeAddress = { readonly socket: string } | { readonly port: number };

/** What `load` takes but for whose batches they are: each request says that. */
export interface ServeOptions extends Omit<LoadOptions, "world" | "ledger" | "signal" | "batchSize"> {
  readonly address: ServeAddress;
  /** Of a `kafka://` source. */
  readonly kafka?: KafkaLoadOptions | undefined;
  /** Positions of one batch of one rank, for requests that do not say. */
  readonly batchSize: number;
  /** Number of ranks, for requests that do not say. */
  readonly worldSize?: number | undefined;
  /** Ends the opening of the data, not the server. */
  readonly signal?: AbortSignal | undefined;
}

/** The longest path that every system takes for a socket. */
const MOST_SOCKET_BYTES = 103;

/** @throws OptionsError */
export function checkAddress(address: ServeAddress): ServeAddress {
  if ("socket" in address) {
    const bytes = Buffer.byteLength(address.socket);
    if (bytes > 0 && bytes <= MOST_SOCKET_BYTES) return address;
    throw new OptionsError(`the path of the socket has ${bytes} bytes`, {
      remedy: `It must have 1 to ${MOST_SOCKET_BYTES}: name a shorter folder.`,
    });
  }
  const { port } = address;
  if (Number.isSafeInteger(port) && port >= 0 && port < 65_536) return address;
  throw new OptionsError(`the port is ${port}`, { remedy: "It must be 0 to 65535; 0 takes a free one." });
}
