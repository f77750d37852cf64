// Object storage, side by side: node bench/storage.mjs [--rounds n] [--mb n] [--server versitygw|s3proxy] [--seed n] [--check]
//
//   --check   one short round that checks the bytes and writes no record
//
// One object is read in ranges of 8 MiB, eight at a time, from a real S3 server on this machine: by this project, by a
// bare GET of undici, by the AWS SDK as it comes, by pyarrow and by the client of s3torchconnector. The figure is the
// reader's processor time for a gigabyte; the server's is not in it. Bytes are checked by SHA-256 before and after the
// passes that count: an engine with other bytes has no figure, and the run fails.
//
// Writes storage.jsonl and storage-environment.json into bench/record/<date>-<machine>/ and the section "Object storage"
// of bench/RESULTS.md. Needs `node scripts/tools.mjs`; Python engines that are missing are reported as absent.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { accessKey, secretKey, servers } from "../packages/storage/test/lib/servers.mjs";
import { environment, findPython, recordFolder, seededRandom, shuffled } from "./machine.mjs";
import { writeSection } from "./sections.mjs";
import { engines, storageSection } from "./storage-report.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const PART_BYTES = 8 * 1024 * 1024;
const IN_FLIGHT = 8;
const TIMEOUT_MS = 300_000;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    passes: { type: "string", default: "4" },
    mb: { type: "string", default: "256" },
    server: { type: "string", default: "versitygw" },
    seed: { type: "string", default: "1" },
    check: { type: "boolean", default: false },
  },
});
if (flags.check) Object.assign(flags, { rounds: "1", passes: "1", mb: "32" });

/** Bytes that repeat nowhere soon and compress badly. */
function objectBytes(sizeBytes) {
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0, i = 0; at < sizeBytes; at += 32, i++) {
    createHash("sha256").update(`${i}`).digest().copy(bytes, at);
  }
  return bytes;
}

function digestOf(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length; at += PART_BYTES) {
    parts.push(
      createHash("sha256")
        .update(bytes.subarray(at, at + PART_BYTES))
        .digest(),
    );
  }
  return createHash("sha256").update(Buffer.concat(parts)).digest("hex");
}

function runEngine(engine, task, python) {
  const { worker, runtime } = engines[engine];
  const text = JSON.stringify(task);
  const [program, args] =
    runtime === "python"
      ? [python, [join(here, "engines", "storage.py"), worker, text]]
      : [process.execPath, ["--expose-gc", join(here, "engines", "storage-worker.mjs"), worker, text]];
  if (program === undefined) return Promise.resolve({ absent: "no Python" });
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: here, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      try {
        resolve(JSON.parse(out.trim().split("\n").at(-1) ?? ""));
      } catch {
        resolve({ refused: `ended with ${signal ?? code}: ${err.trim().split("\n").at(-1) ?? ""}` });
      }
    });
  });
}

async function measure(server, python) {
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
  const client = new S3Client({ endpoint: server.endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  const bytes = objectBytes(Number(flags.mb) * 1024 * 1024);
  const object = { Bucket: "bench", Key: "object" };
  await client.send(new CreateBucketCommand({ Bucket: "bench" }));
  await client.send(new PutObjectCommand({ ...object, Body: bytes }));
  const expected = digestOf(bytes);
  const task = {
    endpoint: server.endpoint,
    bucket: object.Bucket,
    key: object.Key,
    url: await getSignedUrl(client, new GetObjectCommand(object), { expiresIn: 86_400 }),
    sizeBytes: bytes.length,
    partBytes: PART_BYTES,
    inFlight: IN_FLIGHT,
    passes: Number(flags.passes),
  };
  const random = seededRandom(flags.seed);
  const lines = [];
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const engine of shuffled(Object.keys(engines), random)) {
      process.stderr.write(`round ${round + 1}: ${engine}\n`);
      const answer = await runEngine(engine, task, python);
      const { digests, ...line } = { server: server.name, sizeBytes: bytes.length, engine, round, ...answer };
      const wrong = digests?.find((digest) => digest !== expected);
      lines.push(wrong === undefined ? line : { engine, round, wrong, expected });
    }
  }
  return lines;
}

function keep(env, lines) {
  const folder = recordFolder(env);
  writeFileSync(join(folder, "storage-environment.json"), `${JSON.stringify(env, null, 2)}\n`);
  writeFileSync(join(folder, "storage.jsonl"), `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`);
  console.log(writeSection(storageSection(folder), join(here, "RESULTS.md")));
  console.log(`every sample: ${relative(process.cwd(), folder)}`);
}

async function main() {
  const kind = servers.find(({ name }) => name === flags.server);
  if (kind === undefined) throw new Error(`no server is called ${flags.server}`);
  if (kind.missing !== undefined) throw new Error(kind.missing);
  // Workers find the keys where all S3 clients look for them.
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: accessKey,
    AWS_SECRET_ACCESS_KEY: secretKey,
    AWS_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  });
  const python = findPython();
  const env = environment({ node: process.execPath, python }, ["pyarrow", "s3torchconnectorclient"]);
  const server = await kind.start();
  let lines;
  try {
    lines = await measure(server, python);
  } finally {
    await server.stop();
  }
  if (!flags.check) keep(env, lines);
  for (const { engine, absent } of lines) if (absent !== undefined) console.error(`absent: ${engine}: ${absent}`);
  const failed = lines.filter(
    (line) => line.wrong !== undefined || (line.refused !== undefined && line.engine.startsWith("ours")),
  );
  for (const line of failed) console.error(`FAILED: ${line.engine}: ${line.refused ?? "wrong bytes"}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

await main().catch((error) => {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 2;
});
