import { OptionsError } from "../errors.ts";
import type { DataType } from "../schema.ts";
import { divideFloor, exactNumber, type GridPoint, onGrid, roundToHalf } from "./numbers.ts";
import { parseDuration, parseInstant, parseTime, unitNs } from "./time-text.ts";
import type { Literal } from "./types.ts";

/** A literal in the column's own terms: small numbers, 64-bit and wider integers, or bytes. */
export type Key = number | bigint | Uint8Array;

/** A value that the column can hold, or where a value that it cannot hold lies among those it can. */
export type BoundLiteral =
  | { readonly kind: "value"; readonly key: Key }
  /** Between `below` and the next larger value. */
  | { readonly kind: "between"; readonly below: Key }
  | { readonly kind: "belowAll" }
  | { readonly kind: "aboveAll" };

type Grid = Extract<DataType, { kind: "int" | "decimal" | "date" | "time" | "timestamp" | "duration" }>;

function refuse(literal: Literal, expected: string, column: string): never {
  throw new OptionsError(`${JSON.stringify(literal)} is not ${expected}`, { where: { column } });
}

/** Bits of a value, and whether its first bit is a sign. */
function widthOf(type: Grid): { bits: number; signed: boolean } {
  switch (type.kind) {
    case "int":
      return type;
    case "decimal":
      return { bits: type.bits, signed: true };
    case "date":
      return { bits: type.unit === "day" ? 32 : 64, signed: true };
    case "time":
      return { bits: type.unit === "s" || type.unit === "ms" ? 32 : 64, signed: true };
    default:
      return { bits: 64, signed: true };
  }
}

function numberPoint(literal: Literal, scale: number): GridPoint | undefined {
  if (typeof literal !== "number" && typeof literal !== "string") return undefined;
  const number = exactNumber(String(literal));
  return number === undefined ? undefined : onGrid(number, scale);
}

function instantPoint(text: string, type: Extract<Grid, { kind: "date" | "timestamp" }>, column: string): GridPoint {
  const instant = parseInstant(text);
  if (instant === undefined) {
    return refuse(
      text,
      type.kind === "date" ? 'a date like "2001-01-03"' : 'a time like "2001-01-03T04:05:06"',
      column,
    );
  }
  const zone = type.kind === "timestamp" ? type.timezone : null;
  if (instant.zoned && zone === null) {
    throw new OptionsError(`${JSON.stringify(text)} names a time zone, the column has none`, {
      where: { column },
      remedy: "Leave Z or the offset out.",
    });
  }
  if (!instant.zoned && zone !== null && !/^(utc|z|etc\/utc|gmt|[+-]00:?00)$/i.test(zone)) {
    throw new OptionsError(`${JSON.stringify(text)} says no offset, the column's time zone is ${zone}`, {
      where: { column },
      remedy: 'Add Z or an offset, as in "2001-01-03T04:05:06Z".',
    });
  }
  return divideFloor(instant.ns, unitNs[type.unit]);
}

/** Integers, decimals and everything counted in units of time, as a point of the integers that the column stores. */
function gridPoint(literal: Literal, type: Grid, column: string): GridPoint {
  if (type.kind === "int") return numberPoint(literal, 0) ?? refuse(literal, "a number", column);
  if (type.kind === "decimal") return numberPoint(literal, type.scale) ?? refuse(literal, "a number", column);
  // A bare number counts the column's unit; the parser hands over those past 2^53 as text.
  if (typeof literal === "number" || (typeof literal === "string" && /^[+-]?\d{16,}$/.test(literal))) {
    return numberPoint(literal, 0) ?? refuse(literal, "a number", column);
  }
  if (typeof literal !== "string") return refuse(literal, `a ${type.kind}`, column);
  if (type.kind === "date" || type.kind === "timestamp") return instantPoint(literal, type, column);
  const ns = type.kind === "time" ? parseTime(literal) : parseDuration(literal);
  const example = type.kind === "time" ? "04:05:06" : "PT12.5S";
  if (ns === undefined) return refuse(literal, `a ${type.kind} like "${example}"`, column);
  return divideFloor(ns, unitNs[type.unit]);
}

function bindGrid(literal: Literal, type: Grid, column: string): BoundLiteral {
  const { floor, exact } = gridPoint(literal, type, column);
  const { bits, signed } = widthOf(type);
  const max = (1n << BigInt(signed ? bits - 1 : bits)) - 1n;
  const min = signed ? -max - 1n : 0n;
  if (floor < min) return { kind: "belowAll" };
  if (floor > max) return { kind: "aboveAll" };
  const key: Key = bits <= 32 ? Number(floor) : floor;
  return exact ? { kind: "value", key } : { kind: "between", below: key };
}

const floatWords: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Infinity,
  infinity: Infinity,
  "-inf": -Infinity,
  "-infinity": -Infinity,
};

/** The nearest value of the column's precision. */
function bindFloat(literal: Literal, bits: 16 | 32 | 64, column: string): BoundLiteral {
  let value: number;
  if (typeof literal === "number") value = literal;
  else if (typeof literal === "string" && exactNumber(literal) !== undefined) value = Number(literal);
  else if (typeof literal === "string") {
    value = floatWords[literal.toLowerCase()] ?? refuse(literal, "a number", column);
  } else return refuse(literal, "a number", column);
  return { kind: "value", key: bits === 64 ? value : bits === 32 ? Math.fround(value) : roundToHalf(value) };
}

function decodeBase64(literal: Literal, column: string): Uint8Array {
  if (typeof literal !== "string") return refuse(literal, "base64 text (as `cat` prints binary values)", column);
  try {
    return Uint8Array.from(atob(literal), (character) => character.charCodeAt(0));
  } catch {
    return refuse(literal, "base64 text (as `cat` prints binary values)", column);
  }
}

/**
 * `literal` in the terms of `type`, without loss: a value between two that the column can hold keeps its place (floats
 * take the nearest). Text compares by its UTF-8 bytes, binary literals are base64, times are ISO 8601 or a bare number
 * in the column's unit.
 *
 * @throws OptionsError naming `column` when the literal is not of its type, or the type has no order.
 */
export function bindLiteral(literal: Exclude<Literal, null>, type: DataType, column: string): BoundLiteral {
  switch (type.kind) {
    case "bool":
      if (typeof literal !== "boolean") return refuse(literal, "true or false", column);
      return { kind: "value", key: literal ? 1 : 0 };
    case "int":
    case "decimal":
    case "date":
    case "time":
    case "timestamp":
    case "duration":
      return bindGrid(literal, type, column);
    case "float":
      return bindFloat(literal, type.bits, column);
    case "utf8":
    case "largeUtf8":
      if (typeof literal !== "string") {
        return refuse(literal, "text: the column holds text, so write the value in quotes", column);
      }
      return { kind: "value", key: new TextEncoder().encode(literal) };
    case "binary":
    case "largeBinary":
    case "fixedSizeBinary":
      return { kind: "value", key: decodeBase64(literal, column) };
    case "dictionary":
      return bindLiteral(literal, type.value, column);
    default:
      throw new OptionsError(`a ${type.kind} cannot be compared`, {
        where: { column },
        remedy: 'Only "is null" and "is not null" work here.',
      });
  }
}
