// Every row of the table of faults, on every S3 server that is installed: the right bytes or the right typed error.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { inspect } from "node:util";
import { channels, isIngestError, type SourceReason, SourceError, type StorageRequest } from "@ingest-ts/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { configureStorage, expand, openSource } from "../../src/index.ts";
import { sharedLimiter } from "../../src/remote/limiter.ts";
import { type Fault, type FaultProxy, startFaultProxy } from "../lib/fault-proxy.ts";
import { sampleBytes, setCredentials, TestBucket } from "../lib/s3-fixture.ts";
import { type S3Server, type S3ServerKind, secretKey, servers } from "../lib/servers.ts";

for (const kind of servers) {
  if (kind.missing === undefined) describe(`s3 faults on ${kind.name}`, () => suite(kind));
  else it.skip(`s3 faults on ${kind.name} (skipped: ${kind.missing})`, () => {});
}

const SIZE_BYTES = 4 * 1024 * 1024;
const content = sampleBytes(SIZE_BYTES);
const settings = { stallMs: 700, attempts: 4, hedgeShare: 0 };

type Plan = (index: number) => Fault | undefined;
const firstly =
  (count: number, fault: Fault): Plan =>
  (index) =>
    index < count ? fault : undefined;
const always =
  (fault: Fault): Plan =>
  () =>
    fault;

interface Case {
  readonly plan: Plan;
  /** What becomes of reading most of the object: its bytes, or an error of this reason. */
  readonly gives: "bytes" | SourceReason;
  /** Requests that this takes, at most. */
  readonly requests: number;
}

const cases: Readonly<Record<string, Case>> = {
  "nothing at all": { plan: () => undefined, gives: "bytes", requests: 1 },
  "503 SlowDown twice": { plan: firstly(2, { status: 503, code: "SlowDown" }), gives: "bytes", requests: 3 },
  "503 SlowDown always": { plan: always({ status: 503, code: "SlowDown" }), gives: "Throttled", requests: 4 },
  "429 once": { plan: firstly(1, { status: 429, code: "TooManyRequests" }), gives: "bytes", requests: 2 },
  "500 once": { plan: firstly(1, { status: 500, code: "InternalError" }), gives: "bytes", requests: 2 },
  "500 always": { plan: always({ status: 500, code: "InternalError" }), gives: "Exhausted", requests: 4 },
  "408 once": { plan: firstly(1, { status: 408, code: "RequestTimeout" }), gives: "bytes", requests: 2 },
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
  "stalled in the middle": { plan: firstly(1, { cut: "stall" }), gives: "bytes", requests: 2 },
  "stalled before the first byte, always": { plan: always({ cut: "stall", at: 0 }), gives: "Stalled", requests: 4 },
  "a chunked body that ends early": { plan: firstly(1, { cut: "end", at: 524_288 }), gives: "bytes", requests: 2 },
  "slow first byte": { plan: firstly(1, { delayMs: 300 }), gives: "bytes", requests: 1 },
  "another ETag": { plan: always({ headers: { etag: '"other"' } }), gives: "ObjectChanged", requests: 1 },
  "another ETag on resume": {
    plan: (index) => (index === 0 ? { cut: "close" } : { headers: { etag: '"other"' } }),
    gives: "ObjectChanged",
    requests: 2,
  },
  "412": { plan: always({ status: 412, code: "PreconditionFailed" }), gives: "ObjectChanged", requests: 1 },
  "200 where 206 is due": { plan: always({ forceStatus: 200 }), gives: "Corrupt", requests: 3 },
  "another Content-Range": {
    plan: always({ headers: { "content-range": `bytes 5-10/${SIZE_BYTES}` } }),
    gives: "Corrupt",
    requests: 3,
  },
  "no Content-Range": { plan: firstly(1, { headers: { "content-range": undefined } }), gives: "bytes", requests: 2 },
  "another size": {
    plan: always({ headers: { "content-range": "bytes 1000-3999999/5000000" } }),
    gives: "ObjectChanged",
    requests: 1,
  },
  "expired token once": { plan: firstly(1, { status: 400, code: "ExpiredToken" }), gives: "bytes", requests: 2 },
  "expired token always": { plan: always({ status: 400, code: "ExpiredToken" }), gives: "AccessDenied", requests: 2 },
  "wrong signature": {
    plan: always({ status: 403, code: "SignatureDoesNotMatch" }),
    gives: "AccessDenied",
    requests: 1,
  },
  "clock skew once": { plan: firstly(1, { status: 403, code: "RequestTimeTooSkewed" }), gives: "bytes", requests: 2 },
  "clock skew always": {
    plan: always({ status: 403, code: "RequestTimeTooSkewed" }),
    gives: "AccessDenied",
    requests: 2,
  },
  "the bucket is gone": { plan: always({ status: 404, code: "NoSuchBucket" }), gives: "NotFound", requests: 1 },
  "the object is gone": { plan: always({ status: 404, code: "NoSuchKey" }), gives: "NotFound", requests: 1 },
};

