import { OptionsError } from "@ingest-ts/core";
import type { AvroType } from "./spec.ts";

/** Thrown inside when a default is not of its type; unions try their next branch. */
class WrongDefault extends Error {}

function zigzag(value: bigint, out: number[]): void {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest >= 128n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  out.push(Number(rest));
}

function integer(json: unknown, bits: 32 | 64): bigint {
  const isWhole = typeof json === "bigint" || (typeof json === "number" && Number.isSafeInteger(json));
  if (!isWhole) throw new WrongDefault(`is no integer within 2^53, or ±2^63 as JSON text`);
  const value = BigInt(json);
  if (BigInt.asIntN(bits, value) !== value) throw new WrongDefault(`does not fit ${bits} bits`);
  return value;
}

function float(json: unknown, sizeBytes: 4 | 8): Uint8Array {
  const special: Record<string, number> = { NaN: Number.NaN, Infinity: Infinity, "-Infinity": -Infinity };
  const named = typeof json === "string" && Object.hasOwn(special, json) ? special[json] : undefined;
  const value = typeof json === "bigint" ? Number(json) : (named ?? json);
  if (typeof value !== "number") throw new WrongDefault("is no number");
  const view = new DataView(new ArrayBuffer(sizeBytes));
  if (sizeBytes === 4) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return new Uint8Array(view.buffer);
}

/** Bytes in JSON: characters 0–255, one a byte. */
function latin1(json: unknown): Uint8Array {
  if (typeof json !== "string") throw new WrongDefault("is no string");
  return Uint8Array.from(json, (character) => {
    const code = character.codePointAt(0) as number;
    if (code > 255) throw new WrongDefault("has a character above U+00FF");
    return code;
  });
}

function sized(bytes: Uint8Array, out: number[]): void {
  zigzag(BigInt(bytes.length), out);
  for (const byte of bytes) out.push(byte);
}

function objectOf(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  throw new WrongDefault("is no object");
}

/** A union's default is of the first branch that it fits ("Complex Types", "Unions"). */
function union(json: unknown, branches: readonly AvroType[], out: number[]): void {
  for (const [i, branch] of branches.entries()) {
    const bytes: number[] = [];
    try {
      encode(json, branch, bytes);
    } catch (error) {
      if (error instanceof WrongDefault) continue;
      throw error;
    }
    zigzag(BigInt(i), out);
    for (const byte of bytes) out.push(byte);
    return;
  }
  throw new WrongDefault("fits no type of the union");
}

function encodeScalar(json: unknown, type: AvroType, out: number[]): void {
  switch (type.kind) {
    case "boolean":
      if (typeof json !== "boolean") throw new WrongDefault("is no boolean");
      out.push(json ? 1 : 0);
      return;
    case "int":
      zigzag(integer(json, 32), out);
      return;
    case "long":
      zigzag(integer(json, 64), out);
      return;
    case "float":
    case "double":
      out.push(...float(json, type.kind === "float" ? 4 : 8));
      return;
    case "bytes":
      sized(latin1(json), out);
      return;
    case "string":
      if (typeof json !== "string") throw new WrongDefault("is no string");
      sized(new TextEncoder().encode(json), out);
      return;
    default:
      if (json !== null) throw new WrongDefault("is not null");
  }
}

function encode(json: unknown, type: AvroType, out: number[]): void {
  switch (type.kind) {
    case "fixed": {
      const bytes = latin1(json);
      if (bytes.length !== type.size) throw new WrongDefault(`has ${bytes.length} bytes, not ${type.size}`);
      for (const byte of bytes) out.push(byte);
      return;
    }
    case "enum": {
      const index = typeof json === "string" ? type.symbols.indexOf(json) : -1;
      if (index < 0) throw new WrongDefault("is none of the symbols");
      zigzag(BigInt(index), out);
      return;
    }
    case "record": {
      const object = objectOf(json);
      for (const field of type.fields) {
        const value = Object.hasOwn(object, field.name) ? object[field.name] : field.default;
        if (value === undefined) throw new WrongDefault(`has no field "${field.name}"`);
        encode(value, field.type, out);
      }
      return;
    }
    case "array":
    case "map": {
      const isMap = type.kind === "map";
      if (!isMap && !Array.isArray(json)) throw new WrongDefault("is no list");
      const items = isMap ? Object.entries(objectOf(json)) : (json as unknown[]).map((item) => ["", item] as const);
      if (items.length > 0) zigzag(BigInt(items.length), out);
      for (const [key, item] of items) {
        if (isMap) sized(new TextEncoder().encode(key), out);
        encode(item, type.items, out);
      }
      out.push(0);
      return;
    }
    case "union":
      union(json, type.branches, out);
      return;
    case "recursive":
      throw new WrongDefault(`is of the recursive type "${type.name}"`);
    default:
      encodeScalar(json, type, out);
  }
}

/**
 * A field's default in Avro's binary encoding, so that it is read like a value of the file.
 *
 * @throws OptionsError naming `path` when it is not of its type
 */
export function defaultBytes(json: unknown, type: AvroType, path: string): Uint8Array {
  const out: number[] = [];
  try {
    encode(json, type, out);
  } catch (error) {
    if (!(error instanceof WrongDefault)) throw error;
    throw new OptionsError(`the default of a field ${error.message}`, {
      where: { column: path },
      remedy: "Correct it in the schema to read with.",
    });
  }
  return Uint8Array.from(out);
}
