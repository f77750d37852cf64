import { Buffer } from "node:buffer";
import { UnsupportedError } from "@ingest-ts/core";
import { attemptGet } from "./attempt.ts";
import { StoreFailure } from "./failure.ts";
import { fetchSpan, type Pin, tooLong, WHOLE_BYTES } from "./fetch-span.ts";
import { persist } from "./persist.ts";
import type { Answer, RangeAsk, Transport } from "./transport.ts";

/** What one request told of an object, and the bytes [start, start + bytes.length) that it brought. */
export interface Opening {
  readonly pin: Pin;
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Footers of columnar files are at the end and seldom longer. */
const TAIL_BYTES = 256 * 1024;
/** Headers of row formats are at the beginning. */
const HEAD_RANGE = `bytes=0-${64 * 1024 - 1}`;

/** Not from Node's shared pool: callers may keep or transfer the buffer. */
export function freshBytes(sizeBytes: number): Uint8Array {
  const slow = Buffer.allocUnsafeSlow(sizeBytes);
  return new Uint8Array(slow.buffer, slow.byteOffset, slow.byteLength);
}

/** Which end of an object readers look at first, by its name. */
function openingRange(url: string): string {
  const rowFormat = /\.(avro|tfrecords?|tfrec|arrows|json)(\.(gz|gzip|zlib|z))?$/i.test(url);
  return rowFormat ? HEAD_RANGE : `bytes=-${TAIL_BYTES}`;
}

/**
 * Opens an object by reading one end of it: the answer tells its size and version.
 *
 * @param unless the version that is known already; when the object still is this one, "unchanged" is the answer
 * @throws SourceError, UnsupportedError when the store cannot answer parts of an object, or does not name versions
 */
export async function readOpening(
  transport: Transport,
  signal?: AbortSignal,
  unless?: string,
): Promise<Opening | "unchanged"> {
  const range = openingRange(transport.target.url);
  try {
    return await open(transport, { range, unless }, signal);
  } catch (failure) {
    if (unless !== undefined && failure instanceof StoreFailure && failure.kind === "notModified") return "unchanged";
    // Some servers know ranges, but none from the end.
    if (failure instanceof WholeOnly && range !== HEAD_RANGE) return open(transport, { range: HEAD_RANGE }, signal);
    if (!(failure instanceof StoreFailure)) throw failure;
    // No byte of the range is in the object: it is empty.
    return open(transport, {}, signal);
  }
}

/** A whole object was answered that is too large to be taken. */
class WholeOnly extends UnsupportedError {}

async function open(transport: Transport, ask: RangeAsk, signal: AbortSignal | undefined): Promise<Opening> {
  const { target } = transport;
  let opening: { pin: Pin; start: number; bytes: Uint8Array } | undefined;
  let done = 0;
  await persist(
    {
      target,
      range: ask.range,
      signal,
      refresh: transport.refresh?.bind(transport),
      expects: [
        ...(ask.unless === undefined ? [] : (["notModified"] as const)),
        ...(ask.range === undefined ? [] : (["outside"] as const)),
      ],
    },
    async (attempt) => {
      if (opening !== undefined) return;
      await attemptGet(transport, ask, {
        attempt,
        signal,
        accept: (answer) => {
          const { pin, start, end } = describe(answer, transport);
          opening = { pin, start, bytes: freshBytes(end - start) };
          done = 0;
        },
        take: (chunk) => {
          const { bytes } = opening as { bytes: Uint8Array };
          if (chunk.length > bytes.length - done) {
            // Which of them are the right ones nobody can say.
            opening = undefined;
            throw tooLong(bytes.length);
          }
          bytes.set(chunk, done);
          done += chunk.length;
          return true;
        },
      }).catch((error: unknown) => {
        // Once the head is there, the rest is a read like any other.
        if (opening === undefined || signal?.aborted === true) throw error;
      });
    },
  );
  const { pin, start, bytes } = opening as unknown as Opening;
  if (done < bytes.length) {
    await fetchSpan(transport, pin, { start: start + done, end: start + bytes.length }, bytes.subarray(done), signal);
  }
  return { pin, start, bytes };
}

function describe(answer: Answer, { target: { url } }: Transport): { pin: Pin; start: number; end: number } {
  const { status, start, identity, sizeBytes, requestId } = answer;
  if (sizeBytes === undefined) {
    throw new UnsupportedError("the server does not say how long the object is", {
      where: { url },
      remedy: "Download the object and read the file.",
    });
  }
  if (identity === undefined) {
    throw new UnsupportedError("the server names no version of the object (neither ETag nor Last-Modified)", {
      where: { url },
      remedy: "A change between two requests would not be noticed: download the object and read the file.",
    });
  }
  const pin = { sizeBytes, identity };
  if (status === 206) {
    const { end } = answer;
    if (end === undefined || end > sizeBytes) {
      throw new StoreFailure("corrupt", `bytes ${start} to ${end} of ${sizeBytes} are answered`, { requestId, status });
    }
    return { pin, start, end };
  }
  if (sizeBytes > WHOLE_BYTES) {
    throw new WholeOnly("the server answers whole objects only, and this one is large", {
      where: { url },
      remedy: "Download the object and read the file.",
    });
  }
  return { pin, start: 0, end: sizeBytes };
}
