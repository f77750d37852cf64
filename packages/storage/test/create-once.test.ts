import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OptionsError, SourceError } from "@ingest-ts/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { configureStorage, createOnce, openSource } from "../src/index.ts";
import { setCredentials, TestBucket } from "./lib/s3-fixture.ts";
import { type S3Server, type S3ServerKind, servers } from "./lib/servers.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("files that are created once", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ingest-once-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("have one winner among many writers, and are whole", async () => {
    const path = join(folder, "deep", "seal");
    const texts = Array.from({ length: 20 }, (_, i) => `${i}`.repeat(50_000));
    const created = await Promise.all(texts.map((text) => createOnce(path, bytesOf(text))));
    const winners = texts.filter((_, i) => created[i]);
    expect(winners).toHaveLength(1);
    expect(readFileSync(path, "utf8")).toBe(winners[0]);
    expect(readdirSync(join(folder, "deep"))).toEqual(["seal"]);
  });

  it("stay as they are", async () => {
    const path = join(folder, "seal");
    expect(await createOnce(path, bytesOf("a"))).toBe(true);
    expect(await createOnce(path, bytesOf("b"))).toBe(false);
    expect(readFileSync(path, "utf8")).toBe("a");
  });

  it("name what cannot be written", async () => {
    await expect(createOnce("/dev/null/seal", bytesOf("a"))).rejects.toThrow(SourceError);
    await expect(createOnce("https://example.com/seal", bytesOf("a"))).rejects.toThrow(OptionsError);
    await expect(createOnce("s3://bucket/", bytesOf("a"))).rejects.toThrow(/is a folder/);
  });
});

for (const kind of servers) {
  if (kind.missing === undefined) describe(`objects that are created once on ${kind.name}`, () => suite(kind));
  else it.skip(`objects that are created once on ${kind.name} (skipped: ${kind.missing})`, () => {});
}

function suite(kind: S3ServerKind): void {
  let server: S3Server;
  let undo = (): void => {};
  beforeAll(async () => {
    server = await kind.start();
    undo = setCredentials();
    configureStorage({ s3: { endpoint: server.endpoint }, attempts: 6, stallMs: 5000 });
    await new TestBucket(server.endpoint, "once").create();
  });
  afterAll(async () => {
    undo();
    configureStorage({});
    await server.stop();
  });

  it("have one winner among many writers", async () => {
    const url = "s3://once/deep/seal";
    const texts = Array.from({ length: 8 }, (_, i) => `${i}`.repeat(1000));
    const created = await Promise.all(texts.map((text) => createOnce(url, bytesOf(text))));
    const source = await openSource(url);
    const [found] = await source.getRanges([{ start: 0, end: 1000 }]);
    await source.close();
    expect(texts.filter((_, i) => created[i])).toEqual([new TextDecoder().decode(found)]);
    expect(await createOnce(url, bytesOf("late"))).toBe(false);
  });
}
