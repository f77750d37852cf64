import { type Column, type DataType, getBit, halfToNumber } from "@ingest-ts/core";
import { doubleText, singleText } from "./float-text.ts";
import { uniqueNames } from "./names.ts";
import { bytesAt, offsetsOf, textValues } from "./text-values.ts";
import { dateText, durationText, timestampText, timeText } from "./time-text.ts";
import { decimalText, type WholeNumber, wholesOf64, wholesOfWide } from "./wide-integers.ts";

/** The text of the value at a row. */
export type Cell = (row: number) => string;

/**
 * How the values of a flat column read. `json` says what makes their text JSON: nothing ("bare"), quotes ("quoted": it
 * needs no escape), quotes unless it is a finite number ("number"), or quotes and escapes ("text").
 */
interface FlatCells {
  readonly text: Cell;
  readonly json: "bare" | "quoted" | "number" | "text";
}

type ViewOf<T> = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => T;

function viewOf<T>(View: ViewOf<T>, { data, length }: Column): T {
  const bytes = data as Uint8Array;
  return new View(bytes.buffer, bytes.byteOffset, length);
}

function small<T extends ArrayLike<number>>(View: ViewOf<T>, column: Column): (row: number) => number {
  const values = viewOf(View, column);
  return (row) => values[row] as number;
}

function integers(column: Column, type: Extract<DataType, { kind: "int" }>): (row: number) => WholeNumber {
  switch (type.bits) {
    case 8:
      return type.signed ? small(Int8Array, column) : small(Uint8Array, column);
    case 16:
      return type.signed ? small(Int16Array, column) : small(Uint16Array, column);
    case 32:
      return type.signed ? small(Int32Array, column) : small(Uint32Array, column);
    case 64:
      return wholesOf64(column.data as Uint8Array, column.length, type.signed);
  }
}

/** Counts of a unit, in 32 or 64 bits. */
function counts(column: Column, bits: 32 | 64): (row: number) => WholeNumber {
  return bits === 32 ? small(Int32Array, column) : wholesOf64(column.data as Uint8Array, column.length, true);
}

function floatCell(column: Column, bits: 16 | 32 | 64): Cell {
  if (bits === 64) {
    const values = viewOf(Float64Array, column);
    return (row) => doubleText(values[row] as number);
  }
  if (bits === 32) {
    const values = viewOf(Float32Array, column);
    return (row) => singleText(values[row] as number);
  }
  const values = viewOf(Uint16Array, column);
  return (row) => doubleText(halfToNumber(values[row] as number));
}

function intervalCell(column: Column, unit: Extract<DataType, { kind: "interval" }>["unit"]): Cell {
  if (unit === "yearMonth") {
    const months = viewOf(Int32Array, column);
    return (row) => `P${months[row]}M`;
  }
  const bytes = column.data as Uint8Array;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (unit === "dayTime") {
    return (row) => `P${view.getInt32(row * 8, true)}DT${secondsText(view.getInt32(row * 8 + 4, true), "ms")}`;
  }
  return (row) => {
    const [months, days] = [view.getInt32(row * 16, true), view.getInt32(row * 16 + 4, true)];
    return `P${months}M${days}DT${secondsText(view.getBigInt64(row * 16 + 8, true), "ns")}`;
  };
}

/** Each part of an ISO 8601 interval has its own sign here, since the parts of Arrow's intervals do. */
function secondsText(count: WholeNumber, unit: "ms" | "ns"): string {
  const text = durationText(count, unit);
  return text.startsWith("-") ? `-${text.slice(3)}` : text.slice(2);
}

/** A flat column's values, whatever is written under nulls; undefined for nested types. */
function flatCells(column: Column): FlatCells | undefined {
  const { type } = column;
  switch (type.kind) {
    case "null":
      return { text: () => "null", json: "bare" };
    case "bool": {
      const bits = column.data as Uint8Array;
      return { text: (row) => (getBit(bits, row) ? "true" : "false"), json: "bare" };
    }
    case "int": {
      const at = integers(column, type);
      return { text: (row) => String(at(row)), json: "bare" };
    }
    case "float":
      return { text: floatCell(column, type.bits), json: "number" };
    case "utf8":
    case "largeUtf8": {
      const { at, plain } = textValues(column);
      return { text: at, json: plain ? "quoted" : "text" };
    }
    case "binary":
    case "largeBinary":
    case "fixedSizeBinary": {
      const at = bytesAt(column);
      return { text: (row) => at(row).toString("base64"), json: "quoted" };
    }
    case "decimal": {
      const at = wholesOfWide(column.data as Uint8Array, column.length, type.bits);
      return { text: (row) => decimalText(at(row), type.scale), json: "quoted" };
    }
    default: {
      const text = timeCell(column);
      return text === undefined ? undefined : { text, json: "quoted" };
    }
  }
}

const MS_PER_DAY = 86_400_000n;

