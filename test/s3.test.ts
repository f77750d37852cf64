// Readers, loader and command line over real S3 servers: requests counted, faults survived, no secret in any output.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { type Column, channels, FormatError, type Schema, type SourceRead, type StorageRequest } from "@ingest-ts/core";
import { load } from "@ingest-ts/loader";
import { open, type Reader } from "@ingest-ts/readers";
import { configureStorage, fileSink, flushCache } from "@ingest-ts/storage";
import { createParquetWriter } from "@ingest-ts/writers/parquet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FaultProxy, startFaultProxy } from "../packages/storage/test/lib/fault-proxy.ts";
import { sampleBytes, setCredentials, TestBucket } from "../packages/storage/test/lib/s3-fixture.ts";
import {
  accessKey,
  type S3Server,
  type S3ServerKind,
  secretKey,
  servers,
} from "../packages/storage/test/lib/servers.ts";

for (const kind of servers) {
  if (kind.missing === undefined) describe(`on ${kind.name}`, () => suite(kind));
  else it.skip(`readers, loader and command line on ${kind.name} (skipped: ${kind.missing})`, () => {});
}

const token = "session-token-51b7e0";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest s3 "));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A file of `columns` columns of random 32-bit numbers. */
async function numbersFile(name: string, columns: number, rows: number, rowGroupRows = rows): Promise<string> {
  const path = join(folder, name);
  const type = { kind: "int", bits: 32, signed: true } as const;
  const fields = Array.from({ length: columns }, (_, i) => ({ name: `c${i}`, type, nullable: false, metadata: {} }));
  const schema: Schema = { fields, metadata: {} };
  const sink = await fileSink(path);
  const writer = await createParquetWriter(sink, schema, { rowGroupRows, codec: "none" });
  for (let done = 0; done < rows; done += rowGroupRows) {
    const count = Math.min(rowGroupRows, rows - done);
    const made = fields.map(
      (_, i): Column => ({
        type,
        length: count,
        nullCount: 0,
        validity: null,
        offsets: null,
        data: sampleBytes(count * 4, done + i + 1),
        children: [],
        dictionary: null,
      }),
    );
    await writer.write({ rows: count, columns: made });
  }
  await writer.finish();
  return path;
}

async function digestOf(reader: Reader): Promise<string> {
  const hash = createHash("sha256");
  const add = ({ validity, offsets, data, children }: Column): void => {
    for (const part of [validity, offsets, data]) {
      if (part !== null && ArrayBuffer.isView(part))
        hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    }
    for (const child of children) add(child);
  };
  for await (const slab of reader.slabs()) for (const column of slab.columns) add(column);
  await reader.close();
  return hash.digest("hex");
}

interface Watched {
  readonly requests: StorageRequest[];
  readonly reads: SourceRead[];
}

async function watch(body: () => Promise<void>): Promise<Watched> {
  const requests: StorageRequest[] = [];
  const reads: SourceRead[] = [];
  const onRequest = (message: unknown): number => requests.push(message as StorageRequest);
  const onRead = (message: unknown): number => reads.push(message as SourceRead);
  subscribe(channels.storageRequest.name, onRequest);
  subscribe(channels.sourceRead.name, onRead);
  try {
    await body();
  } finally {
    unsubscribe(channels.storageRequest.name, onRequest);
    unsubscribe(channels.sourceRead.name, onRead);
  }
  return { requests, reads };
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0);

