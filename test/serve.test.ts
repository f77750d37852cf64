// `ingest serve` over real sockets: orders, refusals and every way a stream may break. Needs `npm run build` first.
import { spawn } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  ask,
  askJson,
  numbersOf,
  type Received,
  ServeStream,
  type ServeProcess,
  startServe,
  streamPath,
} from "./lib/serve.ts";
import { idsOfFolder, writeIds } from "./lib/write-ids.ts";

const main = fileURLToPath(new URL("../packages/cli/dist/main.js", import.meta.url));
const ROWS = 4000;
const order = ["--batch", "64", "--seed", "20", "--window-rows", "256"];
let folder = "";
let data = "";
const running: ServeProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "serve "));
  data = join(folder, "ids.parquet");
  await writeIds(data, 0, ROWS);
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
});

async function serve(name: string, args: readonly string[] = [data, ...order]): Promise<ServeProcess> {
  const server = await startServe(join(folder, name), args);
  running.push(server);
  return server;
}

const idsOf = (messages: readonly Received[]): number[] => messages.flatMap((message) => numbersOf(message, "id"));
const bodiesOf = (messages: readonly Received[]): string[] =>
  messages.filter(({ said }) => said.kind === "batch").map(({ body }) => Buffer.from(body).toString("base64"));

/** Reads `count` batches. */
async function take(stream: ServeStream, count: number): Promise<Received[]> {
  const batches: Received[] = [];
  while (batches.length < count) batches.push(await stream.batch());
  return batches;
}

/** Everything that one rank is sent. */
async function whole(socket: string, more: Readonly<Record<string, unknown>> = {}): Promise<Received[]> {
  return (await ServeStream.open(socket, streamPath(0, 1, more))).rest();
}

describe("the order", () => {
  it("is that of load() for the same seed, on one rank and on two", async () => {
    const { socket } = await serve("order");
    const shuffle = { windowRows: 256 };
    const expected = await idsOfFolder({ source: data, batchSize: 64, seed: 20, shuffle });
    const messages = await whole(socket);
    expect(idsOf(messages)).toEqual(expected);
    expect(messages.map(({ said }) => said.kind).slice(-2)).toEqual(["epoch", "end"]);
    const streams = await Promise.all([0, 1].map((rank) => ServeStream.open(socket, streamPath(rank, 2))));
    const read = await Promise.all(streams.map(async (stream) => idsOf(await stream.rest())));
    for (const [rank, ids] of read.entries()) {
      const world = { rank, worldSize: 2 };
      expect(ids).toEqual(await idsOfFolder({ source: data, batchSize: 64, seed: 20, shuffle, world }));
    }
  });
});

