// A kept manifest beside data in S3: opens counted, the first of several builders wins, a stopped one is taken over from.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { buildIndexFile, indexDataset, load, planRun } from "@ingest-ts/loader";
import { configureStorage, fileSink } from "@ingest-ts/storage";
import { createTFRecordWriter } from "@ingest-ts/writers/tfrecord";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FaultProxy, startFaultProxy } from "../packages/storage/test/lib/fault-proxy.ts";
import { setCredentials, TestBucket } from "../packages/storage/test/lib/s3-fixture.ts";
import { type S3Server, type S3ServerKind, servers } from "../packages/storage/test/lib/servers.ts";
import { opensOf } from "./lib/opens.ts";
import { idsOfFolder, writeIds } from "./lib/write-ids.ts";

for (const kind of servers) {
  if (kind.missing === undefined) describe(`on ${kind.name}`, () => suite(kind));
  else it.skip(`a kept manifest on ${kind.name} (skipped: ${kind.missing})`, () => {});
}

const world = { rank: 0, worldSize: 1 };
const main = fileURLToPath(new URL("../packages/cli/dist/main.js", import.meta.url));
const run = promisify(execFile);

function suite(kind: S3ServerKind): void {
  let folder = "";
  let server: S3Server;
  let proxy: FaultProxy;
  let bucket: TestBucket;
  let undo = (): void => {};
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ingest manifest s3 "));
    process.env["XDG_CACHE_HOME"] = join(folder, "cache");
    server = await kind.start();
    proxy = await startFaultProxy(server.endpoint);
    undo = setCredentials();
    configureStorage({ s3: { endpoint: proxy.endpoint }, hedgeShare: 0 });
    bucket = new TestBucket(server.endpoint, "kept");
    await bucket.create();
  });
  afterAll(async () => {
    undo();
    configureStorage({});
    await proxy.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const put = async (key: string, from: number, rows = 30): Promise<void> => {
    const path = join(folder, "one.parquet");
    await writeIds(path, from, rows);
    await bucket.put(key, await readFile(path));
  };
  const hidden = async (prefix: string): Promise<string[]> => {
    const { Contents } = await bucket.client.send(new ListObjectsV2Command({ Bucket: "kept", Prefix: `${prefix}_` }));
    return (Contents ?? []).map(({ Key }) => Key?.slice(prefix.length) ?? "");
  };
  const index = async (url: string): Promise<{ written: boolean; rows: number; opened: number; files: number }> => {
    const { stdout } = await run(process.execPath, [main, "index", url, "--json", "--endpoint-url", proxy.endpoint]);
    return JSON.parse(stdout) as { written: boolean; rows: number; opened: number; files: number };
  };

  it("plan opens no object with it, load none before its turn; what changed is opened again", async () => {
    for (let i = 0; i < 12; i++)
      await put(`data/month=${1 + (i % 3)}/part-${String(i).padStart(2, "0")}.parquet`, i * 30);
    const url = "s3://kept/data/";
    const before = await idsOfFolder({ source: url, seed: 3 });
    expect(before).toHaveLength(360);
    const built = await opensOf(async () => {
      const report = { files: 12, rows: 360, opened: 12, written: true, path: "s3://kept/data/_ingest-manifest" };
      expect(await indexDataset(url)).toMatchObject(report);
    });
    expect(built).toEqual({ files: 12, most: 1 });
    expect(await hidden("data/")).toEqual(["_ingest-manifest"]);
    proxy.plan(() => undefined);
    const planning = await opensOf(async () => {
      expect((await planRun({ source: url, batchSize: 8, world })).rows).toBe(360);
      await (await load({ source: url, batchSize: 8, world })).close();
      expect(await indexDataset(url)).toMatchObject({ opened: 0, written: false });
    });
    expect(planning.files).toBe(0);
    // Each finds out that it is a folder, lists it, and reads the manifest.
    expect(proxy.seen.length).toBeLessThanOrEqual(12);
    expect(proxy.seen.filter(({ path }) => path.includes(".parquet"))).toEqual([]);
    expect(await idsOfFolder({ source: url, seed: 3 })).toEqual(before);

    await put("data/month=1/part-00.parquet", 5000);
    await put("data/month=2/new.parquet", 6000);
    await bucket.client.send(new DeleteObjectCommand({ Bucket: "kept", Key: "data/month=3/part-02.parquet" }));
    const changed = await opensOf(async () => {
      expect((await planRun({ source: url, batchSize: 8, world })).rows).toBe(360);
    });
    expect(changed.files).toBe(2);
    expect(await indexDataset(url)).toMatchObject({ files: 12, opened: 2, written: true });
    expect(await indexDataset(url)).toMatchObject({ files: 12, opened: 0, written: false });
    const ids = await idsOfFolder({ source: url, shuffle: false });
    expect(ids.filter((id) => id >= 5000)).toHaveLength(60);
  });

  it("of builders that run at once one writes, all end well, nothing is left over", async () => {
    for (let i = 0; i < 20; i++) await put(`race/${String(i).padStart(2, "0")}.parquet`, i * 30);
    // Nobody's manifest is there before all have looked for one.
    let looking = 0;
    proxy.plan((_, { method }) => {
      if (method !== "PUT") return undefined;
      looking++;
      return { delayMs: 500 };
    });
    const reports = await Promise.all(Array.from({ length: 3 }, () => index("s3://kept/race/")));
    proxy.plan(() => undefined);
    expect(reports.map(({ rows }) => rows)).toEqual([600, 600, 600]);
    expect(reports.filter(({ written }) => written)).toHaveLength(1);
    expect(looking).toBeGreaterThanOrEqual(1);
    expect(await hidden("race/")).toEqual(["_ingest-manifest"]);
  });

  it("a builder that was killed is taken over from", async () => {
    const path = join(folder, "many.parquet");
    await writeIds(path, 0, 3);
    const bytes = await readFile(path);
    for (let from = 0; from < 300; from += 30) {
      await Promise.all(
        Array.from({ length: 30 }, (_, i) => bucket.put(`killed/${String(from + i).padStart(4, "0")}.parquet`, bytes)),
      );
    }
    // The store is slow from the 270th object on, so that the builder is still at work.
    proxy.plan((_, { method, url }) =>
      method === "GET" && /\/02[789]\d\.parquet/.test(url ?? "") ? { delayMs: 60_000 } : undefined,
    );
    const child = spawn(process.execPath, [main, "index", "s3://kept/killed/", "--endpoint-url", proxy.endpoint], {
      stdio: "ignore",
    });
    await expect.poll(() => hidden("killed/"), { timeout: 150_000 }).toHaveLength(1);
    child.kill("SIGKILL");
    await once(child, "exit");
    proxy.plan(() => undefined);
    expect(await index("s3://kept/killed/")).toMatchObject({ files: 300, rows: 900, opened: 44, written: true });
    expect(await hidden("killed/")).toEqual(["_ingest-manifest"]);
  }, 180_000);

  it("a folder that may not be written is told by name; a damaged manifest too", async () => {
    await put("denied/a.parquet", 0);
    proxy.plan((_, { method }) => (method === "PUT" ? { status: 403, code: "AccessDenied" } : undefined));
    await expect(indexDataset("s3://kept/denied/")).rejects.toMatchObject({
      code: "INGEST_SOURCE",
      reason: "AccessDenied",
      request: { key: "denied/_ingest-manifest" },
    });
    proxy.plan(() => undefined);
    await bucket.put("denied/_ingest-manifest", '{"manifest":1}\n{"objects":0,"sha256":"0"}\n');
    await expect(planRun({ source: "s3://kept/denied/", batchSize: 8, world })).rejects.toMatchObject({
      code: "INGEST_FORMAT",
      message: expect.stringContaining("s3://kept/denied/_ingest-manifest"),
    });
    await expect(indexDataset("http://127.0.0.1:1/x.parquet")).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
  });

  it("an index of a TFRecord is kept beside it when it is asked for", async () => {
    const path = join(folder, "x.tfrecord");
    const type = { kind: "binary" } as const;
    const schema = { fields: [{ name: "record", type, nullable: false, metadata: {} }], metadata: {} };
    const writer = await createTFRecordWriter(await fileSink(path), schema);
    const column = { type, nullCount: 0, validity: null, children: [], dictionary: null } as const;
    const offsets = Int32Array.of(0, 1, 3);
    await writer.write({ rows: 2, columns: [{ ...column, length: 2, offsets, data: new Uint8Array(3) }] });
    await writer.finish();
    await bucket.put("rows/x.tfrecord", await readFile(path));
    expect(await buildIndexFile("s3://kept/rows/x.tfrecord")).toBe("s3://kept/rows/x.tfrecord.ingest-index");
    const get = new GetObjectCommand({ Bucket: "kept", Key: "rows/x.tfrecord.ingest-index" });
    expect(await (await bucket.client.send(get)).Body?.transformToString()).toContain('"tfrecord"');
    proxy.plan(() => undefined);
    await (await load({ source: "s3://kept/rows/x.tfrecord", batchSize: 1, world })).close();
    expect(proxy.seen.some(({ path: asked }) => asked.includes("x.tfrecord.ingest-index"))).toBe(true);
    expect(proxy.seen.every(({ method }) => method === "GET")).toBe(true);
  });
}