function ingest(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const main = join(import.meta.dirname, "..", "packages", "cli", "dist", "main.js");
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [main, ...args],
      { env: { ...process.env, ...env }, maxBuffer: 1e8 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

function suite(kind: S3ServerKind): void {
  let server: S3Server;
  let proxy: FaultProxy;
  let bucket: TestBucket;
  let undo = (): void => {};
  const settings = (more: Parameters<typeof configureStorage>[0] = {}): void =>
    configureStorage({ s3: { endpoint: proxy.endpoint }, hedgeShare: 0, ...more });
  beforeAll(async () => {
    server = await kind.start();
    proxy = await startFaultProxy(server.endpoint);
    undo = setCredentials();
    settings();
    bucket = new TestBucket(server.endpoint, "data");
    await bucket.create();
  });
  afterAll(async () => {
    undo();
    configureStorage({});
    await proxy.stop();
    await server.stop();
  });
  const upload = async (path: string, key: string): Promise<string> => bucket.put(key, await readFile(path));

  it("columns cost few requests and few bytes that nobody asked for", async () => {
    const columns = 200;
    const rows = 40_000;
    const chunkBytes = rows * 4;
    const url = await upload(await numbersFile("wide.parquet", columns, rows), "wide.parquet");
    const read = (names: readonly string[]): Promise<Watched> =>
      watch(async () => {
        const reader = await open(url, { columns: names });
        for await (const slab of reader.slabs()) expect(slab.columns).toHaveLength(names.length);
        await reader.close();
      });
    const adjacent = await read(Array.from({ length: 40 }, (_, i) => `c${60 + i}`));
    expect(adjacent.requests.length).toBeLessThanOrEqual(4);
    expect(sumOf(adjacent.requests.map(({ sizeBytes }) => sizeBytes))).toBeLessThanOrEqual(1.1 * 40 * chunkBytes);
    const scattered = await read(Array.from({ length: 20 }, (_, i) => `c${i * 10 + 3}`));
    // The first request opens the object.
    expect(scattered.requests.length - 1).toBeLessThanOrEqual(20);
    expect(sumOf(scattered.requests.map(({ sizeBytes }) => sizeBytes))).toBeLessThanOrEqual(1.1 * 20 * chunkBytes);
  });

  it("a folder of 2,300 objects is listed in pages and opened with one request each", async () => {
    const bytes = await readFile(await numbersFile("tiny.parquet", 1, 3));
    for (let from = 0; from < 2300; from += 100) {
      await Promise.all(
        Array.from({ length: 100 }, (_, i) => bucket.put(`many/${String(from + i).padStart(4, "0")}.parquet`, bytes)),
      );
    }
    const { requests } = await watch(async () => {
      const reader = await open("s3://data/many/");
      expect(reader.rows).toBe(6900);
      await reader.close();
    });
    expect(requests.filter(({ op }) => op === "get")).toHaveLength(2300);
    // Three pages; one to see that it is a folder, once for reader and once for listing.
    expect(requests.filter(({ op }) => op === "list").length).toBeLessThanOrEqual(5);
  }, 120_000);

  it("a second epoch comes from the cache, and so does the first of a later run", async () => {
    for (const name of ["a", "b"])
      await upload(await numbersFile(`${name}.parquet`, 8, 50_000, 10_000), `epochs/${name}.parquet`);
    const cacheDir = join(folder, `cache ${kind.name}`);
    const run = async (epochs: number, onEpoch: (epoch: number) => void): Promise<number> => {
      const loader = await load({
        source: "s3://data/epochs/",
        batchSize: 1000,
        epochs,
        seed: 5,
        world: { rank: 0, worldSize: 1 },
      });
      let rows = 0;
      let sum = 0;
      for await (const batch of loader) {
        onEpoch(batch.epoch);
        rows += batch.rows;
        for (const value of batch.toMatrix(["c3"], Float64Array)) sum += value;
      }
      await loader.close();
      expect(rows).toBe(100_000 * epochs);
      return sum / epochs;
    };
    settings({ cacheDir });
    let epoch = 0;
    const byEpoch: number[] = [0, 0];
    const onRequest = (message: unknown): void => {
      byEpoch[epoch] = (byEpoch[epoch] as number) + (message as StorageRequest).sizeBytes;
    };
    subscribe(channels.storageRequest.name, onRequest);
    const first = await run(2, (now) => {
      epoch = now;
    });
    unsubscribe(channels.storageRequest.name, onRequest);
    expect(byEpoch[0]).toBeGreaterThan(3_000_000);
    expect(byEpoch[1]).toBe(0);
    await flushCache();
    settings({ cacheDir });
    const later = await watch(async () => {
      expect(await run(1, () => {})).toBe(first);
    });
    expect(sumOf(later.requests.map(({ sizeBytes }) => sizeBytes))).toBe(0);
    // Beside the question whether there is a kept manifest, each object is asked whether it still is the same.
    expect(
      new Set(
        later.requests
          .filter(({ op, url }) => op === "get" && !url.endsWith("_ingest-manifest"))
          .map(({ outcome }) => outcome),
      ),
    ).toEqual(new Set(["304"]));
    // Another version: nothing of the old one is used.
    await upload(await numbersFile("a.parquet", 8, 49_999, 10_000), "epochs/a.parquet");
    const reader = await open("s3://data/epochs/a.parquet");
    const local = await open(join(folder, "a.parquet"));
    expect(await digestOf(reader)).toBe(await digestOf(local));
    settings();
  });

  it("a bit that was turned over on the way is an error, not a value", async () => {
    const url = await upload(await numbersFile("flip.parquet", 4, 100_000), "flip.parquet");
    const reader = await open(url);
    proxy.plan(() => ({ flip: true }));
    await expect(digestOf(reader)).rejects.toBeInstanceOf(FormatError);
    proxy.plan(() => undefined);
    await reader.close();
  });

  it("the command line reads and writes s3 URIs", async () => {
    await upload(await numbersFile("cli.parquet", 3, 1000), "cli/part=1/x.parquet");
    const endpoint = ["--endpoint-url", proxy.endpoint];
    const count = await ingest(["count", "s3://data/cli/", ...endpoint]);
    expect([count.stdout.trim(), count.stderr, count.code]).toEqual(["1000", "", 0]);
    expect((await ingest(["schema", "s3://data/cli/", ...endpoint])).stdout).toContain("c2");
    const cat = await ingest(["cat", "s3://data/cli/**/*.parquet", "-n", "2", "--to", "jsonl", ...endpoint]);
    expect(cat.stdout.trim().split("\n")).toHaveLength(2);
    const plan = await ingest(["plan", "s3://data/cli/", "--world", "2", "--batch", "10", ...endpoint]);
    expect([plan.code, plan.stdout.includes("1,000 rows")]).toEqual([0, true]);
    const output = "s3://data/out/two rows.jsonl";
    const written = await ingest(["cat", "s3://data/cli/", "-n", "2", "--to", "jsonl", "-o", output, ...endpoint]);
    expect([written.code, written.stderr]).toEqual([0, ""]);
    const { Body } = await bucket.client.send(new GetObjectCommand({ Bucket: "data", Key: "out/two rows.jsonl" }));
    expect((await Body?.transformToString())?.split("\n")).toHaveLength(3);
  });

  it("convert reads s3 and writes it in parts, and a run that fails leaves no object", async () => {
    await upload(await numbersFile("wide.parquet", 8, 400_000, 100_000), "wide/x.parquet");
    const options = ["--quiet", "--endpoint-url", proxy.endpoint];
    const done = await ingest(["convert", "s3://data/wide/", "s3://data/made/x.orc", "--codec", "none", ...options]);
    expect(done).toEqual({ code: 0, stdout: "", stderr: "" });
    // One column, whose digest is the same however rows are divided into slabs.
    const columns = ["c7"];
    const made = await open("s3://data/made/x.orc", { columns });
    expect([made.format, made.rows]).toEqual(["orc", 400_000]);
    expect(await digestOf(made)).toBe(await digestOf(await open("s3://data/wide/x.parquet", { columns })));
    const again = await ingest(["convert", "s3://data/wide/", "s3://data/made/x.orc", ...options]);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("file of this name already")]);
    const shards = ["convert", "s3://data/wide/x.parquet", "s3://data/shards", "--to", "avro"];
    expect((await ingest([...shards, "--shard-rows", "150000", ...options])).code).toBe(0);
    expect((await ingest(["count", "s3://data/shards/", ...options.slice(1)])).stdout).toBe("400000\n");
    // A part that the store never takes: what was sent before is removed, and the name stays free.
    proxy.plan((_, { method, url }) =>
      method === "PUT" && url?.includes("partNumber=1&") === true ? { status: 403 } : undefined,
    );
    const failed = await ingest(["convert", "s3://data/wide/", "s3://data/never/x.orc", "--codec", "none", ...options]);
    proxy.plan(() => undefined);
    expect(failed.code).toBe(4);
    expect((await ingest(["count", "s3://data/never/x.orc", ...options.slice(1)])).code).toBe(4);
  }, 120_000);

  it("no secret is in any output, error or state", async () => {
    const url = await upload(await numbersFile("secret.parquet", 3, 1000), "secret/x.parquet");
    const signed = await getSignedUrl(bucket.client, new GetObjectCommand({ Bucket: "data", Key: "secret/x.parquet" }));
    const signature = new URL(signed).searchParams.get("X-Amz-Signature") ?? "";
    const broken = signed.replace(signature, "0".repeat(64));
    const { host } = new URL(proxy.endpoint);
    const withUser = `http://user:pass-77f1@${host}/data/secret/x.parquet?token=query-9d2c`;
    const runs: { code: number; stdout: string; stderr: string }[] = [];
    const run = async (input: string, env: NodeJS.ProcessEnv = {}): Promise<void> => {
      const flags = ["--endpoint-url", proxy.endpoint, "--debug", "--cache-dir", join(folder, "secrets")];
      runs.push(await ingest(["schema", input, ...flags], env));
    };
    await Promise.all([run(url), run(signed), run(broken), run(withUser), run("s3://nothing-here/x")]);
    await Promise.all([
      run(url, { AWS_SESSION_TOKEN: token }),
      run(url, { AWS_SECRET_ACCESS_KEY: `${secretKey}-wrong` }),
      run("http://user:pass-77f1@127.0.0.1:1/x?token=query-9d2c"),
    ]);
    expect(runs.filter(({ code }) => code === 0).length).toBeGreaterThanOrEqual(2);
    expect(runs.filter(({ code }) => code === 4).length).toBeGreaterThanOrEqual(5);
    expect(new Set(runs.map(({ code }) => code))).toEqual(new Set([0, 4]));
    const texts = runs.map(({ stdout, stderr }) => stdout + stderr);
    const messages = await watch(async () => {
      const reader = await open(signed);
      texts.push(JSON.stringify(reader.source.url));
      await reader.close();
    });
    texts.push(JSON.stringify(messages));
    for (const secret of [
      secretKey,
      token,
      signature,
      "0".repeat(64),
      "pass-77f1",
      "query-9d2c",
      "X-Amz-",
      accessKey,
    ]) {
      for (const text of texts) expect(text).not.toContain(secret);
    }
  }, 120_000);
}