describe("refusals", () => {
  it("name a wrong rank or world and what to do", async () => {
    const { socket } = await serve("refusals");
    const cases: readonly [string, RegExp][] = [
      [streamPath(2, 2), /rank 2 of 2/],
      ["/v1/batches?world=2", /rank is missing/],
      ["/v1/batches?rank=0", /world is missing/],
      ["/v1/batches?rank=-1&world=2", /rank is "-1"/],
      ["/v1/batches?rank=0&world=0", /world is "0"/],
      ["/v1/batches?rank=0&rank=1&world=2", /given twice/],
      ["/v1/batches?rank=0&world=2&colour=red", /colour/],
    ];
    for (const [path, what] of cases) {
      const { status, body } = await askJson(socket, path);
      expect({ path, status, code: body["code"] }).toEqual({ path, status: 400, code: "INGEST_OPTIONS" });
      expect(body["message"]).toMatch(what);
      expect(body["remedy"], path).toMatch(/\w/);
    }
    expect((await ask(socket, "/v1/else")).statusCode).toBe(404);
    expect((await ask(socket, "/livez", "POST")).statusCode).toBe(405);
    expect((await ask(socket, "//")).statusCode).toBe(404);
  });

  it("keep a second client of a rank, and another world, away", async () => {
    const { socket } = await serve("twice", [data, ...order, "--epochs", "inf"]);
    const first = await ServeStream.open(socket, streamPath(0, 2));
    await first.batch();
    for (const path of [streamPath(0, 2), streamPath(1, 4)]) {
      const { status, body } = await askJson(socket, path);
      expect({ status, code: body["code"], retryable: body["retryable"] }).toEqual({
        status: 409,
        code: "INGEST_OPTIONS",
        retryable: true,
      });
    }
    await first.batch();
    first.leave();
  });

  it("a client that leaves while it waits for a rank takes nothing from who reads it", async () => {
    const { socket } = await serve("impatient", [data, ...order, "--epochs", "inf"]);
    const first = await ServeStream.open(socket, streamPath(0, 1));
    await first.batch();
    const gone = request({ socketPath: socket, path: streamPath(0, 1), agent: false }).once("error", () => undefined);
    gone.end();
    await new Promise((resolve) => gone.once("finish", resolve));
    // The server has the request once it answers one that came later.
    await askJson(socket, "/livez");
    gone.destroy();
    expect((await askJson(socket, streamPath(0, 1))).status).toBe(409);
    await first.batch();
    first.leave();
  });

  it("of two requests in one packet only one reads the rank", async () => {
    const { socket } = await serve("pipelined", [data, ...order, "--epochs", "inf"]);
    const line = `GET ${streamPath(0, 1)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const client = connect(socket);
    client.write(line + line);
    await new Promise((resolve) => client.once("data", resolve));
    expect((await askJson(socket, streamPath(0, 1))).status).toBe(409);
    client.destroy();
    const next = await ServeStream.open(socket, streamPath(0, 1));
    await next.batch();
    next.leave();
  });

  it("name a state of other data, of another order, and what is none", async () => {
    const { socket } = await serve("state");
    const otherData = join(folder, "others.parquet");
    await writeIds(otherData, 7, ROWS - 1);
    const other = await serve("other", [otherData, ...order]);
    const { state } = (await (await ServeStream.open(other.socket, streamPath(0, 1))).batch()).said;
    const seeded = await serve("seeded", [data, "--batch", "64", "--seed", "21", "--window-rows", "256"]);
    const { state: otherSeed } = (await (await ServeStream.open(seeded.socket, streamPath(0, 1))).batch()).said;
    for (const given of [state, otherSeed, "oops", "[]", {}, { ...state, position: -1 }]) {
      const { status, body } = await askJson(socket, streamPath(0, 1, { state: given }));
      expect({ given, status, code: body["code"] }).toEqual({ given, status: 422, code: "INGEST_STATE" });
      expect(body["remedy"]).toMatch(/\w/);
    }
    // A refused request leaves the rank free.
    expect((await whole(socket)).at(-1)?.said.kind).toBe("end");
  });
});

it("on a port only this machine is answered, under its own names", async () => {
  const child = spawn(process.execPath, [main, "serve", data, ...order, "--port", "0"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const line = await new Promise<string>((resolve) => createInterface(child.stdout).once("line", resolve));
    const { address, port } = JSON.parse(line) as { address: string; port: number };
    expect(address).toBe(`http://127.0.0.1:${port}`);
    const asked = async (host: string): Promise<{ status: number | undefined; body: string }> => {
      const answer = await new Promise<IncomingMessage>((resolve, fail) => {
        const headers = { Host: host };
        request({ host: "127.0.0.1", port, path: "/livez", headers, agent: false }, resolve).once("error", fail).end();
      });
      return { status: answer.statusCode, body: Buffer.concat(await answer.toArray()).toString() };
    };
    for (const host of ["localhost", `127.0.0.1:${port}`, "[::1]"]) {
      expect(await asked(host)).toEqual({ status: 200, body: '{"live":true}\n' });
    }
    const refused = await asked("rebound.example");
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body)).toMatchObject({
      code: "INGEST_OPTIONS",
      remedy: expect.stringMatching(/127/) as string,
    });
    // Every address of this machine but the loopback's refuses the connection.
    const others = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .filter(({ internal }) => !internal);
    for (const { address: other } of others) {
      const reached = await new Promise<boolean>((resolve) => {
        const socket = connect(port, other, () => resolve(true)).once("error", () => resolve(false));
        socket.setTimeout(2000, () => socket.destroy(new Error("silence")));
      });
      expect({ other, reached }).toEqual({ other, reached: false });
    }
  } finally {
    child.kill("SIGKILL");
  }
});

