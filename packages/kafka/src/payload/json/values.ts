import { type DataType, exactNumber, parseInstant, unitNs } from "@ingest-ts/core";
import type { JsonCursor } from "./cursor.ts";
import type { PutValue } from "./flat-builders.ts";

type TypeOf<K extends DataType["kind"]> = Extract<DataType, { kind: K }>;

function numberText(cursor: JsonCursor): string {
  const kind = cursor.kind();
  if (kind !== "number") throw cursor.fault(`${kind} where a number should be`);
  return cursor.number();
}

/** Integers as they are written, without fraction or exponent: exact to the last digit, or a fault. */
export function putInteger({ bits, signed }: TypeOf<"int">): PutValue {
  const least = signed ? -(2n ** BigInt(bits - 1)) : 0n;
  const most = signed ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n;
  const name = `${signed ? "int" : "uint"}${bits}`;
  const put = integerSetter(bits, signed);
  return (cursor, view, at) => {
    const text = numberText(cursor);
    if (!/^-?\d+$/.test(text)) throw cursor.fault(`${short(text)} where an integer should be`);
    const value = text.length < 16 ? Number(text) : BigInt(text);
    if (value < least || value > most) throw cursor.fault(`${short(text)} is no ${name}`);
    put(view, at, value);
  };
}

function integerSetter(
  bits: 8 | 16 | 32 | 64,
  signed: boolean,
): (view: DataView, at: number, value: number | bigint) => void {
  switch (bits) {
    case 8:
      return (view, at, value) => (signed ? view.setInt8(at, Number(value)) : view.setUint8(at, Number(value)));
    case 16:
      return (view, at, value) => view.setInt16(at, Number(value), true);
    case 32:
      return (view, at, value) => view.setInt32(at, Number(value), true);
    case 64:
      return (view, at, value) => view.setBigInt64(at, BigInt(value), true);
  }
}

/**
 * The nearest value of the type; a fault when there is none but infinity, and for an integer that a float64 does not hold:
 * rounded it would be another number, and ids are such.
 */
export function putFloat({ bits }: { readonly bits: 32 | 64 }): PutValue {
  return (cursor, view, at) => {
    const text = numberText(cursor);
    const value = bits === 32 ? Math.fround(Number(text)) : Number(text);
    if (!Number.isFinite(value)) throw cursor.fault(`${short(text)} is no float${bits}`);
    if (bits === 64 && text.length > 15 && isOtherInteger(text, value)) {
      throw cursor.fault(`the integer ${short(text)} is not exact as float64`);
    }
    if (bits === 32) view.setFloat32(at, value, true);
    else view.setFloat64(at, value, true);
  };
}

function isOtherInteger(text: string, value: number): boolean {
  return /^-?\d+$/.test(text) && BigInt(text) !== BigInt(value);
}

/** A number or a string of one: exact, or a fault. */
export function putDecimal({ bits, precision, scale }: TypeOf<"decimal">): PutValue {
  const most = 10n ** BigInt(precision);
  const name = `decimal(${precision}, ${scale})`;
  return (cursor, view, at) => {
    const text = cursor.kind() === "string" ? cursor.string() : numberText(cursor);
    const number = exactNumber(text);
    const shift = number === undefined ? 0 : number.exponent + scale;
    if (number === undefined || shift > precision) throw cursor.fault(`${short(text)} is no ${name}`);
    const divisor = shift < 0 ? 10n ** BigInt(-shift) : 1n;
    const value = shift < 0 ? number.digits / divisor : number.digits * 10n ** BigInt(shift);
    const exact = shift >= 0 || value * divisor === number.digits;
    if (!exact || value >= most || value <= -most) throw cursor.fault(`${short(text)} is no ${name}`);
    for (let word = 0; word < bits / 64; word++) {
      view.setBigUint64(at + word * 8, BigInt.asUintN(64, value >> BigInt(word * 64)), true);
    }
  };
}

/** "2026-11-24". */
export const putDate: PutValue = (cursor, view, at) => {
  const kind = cursor.kind();
  if (kind !== "string") throw cursor.fault(`${kind} where a date as text should be`);
  const text = cursor.string();
  const instant = /^\d{4}-\d\d-\d\d$/.test(text) ? parseInstant(text) : undefined;
  if (instant === undefined) throw cursor.fault(`${JSON.stringify(short(text))} is no date as yyyy-mm-dd`);
  view.setInt32(at, Number(instant.ns / unitNs.day), true);
};

/** Text as ISO 8601 says (with Z or an offset just when the type has a time zone), or an integer in the type's unit. */
export function putTimestamp({ unit, timezone }: TypeOf<"timestamp">): PutValue {
  const integer = putInteger({ kind: "int", bits: 64, signed: true });
  return (cursor, view, at) => {
    if (cursor.kind() !== "string") {
      integer(cursor, view, at);
      return;
    }
    const text = cursor.string();
    const instant = parseInstant(text);
    if (instant === undefined) throw cursor.fault(`${JSON.stringify(short(text))} is no time as ISO 8601 writes it`);
    if (instant.zoned !== (timezone !== null)) {
      const has = instant.zoned
        ? "has an offset, and the column no time zone"
        : "has no offset, and the column a time zone";
      throw cursor.fault(`${JSON.stringify(short(text))} ${has}`);
    }
    const step = unitNs[unit];
    if (instant.ns % step !== 0n) throw cursor.fault(`${JSON.stringify(short(text))} is finer than ${unit}`);
    const value = instant.ns / step;
    if (BigInt.asIntN(64, value) !== value)
      throw cursor.fault(`${JSON.stringify(short(text))} does not fit 64 bits of ${unit}`);
    view.setBigInt64(at, value, true);
  };
}

/** So much of what was found goes into a message. */
function short(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