function timeCell(column: Column): Cell | undefined {
  const { type } = column;
  switch (type.kind) {
    case "date": {
      if (type.unit === "day") {
        const days = viewOf(Int32Array, column);
        return (row) => dateText(days[row] as number);
      }
      const at = counts(column, 64);
      // Whole days by specification; a time of day that stands there all the same is shown.
      return (row) => {
        const count = BigInt(at(row));
        return count % MS_PER_DAY === 0n ? dateText(Number(count / MS_PER_DAY)) : timestampText(count, "ms", false);
      };
    }
    case "time": {
      const at = counts(column, type.unit === "s" || type.unit === "ms" ? 32 : 64);
      return (row) => timeText(at(row), type.unit);
    }
    case "timestamp": {
      const at = counts(column, 64);
      const zoned = type.timezone !== null;
      return (row) => timestampText(at(row), type.unit, zoned);
    }
    case "duration": {
      const at = counts(column, 64);
      return (row) => durationText(at(row), type.unit);
    }
    case "interval":
      return intervalCell(column, type.unit);
    default:
      return undefined;
  }
}

function withNulls(column: Column, cell: Cell): Cell {
  const { validity } = column;
  if (validity === null || column.nullCount === 0) return cell;
  return (row) => (getBit(validity, row) ? cell(row) : "null");
}

/**
 * The values of a column as JSON. Integers are bare digits at full precision; decimals, times (ISO 8601), NaN and
 * infinities are strings, binary is base64, maps are [[key, value], …].
 */
export function jsonCell(column: Column): Cell {
  const flat = flatCells(column);
  if (flat === undefined) return withNulls(column, nestedCell(column));
  const { text } = flat;
  switch (flat.json) {
    case "bare":
      return withNulls(column, text);
    case "quoted":
      return withNulls(column, (row) => `"${text(row)}"`);
    case "text":
      return withNulls(column, (row) => JSON.stringify(text(row)));
    case "number":
      return withNulls(column, (row) => {
        const digits = text(row);
        // "NaN", "Infinity" and "-Infinity" are the only ones with such a letter here.
        return digits.endsWith("N") || digits.endsWith("y") ? `"${digits}"` : digits;
      });
  }
}

/** The values of a column for csv and tables: text as it is, undefined for null, nested values as JSON. */
export function plainCell(column: Column): (row: number) => string | undefined {
  if (column.type.kind === "null") return () => undefined;
  if (column.type.kind === "dictionary") {
    const entry = plainCell(column.dictionary as Column);
    const index = integers(column, column.type.index);
    return nullable(column, (row) => entry(Number(index(row))));
  }
  if (column.type.kind === "union") return branchCell(column, column.type, plainCell);
  return nullable(column, (flatCells(column) ?? { text: nestedCell(column) }).text);
}

function nullable(column: Column, cell: (row: number) => string | undefined): (row: number) => string | undefined {
  const { validity } = column;
  if (validity === null || column.nullCount === 0) return cell;
  return (row) => (getBit(validity, row) ? cell(row) : undefined);
}

function joined(cell: Cell, from: number, to: number): string {
  let text = "[";
  for (let i = from; i < to; i++) text += i === from ? cell(i) : `,${cell(i)}`;
  return `${text}]`;
}

/** What `cellOf` makes of the branch that each value of a union takes. */
function branchCell<T>(
  column: Column,
  type: Extract<DataType, { kind: "union" }>,
  cellOf: (branch: Column) => (row: number) => T,
): (row: number) => T {
  const ids = column.data as Uint8Array;
  const branches = new Map(type.typeIds.map((id, i) => [id, cellOf(column.children[i] as Column)]));
  const offsets = type.mode === "dense" ? offsetsOf(column) : (row: number): number => row;
  return (row) => (branches.get(ids[row] as number) as (row: number) => T)(offsets(row));
}

/** JSON of lists, structs, maps, unions and dictionaries; nulls of the column itself are the caller's. */
function nestedCell(column: Column): Cell {
  const { type, children } = column;
  switch (type.kind) {
    case "list":
    case "largeList": {
      const offset = offsetsOf(column);
      const item = jsonCell(children[0] as Column);
      return (row) => joined(item, offset(row), offset(row + 1));
    }
    case "fixedSizeList": {
      const item = jsonCell(children[0] as Column);
      return (row) => joined(item, row * type.size, (row + 1) * type.size);
    }
    case "struct": {
      const names = uniqueNames(type.children.map(({ name }) => name));
      const cells = children.map(jsonCell);
      const prefixes = names.map((name, i) => `${i === 0 ? "{" : ","}${JSON.stringify(name)}:`);
      if (cells.length === 0) return () => "{}";
      return (row) => `${cells.map((cell, i) => `${prefixes[i]}${cell(row)}`).join("")}}`;
    }
    case "map": {
      const offset = offsetsOf(column);
      const [keys, values] = (children[0] as Column).children.map(jsonCell) as [Cell, Cell];
      return (row) => joined((i) => `[${keys(i)},${values(i)}]`, offset(row), offset(row + 1));
    }
    case "union":
      return branchCell(column, type, jsonCell);
    case "dictionary": {
      const entry = jsonCell(column.dictionary as Column);
      const index = integers(column, type.index);
      return (row) => entry(Number(index(row)));
    }
    default:
      throw new Error(`cells: ${type.kind} is not nested`);
  }
}
