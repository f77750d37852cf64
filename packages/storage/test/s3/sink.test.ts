import { HeadObjectCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { configureStorage, createSink, openSource } from "../../src/index.ts";
import { type FaultProxy, startFaultProxy } from "../lib/fault-proxy.ts";
import { sampleBytes, setCredentials, TestBucket } from "../lib/s3-fixture.ts";
import { type S3Server, type S3ServerKind, servers } from "../lib/servers.ts";

for (const kind of servers) {
  if (kind.missing === undefined) describe(`s3 sink on ${kind.name}`, () => suite(kind));
  else it.skip(`s3 sink on ${kind.name} (skipped: ${kind.missing})`, () => {});
}

function suite(kind: S3ServerKind): void {
  let server: S3Server;
  let proxy: FaultProxy;
  let bucket: TestBucket;
  let undo = (): void => {};
  beforeAll(async () => {
    server = await kind.start();
    proxy = await startFaultProxy(server.endpoint);
    undo = setCredentials();
    configureStorage({ s3: { endpoint: proxy.endpoint }, attempts: 4, stallMs: 5000 });
    bucket = new TestBucket(server.endpoint, "sinks");
    await bucket.create();
  });
  beforeEach(() => proxy.plan(() => undefined));
  afterAll(async () => {
    undo();
    configureStorage({});
    await proxy.stop();
    await server.stop();
  });

  const exists = async (Key: string): Promise<boolean> => {
    try {
      await bucket.client.send(new HeadObjectCommand({ Bucket: bucket.name, Key }));
      return true;
    } catch {
      return false;
    }
  };
  const write = async (key: string, bytes: Uint8Array): Promise<void> => {
    const sink = await createSink(`s3://sinks/${key}`);
    for (let from = 0; from < bytes.length; from += 3_000_000) await sink.write(bytes.subarray(from, from + 3_000_000));
    expect(await exists(key)).toBe(false);
    await sink.close();
  };
  const read = async (key: string): Promise<Uint8Array> => {
    const source = await openSource(`s3://sinks/${key}`);
    const { sizeBytes } = await source.stat();
    const [bytes] = await source.getRanges([{ start: 0, end: sizeBytes }]);
    await source.close();
    return bytes as Uint8Array;
  };
  const uploads = async (): Promise<number> => {
    const { Uploads } = await bucket.client.send(new ListMultipartUploadsCommand({ Bucket: bucket.name }));
    return Uploads?.length ?? 0;
  };

  it("writes small and large objects that are there when they are complete", async () => {
    for (const [key, size] of [
      ["empty", 0],
      ["small", 1000],
      ["a part", 8 * 1024 * 1024],
      ["parts", 20_000_001],
    ] as const) {
      const bytes = sampleBytes(size);
      await write(key, bytes);
      expect(Buffer.compare(await read(key), bytes), key).toBe(0);
    }
    expect(await uploads()).toBe(0);
  });

  it("replaces bytes of the first part, which is held back for it", async () => {
    for (const size of [1000, 8 * 1024 * 1024, 20_000_001]) {
      for (const sealed of [false, true]) {
        const bytes = sampleBytes(size);
        const sink = await createSink("s3://sinks/patched", { patchable: true });
        await sink.write(bytes);
        const header = new Uint8Array(300).fill(7);
        await sink.patch?.(5, header);
        await expect(sink.patch?.(8 * 1024 * 1024 - 10, header)).rejects.toThrow(/were sent already/);
        if (sealed) await sink.seal?.();
        await sink.close();
        const expected = bytes.slice();
        expected.set(header, 5);
        expect(Buffer.compare(await read("patched"), expected), `${size} ${sealed}`).toBe(0);
      }
    }
    const plain = await createSink("s3://sinks/plain");
    await plain.write(sampleBytes(9 * 1024 * 1024));
    await expect(plain.patch?.(0, new Uint8Array(1))).rejects.toThrow(/were sent already/);
    await plain.abort();
    expect(await uploads()).toBe(0);
  });

  it("abort leaves nothing", async () => {
    const sink = await createSink("s3://sinks/aborted");
    await sink.write(sampleBytes(20_000_000));
    await sink.abort();
    expect(await exists("aborted")).toBe(false);
    expect(await uploads()).toBe(0);
    await expect(sink.write(new Uint8Array(1))).rejects.toThrow("closed");
  });

  it("survives faults, and the one whose answer to completion is lost", async () => {
    const bytes = sampleBytes(20_000_001, 3);
    proxy.plan((index) => (index % 3 === 1 ? { status: 503, code: "SlowDown" } : undefined));
    await write("throttled", bytes);
    expect(Buffer.compare(await read("throttled"), bytes)).toBe(0);
    let lost = 0;
    proxy.plan((_, { method, url }) =>
      method === "POST" && url?.includes("uploadId") === true && lost++ === 0 ? { lost: true } : undefined,
    );
    await write("lost answer", bytes);
    expect(lost).toBe(2);
    expect(Buffer.compare(await read("lost answer"), bytes)).toBe(0);
  });

  it("an upload that fails for good leaves nothing, and says why", async () => {
    const sink = await createSink("s3://sinks/denied");
    proxy.plan((_, { method }) => (method === "PUT" ? { status: 403, code: "AccessDenied" } : undefined));
    const writing = (async () => {
      await sink.write(sampleBytes(20_000_000));
      await sink.close();
    })();
    await expect(writing).rejects.toMatchObject({
      reason: "AccessDenied",
      request: { bucket: "sinks", key: "denied" },
    });
    await sink.abort();
    proxy.plan(() => undefined);
    expect(await exists("denied")).toBe(false);
    expect(await uploads()).toBe(0);
    await expect(createSink("s3://no-such-bucket/x").then(async (missing) => missing.close())).rejects.toMatchObject({
      reason: "NotFound",
    });
    await expect(createSink("s3://bucket/")).rejects.toThrow("folder");
    await expect(createSink("https://example.org/x")).rejects.toThrow('scheme "https" is not written');
  });
}
