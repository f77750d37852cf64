// The same suite against every S3 server that is installed.
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isIngestError, type SourceError } from "@ingest-ts/core";
import { testSource } from "@ingest-ts/core/testing";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { configureStorage, expand, openSource, probe } from "../../src/index.ts";
import { type FaultProxy, startFaultProxy } from "../lib/fault-proxy.ts";
import { sampleBytes, setCredentials, TestBucket } from "../lib/s3-fixture.ts";
import { accessKey, type S3Server, type S3ServerKind, secretKey, servers } from "../lib/servers.ts";

for (const kind of servers) {
  if (kind.missing === undefined) describe(`s3 on ${kind.name}`, () => suite(kind));
  else it.skip(`s3 on ${kind.name} (skipped: ${kind.missing})`, () => {});
}

function suite(kind: S3ServerKind): void {
  let server: S3Server;
  let proxy: FaultProxy;
  let bucket: TestBucket;
  const undo: (() => void)[] = [];
  beforeAll(async () => {
    server = await kind.start();
    proxy = await startFaultProxy(server.endpoint);
    undo.push(setCredentials());
    configureStorage({ s3: { endpoint: proxy.endpoint }, hedgeShare: 0 });
    bucket = new TestBucket(server.endpoint, "bucket");
    await bucket.create();
  });
  afterAll(async () => {
    for (const each of undo) each();
    configureStorage({});
    await proxy.stop();
    await server.stop();
  });

  let counter = 0;
  describe("as every source", () =>
    testSource(it, {
      async create(bytes) {
        const key = `kit/object ${counter++} +&%=é.bin`;
        const url = await bucket.put(key, bytes);
        return {
          open: () => openSource(url),
          change: async (other) => void (await bucket.put(key, other)),
          remove: async () =>
            void (await bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.name, Key: key }))),
        };
      },
    }));

  it("opens with one request, and reads what that brought without another", async () => {
    const url = await bucket.put("open/small.parquet", sampleBytes(100_000));
    proxy.plan(() => undefined);
    const source = await openSource(url);
    expect((await source.stat()).sizeBytes).toBe(100_000);
    const [bytes] = await source.getRanges([{ start: 10, end: 60_000 }]);
    expect(bytes).toEqual(sampleBytes(100_000).subarray(10, 60_000));
    expect(proxy.seen).toHaveLength(1);
    await source.close();
  });

  it("finding out what a name is and opening it are one request", async () => {
    const url = await bucket.put("open/large.bin", sampleBytes(600_000));
    proxy.plan(() => undefined);
    expect(await probe(url)).toBe("one");
    const source = await openSource(url);
    expect(proxy.seen).toHaveLength(1);
    expect(await source.getRanges([{ start: 0, end: 10 }])).toEqual([sampleBytes(600_000).subarray(0, 10)]);
    expect(proxy.seen.map(({ range, ifMatch }) => [range, ifMatch !== undefined])).toEqual([
      ["bytes=-262144", false],
      ["bytes=0-9", true],
    ]);
    await source.close();
  });

  it("joins near ranges and splits long ones", async () => {
    const bytes = sampleBytes(3_000_000);
    const url = await bucket.put("plan.bin", bytes);
    configureStorage({ s3: { endpoint: proxy.endpoint }, partBytes: 500_000, hedgeShare: 0 });
    try {
      const source = await openSource(url);
      proxy.plan(() => undefined);
      const answers = await source.getRanges([
        { start: 0, end: 1_200_000 },
        { start: 1_300_000, end: 1_300_010 },
        { start: 1_300_100, end: 1_300_110 },
      ]);
      expect(answers.map((each) => each.length)).toEqual([1_200_000, 10, 10]);
      expect(Buffer.compare(answers[0] as Uint8Array, bytes.subarray(0, 1_200_000))).toBe(0);
      expect(answers[2]).toEqual(bytes.subarray(1_300_100, 1_300_110));
      expect(new Set(proxy.seen.map(({ range }) => range))).toEqual(
        new Set(["bytes=0-433369", "bytes=433370-866739", "bytes=866740-1300109"]),
      );
      await source.close();
    } finally {
      configureStorage({ s3: { endpoint: proxy.endpoint }, hedgeShare: 0 });
    }
  });

  it("lists folders and patterns in pages", async () => {
    const names = Array.from({ length: 2300 }, (_, i) => `list/part=${i % 3}/${String(i).padStart(5, "0")}.bin`);
    for (let from = 0; from < names.length; from += 50) {
      await Promise.all(names.slice(from, from + 50).map((name) => bucket.put(name, "x")));
    }
    await bucket.put("list/_hidden/x", "x");
    proxy.plan(() => undefined);
    const all = await expand("s3://bucket/list/");
    expect(all.kind === "folder" && all.objects.length).toBe(2301);
    // One to see that it is a folder, then three pages.
    expect(proxy.seen).toHaveLength(4);
    const asked: string[] = [];
    const accept = (path: string): boolean => {
      asked.push(path);
      return !path.startsWith("_");
    };
    const some = await expand("s3://bucket/list/part={0,2}/0000?.bin", { accept });
    expect(some.kind === "folder" && some.objects.map(({ path }) => path)).toEqual([
      "part=0/00000.bin",
      "part=0/00003.bin",
      "part=0/00006.bin",
      "part=0/00009.bin",
      "part=2/00002.bin",
      "part=2/00005.bin",
      "part=2/00008.bin",
    ]);
    expect(asked.filter((path) => path.startsWith("_"))).toEqual(["_hidden"]);
    const { object } = (await expand("s3://bucket/list/part=0/00000.bin")) as {
      object: { etag: string; sizeBytes: number };
    };
    const listed = some.kind === "folder" ? some.objects[0] : undefined;
    expect(object).toMatchObject({ sizeBytes: 1, etag: listed?.etag });
    expect(await expand("s3://bucket/nothing")).toEqual({ kind: "missing" });
    expect(await probe("s3://bucket/list")).toBe("many");
    expect(await probe("s3://bucket")).toBe("many");
  }, 120_000);

  const failure = async (promise: Promise<unknown>): Promise<SourceError> => {
    const error: unknown = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!isIngestError(error)) throw new Error(`not one of ours: ${String(error)}`);
    return error as SourceError;
  };

  it("what is missing or forbidden is told with bucket, key and request", async () => {
    proxy.plan(() => undefined);
    const missing = await failure(openSource("s3://bucket/no/such"));
    expect(missing).toMatchObject({ reason: "NotFound", request: { bucket: "bucket", key: "no/such", attempts: 1 } });
    const bucketError = await failure(openSource("s3://no-such-bucket/key"));
    expect(bucketError).toMatchObject({ reason: "NotFound", request: { bucket: "no-such-bucket" } });
    expect(bucketError.message).toContain("NoSuchBucket");
    expect(await failure(expand("s3://no-such-bucket/key/"))).toMatchObject({ reason: "NotFound" });
    const url = await bucket.put("secret.bin", sampleBytes(10));
    const back = setCredentials({ AWS_SECRET_ACCESS_KEY: "wrong-7c1d" });
    try {
      configureStorage({ s3: { endpoint: proxy.endpoint }, hedgeShare: 0 });
      const denied = await failure(openSource(url));
      expect(denied).toMatchObject({ reason: "AccessDenied", request: { key: "secret.bin", attempts: 1 } });
      expect(denied.message).toContain("SignatureDoesNotMatch");
    } finally {
      back();
      configureStorage({ s3: { endpoint: proxy.endpoint }, hedgeShare: 0 });
    }
    configureStorage({ s3: { endpoint: proxy.endpoint, anonymous: true } });
    expect(await failure(openSource(url))).toMatchObject({ reason: "AccessDenied" });
    configureStorage({ s3: { endpoint: proxy.endpoint }, hedgeShare: 0 });
  });

  it("a credential process that hands out other keys in mid-run is asked again, once", async () => {
    const url = await bucket.put("rotating.bin", sampleBytes(700_000));
    const file = join(await mkdtemp(join(tmpdir(), "ingest-rotate-")), "config");
    const keys = join(file, "..", "keys.json");
    await writeFile(file, `[default]\nregion = us-east-1\ncredential_process = cat "${keys}"\n`);
    const issue = (secret: string): Promise<void> =>
      writeFile(keys, JSON.stringify({ Version: 1, AccessKeyId: accessKey, SecretAccessKey: secret }));
    await issue(secretKey);
    const back = setCredentials({
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_CONFIG_FILE: file,
    });
    try {
      configureStorage({ s3: { endpoint: proxy.endpoint }, hedgeShare: 0 });
      const source = await openSource(url);
      const tokens: string[] = [];
      // The store refuses the first key after a while, as one whose time is over.
      proxy.plan((index, { headers }) => {
        tokens.push(String(headers.authorization));
        return index === 0 ? { status: 400, code: "ExpiredToken" } : undefined;
      });
      const [bytes] = await source.getRanges([{ start: 0, end: 300_000 }]);
      expect(Buffer.compare(bytes as Uint8Array, sampleBytes(700_000).subarray(0, 300_000))).toBe(0);
      expect(tokens).toHaveLength(2);
      // What the process says now is what is signed with: wrong keys are refused by the store itself.
      await issue("rotated-to-a-wrong-one");
      proxy.plan((index) => (index === 0 ? { status: 400, code: "ExpiredToken" } : undefined));
      const denied = await failure(source.getRanges([{ start: 0, end: 10 }]));
      expect(denied).toMatchObject({ reason: "AccessDenied", request: { attempts: 2, range: "bytes=0-9" } });
      expect(denied.message).toContain("SignatureDoesNotMatch");
      await source.close();
    } finally {
      back();
      configureStorage({ s3: { endpoint: proxy.endpoint }, hedgeShare: 0 });
    }
  });

  it.each([3600_000, -3600_000])("a clock that is %i ms off is corrected by the store's answer", async (offMs) => {
    const url = await bucket.put("clock.bin", sampleBytes(1000));
    configureStorage({ s3: { endpoint: proxy.endpoint }, hedgeShare: 0 });
    const refused: string[] = [];
    proxy.plan((_, { headers }) => {
      refused.push(String(headers["x-amz-date"]));
      return undefined;
    });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + offMs });
    try {
      const source = await openSource(url);
      expect(await source.getRanges([{ start: 0, end: 1000 }])).toEqual([sampleBytes(1000)]);
      await source.close();
    } finally {
      vi.useRealTimers();
    }
    // One that the store refuses, one that is signed with the store's time.
    expect(refused).toHaveLength(2);
    configureStorage({ s3: { endpoint: proxy.endpoint }, hedgeShare: 0 });
  });

  it("a redirect to another region is followed with a signature for it", async () => {
    const url = await bucket.put("region.bin", sampleBytes(700_000));
    const regions: string[] = [];
    proxy.plan((index, { headers }) => {
      regions.push(/Credential=[^/]*\/\d+\/([^/]+)/.exec(String(headers.authorization))?.[1] ?? "");
      const header = { "x-amz-bucket-region": "eu-west-1" };
      return index === 0 ? { status: 301, code: "PermanentRedirect", headers: header } : undefined;
    });
    // The servers of these tests know one region: that they refuse the new one shows that it was signed for.
    await openSource(url).then(
      (source) => source.close(),
      (error: unknown) => expect(error).toMatchObject({ reason: expect.stringMatching(/AccessDenied|Refused/) }),
    );
    expect(regions.slice(0, 2)).toEqual(["us-east-1", "eu-west-1"]);
    configureStorage({ s3: { endpoint: proxy.endpoint }, hedgeShare: 0 });
  });

  it("an object that is replaced while it is read is ObjectChanged, never mixed", async () => {
    const url = await bucket.put("changing.bin", sampleBytes(700_000));
    const source = await openSource(url);
    await source.getRanges([{ start: 0, end: 100 }]);
    await bucket.put("changing.bin", sampleBytes(700_000, 7));
    expect(await failure(source.getRanges([{ start: 0, end: 1000 }]))).toMatchObject({ reason: "ObjectChanged" });
    await source.close();
  });
}