describe("what breaks", () => {
  it("a client that vanishes in mid batch frees its rank, and resumes exactly", async () => {
    const { socket } = await serve("vanish", [data, ...order, "--epochs", "40"]);
    const unbroken = await take(await ServeStream.open(socket, streamPath(0, 2)), 30);
    // The stream above is still open: it is left now, without a word.
    for (const at of [1, 7, 19]) {
      await new Promise((resume) => setTimeout(resume, 10));
      const other = await serve(`vanish ${at}`, [data, ...order, "--epochs", "40"]);
      const stream = await ServeStream.open(other.socket, streamPath(0, 2));
      const before = await take(stream, at);
      stream.leave();
      const { state } = (before.at(-1) as Received).said;
      const again = await ServeStream.open(other.socket, streamPath(0, 2, { state }));
      const after = await take(again, 30 - at);
      expect(bodiesOf([...before, ...after])).toEqual(bodiesOf(unbroken));
      again.leave();
    }
  });

  it("a killed server goes on from the client's state, to the bit", async () => {
    const args = [data, ...order, "--epochs", "2"];
    const first = await serve("killed", args);
    const unbroken = await whole(first.socket);
    const stream = await ServeStream.open(first.socket, streamPath(0, 1));
    const before = await take(stream, 50);
    process.kill(first.pid, "SIGKILL");
    expect(await first.ended).toBe("SIGKILL");
    // What was sent before may still be read; the end is never taken for the end of the data.
    await expect(stream.rest()).rejects.toThrow();
    const second = await serve("killed", args);
    const { state } = (before.at(-1) as Received).said;
    const after = await whole(second.socket, { state });
    expect(bodiesOf([...before, ...after])).toEqual(bodiesOf(unbroken));
    expect(after.at(-1)?.said.state).toEqual(unbroken.at(-1)?.said.state);
  });

  it("a file that changes in mid epoch is an error, not an end", async () => {
    const changing = join(folder, "changing.parquet");
    await copyFile(data, changing);
    const { socket } = await serve("changing", [changing, ...order, "--epochs", "inf"]);
    const stream = await ServeStream.open(socket, streamPath(0, 1));
    await stream.batch();
    const bytes = await readFile(changing);
    await writeFile(changing, Buffer.concat([bytes, Buffer.from("more")]));
    let last = await stream.next();
    while (last?.said.kind === "batch" || last?.said.kind === "epoch") last = await stream.next();
    expect(last?.said).toMatchObject({
      kind: "error",
      error: { code: "INGEST_SOURCE", where: { url: expect.stringContaining("changing.parquet") as string } },
    });
    expect(last?.said.error?.["remedy"]).toMatch(/\w/);
    await expect(stream.next()).rejects.toThrow();
  });

  it("SIGTERM drains: streams say where to go on, and the exit code is 0", async () => {
    // A batch is more than every buffer on the way holds.
    const large = join(folder, "large.parquet");
    await writeIds(large, 0, 40_000);
    const server = await serve("drain", [large, ...order, "--batch", "20000", "--epochs", "inf"]);
    expect((await askJson(server.socket, "/livez")).body).toEqual({ live: true });
    expect(await askJson(server.socket, "/readyz")).toEqual({ status: 200, body: { ready: true } });
    expect((await askJson(server.socket, "/v1/info")).body).toMatchObject({
      protocol: 1,
      rows: 40_000,
      order: { seed: 20, lanes: null, windowRows: 256, ends: null },
      defaults: { batch: 20_000, world: null, epochs: null },
      columns: [
        { name: "id", type: "int32", nullable: false },
        { name: "word", type: "utf8", nullable: false },
      ],
    });
    const stream = await ServeStream.open(server.socket, streamPath(0, 2));
    const [before] = await take(stream, 1);
    // The second batch is on its way, and does not fit.
    await expect.poll(() => stream.bufferedBytes, { interval: 20, timeout: 30_000 }).toBeGreaterThan(8192);
    process.kill(server.pid, "SIGTERM");
    // The stream's buffers are full, so it is still there: probes and new clients hear why.
    await expect.poll(async () => (await askJson(server.socket, "/readyz")).status, { interval: 20 }).toBe(503);
    expect((await askJson(server.socket, "/livez")).status).toBe(200);
    const refused = await askJson(server.socket, streamPath(1, 2));
    expect(refused).toMatchObject({ status: 503, body: { retryable: true } });
    let last = before;
    let taken = before;
    while (last?.said.kind === "batch" || last?.said.kind === "epoch") {
      taken = last;
      last = await stream.next();
    }
    expect(last?.said.kind).toBe("draining");
    expect(last?.said.state).toEqual(taken?.said.state);
    await expect(stream.next()).rejects.toThrow();
    expect(await server.ended).toBe(0);
  });
});

it("a client that does not read stops the reading: the server's memory stays", async () => {
  const wide = join(folder, "wide.parquet");
  await writeIds(wide, 0, 200_000);
  const args = [wide, "--batch", "50000", "--no-shuffle", "--epochs", "inf"];
  const { socket, pid } = await serve("slow", args);
  const resident = async (): Promise<number> => {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  };
  /** Bytes that the server has read so far: every epoch reads the whole file again. */
  const readBytes = async (): Promise<number> => {
    const io = await readFile(`/proc/${pid}/io`, "utf8");
    return Number(/rchar: (\d+)/.exec(io)?.[1]);
  };
  const stream = await ServeStream.open(socket, streamPath(0, 1));
  await stream.batch();
  // Until what was under way is done: the batches ahead.
  for (let last = -1, now = await readBytes(); now !== last; ) {
    await new Promise((resume) => setTimeout(resume, 1000));
    [last, now] = [now, await readBytes()];
  }
  const [before, read] = [await resident(), await readBytes()];
  await new Promise((resume) => setTimeout(resume, 1500));
  expect((await readBytes()) - read).toBeLessThan((await stat(wide)).size / 100);
  expect((await resident()) - before).toBeLessThan(16);
  expect((await stream.batch()).batch.numRows).toBe(50_000);
  stream.leave();
});
