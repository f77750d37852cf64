import type { ServerResponse } from "node:http";
import type { RankStream } from "./rank-stream.ts";
import { STREAM_TYPE } from "./protocol.ts";

/** A cut connection's client has so long to read what was sent before. */
const CUT_MS = 1000;

/** Resolves when the bytes were taken by the system, or the connection is gone. */
function send(response: ServerResponse, pieces: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("close", done);
      resolve();
    };
    response.once("close", done);
    // Corked: one chunk, and all pieces in one system call where it takes them.
    response.cork();
    for (const [i, piece] of pieces.entries()) {
      if (i === pieces.length - 1) response.write(piece, done);
      else response.write(piece);
    }
    response.uncork();
  });
}

/** Ends the connection in the middle of the body. */
function cut(response: ServerResponse): void {
  const { socket } = response;
  if (socket === null) return;
  socket.end();
  const timer = setTimeout(() => socket.destroy(), CUT_MS);
  socket.once("close", () => clearTimeout(timer));
}

/**
 * Sends a stream as the body of a response, to its end or as long as the client is there. While one message is sent, the
 * next is made; a client that does not read stops both.
 */
export async function sendStream(stream: RankStream, response: ServerResponse): Promise<void> {
  response.on("close", () => void stream.close().catch(() => undefined));
  response.writeHead(200, { "Content-Type": STREAM_TYPE, "Cache-Control": "no-store" });
  let making = stream.next();
  while (!response.closed && !response.destroyed) {
    const { pieces, ending } = await making;
    if (ending === undefined) making = stream.next();
    await send(response, pieces);
    if (ending === undefined) continue;
    if (ending === "whole") response.end();
    else cut(response);
    break;
  }
  await stream.close();
}
