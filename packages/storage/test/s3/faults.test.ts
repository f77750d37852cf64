// Every row of the table of faults, on every S3 server that is installed: the right bytes or the right typed error.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { channels, type SourceRead, type StorageRequest, type StorageRetry } from "@ingest-ts/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { configureStorage, expand, openSource } from "../../src/index.ts";
import { sharedLimiter } from "../../src/remote/limiter.ts";
import { type Fault, type FaultProxy, startFaultProxy } from "../lib/fault-proxy.ts";
import { checkRow, content, failure, faultSettings } from "../lib/fault-row.ts";
import { always, faultTable, firstly } from "../lib/fault-table.ts";
import { setCredentials, TestBucket } from "../lib/s3-fixture.ts";
import { type S3Server, type S3ServerKind, servers } from "../lib/servers.ts";

for (const kind of servers) {
  if (kind.missing === undefined) describe(`s3 faults on ${kind.name}`, () => suite(kind));
  else it.skip(`s3 faults on ${kind.name} (skipped: ${kind.missing})`, () => {});
}

/** Where the order of a few events counts, not their speed. */
const settings = faultSettings;

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

  for (const [name, row] of Object.entries(faultTable)) {
    it(
      `${name}: ${row.gives}`,
      () => checkRow(row, { proxy, url, shown: url, named: { bucket: "faults", key: "folder/object" } }),
      60_000,
    );
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
      hedgeShare: 0.05,
      hedgeMs: 100,
      s3: { endpoint: proxy.endpoint },
    });
    const source = await openSource(url);
    // One in twenty may be doubled.
    for (let i = 0; i < 21; i++) await source.getRanges([{ start: i, end: i + 1 }]);
    proxy.plan((index) => (index === 0 ? { delayMs: 30_000 } : undefined));
    const seen: StorageRequest[] = [];
    const listener = (message: unknown): number => seen.push(message as StorageRequest);
    subscribe(channels.storageRequest.name, listener);
    const startedAt = performance.now();
    const [bytes] = await source.getRanges([{ start: 0, end: 500_000 }]);
    expect(performance.now() - startedAt).toBeLessThan(15_000);
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

  it("telemetry tells of requests, retries by cause, and bytes asked for, fetched and wasted", async () => {
    const source = await openSource(url);
    const requests: StorageRequest[] = [];
    const retries: StorageRetry[] = [];
    const reads: SourceRead[] = [];
    const listeners = [
      [channels.storageRequest.name, (message: unknown) => void requests.push(message as StorageRequest)],
      [channels.storageRetry.name, (message: unknown) => void retries.push(message as StorageRetry)],
      [channels.sourceRead.name, (message: unknown) => void reads.push(message as SourceRead)],
    ] as const;
    for (const [name, listener] of listeners) subscribe(name, listener);
    const faults: readonly Fault[] = [
      { status: 503, code: "SlowDown" },
      { cut: "close", at: 200_000 },
    ];
    proxy.plan((index) => faults[index]);
    await source.getRanges([
      { start: 0, end: 1_000_000 },
      { start: 1_050_000, end: 2_000_000 },
    ]);
    for (const [name, listener] of listeners) unsubscribe(name, listener);
    expect(requests.map(({ outcome, attempt, sizeBytes }) => [outcome, attempt, sizeBytes])).toEqual([
      ["503", 1, 0],
      ["reset", 2, 200_000],
      ["206", 3, 1_800_000],
    ]);
    for (const { op, store, url: shown, hedge } of requests)
      expect({ op, store, shown, hedge }).toEqual({ op: "get", store: "s3", shown: url, hedge: false });
    expect(requests[0]?.firstByteMs).toBeUndefined();
    expect(requests[2]?.firstByteMs).toBeGreaterThan(0);
    expect(requests[2]?.durationMs).toBeGreaterThanOrEqual(requests[2]?.firstByteMs ?? Infinity);
    expect(retries.map(({ keptBytes }) => keptBytes)).toEqual([0, 200_000]);
    expect(retries[0]?.cause).toBe("SlowDown");
    expect(retries[1]?.cause).toMatch(/^(UND_ERR_SOCKET|ECONNRESET|IncompleteBody|ShortBody)$/);
    expect(reads).toMatchObject([{ url, ranges: 2, requests: 1, askedBytes: 1_950_000, sizeBytes: 2_000_000 }]);
    const fetched = requests.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    // The gap, and nothing else.
    expect(fetched - (reads[0]?.askedBytes ?? 0)).toBe(50_000);
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
    const stalling = { ...settings, s3: { endpoint: proxy.endpoint }, stallMs: 1500 };
    configureStorage(stalling);
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
      // A busy store may be taken for a stalled one.
      expect(proxy.seen.length).toBeGreaterThanOrEqual(2);
      expect(proxy.seen.length).toBeLessThanOrEqual(4);
      await source.close();
    }
    configureStorage({ ...stalling, stallMs: 400 });
    proxy.plan(always({ cut: "stall", at: 10 }));
    expect(await failure(openSource(url))).toMatchObject({ reason: "Stalled", request: { key: "folder/object" } });
    configureStorage({ ...settings, s3: { endpoint: proxy.endpoint } });
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
      // Not the stall time, nor what the store asks for.
      expect(performance.now() - startedAt).toBeLessThan(4000);
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
