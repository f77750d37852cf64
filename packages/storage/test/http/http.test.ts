// What HTTP servers do with ranges, conditions and names of versions: each is read exactly, or refused by name.
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { isIngestError, UnsupportedError } from "@ingest-ts/core";
import { testSource } from "@ingest-ts/core/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { configureStorage, createSink, expand, openSource, probe } from "../../src/index.ts";
import { failure } from "../lib/fault-row.ts";
import { sampleBytes } from "../lib/s3-fixture.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let endpoint = "";
let handler: Handler = () => {};
const seen: { method: string; url: string; headers: IncomingMessage["headers"] }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers });
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  seen.length = 0;
  configureStorage({ attempts: 3, hedgeShare: 0 });
});
afterEach(() => {
  // No reader needs HEAD: presigned URLs and small servers do not answer it.
  expect(seen.filter(({ method }) => method !== "GET")).toEqual([]);
});
afterAll(async () => {
  configureStorage({});
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

interface Served {
  readonly bytes: Uint8Array;
  /** Undefined: none. */
  readonly etag?: string | undefined;
  readonly modified?: string | undefined;
  /** What it does with `Range`: as it should, nothing, or only for ranges from the beginning. */
  readonly ranges?: "yes" | "no" | "no suffix";
}

/** Like a web server that serves one file. */
function serve({ bytes, etag, modified, ranges = "yes" }: Served): Handler {
  return ({ headers }, response) => {
    if (etag !== undefined) response.setHeader("etag", etag);
    if (modified !== undefined) response.setHeader("last-modified", modified);
    const match = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? "");
    const condition = headers["if-range"];
    const holds = condition === undefined || condition === etag || condition === modified;
    const suffix = match?.[1] === "";
    if (match === null || !holds || ranges === "no" || (suffix && ranges === "no suffix")) {
      response.setHeader("content-length", bytes.length);
      return void response.end(bytes);
    }
    const from = suffix ? Math.max(0, bytes.length - Number(match[2])) : Number(match[1]);
    const to = suffix || match[2] === "" ? bytes.length : Math.min(bytes.length, Number(match[2]) + 1);
    if (from >= to) {
      response.writeHead(416, { "content-range": `bytes */${bytes.length}` });
      return void response.end();
    }
    response.writeHead(206, {
      "content-range": `bytes ${from}-${to - 1}/${bytes.length}`,
      "content-length": to - from,
    });
    response.end(bytes.subarray(from, to));
  };
}

async function readsAll(bytes: Uint8Array, path = "/object"): Promise<void> {
  const source = await openSource(`${endpoint}${path}`);
  expect((await source.stat()).sizeBytes).toBe(bytes.length);
  const ranges = [{ start: 0, end: 10 }, { start: 5, end: Math.min(bytes.length, 3_000_000) }, { suffixBytes: 1000 }];
  const answers = await source.getRanges(ranges);
  expect(Buffer.compare(answers[0] as Uint8Array, bytes.subarray(0, 10))).toBe(0);
  expect(Buffer.compare(answers[1] as Uint8Array, bytes.subarray(5, 3_000_000))).toBe(0);
  expect(Buffer.compare(answers[2] as Uint8Array, bytes.subarray(-1000))).toBe(0);
  await source.close();
}

const unsupported = async (path = "/object"): Promise<UnsupportedError> => {
  const error: unknown = await openSource(`${endpoint}${path}`).catch((reason: unknown) => reason);
  if (!(error instanceof UnsupportedError)) throw new Error(`not an UnsupportedError: ${String(error)}`);
  return error;
};

const small = sampleBytes(100_000);
const large = sampleBytes(9_000_000);

describe("as every source", () => {
  let etag = 0;
  testSource(it, {
    create(bytes) {
      handler = serve({ bytes, etag: `"v${etag++}"` });
      return Promise.resolve({
        open: () => openSource(`${endpoint}/object`),
        change: (other) => {
          handler = serve({ bytes: other, etag: `"v${etag++}"` });
          return Promise.resolve();
        },
        remove: () => {
          handler = (_, response) => void response.writeHead(404).end();
          return Promise.resolve();
        },
      });
    },
  });
});

describe("servers with ranges", () => {
  it("an ETag pins the object; one request opens it", async () => {
    handler = serve({ bytes: large, etag: '"one"' });
    await readsAll(large);
    expect(seen[0]?.headers).toMatchObject({ range: "bytes=-262144", "accept-encoding": "identity" });
    expect(seen[1]?.headers["if-range"]).toBe('"one"');
  });

  it("so does the time of the last change", async () => {
    const modified = "Sat, 28 Nov 2026 10:00:00 GMT";
    handler = serve({ bytes: large, modified });
    await readsAll(large);
    expect(seen[1]?.headers["if-range"]).toBe(modified);
  });

  it("a weak ETag is compared, not sent as a condition", async () => {
    handler = serve({ bytes: large, etag: 'W/"one"' });
    await readsAll(large);
    expect(seen.some(({ headers }) => headers["if-range"] !== undefined)).toBe(false);
    const source = await openSource(`${endpoint}/object`);
    handler = serve({ bytes: sampleBytes(large.length, 2), etag: 'W/"two"' });
    expect(await failure(source.getRanges([{ start: 0, end: 10 }]))).toMatchObject({ reason: "ObjectChanged" });
  });

  it.each([
    ["ETag", { etag: '"one"' }, { etag: '"two"' }],
    ["time", { modified: "Sat, 28 Nov 2026 10:00:00 GMT" }, { modified: "Sat, 28 Nov 2026 10:00:01 GMT" }],
  ])("another %s in mid-read is ObjectChanged", async (_, before, after) => {
    handler = serve({ bytes: large, ...before });
    const source = await openSource(`${endpoint}/object`);
    await source.getRanges([{ start: 0, end: 10 }]);
    handler = serve({ bytes: sampleBytes(large.length, 2), ...after });
    expect(await failure(source.getRanges([{ start: 0, end: 10 }]))).toMatchObject({ reason: "ObjectChanged" });
    await source.close();
  });

  it("an empty object is empty", async () => {
    handler = serve({ bytes: new Uint8Array(0), etag: '"one"' });
    const source = await openSource(`${endpoint}/object`);
    expect((await source.stat()).sizeBytes).toBe(0);
    await source.close();
  });

  it("one that knows no ranges from the end is read from the beginning", async () => {
    handler = serve({ bytes: large, etag: '"one"', ranges: "no suffix" });
    await readsAll(large);
  });
});

describe("servers without", () => {
  it("ranges: a small object is taken whole, by one request", async () => {
    handler = serve({ bytes: small, etag: '"one"', ranges: "no" });
    await readsAll(small);
    expect(seen).toHaveLength(1);
  });

  it("ranges: a large object is refused, and not downloaded", async () => {
    handler = serve({ bytes: large, etag: '"one"', ranges: "no" });
    const error = await unsupported();
    expect(error.message).toContain("the server answers whole objects only, and this one is large");
    expect(error.where).toEqual({ url: `${endpoint}/object` });
    expect(seen.length).toBeLessThanOrEqual(2);
  });

  it("a name of the version: refused", async () => {
    handler = serve({ bytes: small });
    expect((await unsupported()).message).toContain("neither ETag nor Last-Modified");
    expect(seen).toHaveLength(1);
  });

  it("a length: refused", async () => {
    handler = (_, response) => {
      response.setHeader("etag", '"one"');
      response.write("some");
      response.end("thing");
    };
    expect((await unsupported()).message).toContain("does not say how long the object is");
    handler = (_, response) => {
      response.writeHead(206, { etag: '"one"', "content-range": "bytes 0-3/*", "content-length": 4 });
      response.end("some");
    };
    expect((await unsupported()).message).toContain("does not say how long the object is");
  });

  it("plain bytes: compressed answers are refused", async () => {
    handler = (_, response) => {
      const bytes = gzipSync(small);
      response.writeHead(200, { etag: '"one"', "content-encoding": "gzip", "content-length": bytes.length });
      response.end(bytes);
    };
    const error = await failure(openSource(`${endpoint}/object`));
    expect(error).toMatchObject({ reason: "Refused", request: { attempts: 1 } });
    expect(error.message).toContain("compresses the object (gzip)");
  });
});

it("an answer that says nothing of what was asked is an error: unchanged, where no version was named", async () => {
  handler = (_, response) => void response.writeHead(304).end();
  const error = await failure(openSource(`${endpoint}/object`));
  expect(error).toMatchObject({ reason: "Refused", request: { attempts: 1 } });
  expect(error.message).toContain("said to be unchanged");
});

it("more bytes than the answer speaks of are an error when the object is opened, too", async () => {
  handler = (_, response) => {
    response.writeHead(206, { etag: '"one"', "content-range": `bytes 0-${small.length - 1}/${small.length}` });
    response.write(small);
    setTimeout(() => response.end("more"), 20);
  };
  expect(await failure(openSource(`${endpoint}/object`))).toMatchObject({ reason: "Corrupt" });
});

describe("addresses", () => {
  it("a redirect is followed, without the password when it leads elsewhere", async () => {
    const other: IncomingMessage["headers"][] = [];
    const elsewhere = createServer((request, response) => {
      other.push(request.headers);
      serve({ bytes: small, etag: '"one"' })(request, response);
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    const { port } = elsewhere.address() as AddressInfo;
    handler = (_, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${port}/there?sig=hidden-1` });
      response.end();
    };
    const source = await openSource(`${endpoint.replace("//", "//user:pass-3d@")}/object`);
    await source.getRanges([{ start: 0, end: 10 }]);
    expect(seen[0]?.headers.authorization).toMatch(/^Basic /);
    expect(other).not.toEqual([]);
    for (const headers of other) expect(headers.authorization).toBeUndefined();
    await source.close();
    elsewhere.closeAllConnections();
    elsewhere.close();
  });

  it("a redirect without an end is an error", async () => {
    handler = (_, response) => void response.writeHead(302, { location: "/object" }).end();
    expect(await failure(openSource(`${endpoint}/object`))).toMatchObject({ reason: "Refused" });
    expect(seen.length).toBeLessThanOrEqual(6);
  });

  it("a password in the URL is sent, and never shown", async () => {
    handler = (request, response) => {
      if (request.headers.authorization !== `Basic ${Buffer.from("user:pass-3d").toString("base64")}`)
        return void response.writeHead(401).end();
      serve({ bytes: small, etag: '"one"' })(request, response);
    };
    const source = await openSource(`${endpoint.replace("//", "//user:pass-3d@")}/object?token=hidden-1`);
    expect(source.url).toBe(`${endpoint}/object`);
    await source.close();
    const undecodable: unknown = await openSource(`${endpoint.replace("//", "//user:5f%zz@")}/object`).catch(
      (reason: unknown) => reason,
    );
    expect(isIngestError(undecodable, "INGEST_OPTIONS")).toBe(true);
    expect(String(undecodable)).not.toContain("5f");
    const denied = await failure(openSource(`${endpoint.replace("//", "//user:wrong-4e@")}/object?token=hidden-1`));
    expect(denied).toMatchObject({ reason: "AccessDenied", request: { attempts: 1 } });
    expect(`${denied.stack}${JSON.stringify(denied)}`).not.toMatch(/wrong-4e|hidden-1/);
  });

  it("names one object: folders and patterns are not listed, nothing is written", async () => {
    handler = (_, response) => void response.writeHead(404).end();
    expect(await probe(`${endpoint}/a*b`)).toBe("one");
    expect(await expand(`${endpoint}/folder/`)).toEqual({ kind: "object", object: undefined });
    await expect(createSink(`${endpoint}/object`)).rejects.toThrow('scheme "http" is not written');
    expect(await failure(openSource(`${endpoint}/folder/`))).toMatchObject({ reason: "NotFound" });
    const wrong: unknown = await openSource("http://[bad").catch((reason: unknown) => reason);
    expect(isIngestError(wrong, "INGEST_OPTIONS")).toBe(true);
  });

  it("a server that is not there is told after a few attempts", async () => {
    const error = await failure(openSource("http://127.0.0.1:1/object"));
    expect(error).toMatchObject({ reason: "Exhausted", request: { attempts: 3 } });
    expect(error.message).toContain("ECONNREFUSED");
  });
});
