import { type ColumnRange, type DataType, FormatError, type Key, type TimeUnit } from "@ingest-ts/core";
import { type ProtobufField, type ProtobufReader, readMessage } from "./protobuf.ts";
import { GREGORIAN_START_DAYS, type OrcType } from "./spec.ts";

/** Message `ColumnStatistics`, as much of it as bounds values. What is absent was not written. */
export interface ColumnStatistics {
  /** Values that are not null. */
  readonly values?: number;
  readonly hasNull?: boolean;
  readonly integers?: Bounds<bigint>;
  readonly doubles?: Bounds<number>;
  /** UTF-8; wider than the values where a writer truncated them (lowerBound, upperBound). */
  readonly strings?: Bounds<Uint8Array>;
  readonly trues?: number;
  readonly decimals?: Bounds<string>;
  readonly days?: Bounds<bigint>;
  /** Milliseconds since 1970 of the wall clock, as if it were that of UTC (minimumUtc, maximumUtc). */
  readonly millis?: Bounds<bigint>;
}

interface Bounds<T> {
  readonly min?: T;
  readonly max?: T;
}

/** What the whole file says of how far its statistics can be believed. */
export interface StatisticsTrust {
  /** False for writers before HIVE-8732, whose text and decimals are wrong. */
  readonly text: boolean;
  /** Whether dates before 1582-10-15 are stored as they are read. */
  readonly proleptic: boolean;
}

/** The fields of a message that `take` knows; undefined when the message is malformed. */
function readFields<T extends object>(bytes: Uint8Array, take: Taker<T>): T | undefined {
  const out: Partial<T> = {};
  try {
    readMessage(bytes, (field, reader) => take(field, reader, out));
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
  return out as T;
}

type Writable<T> = { -readonly [K in keyof T]?: T[K] | undefined };
type Taker<T> = (field: ProtobufField, reader: ProtobufReader, out: Writable<T>) => boolean;

function boundsOf<T>(wireType: number, read: (reader: ProtobufReader) => T, min = 1, max = 2): Taker<Bounds<T>> {
  return (field, reader, out) => {
    if (field.wireType !== wireType) return false;
    if (field.number === min) out.min = read(reader);
    else if (field.number === max) out.max = read(reader);
    else return false;
    return true;
  };
}

const integerBounds = boundsOf(0, (reader) => reader.zigzag64());
const doubleBounds = boundsOf(1, (reader) => reader.double());
const decimalBounds = boundsOf(2, (reader) => reader.string());
const millisBounds = boundsOf(0, (reader) => reader.zigzag64(), 3, 4);
const exactText = boundsOf(2, (reader) => reader.bytes());
const truncatedText = boundsOf(2, (reader) => reader.bytes(), 4, 5);

const textBounds: Taker<Bounds<Uint8Array>> = (field, reader, out) =>
  field.number <= 2 ? exactText(field, reader, out) : truncatedText(field, reader, out);

const trueCount: Taker<{ readonly trues: number }> = (field, reader, out) => {
  if (field.number !== 1) return false;
  const counts: number[] = [];
  reader.varints(field, counts);
  out.trues = counts[0];
  return true;
};

const takeStatistics: Taker<ColumnStatistics> = (field, reader, out) => {
  if (field.number === 1 && field.wireType === 0) out.values = reader.varint();
  else if (field.number === 10 && field.wireType === 0) out.hasNull = reader.varint() !== 0;
  else if (field.wireType !== 2) return false;
  else if (field.number === 2) out.integers = readFields(reader.bytes(), integerBounds);
  else if (field.number === 3) out.doubles = readFields(reader.bytes(), doubleBounds);
  else if (field.number === 4) out.strings = readFields(reader.bytes(), textBounds);
  else if (field.number === 5) out.trues = readFields(reader.bytes(), trueCount)?.trues;
  else if (field.number === 6) out.decimals = readFields(reader.bytes(), decimalBounds);
  else if (field.number === 7) out.days = readFields(reader.bytes(), integerBounds);
  else if (field.number === 9) out.millis = readFields(reader.bytes(), millisBounds);
  else return false;
  return true;
};

/** Message `ColumnStatistics`; nothing is known when it is malformed. */
export function readStatistics(bytes: Uint8Array): ColumnStatistics {
  return readFields(bytes, takeStatistics) ?? {};
}

/**
 * Message `Metadata`: for every stripe the `ColumnStatistics` of every type, as they are stored. Empty when it is
 * malformed: rows can be read without.
 */
export function readStripeStatistics(bytes: Uint8Array): Uint8Array[][] {
  const takeRepeated: Taker<{ items: Uint8Array[] }> = (field, reader, out) => {
    if (field.number !== 1 || field.wireType !== 2) return false;
    (out.items ??= []).push(reader.bytes());
    return true;
  };
  const stripes = readFields(bytes, takeRepeated)?.items ?? [];
  return stripes.map((stripe) => readFields(stripe, takeRepeated)?.items ?? []);
}

/**
 * What statistics of `rows` rows say in the terms of a column's Arrow type. Whatever contradicts itself, or was written
 * in a way that is known to be wrong, is not known.
 *
 * @param type the column's type as it is read, which a stored Arrow schema may have changed
 * @param inStruct whether the column lies in a struct, whose nulls some writers count and others do not
 */
export function statisticsRange(
  statistics: ColumnStatistics,
  rows: number,
  { kind }: OrcType,
  type: DataType,
  inStruct: boolean,
  trust: StatisticsTrust,
): ColumnRange {
  const { values, hasNull } = statistics;
  if (values === undefined || values > rows) return {};
  if (!inStruct && hasNull !== undefined && hasNull !== values < rows) return {};
  if (values === 0) return { nullCount: rows };
  const nullCount = inStruct ? undefined : rows - values;
  const [min, max] = boundKeys(statistics, kind, type, trust);
  return { nullCount, min, max };
}

type KeyBounds = readonly [min: Key | undefined, max: Key | undefined];

const unknown: KeyBounds = [undefined, undefined];

function boundKeys(
  statistics: ColumnStatistics,
  kind: OrcType["kind"],
  type: DataType,
  trust: StatisticsTrust,
): KeyBounds {
  switch (kind) {
    case "boolean":
      return type.kind === "bool" ? booleanKeys(statistics) : unknown;
    case "byte":
    case "short":
    case "int":
    case "long":
      return type.kind === "int" ? mapped(statistics.integers, (value) => integerKey(value, type)) : unknown;
    case "float":
    case "double":
      return type.kind === "float" ? mapped(statistics.doubles, (value) => value) : unknown;
    case "string":
    case "varchar": {
      const isText = type.kind === "utf8" || type.kind === "largeUtf8";
      return isText && trust.text ? mapped(statistics.strings, (value) => value) : unknown;
    }
    case "decimal":
      if (type.kind !== "decimal" || !trust.text) return unknown;
      return mapped(statistics.decimals, (value) => decimalKey(value, type.scale));
    case "date":
      return type.kind === "date" && type.unit === "day" ? dateKeys(statistics, trust) : unknown;
    case "timestamp":
    case "timestampInstant":
      return type.kind === "timestamp" ? timestampKeys(statistics, type.unit) : unknown;
    // char is padded by some writers, binary has no bounds.
    default:
      return unknown;
  }
}

function mapped<T>(bounds: Bounds<T> | undefined, keyOf: (value: T) => Key | undefined): KeyBounds {
  const { min, max } = bounds ?? {};
  return [min === undefined ? undefined : keyOf(min), max === undefined ? undefined : keyOf(max)];
}

function booleanKeys({ trues, values = 0 }: ColumnStatistics): KeyBounds {
  if (trues === undefined || trues > values) return unknown;
  return [trues === values ? 1 : 0, trues === 0 ? 0 : 1];
}

function integerKey(value: bigint, { bits, signed }: Extract<DataType, { kind: "int" }>): Key | undefined {
  const fits = (signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)) === value;
  if (!fits) return undefined;
  return bits === 64 ? value : Number(value);
}

