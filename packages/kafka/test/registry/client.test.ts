import { OptionsError, SourceError } from "@ingest-ts/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SchemaRegistry } from "../../src/registry/index.ts";
import { RegistryStub } from "../lib/registry-stub.ts";

const long = JSON.stringify({ type: "record", name: "R", fields: [{ name: "x", type: "long" }] });

let stub: RegistryStub;
beforeEach(async () => {
  stub = await RegistryStub.start();
});
afterEach(() => stub.stop());

async function failed(work: Promise<unknown>): Promise<SourceError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SourceError);
  return error as SourceError;
}

describe("what is asked for", () => {
  it("is asked for once, however many want it", async () => {
    const { id, guid } = stub.register("t-value", long);
    const registry = new SchemaRegistry({ url: stub.url });
    const answers = await Promise.all([1, 2, 3].map(() => registry.schemaById(id)));
    expect(answers[2]).toEqual({ schemaType: "AVRO", schema: long, references: [] });
    await registry.schemaById(id);
    expect(stub.seen).toEqual(["GET /schemas/ids/1"]);
    expect((await registry.schemaByGuid(guid)).schema).toBe(long);
    expect(await registry.subject("t-value", "latest")).toMatchObject({ id, version: 1, schema: long });
    await registry.subject("t-value", 1);
    await registry.subject("t-value", 1);
    expect(stub.seen).toHaveLength(4);
  });

  it("brings the schemas that it uses, each after its own", async () => {
    stub.register("common/money", { type: "fixed", name: "Money", size: 8 });
    stub.register("item", "{}", { references: [{ name: "Money", subject: "common/money", version: 1 }] });
    const { id } = stub.register("order", long, {
      references: [
        { name: "Item", subject: "item", version: 1 },
        { name: "Money", subject: "common/money", version: 1 },
      ],
    });
    const { references } = await new SchemaRegistry({ url: stub.url }).schemaById(id);
    expect(references).toEqual([JSON.stringify({ type: "fixed", name: "Money", size: 8 }), "{}"]);
  });

  it("is not followed in a circle", async () => {
    stub.register("a", "{}", { references: [{ name: "B", subject: "b", version: 1 }] });
    stub.register("b", "{}", { references: [{ name: "A", subject: "a", version: 1 }] });
    const error = await failed(new SchemaRegistry({ url: stub.url }).schemaById(1));
    expect(error.message).toContain("circle");
  });

  it("carries the credentials, which no error shows", async () => {
    stub.wanted = `Basic ${btoa("reader:s3cret-91")}`;
    const { id } = stub.register("t", long);
    const auth = { username: "reader", password: "s3cret-91" };
    expect((await new SchemaRegistry({ url: stub.url, auth }).schemaById(id)).schema).toBe(long);
    const wrong = new SchemaRegistry({ url: stub.url, auth: { token: "t0ken-wrong" } });
    const error = await failed(wrong.schemaById(id));
    expect(stub.authorizations.at(-1)).toBe("Bearer t0ken-wrong");
    expect(error).toMatchObject({ reason: "AccessDenied", retryable: false });
    expect(error.message).not.toMatch(/t0ken|s3cret/);
    expect(error.message).toContain("schema 1");
    expect(() => new SchemaRegistry({ url: "http://u:s3cret@host" })).toThrow(OptionsError);
    expect(() => new SchemaRegistry({ url: "http://u:s3cret@host" })).not.toThrow(/s3cret/);
    expect(() => new SchemaRegistry({ url: "ftp://host" })).toThrow(OptionsError);
    expect(() => new SchemaRegistry({ url: [] })).toThrow(OptionsError);
  });
});

describe("failures", () => {
  const soon = { requestTimeoutMs: 20_000, retryTimeoutMs: 30_000 };

  it("of the request end at once and name what was asked for", async () => {
    const registry = new SchemaRegistry({ url: stub.url, ...soon });
    stub.register("known", long);
    const cases: [Promise<unknown>, string, string][] = [
      [registry.schemaById(77), "40403", "schema 77"],
      [registry.subject("unknown", "latest"), "40401", 'subject "unknown"'],
      [registry.subject("known", 9), "40402", "version 9"],
    ];
    for (const [asked, code, name] of cases) {
      const error = await failed(asked);
      expect(error).toMatchObject({ reason: "NotFound", retryable: false });
      expect(error.message).toContain(code);
      expect(error.message).toContain(name);
      expect(error.where.url).toContain(stub.url);
    }
    expect(stub.seen).toHaveLength(3);
    stub.fault = () => ({ status: 422, body: '{"error_code":42201,"message":"Invalid schema"}' });
    expect(await failed(registry.schemaById(5))).toMatchObject({ reason: "Refused" });
    expect(stub.seen).toHaveLength(4);
  });

  it("to find are believed for a short time", async () => {
    const registry = new SchemaRegistry({ url: stub.url, negativeMs: 200 });
    await failed(registry.schemaById(1));
    await failed(registry.schemaById(1));
    expect(stub.seen).toHaveLength(1);
    stub.register("late", long);
    await expect.poll(() => registry.schemaById(1).catch(() => undefined), { timeout: 5000 }).toBeDefined();
  });

  it("that pass are waited for", async () => {
    const { id } = stub.register("t", long);
    const faults = [
      { status: 500, body: '{"error_code":50001,"message":"Error in the backend datastore"}' },
      { status: 429, headers: { "retry-after": "0" } },
      { status: 503, body: "<html>" },
      { status: 200, body: "<html>a proxy's page</html>" },
      { hang: true },
    ];
    stub.fault = (index) => faults[index];
    const registry = new SchemaRegistry({ url: stub.url, requestTimeoutMs: 2000, retryTimeoutMs: 60_000 });
    expect((await registry.schemaById(id)).schema).toBe(long);
    expect(stub.seen).toHaveLength(6);
  });

  it("that stay end in time", async () => {
    stub.fault = () => ({ status: 500 });
    const registry = new SchemaRegistry({ url: stub.url, requestTimeoutMs: 300, retryTimeoutMs: 500 });
    const error = await failed(registry.schemaById(3));
    expect(error).toMatchObject({ reason: "Exhausted", retryable: true });
    expect(error.request?.attempts).toBeGreaterThan(1);
    stub.fault = () => ({ hang: true });
    const started = performance.now();
    expect(await failed(registry.schemaById(3))).toMatchObject({ reason: "Stalled" });
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it("of one address turn to the next", async () => {
    const { id } = stub.register("t", long);
    const dead = await RegistryStub.start();
    await dead.stop();
    const registry = new SchemaRegistry({ url: `${dead.url},${stub.url}` });
    expect((await registry.schemaById(id)).schema).toBe(long);
  });

  it("of redirects: credentials go nowhere else", async () => {
    stub.fault = () => ({ status: 302, headers: { location: "http://127.0.0.1:9/" } });
    const registry = new SchemaRegistry({ url: stub.url, auth: { token: "x" }, ...soon });
    expect(await failed(registry.schemaById(1))).toMatchObject({ reason: "Refused" });
  });

  it("of answers that are no schemas are errors of their own", async () => {
    const registry = new SchemaRegistry({ url: stub.url, ...soon });
    for (const body of [
      "[]",
      "{}",
      '{"schema":1}',
      '{"schema":"{}","references":7}',
      '{"schema":"{}","references":[{}]}',
    ]) {
      stub.fault = () => ({ status: 200, body });
      expect(await failed(registry.schemaById(1))).toMatchObject({ reason: "Corrupt" });
    }
  });
});
