import { byteWidthOf, type DataType, type TimeUnit } from "@ingest-ts/core";
import type { KernelExports } from "@ingest-ts/kernels";
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

type Kernel = (x: KernelExports, source: number, count: number, target: number) => number;

const narrowings: Readonly<Record<string, Kernel>> = {
  "8 signed": (x, source, count, target) => x.narrowToInt8(source, count, target),
  "8 unsigned": (x, source, count, target) => x.narrowToUint8(source, count, target),
  "16 signed": (x, source, count, target) => x.narrowToInt16(source, count, target),
  "16 unsigned": (x, source, count, target) => x.narrowToUint16(source, count, target),
};

/** How stored values become Arrow's, or undefined when they are the same bytes. */
export function conversionOf(space: Workspace, leaf: Leaf, type: DataType): Conversion | undefined {
  const kernel = kernelOf(leaf, type);
  if (kernel === undefined) return undefined;
  const upper = type.kind === "decimal" && type.bits === 256 && leaf.physical !== Physical.FIXED_LEN_BYTE_ARRAY;
  return (source, count, target) => {
    if (kernel(space.x, source, count, target) < 0) return space.x.position();
    if (upper) extendSigns(space, count, target);
    return count;
  };
}

function kernelOf(leaf: Leaf, type: DataType): Kernel | undefined {
  if (type.kind === "decimal") return decimalKernel(leaf, type.bits / 8);
  if (leaf.physical === Physical.INT96) {
    const unitNs = type.kind === "timestamp" && type.unit === "us" ? 1000 : 1;
    return (x, source, count, target) => x.int96ToTimestamp(source, count, unitNs, target);
  }
  if (type.kind === "timestamp") return unitKernel(leaf, type.unit);
  if (type.kind !== "int") return undefined;
  return narrowings[`${type.bits} ${type.signed ? "signed" : "unsigned"}`];
}

const perSecond = { s: 1, ms: 1000, us: 1_000_000, ns: 1_000_000_000 } as const;

/** Timestamps of one unit as those of another, rounded down; undefined when it is the same. */
function unitKernel({ storedUnit: stored }: Leaf, unit: TimeUnit): Kernel | undefined {
  if (stored === undefined || stored === unit) return undefined;
  const multiplier = Math.max(1, perSecond[unit] / perSecond[stored]);
  const divisor = Math.max(1, perSecond[stored] / perSecond[unit]);
  return (x, source, count, target) => x.rescale(source, count, multiplier, divisor, target);
}

function decimalKernel(leaf: Leaf, width: number): Kernel {
  if (leaf.physical === Physical.FIXED_LEN_BYTE_ARRAY)
    return (x, source, count, target) => x.decimalFixed(source, leaf.typeLength, target, width, count);
  const is32 = leaf.physical === Physical.INT32;
  return (x, source, count, target) => {
    if (is32) x.decimalFrom32(source, count, target);
    else x.decimalFrom64(source, count, target);
    return count;
  };
}

/** Makes 128-bit values 256-bit ones, in place: small decimals that their writer declared as Decimal256 are rare. */
function extendSigns({ bytes }: Workspace, count: number, target: number): void {
  for (let i = count - 1; i >= 0; i--) {
    const sign = ((bytes[target + i * 16 + 15] as number) & 0x80) === 0 ? 0 : 0xff;
    bytes.copyWithin(target + i * 32, target + i * 16, target + i * 16 + 16);
    bytes.fill(sign, target + i * 32 + 16, target + i * 32 + 32);
  }
}

/** What is wrong with a stored value that does not fit. */
export function conversionFault(type: DataType, leaf: Leaf): string {
  if (type.kind === "timestamp") {
    const stored = leaf.physical === Physical.INT96 ? "an INT96 timestamp" : "a timestamp";
    const unit = { s: "seconds", ms: "milliseconds", us: "microseconds", ns: "nanoseconds" }[type.unit];
    return `${stored} does not fit ${unit} of ${byteWidthOf(type) * 8} bits`;
  }
  const into = type.kind === "int" ? `${type.signed ? "Int" : "UInt"}${type.bits}` : type.kind;
  return `a value does not fit ${into} (${byteWidthOf(type)} bytes)`;
}
