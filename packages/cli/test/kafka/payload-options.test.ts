import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Transport } from "@ingest-ts/kafka";
import { payloadNames } from "@ingest-ts/kafka/payload";
import { Command } from "commander";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addPayloadOptions, type PayloadFlags, payloadOptionsOf } from "../../src/kafka/payload-options.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ingest-payload-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const transport = {} as Transport;
const fileOf = (text: string): string => {
  const path = join(folder, "schema.json");
  writeFileSync(path, text);
  return path;
};

test("the names are those of the library", () => {
  const command = addPayloadOptions(new Command());
  const { argChoices } = command.options.find(({ long }) => long === "--value-as") ?? {};
  expect(argChoices).toEqual(payloadNames);
});

test("schemas are read as each kind wants them", async () => {
  const fields = [{ name: "a", type: { kind: "utf8" }, nullable: true }];
  const path = fileOf(JSON.stringify({ url: "x", schema: { fields } }));
  const json = await payloadOptionsOf({ valueAs: "json", valueSchema: path }, {}, transport);
  expect(json).toMatchObject({ keyAs: "raw", valueAs: { as: "json", type: { kind: "struct", children: fields } } });
  const avro = await payloadOptionsOf({ keyAs: "avro", keySchema: fileOf('"long"') }, {}, transport);
  expect(avro.keyAs).toEqual({ as: "avro", writerSchema: '"long"' });
});

test("single-object encoding has several schemas, and no registry", async () => {
  const paths = ["a", "b"].map((name) => {
    writeFileSync(join(folder, name), `"${name}"`);
    return join(folder, name);
  });
  const flags: PayloadFlags = { valueAs: "avro", valueSchema: paths.join(), avroFraming: "single-object" };
  expect((await payloadOptionsOf(flags, {}, transport)).valueAs).toEqual({ as: "avro", schemas: ['"a"', '"b"'] });
  for (const wrong of [
    { ...flags, registry: "http://a" },
    { valueAs: "json", avroFraming: "single-object" } as const,
  ]) {
    await expect(payloadOptionsOf(wrong, {}, transport)).rejects.toThrow(/without a registry/);
  }
});

test("the registry's login comes from the environment", async () => {
  const flags: PayloadFlags = { valueAs: "avro", registry: "http://a,http://b", valueSubject: "s" };
  const url = ["http://a", "http://b"];
  const basic = { INGEST_REGISTRY_USERNAME: "ann", INGEST_REGISTRY_PASSWORD: "p" };
  const auths = [
    [{}, undefined],
    [basic, { username: "ann", password: "p" }],
    [{ ...basic, INGEST_REGISTRY_TOKEN: "t" }, { token: "t" }],
  ] as const;
  for (const [env, auth] of auths) {
    const { valueAs } = await payloadOptionsOf(flags, env, transport);
    expect(valueAs).toEqual({ as: "avro", registry: { url, auth }, readerSchema: undefined, subject: "s" });
  }
});

test("dead letters have a topic", async () => {
  const options = await payloadOptionsOf({ badRecords: "dead-letter", deadLetterTopic: "bad" }, {}, transport);
  expect(options).toMatchObject({ onPoison: "deadLetter", deadLetters: { topic: "bad" } });
});

test.each([
  [{ badRecords: "dead-letter" }, /belong together/],
  [{ deadLetterTopic: "x" }, /belong together/],
  [{ valueAs: "avro" }, /needs schemas/],
  [{ valueSubject: "x" }, /is for --value-as avro/],
] as const)("what contradicts itself is refused: %j", async (flags, message) => {
  await expect(payloadOptionsOf(flags, {}, transport)).rejects.toThrow(message);
});

test("a schema that fits no kind is refused", async () => {
  await expect(payloadOptionsOf({ valueSchema: fileOf("{}") }, {}, transport)).rejects.toThrow(
    /is not for --value-as raw/,
  );
  const json = (text: string) => payloadOptionsOf({ valueAs: "json", valueSchema: fileOf(text) }, {}, transport);
  await expect(json("{")).rejects.toThrow(/not JSON/);
  await expect(json("{}")).rejects.toThrow(/has no fields/);
});
