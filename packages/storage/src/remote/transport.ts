import type { Target } from "./source-error.ts";

/** What of an object to answer with, and under which condition. */
export interface RangeAsk {
  /** The value of the header `Range`; undefined: the whole object. */
  readonly range?: string | undefined;
  /** Only if the object is still this one. */
  readonly identity?: string | undefined;
  /** Only if the object is not this one any more; else the transport fails with "notModified". */
  readonly unless?: string | undefined;
}

/** The body of an answer. */
export interface AnswerBody {
  /** Hands every chunk to `take`, which copies it, until that answers false. */
  pull(take: (chunk: Uint8Array) => boolean): Promise<void>;
  /** Gives up its connection, unless it came to its end. */
  destroy(): unknown;
}

/** A successful answer whose body is still to come. */
export interface Answer {
  readonly status: 200 | 206;
  /** The bytes [start, end) that the body holds; `end` is undefined when the answer does not say. */
  readonly start: number;
  readonly end: number | undefined;
  /** Of the whole object; undefined when the answer does not say. */
  readonly sizeBytes: number | undefined;
  /** Which version of the object this is: its ETag, or what else tells. Undefined when nothing does. */
  readonly identity: string | undefined;
  readonly requestId: string | undefined;
  readonly body: AnswerBody;
}

export interface SendOptions {
  readonly signal: AbortSignal;
  /** Over connections of its own. */
  readonly hedge: boolean;
}

/** Requests about one object. */
export interface Transport {
  readonly target: Target;
  /** What the object is called in the cache, without secrets; undefined: its blocks are not kept. */
  readonly cacheId: string | undefined;
  /** Resolves when the head of the answer is there. @throws StoreFailure, or what the network stack throws. */
  get(ask: RangeAsk, options: SendOptions): Promise<Answer>;
  /** Fetches new credentials. */
  refresh?(): Promise<void>;
}

/** Reads `Content-Range: bytes 0-9/100`, with the end made exclusive. */
export function parseContentRange(
  text: string | undefined,
): { readonly start: number; readonly end: number; readonly sizeBytes: number | undefined } | undefined {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i.exec(text?.trim() ?? "");
  if (match === null) return undefined;
  const [start, last] = [Number(match[1]), Number(match[2])];
  return last < start
    ? undefined
    : { start, end: last + 1, sizeBytes: match[3] === "*" ? undefined : Number(match[3]) };
}

/** Reads `Retry-After`: seconds, or a date. */
export function parseRetryAfter(text: string | undefined, nowMs: number = Date.now()): number | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - nowMs;
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

/** Whether two versions with this name have the same bytes: a weak ETag or a time in seconds does not promise that. */
export function isStrong(identity: string): boolean {
  return !/^(W\/|modified )/.test(identity);
}
