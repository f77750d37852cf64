// Parquet and TFRecord read from real S3 servers through random faults give the digest of the local files. Memory does
// not grow with the size: INGEST_SOAK_MB=2000 is the full run, INGEST_SOAK_SERVER picks one server.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { ByteSink, Column, Schema, Slab } from "@ingest-ts/core";
import { open } from "@ingest-ts/readers";
import { configureStorage, createSink, fileSink } from "@ingest-ts/storage";
import { createParquetWriter } from "@ingest-ts/writers/parquet";
import { createTFRecordWriter } from "@ingest-ts/writers/tfrecord";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Fault, type FaultProxy, startFaultProxy } from "../packages/storage/test/lib/fault-proxy.ts";
import { sampleBytes, setCredentials, TestBucket } from "../packages/storage/test/lib/s3-fixture.ts";
import { type S3Server, type S3ServerKind, servers } from "../packages/storage/test/lib/servers.ts";

const soakMB = Number(process.env["INGEST_SOAK_MB"] ?? 24);
const only = process.env["INGEST_SOAK_SERVER"];
/** One request in a hundred is broken; in a short run more are, so that each kind occurs. */
const faultShare = soakMB >= 200 ? 0.01 : 0.1;
const partBytes = (soakMB >= 200 ? 512 : 128) * 1024;
const PAYLOAD_BYTES = 8192;
const GROUP_ROWS = 1000;

interface LocalFile {
  readonly path: string;
  readonly digest: string;
}

let folder = "";
const files: LocalFile[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest-soak-"));
  for (const name of ["soak.parquet", "soak.tfrecord"]) {
    const path = await writeFile(join(folder, name), (soakMB * 1e6) / 2);
    files.push({ path, digest: await digestOf(path) });
  }
}, 600_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

for (const kind of servers.filter(({ name }) => only === undefined || only === name)) {
  if (kind.missing === undefined) describe(`on ${kind.name}`, () => suite(kind));
  else it.skip(`${soakMB} MB through faults on ${kind.name} (skipped: ${kind.missing})`, () => {});
}

const int: Column["type"] = { kind: "int", bits: 64, signed: true };
const fields = [
  { name: "id", type: int, nullable: false, metadata: {} },
  { name: "payload", type: { kind: "binary" }, nullable: false, metadata: {} },
] as const;
const schema: Schema = { fields, metadata: {} };

/** Rows whose numbers are all different; the payload repeats, shifted, because making it should cost little. */
function groupOf(first: number, random: Uint8Array): Slab {
  const at = (first * 7919) % (random.length - GROUP_ROWS * PAYLOAD_BYTES);
  const base = { length: GROUP_ROWS, nullCount: 0, validity: null, children: [], dictionary: null } as const;
  const offsets = Int32Array.from({ length: GROUP_ROWS + 1 }, (_, i) => i * PAYLOAD_BYTES);
  const ids = BigInt64Array.from({ length: GROUP_ROWS }, (_, i) => BigInt(first + i));
  const data = random.subarray(at, at + GROUP_ROWS * PAYLOAD_BYTES);
  const columns: Column[] = [
    { ...base, type: int, offsets: null, data: new Uint8Array(ids.buffer) },
    { ...base, type: { kind: "binary" }, offsets, data },
  ];
  return { schema, rows: GROUP_ROWS, columns };
}

async function writeFile(path: string, sizeBytes: number): Promise<string> {
  const random = sampleBytes(3 * GROUP_ROWS * PAYLOAD_BYTES);
  const sink = await fileSink(path);
  const writer = path.endsWith(".tfrecord")
    ? await createTFRecordWriter(sink, schema, {})
    : await createParquetWriter(sink, schema, { rowGroupRows: GROUP_ROWS, codec: "none" });
  for (let row = 0; row * PAYLOAD_BYTES < sizeBytes; row += GROUP_ROWS) await writer.write(groupOf(row, random));
  await writer.finish();
  return path;
}

async function digestOf(url: string): Promise<string> {
  const hash = createHash("sha256");
  const reader = await open(url);
  for await (const slab of reader.slabs()) {
    for (const { validity, offsets, data } of slab.columns) {
      for (const part of [validity, offsets, data]) {
        if (ArrayBuffer.isView(part)) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
      }
    }
  }
  await reader.close();
  return hash.digest("hex");
}

async function upload(path: string): Promise<string> {
  const url = `s3://soak/${basename(path)}`;
  const sink: ByteSink = await createSink(url);
  for await (const bytes of createReadStream(path, { highWaterMark: 4 * 1024 * 1024 })) {
    await sink.write(bytes as Buffer);
  }
  await sink.close();
  return url;
}

const faults: readonly Fault[] = [
  { status: 503, code: "SlowDown" },
  { status: 500, code: "InternalError" },
  { status: 429, code: "TooManyRequests" },
  { reset: true },
  { cut: "close" },
  { cut: "reset" },
  { cut: "end" },
  { cut: "stall" },
  { delayMs: 400 },
  { headers: { "content-range": undefined } },
];

/** Faults at random places, the same in every run. */
function faultPlan(): { readonly next: () => Fault | undefined; readonly injected: () => number } {
  let state = 7;
  let injected = 0;
  const next = (): Fault | undefined => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 < faultShare ? faults[injected++ % faults.length] : undefined;
  };
  return { next, injected: () => injected };
}

function suite(kind: S3ServerKind): void {
  let server: S3Server;
  let proxy: FaultProxy;
  let undo = (): void => {};
  beforeAll(async () => {
    server = await kind.start();
    proxy = await startFaultProxy(server.endpoint);
    undo = setCredentials();
    await new TestBucket(server.endpoint, "soak").create();
  });
  afterAll(async () => {
    undo();
    configureStorage({});
    await proxy.stop();
    await server.stop();
  });

  it(`${soakMB} MB of Parquet and TFRecord through ${faultShare * 100} % faults are those of the local files`, async () => {
    for (const { path, digest } of files) {
      configureStorage({ s3: { endpoint: server.endpoint } });
      const url = await upload(path);
      configureStorage({ s3: { endpoint: proxy.endpoint }, partBytes, stallMs: 1000 });
      const plan = faultPlan();
      proxy.plan(plan.next);
      expect(await digestOf(url)).toBe(digest);
      expect(plan.injected()).toBeGreaterThan(1);
      process.stdout.write(
        `${kind.name}: ${basename(path)}: ${proxy.seen.length} requests, ${plan.injected()} faults\n`,
      );
    }
  }, 1_800_000);
}
