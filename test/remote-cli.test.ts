// The command line over s3 and http as its users see it: the same output as for local files, one answer for each
// mistake, nothing left behind by Ctrl-C, and no secret anywhere.
import { Buffer } from "node:buffer";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { load } from "@ingest-ts/loader";
import { configureStorage } from "@ingest-ts/storage";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FaultProxy, startFaultProxy } from "../packages/storage/test/lib/fault-proxy.ts";
import { setCredentials, TestBucket } from "../packages/storage/test/lib/s3-fixture.ts";
import {
  accessKey,
  type S3Server,
  type S3ServerKind,
  secretKey,
  servers,
} from "../packages/storage/test/lib/servers.ts";
import { askJson, startServe } from "./lib/serve.ts";
import { writeIds } from "./lib/write-ids.ts";

/** What depends on the store's answers runs on every server, the rest on the first that is there. */
const first = servers.find(({ missing }) => missing === undefined);
for (const kind of servers) {
  if (kind.missing === undefined) describe(`on ${kind.name}`, () => suite(kind, kind === first));
  else it.skip(`the command line on ${kind.name} (skipped: ${kind.missing})`, () => {});
}

const main = fileURLToPath(new URL("../packages/cli/dist/main.js", import.meta.url));
const formats = ["parquet", "orc", "avro", "tfrecord"] as const;
const token = "session-token-51b7e0";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function ingest(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, maxBuffer: 1e8 };
    execFile(process.execPath, [main, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

async function inTurn<T, R>(items: readonly T[], body: (item: T) => Promise<R>): Promise<R[]> {
  const out: R[] = [];
  for (const item of items) out.push(await body(item));
  return out;
}

/** All that is in the files below `folder`, and their names. */
async function contentOf(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((each) => each.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const texts = await inTurn(files, async (path) => `${path}\n${(await readFile(path)).toString("latin1")}`);
  return texts.join("\n");
}

function suite(kind: S3ServerKind, full: boolean): void {
  let folder = "";
  let server: S3Server;
  let proxy: FaultProxy;
  let bucket: TestBucket;
  let undo = (): void => {};
  let endpoint: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ingest remote "));
    server = await kind.start();
    proxy = await startFaultProxy(server.endpoint);
    undo = setCredentials({ XDG_CACHE_HOME: join(folder, "cache home") });
    configureStorage({ s3: { endpoint: proxy.endpoint } });
    endpoint = ["--endpoint-url", proxy.endpoint];
    bucket = new TestBucket(server.endpoint, "cli");
    await bucket.create();
    await writeIds(join(folder, "ids.parquet"), 0, 300);
    for (const format of full ? formats.slice(1) : []) {
      const done = await ingest(["convert", join(folder, "ids.parquet"), join(folder, `ids.${format}`), "--quiet"]);
      expect(done).toMatchObject({ code: 0, stderr: "" });
    }
    for (const format of full ? formats : (["parquet"] as const))
      await bucket.put(`ids.${format}`, await readFile(join(folder, `ids.${format}`)));
  });
  afterAll(async () => {
    undo();
    configureStorage({});
    await proxy.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** What does not depend on the store. */
  const itOnce = (name: string, body: () => Promise<void>, timeoutMs?: number): void => {
    if (full) it(name, body, timeoutMs);
  };
  const sign = (key: string): Promise<string> =>
    getSignedUrl(
      new S3Client({
        endpoint: proxy.endpoint,
        region: "us-east-1",
        forcePathStyle: true,
        credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
      }),
      new GetObjectCommand({ Bucket: "cli", Key: key }),
      { expiresIn: 3600 },
    );
  const keys = async (prefix: string): Promise<string[]> => {
    const { Contents } = await bucket.client.send(new ListObjectsV2Command({ Bucket: "cli", Prefix: prefix }));
    return (Contents ?? []).map(({ Key }) => Key ?? "");
  };
  const uploads = async (): Promise<number> => {
    const { Uploads } = await bucket.client.send(new ListMultipartUploadsCommand({ Bucket: "cli" }));
    return Uploads?.length ?? 0;
  };

  it.each(full ? formats : ["parquet" as const])("%s is read over s3 and http", async (format) => {
    for (const place of [`s3://cli/ids.${format}`, await sign(`ids.${format}`)]) {
      const { code, stdout, stderr } = await ingest(["cat", place, ...endpoint]);
      expect([code, stderr]).toEqual([0, ""]);
      const rows = stdout
        .trimEnd()
        .split("\n")
        .map((line) => Number((JSON.parse(line) as { id: number }).id));
      expect(rows).toEqual(Array.from({ length: 300 }, (_, i) => i));
    }
  });

  itOnce("schema, count, inspect and bench take URLs of both", async () => {
    for (const place of ["s3://cli/ids.parquet", await sign("ids.parquet")]) {
      const bench = ["--quick", "--formats", "parquet", "--codecs", "none", "--json"];
      for (const args of [
        ["schema", place],
        ["count", place],
        ["inspect", place],
        ["bench", place, ...bench],
      ]) {
        const { code, stdout } = await ingest([...args, ...endpoint]);
        expect(code).toBe(0);
        expect(stdout).toMatch(/\b300\b/);
        expect(stdout).not.toContain("X-Amz-");
      }
    }
  });

  itOnce("index keeps a manifest in s3; over http, where nothing is listed, it says so", async () => {
    await bucket.put("index/a.parquet", await readFile(join(folder, "ids.parquet")));
    const made = await ingest(["index", "s3://cli/index/", ...endpoint]);
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(made.stdout).toContain("s3://cli/index/_ingest-manifest: written");
    expect(await keys("index/_")).toEqual(["index/_ingest-manifest"]);
    const refused = await ingest(["index", await sign("ids.parquet"), ...endpoint]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("objects of this store cannot be listed");
  });

  type Mistake = readonly [string, readonly string[], NodeJS.ProcessEnv, number, string];
  const answered: readonly Mistake[] = [
    ["a wrong bucket", ["s3://cl1/ids.parquet"], {}, 4, "no such bucket: 404 NoSuchBucket"],
    ["a wrong key", ["s3://cli/no.parquet"], {}, 4, "no such object: 404 NoSuchKey"],
    ["a folder without a key", ["s3://cli/no/"], {}, 4, "no such folder"],
    ["a wrong secret", ["s3://cli/ids.parquet"], { AWS_SECRET_ACCESS_KEY: "wr-7c1d" }, 4, "SignatureDoesNotMatch"],
    ["a wrong access key", ["s3://cli/ids.parquet"], { AWS_ACCESS_KEY_ID: "wr-7c1d" }, 4, "check the credentials"],
    ["no signature", ["s3://cli/ids.parquet", "--no-sign-request"], {}, 4, "access is denied: 403"],
  ];
  const none = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
  const ours: readonly Mistake[] = [
    ["a pattern without a match", ["s3://cli/*.json"], {}, 2, "there is no file to read"],
    ["no bucket", ["s3:///x"], {}, 2, "not an S3 URL"],
    ["no credentials", ["s3://cli/ids.parquet"], none, 4, "no usable credentials were found"],
    ["an unknown profile", ["s3://cli/ids.parquet", "--profile", "nobody"], {}, 4, "no usable credentials"],
    ["an endpoint without a scheme", ["s3://cli/ids.parquet", "--endpoint-url", "localhost:1"], {}, 2, "its scheme"],
    ["payer and no signature", ["s3://cli/x", "--no-sign-request", "--request-payer", "requester"], {}, 2, "exclude"],
  ];
  it.each(full ? [...answered, ...ours] : answered)("%s is told as it is", async (_, args, env, code, text) => {
    const ended = await ingest(["count", ...endpoint, ...args], env);
    expect([ended.code, ended.stdout]).toEqual([code, ""]);
    expect(ended.stderr).toContain(text);
    expect(ended.stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(ended.stderr).not.toContain("wr-7c1d");
  });

  itOnce("a profile brings its keys, region and endpoint", async () => {
    const config = join(folder, "aws config");
    const lines = ["[profile mine]", "region = us-east-1", `endpoint_url = ${proxy.endpoint}`];
    await writeFile(
      config,
      [...lines, `aws_access_key_id = ${accessKey}`, `aws_secret_access_key = ${secretKey}`, ""].join("\n"),
    );
    const env = { AWS_CONFIG_FILE: config, AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const args = ["count", "s3://cli/ids.parquet", "--profile", "mine", "--addressing-style", "path"];
    expect(await ingest(args, { ...env, AWS_REGION: undefined })).toMatchObject({
      code: 0,
      stdout: "300\n",
      stderr: "",
    });
  });

  itOnce("who pays is in every request", async () => {
    const payers = new Set<string>();
    proxy.plan((_, { headers }) => {
      payers.add(String(headers["x-amz-request-payer"]));
      return undefined;
    });
    const { code } = await ingest([
      "count",
      "s3://cli/",
      "--format",
      "parquet",
      "--request-payer",
      "requester",
      ...endpoint,
    ]);
    proxy.plan(() => undefined);
    expect(code).toBeGreaterThanOrEqual(0);
    expect(payers).toEqual(new Set(["requester"]));
  });

  it.each(full ? (["SIGINT", "SIGTERM"] as const) : (["SIGINT"] as const))(
    "%s in mid-upload leaves no object and no part",
    async (signal) => {
      const big = join(folder, "big.parquet");
      await writeIds(big, 0, 500_000);
      const name = `stopped/${signal}.parquet`;
      // The second part never comes to its end.
      let second = 0;
      proxy.plan((_, { method, url }) =>
        method === "PUT" && url?.includes("partNumber=2") === true && ++second > 0 ? { delayMs: 600_000 } : undefined,
      );
      const args = ["convert", big, `s3://cli/${name}`, "--codec", "none", "--quiet", ...endpoint];
      const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "ignore", "pipe"] });
      let said = "";
      child.stderr.on("data", (text) => (said += String(text)));
      await expect.poll(() => second, { timeout: 50_000 }).toBeGreaterThan(0);
      const before = (await uploads()) - 1;
      child.kill(signal);
      const [code] = (await once(child, "exit")) as [number];
      proxy.plan(() => undefined);
      expect([code, said]).toEqual([signal === "SIGINT" ? 130 : 143, expect.not.stringContaining("defect")]);
      expect(await uploads()).toBe(before);
      expect(await keys("stopped/")).toEqual([]);
    },
    120_000,
  );

  itOnce("Ctrl-C ends a read that waits for the store", async () => {
    const args = ["cat", "s3://cli/ids.parquet", ...endpoint];
    const before = proxy.pending();
    proxy.plan(() => ({ delayMs: 600_000 }));
    const child = spawn(process.execPath, [main, ...args], { stdio: "ignore" });
    await expect.poll(() => proxy.seen.length, { timeout: 50_000 }).toBeGreaterThan(0);
    child.kill("SIGINT");
    expect((await once(child, "exit"))[0]).toBe(130);
    proxy.plan(() => undefined);
    await expect.poll(() => proxy.pending(), { timeout: 20_000 }).toBeLessThanOrEqual(before);
  });

  itOnce(
    "no secret is in outputs, reports, manifests, caches, ledgers, states or what a server says",
    async () => {
      const texts: string[] = [];
      const cacheDir = join(folder, "secret cache");
      const signed = await sign("ids.parquet");
      const signedAvro = await sign("ids.avro");
      const signatures = [signed, signedAvro].map((url) => new URL(url).searchParams.get("X-Amz-Signature") ?? "");
      const { host } = new URL(proxy.endpoint);
      const withUser = `http://user:pass-77f1@${host}/cli/ids.parquet?token=query-9d2c`;
      const common = [...endpoint, "--cache-dir", cacheDir];
      const runs: readonly (readonly string[])[] = [
        ["cat", signed, "-n", "1", "--debug"],
        ["inspect", signedAvro, "--json"],
        ["plan", signed, "--batch", "16", "--world", "2"],
        ["plan", signedAvro, "--batch", "16"],
        ["bench", signed, "--quick", "--formats", "parquet", "--codecs", "none", "--json"],
        ["index", "s3://cli/index/", "--json"],
        ["cat", withUser, "--debug"],
        ["cat", signed.replace(signatures[0] ?? "", "0".repeat(64)), "--debug"],
        ["cat", "s3://cli/ids.parquet", "-o", `http://user:pass-77f1@${host}/x?token=query-9d2c`, "--debug"],
      ];
      for (const args of runs) {
        const { code, stdout, stderr } = await ingest([...args, ...common]);
        expect([0, 2, 4]).toContain(code);
        texts.push(stdout, stderr);
      }
      const denied = await ingest(["count", "s3://cli/ids.parquet", "--debug", ...common], {
        AWS_SESSION_TOKEN: token,
      });
      texts.push(denied.stdout, denied.stderr);
      // A run with checkpoints and a ledger, and a server.
      const ledger = join(folder, "ledger");
      await mkdir(ledger);
      configureStorage({ s3: { endpoint: proxy.endpoint }, cacheDir });
      const loader = await load({ source: signed, batchSize: 50, ledger, world: { rank: 0, worldSize: 1 } });
      for await (const batch of loader) texts.push(JSON.stringify(batch.state));
      texts.push(JSON.stringify(loader.stateDict()));
      await loader.close();
      configureStorage({ s3: { endpoint: proxy.endpoint } });
      const socket = join(folder, "serve.sock");
      const serving = await startServe(socket, [signed, "--batch", "16", "--world", "1", ...endpoint]);
      for (const path of ["/", "/state", "/metrics", "/health", "/schema"]) {
        const said = await askJson(socket, path).catch((error: unknown) => String(error));
        texts.push(JSON.stringify(said));
      }
      serving.child.kill("SIGTERM");
      await serving.ended;
      const manifest = await bucket.client.send(new GetObjectCommand({ Bucket: "cli", Key: "index/_ingest-manifest" }));
      texts.push((await manifest.Body?.transformToString()) ?? "");
      texts.push(await contentOf(cacheDir), await contentOf(ledger), await contentOf(join(folder, "cache home")));
      expect(texts.join("").length).toBeGreaterThan(5000);
      const secrets = [secretKey, token, ...signatures, "0".repeat(64), "pass-77f1", "query-9d2c", "X-Amz-", accessKey];
      for (const secret of secrets) {
        for (const text of texts)
          expect(Buffer.from(text).includes(secret), `${secret} in ${text.slice(0, 500)}`).toBe(false);
      }
    },
    180_000,
  );
}
