import { type Column, type DataType, type Field, getBit } from "@ingest-ts/core";

/** The first value that its type cannot have. */
export interface ValueFault {
  readonly row: number;
  /** Names from the top-level column down. */
  readonly path: readonly string[];
  readonly problem: string;
}

interface SlotFault extends Omit<ValueFault, "row"> {
  readonly slot: number;
}

/** Whether a slot lies below a null: what is there is nothing. */
type Hidden = (slot: number) => boolean;
type Check = (column: Column, isHidden: Hidden) => SlotFault | undefined;

/** Times end with their day, in each unit. */
const DAY = { s: 86_400, ms: 86_400_000, us: 86_400_000_000, ns: 86_400_000_000_000 } as const;

/**
 * Looks for values that are stored without harm and that no value of the type is: decimals of more digits than their
 * precision, and times outside of a day. No format checks these itself.
 *
 * @returns undefined when no column can have such values
 */
export function valueCheck(
  fields: readonly Field[],
): ((columns: readonly Column[]) => ValueFault | undefined) | undefined {
  const checks = fields.map(checkOf);
  if (checks.every((check) => check === undefined)) return undefined;
  return (columns) => {
    for (const [i, check] of checks.entries()) {
      const fault = check?.(columns[i] as Column, () => false);
      if (fault !== undefined) return { row: fault.slot, path: fault.path, problem: fault.problem };
    }
    return undefined;
  };
}

function checkOf({ name, type }: Field): Check | undefined {
  switch (type.kind) {
    case "decimal":
      return leaf(name, `a decimal of more than ${type.precision} digits`, decimalsOf(type));
    case "time":
      return leaf(name, "a time outside of a day", timesOf(type));
    case "struct":
      return inside(name, type.children, (_, slot) => slot);
    case "list":
    case "largeList":
    case "map":
      return inside(name, [type.child], listSlot);
    case "fixedSizeList":
      return inside(name, [type.child], (_, slot) => Math.floor(slot / type.size));
    default:
      return undefined;
  }
}

function isNull({ validity }: Column, slot: number): boolean {
  return validity !== null && !getBit(validity, slot);
}

/** The slot of a list that holds item `slot`; -1 when none does. */
function listSlot({ offsets, length }: Column, slot: number): number {
  const at = (i: number): number => Number(offsets?.[i] ?? 0);
  if (slot < at(0) || slot >= at(length)) return -1;
  let [low, high] = [0, length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (at(middle) <= slot) low = middle;
    else high = middle;
  }
  return low;
}

/** Checks the children, whose slots belong to those that `parent` tells. */
function inside(
  name: string,
  children: readonly Field[],
  parent: (column: Column, slot: number) => number,
): Check | undefined {
  const checks = children.map(checkOf);
  if (checks.every((check) => check === undefined)) return undefined;
  return (column, isHidden) => {
    const isBelow: Hidden = (slot) => {
      const above = parent(column, slot);
      return above < 0 || isNull(column, above) || isHidden(above);
    };
    for (const [i, check] of checks.entries()) {
      const fault = check?.(column.children[i] as Column, isBelow);
      if (fault !== undefined) return { ...fault, slot: parent(column, fault.slot), path: [name, ...fault.path] };
    }
    return undefined;
  };
}

function leaf(name: string, problem: string, first: (column: Column, isHidden: Hidden) => number): Check {
  return (column, isHidden) => {
    const slot = first(column, isHidden);
    return slot < 0 ? undefined : { slot, path: [name], problem };
  };
}

/** The data as words of 32 bits; copied only when misaligned. */
function wordsOf({ data }: Column): { low: Uint32Array; signed: Int32Array } {
  const bytes = data === null || data.byteOffset % 4 === 0 ? data : data.slice();
  if (bytes === null) return { low: new Uint32Array(0), signed: new Int32Array(0) };
  const words = bytes.byteLength >> 2;
  return {
    low: new Uint32Array(bytes.buffer, bytes.byteOffset, words),
    signed: new Int32Array(bytes.buffer, bytes.byteOffset, words),
  };
}

function decimalsOf({
  bits,
  precision,
}: Extract<DataType, { kind: "decimal" }>): (column: Column, isHidden: Hidden) => number {
  const width = bits / 32;
  const limit = 10n ** BigInt(precision);
  // As a number, a value is off by less than this leaves out.
  const near = Number(limit) * (1 - 1e-12);
  return (column, isHidden) => {
    const { low, signed } = wordsOf(column);
    for (let slot = 0, end = width - 1; slot < column.length; slot++, end += width) {
      // Most values are of 64 bits.
      const first = end - width + 1;
      const second = signed[first + 1] as number;
      let value = second * 0x1_0000_0000 + (low[first] as number);
      let sign = second >> 31;
      for (let at = first + 2; at <= end; at++) if (signed[at] !== sign) sign = 1;
      if (sign === 1) {
        value = signed[end] as number;
        for (let at = end - 1; at >= first; at--) value = value * 0x1_0000_0000 + (low[at] as number);
      }
      if ((value < near && value > -near) || isNull(column, slot)) continue;
      let exact = BigInt(signed[end] as number);
      for (let at = end - 1; at > end - width; at--) exact = (exact << 32n) | BigInt(low[at] as number);
      if ((exact >= limit || exact <= -limit) && !isHidden(slot)) return slot;
    }
    return -1;
  };
}

function timesOf({ unit }: Extract<DataType, { kind: "time" }>): (column: Column, isHidden: Hidden) => number {
  const width = unit === "s" || unit === "ms" ? 1 : 2;
  const day = DAY[unit];
  return (column, isHidden) => {
    const { low, signed } = wordsOf(column);
    for (let slot = 0, end = width - 1; slot < column.length; slot++, end += width) {
      const high = signed[end] as number;
      const value = width === 1 ? high : high * 0x1_0000_0000 + (low[end - 1] as number);
      if ((value < 0 || value >= day) && !isNull(column, slot) && !isHidden(slot)) return slot;
    }
    return -1;
  };
}