async function failure(promise: Promise<unknown>): Promise<SourceError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isIngestError(error) || !(error instanceof SourceError)) throw new Error(`not a SourceError: ${inspect(error)}`);
  return error;
}

function suite(kind: S3ServerKind): void {
  let server: S3Server;
  let proxy: FaultProxy;
  let url = "";
  let undo = (): void => {};
  beforeAll(async () => {
    server = await kind.start();
    proxy = await startFaultProxy(server.endpoint);
    undo = setCredentials();
    configureStorage({ ...settings, s3: { endpoint: proxy.endpoint } });
    const bucket = new TestBucket(server.endpoint, "faults");
    await bucket.create();
    url = await bucket.put("folder/object", content);
  });
  beforeEach(() => proxy.plan(() => undefined));
  afterAll(async () => {
    undo();
    configureStorage({});
    await proxy.stop();
    await server.stop();
  });

  for (const [name, { plan, gives, requests }] of Object.entries(cases)) {
    it(`${name}: ${gives}`, async () => {
      const source = await openSource(url);
      proxy.plan(plan);
      const reading = source.getRanges([{ start: 1000, end: 4_000_000 }]);
      if (gives === "bytes") {
        const [bytes] = await reading;
        expect(Buffer.compare(bytes as Uint8Array, content.subarray(1000, 4_000_000))).toBe(0);
      } else {
        const error = await failure(reading);
        expect(error.reason).toBe(gives);
        const { request } = error;
        expect(request).toMatchObject({ bucket: "faults", key: "folder/object", range: "bytes=1000-3999999" });
        expect(request?.attempts).toBe(proxy.seen.length);
        expect(error.where).toMatchObject({ url, offset: 1000 });
        expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secretKey);
        if (plan(0)?.status !== undefined) expect(request?.requestId).toBe("REQ-INJECTED");
      }
      expect(proxy.seen.length).toBeLessThanOrEqual(requests);
      await source.close();
      expect(sharedLimiter().bytesInFlight).toBe(0);
    });
  }

  it("no byte is fetched twice after breaks", async () => {
    const source = await openSource(url);
    proxy.plan(always({ cut: "close", at: 300_000 }));
    await source.getRanges([{ start: 0, end: 1_000_000 }]);
    expect(proxy.seen.map(({ range }) => range)).toEqual([
      "bytes=0-999999",
      "bytes=300000-999999",
      "bytes=600000-999999",
      "bytes=900000-999999",
    ]);
    await source.close();
  });

  it("a whole object where a part was asked for is cut to it", async () => {
    const whole: Fault = { status: 200, body: "0123456789", headers: { etag: '"abc"' } };
    proxy.plan(always(whole));
    const source = await openSource("s3://faults/small");
    expect(await source.getRanges([{ start: 2, end: 4 }])).toEqual([new Uint8Array([50, 51])]);
    await source.close();
  });

  it("a slow first byte is hedged, few are, none while the store throttles", async () => {
    configureStorage({
      ...settings,
      stallMs: 10_000,
      hedgeShare: 0.05,
      hedgeMs: 100,
      s3: { endpoint: proxy.endpoint },
    });
    const source = await openSource(url);
    // One in twenty may be doubled.
    for (let i = 0; i < 21; i++) await source.getRanges([{ start: i, end: i + 1 }]);
    proxy.plan((index) => (index === 0 ? { delayMs: 3000 } : undefined));
    const seen: StorageRequest[] = [];
    const listener = (message: unknown): number => seen.push(message as StorageRequest);
    subscribe(channels.storageRequest.name, listener);
    const startedAt = performance.now();
    const [bytes] = await source.getRanges([{ start: 0, end: 500_000 }]);
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect(Buffer.compare(bytes as Uint8Array, content.subarray(0, 500_000))).toBe(0);
    expect(seen.map(({ hedge, outcome }) => [hedge, outcome])).toEqual([
      [false, "aborted"],
      [true, "206"],
    ]);
    unsubscribe(channels.storageRequest.name, listener);
    // Of twenty slow ones, one more may be doubled.
    proxy.plan(always({ delayMs: 250 }));
    await Promise.all(Array.from({ length: 20 }, (_, i) => source.getRanges([{ start: i * 10, end: i * 10 + 10 }])));
    expect(proxy.seen.length).toBeLessThanOrEqual(22);
    await source.close();
    configureStorage({ ...settings, s3: { endpoint: proxy.endpoint } });
  });

  it("a burst of resets and throttles is survived by all", async () => {
    const source = await openSource(url);
    const failed = new Set<string>();
    proxy.plan((index) =>
      index < 64 ? (index % 2 === 0 ? { reset: true } : { status: 503, code: "SlowDown" }) : undefined,
    );
    configureStorage({ ...settings, attempts: 8, requestsInFlight: 64, s3: { endpoint: proxy.endpoint } });
    const before = sharedLimiter().requestsInFlight;
    await Promise.all(
      Array.from({ length: 64 }, async (_, i) => {
        const [bytes] = await source.getRanges([{ start: i * 50_000, end: i * 50_000 + 1000 }]);
        if (Buffer.compare(bytes as Uint8Array, content.subarray(i * 50_000, i * 50_000 + 1000)) !== 0)
          failed.add(`${i}`);
      }),
    );
    expect([...failed]).toEqual([]);
    expect(sharedLimiter().requestsInFlight).toBeLessThan(before);
    await source.close();
    configureStorage({ ...settings, s3: { endpoint: proxy.endpoint } });
  });

  it("Retry-After is waited for", async () => {
    const source = await openSource(url);
    proxy.plan(firstly(1, { status: 503, code: "SlowDown", headers: { "retry-after": "1" } }));
    const startedAt = performance.now();
    await source.getRanges([{ start: 0, end: 10 }]);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
    await source.close();
  });

  it("opening survives faults, in the body too", async () => {
    for (const fault of [
      { status: 503, code: "SlowDown" },
      { reset: true },
      { cut: "close" },
      { cut: "stall" },
      { cut: "end" },
    ] as const) {
      proxy.plan(firstly(1, fault));
      const source = await openSource(url);
      const [bytes] = await source.getRanges([{ suffixBytes: 200_000 }]);
      expect(Buffer.compare(bytes as Uint8Array, content.subarray(-200_000))).toBe(0);
      expect(proxy.seen).toHaveLength(2);
      await source.close();
    }
    proxy.plan(always({ cut: "stall", at: 10 }));
    expect(await failure(openSource(url))).toMatchObject({ reason: "Stalled", request: { key: "folder/object" } });
  });

  it("listing survives faults", async () => {
    for (const fault of [
      { status: 503, code: "SlowDown" },
      { reset: true },
      { status: 500 },
      { cut: "close" },
      // Complete for HTTP, by its looks: only the missing end of the document shows that it is not.
      { cut: "close", at: 0, headers: { connection: "close", "content-length": undefined } },
      { cut: "end", at: 0 },
      { cut: "end", at: 150 },
    ] as const) {
      proxy.plan(firstly(1, fault));
      const found = await expand("s3://faults/folder/");
      expect(found.kind === "folder" && found.objects.map(({ path }) => path)).toEqual(["object"]);
    }
    proxy.plan(always({ status: 503, code: "SlowDown" }));
    const error = await failure(expand("s3://faults/folder/"));
    expect(error).toMatchObject({ reason: "Throttled", request: { bucket: "faults", key: "folder/" } });
  });

  it("an abort ends waiting, reading and backing off at once", async () => {
    for (const fault of [
      { cut: "stall" },
      { delayMs: 5000 },
      { status: 503, headers: { "retry-after": "30" } },
    ] as const) {
      const source = await openSource(url);
      proxy.plan(always(fault));
      const controller = new AbortController();
      const reason = new Error("enough");
      const timer = setTimeout(() => controller.abort(reason), 150);
      const startedAt = performance.now();
      await expect(source.getRanges([{ start: 0, end: 3_000_000 }], { signal: controller.signal })).rejects.toBe(
        reason,
      );
      expect(performance.now() - startedAt).toBeLessThan(600);
      clearTimeout(timer);
      await source.close();
      proxy.plan(() => undefined);
    }
    expect(sharedLimiter().bytesInFlight).toBe(0);
  });

  it("closing a source ends its reads", async () => {
    const source = await openSource(url);
    proxy.plan(always({ delayMs: 5000 }));
    const reading = failure(source.getRanges([{ start: 0, end: 1000 }]));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await source.close();
    expect((await reading).message).toContain("closed");
  });

  it("no connection is left behind", async () => {
    const until = Date.now() + 15_000;
    while ((await proxy.connections()) > 0 && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await proxy.connections()).toBe(0);
  });
}
