// What is used of kafkajs are internals: this holds the pinned version to them, and shows what the link adds.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { SourceError, UnsupportedError } from "@ingest-ts/core";
import { afterEach, describe, expect, test } from "vitest";
import { metadataApi } from "../../src/transport/api/metadata.ts";
import { BrokerLink } from "../../src/transport/broker-link.ts";
import { FrameMemory } from "../../src/transport/frame-memory.ts";
import { createBroker, sendRaw } from "../../src/transport/kafkajs.ts";
import { openTransport } from "../../src/transport/kafkajs-transport.ts";

const load = createRequire(new URL("../../src/transport/kafkajs.ts", import.meta.url));

describe("kafkajs", () => {
  test("is the version whose internals are known", () => {
    const manifest = JSON.parse(readFileSync(load.resolve("kafkajs/package.json"), "utf8")) as { version: string };
    const ours = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      dependencies: Record<string, string>;
    };
    expect(manifest.version).toBe("2.2.4");
    expect(ours.dependencies["kafkajs"]).toBe("2.2.4");
  });

  test("has brokers, pools and connections of this shape", () => {
    const broker = createBroker("127.0.0.1", 1, { brokers: [] }, 1000, new FrameMemory());
    expect(broker.versions).toBeNull();
    expect("connect" in broker).toBe(true);
    const [connection] = broker.connectionPool.pool;
    expect(connection?.isConnected()).toBe(false);
    // Replaced: it is a method of the class.
    const { requestQueue } = connection as unknown as { requestQueue: object };
    expect("scheduleCheckPendingRequests" in (Object.getPrototypeOf(requestQueue) as object)).toBe(true);
    expect(Object.hasOwn(requestQueue, "scheduleCheckPendingRequests")).toBe(true);
    for (const name of ["send", "rejectRequests", "disconnect", "processData"] as const)
      expect(connection?.[name]).toBeTypeOf("function");
    expect(Object.hasOwn(Object.getPrototypeOf(connection) as object, "processData")).toBe(true);
    expect(connection?.chunks).toEqual([]);
  });
});

type Reply = (socket: Socket, frame: Buffer) => void;
const servers: Server[] = [];
const sockets: Socket[] = [];

