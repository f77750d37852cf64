import { lstat, unlink } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { resolve } from "node:path";
import { OptionsError, SourceError } from "@ingest-ts/core";
import type { Skipped } from "@ingest-ts/readers";
import { Router } from "./router.ts";
import { checkAddress, type ServeAddress, type ServeOptions } from "./serve-options.ts";
import { type Served, ServedData } from "./served-data.ts";
import { isKafkaUrl } from "../stream/is-kafka-url.ts";

const LOOPBACK = "127.0.0.1";
/** Clients that do not read are cut off so long after the server was asked to stop. */
const DRAIN_MS = 10_000;
const DRAIN_STEP_MS = 20;

/** A server that listens. */
export interface BatchServer {
  /** `unix:` and the absolute path, or `http://127.0.0.1:` and the port. */
  readonly address: string;
  readonly socket: string | undefined;
  readonly port: number | undefined;
  /** undefined: a stream, without an end. */
  readonly rows: number | undefined;
  /** Names of a folder that were passed over. */
  readonly skipped: Skipped;
  /** Ends every stream behind the batch that is being sent, then the server. Harmless when repeated. */
  drain(): Promise<void>;
  /** Ends at once. */
  close(): Promise<void>;
}

/** Whether somebody listens at a socket's path. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      answer(true);
    });
    socket.once("error", () => answer(false));
  });
}

/** Takes a socket away that a killed server left behind. @throws OptionsError when it is in use, or no socket */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new OptionsError("there is a file where the socket should be", {
      where: { url: path },
      remedy: "Name another path.",
    });
  }
  if (await isAlive(path)) {
    throw new OptionsError("another server listens there", {
      where: { url: path },
      remedy: "Stop it, or name another path.",
    });
  }
  await unlink(path);
}

function listen(server: Server, address: ServeAddress): Promise<void> {
  const url = "socket" in address ? address.socket : `http://${LOOPBACK}:${address.port}`;
  return new Promise((done, fail) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      fail(
        new SourceError(`the server cannot listen: ${cause.message}`, {
          where: { url },
          remedy:
            cause.code === "EADDRINUSE"
              ? "Choose another port, or 0."
              : "Name a folder that exists and can be written.",
          cause,
        }),
      );
    });
    const listening = (): void => done();
    if ("socket" in address) server.listen(address.socket, listening);
    else server.listen(address.port, LOOPBACK, listening);
  });
}

/**
 * Opens the data and serves its batches to local clients, by the protocol of docs/serve.md.
 *
 * @throws OptionsError, SourceError, FormatError, UnsupportedError as `load` does; when it cannot listen, SourceError
 */
export async function serve(options: ServeOptions, version: string): Promise<BatchServer> {
  const given = checkAddress(options.address);
  const address = "socket" in given ? { socket: resolve(given.socket) } : given;
  if ("socket" in address) await removeStaleSocket(address.socket);
  const data = await openServed(options);
  const router = new Router(data, version, !("socket" in address));
  const server = createServer({ noDelay: true }, (request, response) => void router.handle(request, response));
  // A stream has no time limit: its first batch waits for data, its last for a trainer.
  server.requestTimeout = 0;
  server.timeout = 0;
  try {
    await listen(server, address);
  } catch (error) {
    await data.close();
    throw error;
  }
  return running(server, router, data, address);
}

async function openServed(options: ServeOptions): Promise<Served> {
  if (options.kafka === undefined && !isKafkaUrl(options.source)) return ServedData.open(options);
  return (await import("./served-stream.ts")).ServedStream.open(options);
}

function running(server: Server, router: Router, data: Served, address: ServeAddress): BatchServer {
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : undefined;
  const socket = "socket" in address ? address.socket : undefined;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= new Promise<void>((done) => {
      server.close(() => done());
      server.closeAllConnections();
    }).then(() => data.close());
    return closing;
  };
  let draining: Promise<void> | undefined;
  const drain = async (): Promise<void> => {
    // Still listens, so that probes hear that it is not ready and clients why.
    router.drain();
    for (let waited = 0; router.open > 0 && waited < DRAIN_MS; waited += DRAIN_STEP_MS) {
      await new Promise((resume) => setTimeout(resume, DRAIN_STEP_MS));
    }
    await close();
  };
  return {
    address: socket === undefined ? `http://${LOOPBACK}:${port}` : `unix:${socket}`,
    socket,
    port,
    rows: data.rows,
    skipped: data.skipped,
    drain: () => (draining ??= drain()),
    close,
  };
}
