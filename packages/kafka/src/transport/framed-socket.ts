import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { SourceError } from "@ingest-ts/core";
import type { FrameMemory } from "./frame-memory.ts";

const SIZE_BYTES = 4;
/** Beginnings of answers, and small ones whole, are read into this. */
const HEAD_BYTES = 16 * 1024;
/** A size beyond is believed only as far as its bytes come: a server that speaks something else claims anything. */
const BELIEVED_BYTES = 64 * 1024 * 1024;
const KEEP_ALIVE_MS = 60_000;

/** Finds the answers in a stream of bytes: a size of four bytes, then so many. Each is put together in its final memory. */
export class FrameReader {
  readonly #memory: FrameMemory;
  readonly #onFrame: (frame: Buffer) => void;
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headBytes = 0;
  /** The answer that is being read, its size in front. */
  #frame: Uint8Array | undefined;
  #frameBytes = 0;
  #filled = 0;

  /** @param onFrame is given each answer with its size in front */
  constructor(memory: FrameMemory, onFrame: (frame: Buffer) => void) {
    this.#memory = memory;
    this.#onFrame = onFrame;
  }

  /** Where the next bytes go. */
  target(): Uint8Array {
    const frame = this.#frame;
    return frame === undefined ? this.#head.subarray(this.#headBytes) : frame.subarray(this.#filled);
  }

  /** So many bytes were written to `target`. @throws SourceError for a size that cannot be */
  wrote(count: number): void {
    if (this.#frame === undefined) this.#readHead(this.#headBytes + count);
    else {
      this.#filled += count;
      if (this.#filled === this.#frame.length) this.#filledUp(this.#frame);
    }
  }

  /** The head may hold several answers. */
  #readHead(count: number): void {
    const head = this.#head;
    const view = new DataView(head.buffer);
    let at = 0;
    while (this.#frame === undefined && count - at >= SIZE_BYTES) {
      const size = view.getInt32(at);
      if (size < 0) {
        throw new SourceError(`a broker's answer claims ${size} bytes`, { reason: "Corrupt", retryable: true });
      }
      const frameBytes = SIZE_BYTES + size;
      const frame = this.#memory.take(Math.min(frameBytes, BELIEVED_BYTES));
      const part = head.subarray(at, Math.min(count, at + frameBytes));
      frame.set(part);
      at += part.length;
      if (part.length === frameBytes) this.#onFrame(bufferOf(frame));
      else {
        this.#frame = frame;
        this.#frameBytes = frameBytes;
        this.#filled = part.length;
      }
    }
    head.copyWithin(0, at, count);
    this.#headBytes = count - at;
  }

  #filledUp(frame: Uint8Array): void {
    if (frame.length === this.#frameBytes) {
      this.#frame = undefined;
      this.#onFrame(bufferOf(frame));
      return;
    }
    const larger = this.#memory.take(Math.min(this.#frameBytes, frame.length * 2));
    larger.set(frame);
    this.#memory.give(frame);
    this.#frame = larger;
  }
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** What kafkajs asks a factory of sockets for. */
export interface SocketRequest {
  readonly host: string;
  readonly port: number;
  readonly ssl: ConnectionOptions | null;
  readonly onConnect: () => void;
}

/**
 * Makes sockets as kafkajs does, whose "data" events are whole answers: the bytes are read by the system into the answer's own
 * memory, in pieces as large as have come, where Node's stream would hand over 64 KB of fresh memory at a time.
 */
export function framedSockets(memory: FrameMemory): (request: SocketRequest) => Socket {
  return ({ host, port, ssl, onConnect }) => {
    const reader = new FrameReader(memory, (frame) => socket.emit("data", frame));
    const onread: OnReadOpts = {
      buffer: () => reader.target(),
      callback: (count) => {
        try {
          reader.wrote(count);
        } catch (error) {
          socket.destroy(error instanceof Error ? error : new Error(String(error)));
        }
        return true;
      },
    };
    // The types do not say it of TLS, whose documentation does.
    const tls = { host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl, onread };
    const socket: Socket =
      ssl === null
        ? connectTcp({ host, port, onread }, onConnect)
        : connectTls(tls satisfies ConnectionOptions, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    return socket;
  };
}
