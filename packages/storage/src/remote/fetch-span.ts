import type { ByteSpan } from "@ingest-ts/core";
import { attemptGet } from "./attempt.ts";
import { StoreFailure } from "./failure.ts";
import { persist } from "./persist.ts";
import type { Answer, Transport } from "./transport.ts";

/** The version of an object that is read. */
export interface Pin {
  readonly sizeBytes: number;
  readonly identity: string;
}

/** Objects up to this size are worth a whole answer where a part was asked for. */
export const WHOLE_BYTES: number = 8 * 1024 * 1024;

/**
 * Fetches bytes [start, end) of the pinned version into `into`, which is as long. After a failure it goes on where it
 * was, so that no byte is fetched twice.
 *
 * @throws SourceError
 */
export async function fetchSpan(
  transport: Transport,
  pin: Pin,
  { start, end }: ByteSpan,
  into: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  let done = 0;
  const range = `bytes=${start}-${end - 1}`;
  await persist(
    {
      target: transport.target,
      range,
      offset: start,
      signal,
      keptBytes: () => done,
      refresh: transport.refresh?.bind(transport),
    },
    async (attempt) => {
      // The connection may break after the last byte.
      if (done === into.length) return;
      const from = start + done;
      let skip = 0;
      let whole = false;
      await attemptGet(
        transport,
        { range: `bytes=${from}-${end - 1}`, identity: pin.identity },
        {
          attempt,
          signal,
          accept: (answer) => {
            skip = checkAnswer(answer, pin, { start: from, end });
            whole = answer.status === 200;
          },
          take: (chunk) => {
            const unwanted = Math.min(skip, chunk.length);
            skip -= unwanted;
            const rest = chunk.subarray(unwanted);
            const room = into.length - done;
            if (rest.length > room) {
              // What came before is not believed either.
              if (!whole) {
                done = from - start;
                throw tooLong(end - from);
              }
              into.set(rest.subarray(0, room), done);
              done += room;
              return false;
            }
            into.set(rest, done);
            done += rest.length;
            return true;
          },
        },
      );
      if (done < into.length) {
        throw new StoreFailure("transient", `the answer ended ${into.length - done} bytes early`, {
          code: "ShortBody",
        });
      }
    },
  );
}

/** An answer has more bytes than its Content-Range says. */
export function tooLong(sizeBytes: number): StoreFailure {
  return new StoreFailure("corrupt", `more than the ${sizeBytes} bytes that it speaks of are answered`);
}

/**
 * Whether `answer` holds these bytes of this version. @returns how many bytes of it come before them
 * @throws StoreFailure
 */
function checkAnswer(answer: Answer, pin: Pin, { start, end }: ByteSpan): number {
  const { requestId } = answer;
  if (answer.identity !== pin.identity) {
    // A cache in between may strip the name, but not change it.
    const kind = answer.identity === undefined ? "corrupt" : "changed";
    throw new StoreFailure(kind, `the version is ${answer.identity ?? "not named"}`, { requestId });
  }
  if (answer.sizeBytes !== undefined && answer.sizeBytes !== pin.sizeBytes) {
    throw new StoreFailure("changed", `the object has ${answer.sizeBytes} bytes, and had ${pin.sizeBytes}`, {
      requestId,
    });
  }
  if (answer.status === 200) {
    if (pin.sizeBytes <= WHOLE_BYTES) return start;
    throw new StoreFailure("corrupt", "the whole object is answered where a part is asked for", {
      requestId,
      status: 200,
    });
  }
  if (answer.start === start && answer.end === end) return 0;
  throw new StoreFailure("corrupt", `bytes ${answer.start} to ${answer.end} are answered`, { requestId, status: 206 });
}