/** Decimals are text, as "-12.340" or "1200". */
function decimalKey(text: string, scale: number): Key | undefined {
  const match = /^([+-]?)(\d+)(?:\.(\d*))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = ""] = match;
  const kept = fraction.replace(/0+$/, "");
  if (kept.length > scale || whole.length > 80) return undefined;
  const digits = BigInt(whole + kept.padEnd(scale, "0"));
  return sign === "-" ? -digits : digits;
}

function dateKeys({ days }: ColumnStatistics, { proleptic }: StatisticsTrust): KeyBounds {
  const keys = mapped(days, Number);
  const isModern = keys.every((key) => key === undefined || (key as number) >= GREGORIAN_START_DAYS);
  return isModern || proleptic ? keys : unknown;
}

const unitsPerMs: Readonly<Record<TimeUnit, readonly [times: bigint, by: bigint]>> = {
  s: [1n, 1000n],
  ms: [1n, 1n],
  us: [1000n, 1n],
  ns: [1_000_000n, 1n],
};

/**
 * Milliseconds, widened by a day each way: writers disagree on whether these are wall clock or instants, and on how those
 * before 1970 are rounded.
 */
function timestampKeys({ millis }: ColumnStatistics, unit: TimeUnit): KeyBounds {
  const slackMs = 86_400_000n;
  const [times, by] = unitsPerMs[unit];
  const [min, max] = [millis?.min, millis?.max];
  if (min === undefined || max === undefined) return unknown;
  return [((min - slackMs) * times) / by - 1n, ((max + slackMs) * times) / by + 1n];
}
