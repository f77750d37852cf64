import { byteWidthOf, type DataType, FormatError } from "@ingest-ts/core";
import type { Leaf } from "./nodes.ts";
import { Physical } from "./spec.ts";
import type { Workspace } from "./workspace.ts";

/** Bytes of one stored value of a fixed-width physical type. */
export function storedWidth(leaf: Leaf): number {
  switch (leaf.physical) {
    case Physical.INT32:
    case Physical.FLOAT:
      return 4;
    case Physical.INT64:
    case Physical.DOUBLE:
      return 8;
    case Physical.INT96:
      return 12;
    default:
      return leaf.typeLength;
  }
}

/**
 * Turns `count` stored values at `source` into Arrow's at `target`.
 *
 * @returns the index of the first value that does not fit, or a number ≥ count.
 */
export type Conversion = (source: number, count: number, target: number) => number;

/** How stored values become Arrow's, or undefined when they are the same bytes. */
export function conversionOf(space: Workspace, leaf: Leaf, type: DataType): Conversion | undefined {
  const { x } = space;
  const checked =
    (kernel: (source: number, count: number, target: number) => number): Conversion =>
    (source, count, target) =>
      kernel(source, count, target) < 0 ? x.position() : count;
  if (type.kind === "decimal") return decimalConversion(space, leaf, type.bits / 8);
  if (leaf.physical === Physical.INT96)
    return checked((source, count, target) => x.int96ToTimestamp(source, count, 1, target));
  if (type.kind !== "int" || type.bits > 16) return undefined;
  if (type.bits === 8) return checked(type.signed ? x.narrowToInt8 : x.narrowToUint8);
  return checked(type.signed ? x.narrowToInt16 : x.narrowToUint16);
}

function decimalConversion(space: Workspace, leaf: Leaf, width: number): Conversion {
  const { x } = space;
  if (leaf.physical === Physical.FIXED_LEN_BYTE_ARRAY)
    return (source, count, target) =>
      x.decimalFixed(source, leaf.typeLength, target, width, count) < 0 ? x.position() : count;
  const widen = leaf.physical === Physical.INT32 ? x.decimalFrom32 : x.decimalFrom64;
  if (width === 16)
    return (source, count, target) => {
      widen(source, count, target);
      return count;
    };
  return (source, count, target) => {
    // Rare: a small decimal that its writer declared as Decimal256. The upper half repeats the sign.
    widen(source, count, target);
    const { bytes } = space;
    for (let i = count - 1; i >= 0; i--) {
      const sign = ((bytes[target + i * 16 + 15] as number) & 0x80) === 0 ? 0 : 0xff;
      bytes.copyWithin(target + i * 32, target + i * 16, target + i * 16 + 16);
      bytes.fill(sign, target + i * 32 + 16, target + i * 32 + 32);
    }
    return count;
  };
}

/** The error for value `index` of the dictionary or of those since the row group's `row`. */
export function conversionError(type: DataType, leaf: Leaf, where: string): FormatError {
  const stored = leaf.physical === Physical.INT96 ? "INT96 timestamp" : "value";
  const into = type.kind === "int" ? `${type.signed ? "Int" : "UInt"}${type.bits}` : type.kind;
  const unit = type.kind === "timestamp" ? " in nanoseconds of 64 bits" : "";
  return new FormatError(`the ${stored} of ${where} does not fit ${into}${unit} (${byteWidthOf(type)} bytes)`);
}
