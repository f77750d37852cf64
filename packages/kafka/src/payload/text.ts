import { isUtf8 } from "node:buffer";
import { type Column, type DataType, FormatError, getBit } from "@ingest-ts/core";
import type { DecodedValues, PayloadDecoder, PayloadInput, PoisonValue } from "./values.ts";

const utf8: DataType = { kind: "utf8" };
const binary: DataType = { kind: "binary" };

/** Bytes as they are. */
export class RawDecoder implements PayloadDecoder {
  readonly as = "raw";
  readonly type: DataType = binary;
  readonly resolved = { as: "raw" } as const;

  decode({ values }: PayloadInput): DecodedValues {
    return { column: values, poison: [] };
  }
}

/** Text, which has to be UTF-8. */
export class TextDecoderOfValues implements PayloadDecoder {
  readonly as = "utf8";
  readonly type: DataType = utf8;
  readonly resolved = { as: "utf8" } as const;

  decode({ values }: PayloadInput): DecodedValues {
    if (allText(values)) return { column: { ...values, type: utf8 }, poison: [] };
    const offsets = values.offsets as Int32Array;
    const bytes = values.data as Uint8Array;
    const validity = new Uint8Array((values.length + 7) >> 3);
    const poison: PoisonValue[] = [];
    let nullCount = 0;
    for (let i = 0; i < values.length; i++) {
      const present = values.validity === null || getBit(values.validity, i);
      const valid = present && isUtf8(bytes.subarray(offsets[i], offsets[i + 1]));
      if (valid) validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
      else nullCount++;
      if (present && !valid) poison.push({ index: i, error: new FormatError("not UTF-8") });
    }
    return { column: withoutNullBytes({ ...values, type: utf8, validity, nullCount }), poison };
  }
}

/** All of it is text, and no value begins within a character. */
function allText({ length, offsets, data }: Column): boolean {
  const ends = offsets as Int32Array;
  const bytes = data ?? new Uint8Array(0);
  const end = ends[length] as number;
  if (!isUtf8(bytes.subarray(ends[0], end))) return false;
  for (let i = 0; i < length; i++) {
    const at = ends[i] as number;
    if (at < end && ((bytes[at] as number) & 0xc0) === 0x80) return false;
  }
  return true;
}

/** Readers of text may look at what lies under nulls: it must not be broken text. */
function withoutNullBytes(column: Column): Column {
  const from = column.offsets as Int32Array;
  const bytes = column.data as Uint8Array;
  const offsets = new Int32Array(column.length + 1);
  const data = new Uint8Array((from[column.length] as number) - (from[0] as number));
  let at = 0;
  for (let i = 0; i < column.length; i++) {
    if (getBit(column.validity as Uint8Array, i)) {
      const value = bytes.subarray(from[i], from[i + 1]);
      data.set(value, at);
      at += value.length;
    }
    offsets[i + 1] = at;
  }
  return { ...column, offsets, data: data.subarray(0, at) };
}