/** A server that is given whole requests. */
async function serve(reply: Reply): Promise<number> {
  const server = createServer((socket) => {
    sockets.push(socket);
    let held = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      held = Buffer.concat([held, bytes]);
      while (held.length >= 4 && held.length >= held.readInt32BE(0) + 4) {
        const end = held.readInt32BE(0) + 4;
        reply(socket, held.subarray(0, end));
        held = held.subarray(end);
      }
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

function answer(socket: Socket, request: Buffer, body: Buffer): void {
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 4, 0);
  request.copy(head, 4, 8, 12);
  socket.write(Buffer.concat([head, body]));
}

/** ApiVersions v2, naming one API. */
function versions(apiKey: number, min: number, max: number): Buffer {
  const body = Buffer.alloc(2 + 4 + 6 + 4);
  body.writeInt32BE(1, 2);
  body.writeInt16BE(apiKey, 6);
  body.writeInt16BE(min, 8);
  body.writeInt16BE(max, 10);
  return body;
}

const isVersions = (frame: Buffer): boolean => frame.readInt16BE(4) === 18;

function linkTo(port: number): BrokerLink {
  return new BrokerLink("127.0.0.1", port, { brokers: [] }, 500, "kafka://test", new FrameMemory());
}

async function failure(call: Promise<unknown>): Promise<SourceError> {
  const error: unknown = await call.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(SourceError);
  return error as SourceError;
}

test("an answer is put together in its own memory, and is not copied again", async () => {
  const body = Buffer.alloc(300_000, "0123456789");
  const port = await serve((socket, frame) => {
    if (isVersions(frame)) return answer(socket, frame, versions(3, 7, 7));
    const head = Buffer.alloc(8);
    head.writeInt32BE(body.length + 4, 0);
    frame.copy(head, 4, 8, 12);
    // In pieces, and the first one within the size.
    socket.write(head.subarray(0, 3));
    setTimeout(() => socket.write(Buffer.concat([head.subarray(3), body.subarray(0, 100_000)])), 20);
    setTimeout(() => socket.write(body.subarray(100_000)), 40);
  });
  const memory = new FrameMemory();
  const lent = new Set<ArrayBufferLike>();
  const take = memory.take.bind(memory);
  memory.take = (sizeBytes) => {
    const bytes = take(sizeBytes);
    lent.add(bytes.buffer);
    return bytes;
  };
  const broker = createBroker("127.0.0.1", port, { brokers: [] }, 5000, memory);
  await broker.connect();
  const [connection] = broker.connectionPool.pool;
  if (connection === undefined) throw new Error("no connection");
  for (let i = 0; i < 3; i++) {
    const given = await sendRaw(connection, { key: 3, name: "Metadata", version: 7 }, new Uint8Array(4));
    expect(Buffer.compare(given, body)).toBe(0);
    expect(lent.has(given.buffer)).toBe(true);
    memory.give(given);
  }
  await connection.disconnect();
});

describe("a link", () => {
  test("whose broker accepts and says nothing fails within the connection's time", async () => {
    const port = await serve(() => {});
    const started = performance.now();
    const error = await failure(linkTo(port).call(metadataApi, "all", { timeoutMs: 300 }));
    expect(error).toMatchObject({ reason: "Stalled", retryable: true, where: { url: "kafka://test" } });
    expect(performance.now() - started).toBeGreaterThan(400);
  });

  test("whose broker stops answering fails within the request's time, and connects anew", async () => {
    let connections = 0;
    let silent = true;
    const port = await serve((socket, frame) => {
      if (isVersions(frame)) {
        connections++;
        answer(socket, frame, versions(3, 0, 7));
      } else if (!silent)
        answer(socket, frame, Buffer.concat([Buffer.alloc(8), Buffer.from([255, 255]), Buffer.alloc(8)]));
    });
    const link = linkTo(port);
    const error = await failure(link.call(metadataApi, "all", { timeoutMs: 200 }));
    expect(error.message).toMatch(/no answer to Metadata to 127.0.0.1:\d+ within 200 ms/);
    silent = false;
    expect(await link.call(metadataApi, "all", { timeoutMs: 5000 })).toMatchObject({ brokers: [], topics: [] });
    expect(connections).toBe(2);
    link.close();
    expect((await failure(link.call(metadataApi, "all", { timeoutMs: 200 }))).message).toContain("closed");
  });

  test("sends one request at a time, in order", async () => {
    const asked: number[] = [];
    let open = 0;
    const port = await serve((socket, frame) => {
      if (isVersions(frame)) return answer(socket, frame, versions(3, 7, 7));
      asked.push(frame.length);
      expect(++open).toBe(1);
      setTimeout(() => {
        open--;
        answer(socket, frame, Buffer.concat([Buffer.alloc(8), Buffer.from([255, 255]), Buffer.alloc(8)]));
      }, 20);
    });
    const link = linkTo(port);
    const topics = [["a"], ["bb"], ["ccc"]];
    await Promise.all(topics.map((names) => link.call(metadataApi, names, { timeoutMs: 5000 })));
    expect(asked.map((length) => length - (asked[0] ?? 0))).toEqual([0, 1, 2]);
    link.close();
  });

  test("whose broker speaks no version of ours is told from one that is away", async () => {
    const port = await serve((socket, frame) => answer(socket, frame, versions(3, 13, 14)));
    const call = linkTo(port).call(metadataApi, "all", { timeoutMs: 5000 });
    await expect(call).rejects.toThrow(UnsupportedError);
    await expect(call).rejects.toThrow("offers 13 to 14 of Metadata, here 12, 7 is spoken");
  });

  test("whose broker answers something else fails", async () => {
    const port = await serve((socket, frame) => {
      if (isVersions(frame)) answer(socket, frame, versions(3, 7, 7));
      else answer(socket, frame, Buffer.alloc(40));
    });
    const error = await failure(linkTo(port).call(metadataApi, "all", { timeoutMs: 5000 }));
    expect(error).toMatchObject({ reason: "Corrupt", what: "22 bytes follow a broker's answer" });
  });

  test("whose broker lies about lengths fails, and nothing is allocated for it", async () => {
    const port = await serve((socket, frame) => {
      if (isVersions(frame)) answer(socket, frame, versions(3, 7, 7));
      else answer(socket, frame, Buffer.from([0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]));
    });
    const error = await failure(linkTo(port).call(metadataApi, "all", { timeoutMs: 5000 }));
    expect(error.reason).toBe("Corrupt");
  });

  test("whose broker claims an answer of less than nothing fails at once", async () => {
    const port = await serve((socket, frame) => {
      if (isVersions(frame)) answer(socket, frame, versions(3, 7, 7));
      else socket.write(Buffer.from([255, 0, 0, 0, 0, 0, 0, 0]));
    });
    const error = await failure(linkTo(port).call(metadataApi, "all", { timeoutMs: 60_000 }));
    expect(error.message).toContain("claims -16777216 bytes");
  });

  test("that is cut fails at once, and one that nobody hears too", async () => {
    const port = await serve((socket, frame) => {
      if (isVersions(frame)) answer(socket, frame, versions(3, 7, 7));
      else socket.resetAndDestroy();
    });
    const cut = await failure(linkTo(port).call(metadataApi, "all", { timeoutMs: 60_000 }));
    expect(cut).toMatchObject({ reason: "Exhausted", retryable: true });
    const refused = await failure(linkTo(1).call(metadataApi, "all", { timeoutMs: 60_000 }));
    expect(refused.message).toContain("ECONNREFUSED");
  });

  test("gives up when its signal says so", async () => {
    const port = await serve((socket, frame) => {
      if (isVersions(frame)) answer(socket, frame, versions(3, 7, 7));
    });
    const control = new AbortController();
    const call = linkTo(port).call(metadataApi, "all", { timeoutMs: 60_000, signal: control.signal });
    setTimeout(() => control.abort(), 50);
    await expect(call).rejects.toMatchObject({ name: "AbortError" });
    // Also when it says so between the steps of a request.
    for (let steps = 0; steps < 12; steps++) {
      const early = new AbortController();
      const link = linkTo(port);
      await link.call(metadataApi, "all", { timeoutMs: 1, signal: undefined }).catch(() => {});
      const given = link.call(metadataApi, "all", { timeoutMs: 60_000, signal: early.signal });
      for (let i = 0; i < steps; i++) await Promise.resolve();
      early.abort();
      await expect(given).rejects.toMatchObject({ name: "AbortError" });
    }
  });
});

test("wrong options are told before anything is sent", () => {
  expect(() => openTransport({ brokers: [] })).toThrow("no brokers");
  expect(() => openTransport({ brokers: ["a:b"] })).toThrow('"a:b" is no broker');
  expect(() => openTransport({ brokers: ["a"], requestTimeoutMs: 0 })).toThrow("requestTimeoutMs is 0");
  expect(openTransport({ brokers: ["a", "[::1]"] }).url).toBe("kafka://a:9092,[::1]:9092");
});
