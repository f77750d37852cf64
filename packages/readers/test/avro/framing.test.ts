import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  canonicalForm,
  createDatumReader,
  readConfluentHeader,
  readSingleObjectHeader,
  schemaFingerprint,
  SINGLE_OBJECT_HEADER_BYTES,
} from "../../src/avro/datum.ts";

test("canonical form: full names, order, only what matters", () => {
  const schema = ` { "type":"record", "namespace":"a.b", "doc":"x", "name":"R", "aliases":["Q"], "fields":[
    {"name":"f", "type":{"type":"fixed","size":"016","name":"F","logicalType":"uuid"}, "default":"?"},
    {"type":["null", "F", {"type":"map","values":{"type":"long"}}], "name":"g"},
    {"name":"h", "type":{"type":"enum","name":"c.E","symbols":["X"],"default":"X"}}]}`;
  expect(canonicalForm(schema)).toBe(
    '{"name":"a.b.R","type":"record","fields":[{"name":"f","type":{"name":"a.b.F","type":"fixed","size":16}},' +
      '{"name":"g","type":["null","a.b.F",{"type":"map","values":"long"}]},' +
      '{"name":"h","type":{"name":"c.E","type":"enum","symbols":["X"]}}]}',
  );
  for (const wrong of ["", "{", "7", '{"type":"record","name":"R"}', '{"type":"fixed","name":"F","size":1.5}'])
    expect(() => canonicalForm(wrong), wrong).toThrow("the Avro schema");
});

test("fingerprints of the specification's kind", () => {
  expect(schemaFingerprint('"null"')).toBe(BigInt.asUintN(64, 7195948357588979594n));
  expect(schemaFingerprint("boolean")).toBe(BigInt.asUintN(64, -6970731678124411036n));
  expect(schemaFingerprint(' {"type" : "int"}')).toBe(BigInt.asUintN(64, 8247732601305521295n));
});

const vectors = new URL("../../../../../shared/conformance/avro/vectors/", import.meta.url);
const hasVectors = existsSync(vectors);

describe.skipIf(!hasVectors)(
  "vectors of the Avro project (skipped: there is no ../shared beside this checkout)",
  () => {
    test("canonical forms and fingerprints", () => {
      const text = readFileSync(new URL("schema-tests.txt", vectors), "utf8").replaceAll(/^(\/\/|#).*$/gm, "");
      let input = "";
      let checked = 0;
      // "<<INPUT x", or "<<INPUT" and lines up to "INPUT".
      for (const [, key, rest, body] of text.matchAll(/^<<(\w+)(?:[ \t]+(\S.*)|[ \t]*\n([\s\S]*?)\n\1)$/gm)) {
        const value = (rest ?? body ?? "").trim();
        if (key === "INPUT") input = value;
        else if (key === "canonical") expect(canonicalForm(input), input).toBe(value);
        else if (key === "fingerprint") expect(BigInt.asIntN(64, schemaFingerprint(input)), input).toBe(BigInt(value));
        checked++;
      }
      expect(checked).toBeGreaterThan(50);
    });

    test("a message in single-object encoding", async () => {
      const message = new Uint8Array(readFileSync(new URL("messageV1.bin", vectors)));
      const schema = readFileSync(new URL("messageV1.avsc", vectors), "utf8");
      expect(readSingleObjectHeader(message)).toEqual({ kind: "fingerprint", fingerprint: schemaFingerprint(schema) });
      const reader = await createDatumReader(schema);
      const offsets = Int32Array.of(0, message.length);
      const values = { type: { kind: "binary" }, length: 1, nullCount: 0, validity: null } as const;
      const { poison } = reader.decode(
        { ...values, offsets, data: message, children: [], dictionary: null },
        { headerBytes: SINGLE_OBJECT_HEADER_BYTES },
      );
      expect(poison).toEqual([]);
    });
  },
);

test("headers are recognised inside of larger bytes, and what is too short has none", () => {
  const id = Uint8Array.of(9, 0, 0, 0, 1, 2, 77, 0);
  expect(readConfluentHeader(id, 1)).toEqual({ kind: "id", id: 258 });
  expect(readConfluentHeader(id, 1, 6)).toEqual({ kind: "id", id: 258 });
  expect(readConfluentHeader(id, 1, 5)).toBeUndefined();
  expect(readConfluentHeader(id)).toBeUndefined();
  const guid = Uint8Array.from({ length: 18 }, (_, i) => i);
  expect(readConfluentHeader(guid, 1)).toEqual({ kind: "guid", guid: "02030405-0607-0809-0a0b-0c0d0e0f1011" });
  expect(readConfluentHeader(guid, 1, 17)).toBeUndefined();
  const single = Uint8Array.of(5, 0xc3, 1, 255, 0, 0, 0, 0, 0, 0, 128);
  expect(readSingleObjectHeader(single, 1)).toEqual({ kind: "fingerprint", fingerprint: 0x80000000000000ffn });
  expect(readSingleObjectHeader(single)).toBeUndefined();
  expect(readSingleObjectHeader(single, 1, 10)).toBeUndefined();
});
