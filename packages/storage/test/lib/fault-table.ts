// The table of faults: what is done to the answers, and what becomes of reading most of an object. docs/storage.md has
// the same rows in words; a test compares the two.
import type { SourceReason } from "@ingest-ts/core";
import type { Fault } from "./fault-proxy.ts";

export const SIZE_BYTES: number = 4 * 1024 * 1024;

export type Plan = (index: number) => Fault | undefined;

export const firstly =
  (count: number, fault: Fault): Plan =>
  (index) =>
    index < count ? fault : undefined;
export const always =
  (fault: Fault): Plan =>
  () =>
    fault;

type Gives = "bytes" | SourceReason;

export interface FaultRow {
  readonly plan: Plan;
  /** What comes of it: the object's bytes, or an error of this reason. */
  readonly gives: Gives;
  /** Requests that this takes, at most. */
  readonly requests: number;
  /** The same over `http:`, where it differs: there, answers have a status but no code. */
  readonly http?: { readonly gives: Gives; readonly requests: number };
  readonly stallMs?: number;
  readonly hedgeMs?: number;
}

const code = (status: number, name: string): Fault => ({ status, code: name });

export const faultTable: Readonly<Record<string, FaultRow>> = {
  "nothing at all": { plan: () => undefined, gives: "bytes", requests: 1 },
  "503 SlowDown twice": { plan: firstly(2, code(503, "SlowDown")), gives: "bytes", requests: 3 },
  "503 SlowDown always": { plan: always(code(503, "SlowDown")), gives: "Throttled", requests: 4 },
  "429 once": { plan: firstly(1, code(429, "TooManyRequests")), gives: "bytes", requests: 2 },
  "500 once": { plan: firstly(1, code(500, "InternalError")), gives: "bytes", requests: 2 },
  "500 always": { plan: always(code(500, "InternalError")), gives: "Exhausted", requests: 4 },
  "408 once": { plan: firstly(1, code(408, "RequestTimeout")), gives: "bytes", requests: 2 },
  "an error page that is no XML": {
    plan: firstly(1, { status: 502, body: "<html>bad & gateway" }),
    gives: "bytes",
    requests: 2,
  },
  "reset before the answer, twice": { plan: firstly(2, { reset: true }), gives: "bytes", requests: 3 },
  "reset before the answer, always": { plan: always({ reset: true }), gives: "Exhausted", requests: 4 },
  "closed in the middle": { plan: firstly(1, { cut: "close" }), gives: "bytes", requests: 2 },
  "reset in the middle, twice": { plan: firstly(2, { cut: "reset", at: 100_000 }), gives: "bytes", requests: 3 },
  "cut after 500 kB, always": { plan: always({ cut: "close", at: 500_000 }), gives: "bytes", requests: 9 },
  "cut after 1 kB, always": { plan: always({ cut: "close", at: 1000 }), gives: "Exhausted", requests: 4 },
  // A busy store may be taken for a stalled one, which costs one request more.
  "stalled in the middle": { plan: firstly(1, { cut: "stall" }), gives: "bytes", requests: 4, stallMs: 1500 },
  "stalled before the first byte, always": {
    plan: always({ cut: "stall", at: 0 }),
    gives: "Stalled",
    requests: 4,
    stallMs: 400,
  },
  "a chunked body that ends early": { plan: firstly(1, { cut: "end", at: 524_288 }), gives: "bytes", requests: 2 },
  "a chunked body that ends early, always": {
    plan: always({ cut: "end", at: 1000 }),
    gives: "Exhausted",
    requests: 4,
  },
  "a body that is longer than it says": { plan: firstly(1, { more: 10 }), gives: "bytes", requests: 2 },
  "a body that is longer than it says, always": { plan: always({ more: 10 }), gives: "Corrupt", requests: 3 },
  "slow first byte": { plan: firstly(1, { delayMs: 300 }), gives: "bytes", requests: 1 },
  "slow first byte, hedged": { plan: firstly(1, { delayMs: 20_000 }), gives: "bytes", requests: 2, hedgeMs: 50 },
  "another ETag": { plan: always({ headers: { etag: '"other"' } }), gives: "ObjectChanged", requests: 1 },
  "another ETag on resume": {
    plan: (index) => (index === 0 ? { cut: "close" } : { headers: { etag: '"other"' } }),
    gives: "ObjectChanged",
    requests: 2,
  },
  "no ETag, always": {
    plan: always({ headers: { etag: undefined } }),
    gives: "Corrupt",
    requests: 3,
    http: { gives: "ObjectChanged", requests: 1 },
  },
  "412 Precondition Failed": { plan: always(code(412, "PreconditionFailed")), gives: "ObjectChanged", requests: 1 },
  "416 Range Not Satisfiable": { plan: always(code(416, "InvalidRange")), gives: "ObjectChanged", requests: 1 },
  "200 where 206 is due": { plan: always({ forceStatus: 200 }), gives: "Corrupt", requests: 3 },
  "another Content-Range": {
    plan: always({ headers: { "content-range": `bytes 5-10/${SIZE_BYTES}` } }),
    gives: "Corrupt",
    requests: 3,
  },
  "no Content-Range once": {
    plan: firstly(1, { headers: { "content-range": undefined } }),
    gives: "bytes",
    requests: 2,
  },
  "another size": {
    plan: always({ headers: { "content-range": "bytes 1000-3999999/5000000" } }),
    gives: "ObjectChanged",
    requests: 1,
  },
  "expired token once": {
    plan: firstly(1, code(400, "ExpiredToken")),
    gives: "bytes",
    requests: 2,
    http: { gives: "Refused", requests: 1 },
  },
  "expired token always": {
    plan: always(code(400, "ExpiredToken")),
    gives: "AccessDenied",
    requests: 2,
    http: { gives: "Refused", requests: 1 },
  },
  "wrong signature": { plan: always(code(403, "SignatureDoesNotMatch")), gives: "AccessDenied", requests: 1 },
  "clock skew once": {
    plan: firstly(1, code(403, "RequestTimeTooSkewed")),
    gives: "bytes",
    requests: 2,
    http: { gives: "AccessDenied", requests: 1 },
  },
  "clock skew always": {
    plan: always(code(403, "RequestTimeTooSkewed")),
    gives: "AccessDenied",
    requests: 2,
    http: { gives: "AccessDenied", requests: 1 },
  },
  "the bucket is gone": { plan: always(code(404, "NoSuchBucket")), gives: "NotFound", requests: 1 },
  "the object is gone": { plan: always(code(404, "NoSuchKey")), gives: "NotFound", requests: 1 },
};
