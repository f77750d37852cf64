import { FormatError } from "@ingest-ts/core";
import { jsonText, parseExactJson } from "./exact-json.ts";

const primitives: ReadonlySet<unknown> = new Set("null boolean int long float double bytes string".split(" "));

type Json = Readonly<Record<string, unknown>>;

function refuse(what: string): never {
  throw new FormatError(`the Avro schema is wrong: ${what}`);
}

function textOf(json: Json, key: string): string {
  const value = json[key];
  return typeof value === "string" ? value : refuse(`"${key}" is not a string`);
}

function listOf(json: Json, key: string): readonly unknown[] {
  const value = json[key];
  return Array.isArray(value) ? value : refuse(`"${key}" is not a list`);
}

/** A definition's full name, and the namespace inside of it. */
function nameOf(json: Json, namespace: string): [full: string, inside: string] {
  const name = textOf(json, "name");
  const own = typeof json["namespace"] === "string" ? json["namespace"] : namespace;
  const full = name.includes(".") || own === "" ? name : `${own}.${name}`;
  const dot = full.lastIndexOf(".");
  return [full, dot < 0 ? "" : full.slice(0, dot)];
}

/** Attributes that matter, in their order ("ORDER", "STRIP"). */
function objectText(parts: readonly (readonly [key: string, text: string])[]): string {
  return `{${parts.map(([key, text]) => `"${key}":${text}`).join(",")}}`;
}

function fieldText(field: unknown, namespace: string): string {
  if (typeof field !== "object" || field === null) return refuse("a field is no object");
  const json = field as Json;
  return objectText([
    ["name", JSON.stringify(textOf(json, "name"))],
    ["type", typeText(json["type"], namespace)],
  ]);
}

function definitionText(json: Json, type: string, namespace: string): string {
  const [full, inside] = nameOf(json, namespace);
  const head = [
    ["name", JSON.stringify(full)],
    ["type", JSON.stringify(type)],
  ] as const;
  if (type === "enum") {
    const symbols = listOf(json, "symbols").map((symbol) => JSON.stringify(symbol));
    return objectText([...head, ["symbols", `[${symbols.join(",")}]`]]);
  }
  if (type === "fixed")
    return objectText([...head, ["size", String(BigInt(json["size"] as string | number | bigint))]]);
  const fields = listOf(json, "fields").map((field) => fieldText(field, inside));
  return objectText([...head, ["fields", `[${fields.join(",")}]`]]);
}

function typeText(schema: unknown, namespace: string): string {
  if (typeof schema === "string") {
    const isWhole = primitives.has(schema) || schema.includes(".") || namespace === "";
    return JSON.stringify(isWhole ? schema : `${namespace}.${schema}`);
  }
  if (Array.isArray(schema)) return `[${schema.map((branch) => typeText(branch, namespace)).join(",")}]`;
  if (typeof schema !== "object" || schema === null) return refuse(`${jsonText(schema)} is no type`);
  const json = schema as Json;
  const { type } = json;
  switch (type) {
    case "record":
    case "error":
    case "enum":
    case "fixed":
      return definitionText(json, type, namespace);
    case "array":
      return objectText([
        ["type", '"array"'],
        ["items", typeText(json["items"], namespace)],
      ]);
    case "map":
      return objectText([
        ["type", '"map"'],
        ["values", typeText(json["values"], namespace)],
      ]);
    default:
      return typeText(type, namespace);
  }
}

/**
 * The Parsing Canonical Form of a schema: what readers of the same data agree on, whatever its spaces, documentation,
 * defaults and logical types.
 *
 * @throws FormatError when it is no schema
 * @see Avro specification, "Transforming into Parsing Canonical Form"
 */
export function canonicalForm(schema: string): string {
  const text = schema.trim();
  if (primitives.has(text)) return JSON.stringify(text);
  try {
    return typeText(parseExactJson(text), "");
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    if (cause instanceof RangeError) return refuse("it is nested too deep, or a size is no whole number");
    throw new FormatError("the Avro schema is not JSON", { cause });
  }
}

const EMPTY = 0xc15d213aa4d7a795n;
const table = Array.from({ length: 256 }, (_, i) => {
  let value = BigInt(i);
  for (let bit = 0; bit < 8; bit++) value = (value >> 1n) ^ (EMPTY & -(value & 1n));
  return value;
});

/** CRC-64-AVRO of `bytes`, unsigned ("Schema Fingerprints"). */
function crc64Avro(bytes: Uint8Array): bigint {
  let value = EMPTY;
  for (const byte of bytes) value = (value >> 8n) ^ (table[Number((value ^ BigInt(byte)) & 0xffn)] as bigint);
  return value;
}

/**
 * The fingerprint that single-object encoding names a schema by: CRC-64-AVRO of its canonical form, unsigned.
 *
 * @throws FormatError when it is no schema
 */
export function schemaFingerprint(schema: string): bigint {
  return crc64Avro(new TextEncoder().encode(canonicalForm(schema)));
}
