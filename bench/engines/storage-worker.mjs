// Reads every part of one object in a process of its own: a pass to warm up whose bytes are digested, the passes that
// count, and one more that is digested.
//   node storage-worker.mjs ENGINE '{"endpoint", "bucket", "key", "url", "sizeBytes", "partBytes", "inFlight", "passes"}'
import { createHash } from "node:crypto";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { configureStorage, openSource } from "@ingest-ts/storage";
import { Agent, request } from "undici";

const [, , name, text] = process.argv;
const task = JSON.parse(text);
const agent = new Agent({ connections: task.inFlight, pipelining: 1 });

/** Each answers a function that reads bytes [start, end). */
const engines = {
  /** As simple as it gets: the URL is signed once, the answer is taken whole. */
  "bare-get": () => async (start, end) => {
    const { statusCode, body } = await request(task.url, {
      headers: { range: `bytes=${start}-${end - 1}` },
      dispatcher: agent,
    });
    if (statusCode !== 206) throw new Error(`status ${statusCode}`);
    return new Uint8Array(await body.arrayBuffer());
  },
  ours: async () => {
    configureStorage({ s3: { endpoint: task.endpoint }, requestsInFlight: task.inFlight });
    const source = await openSource(`s3://${task.bucket}/${task.key}`);
    return async (start, end) => (await source.getRanges([{ start, end }]))[0];
  },
  "ours-http": async () => {
    configureStorage({ requestsInFlight: task.inFlight });
    const source = await openSource(task.url);
    return async (start, end) => (await source.getRanges([{ start, end }]))[0];
  },
  /** The AWS SDK as it comes. */
  sdk: () => {
    const client = new S3Client({ endpoint: task.endpoint, forcePathStyle: true });
    return async (start, end) => {
      const command = new GetObjectCommand({
        Bucket: task.bucket,
        Key: task.key,
        Range: `bytes=${start}-${end - 1}`,
      });
      return (await client.send(command)).Body.transformToByteArray();
    };
  },
};

/** Every part once, a few at a time. `take` gets each with its number. */
async function pass(read, take) {
  let next = 0;
  const parts = Math.ceil(task.sizeBytes / task.partBytes);
  const lane = async () => {
    while (next < parts) {
      const i = next++;
      const [start, end] = [i * task.partBytes, Math.min(task.sizeBytes, (i + 1) * task.partBytes)];
      const bytes = await read(start, end);
      if (bytes.length !== end - start) throw new Error(`${bytes.length} bytes of ${end - start}`);
      take(i, bytes);
    }
  };
  await Promise.all(Array.from({ length: task.inFlight }, lane));
}

/** SHA-256 over the SHA-256 of the parts, in order. */
async function digestedPass(read) {
  const digests = [];
  await pass(read, (i, bytes) => {
    digests[i] = createHash("sha256").update(bytes).digest();
  });
  return createHash("sha256").update(Buffer.concat(digests)).digest("hex");
}

async function main() {
  const read = await engines[name]();
  const digests = [await digestedPass(read)];
  const samples = [];
  for (let i = 0; i < task.passes; i++) {
    globalThis.gc?.();
    const cpu = process.cpuUsage();
    const begin = performance.now();
    await pass(read, () => {});
    const wallMs = performance.now() - begin;
    const { user, system } = process.cpuUsage(cpu);
    samples.push({ wallMs, cpuMs: (user + system) / 1000 });
  }
  const peakRssBytes = process.resourceUsage().maxRSS * 1024;
  digests.push(await digestedPass(read));
  return { digests, samples, peakRssBytes };
}

main().then(
  (answer) => {
    console.log(JSON.stringify(answer));
    process.exit(0);
  },
  (error) => {
    console.log(JSON.stringify({ refused: String(error instanceof Error ? error.message : error) }));
    process.exit(0);
  },
);
