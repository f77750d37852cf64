import { Buffer, isAscii } from "node:buffer";
import type { Column } from "@ingest-ts/core";

/** A run of text up to this size is decoded at once and then cut. */
const WHOLE_BYTES = 128 * 1024 * 1024;

export type Offsets = (row: number) => number;

/** Offsets as numbers. Buffers are below 2^53 bytes, so 64-bit ones fit too. */
export function offsetsOf(column: Column): Offsets {
  const { offsets } = column;
  if (offsets instanceof Int32Array) return (row) => offsets[row] as number;
  const wide = offsets as BigInt64Array;
  return (row) => Number(wide[row]);
}

/** The bytes of a value of a binary, text or fixed-width binary column, as a view. */
export function bytesAt(column: Column): (row: number) => Buffer {
  const data = column.data as Uint8Array;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (column.type.kind === "fixedSizeBinary") {
    const width = column.type.byteWidth;
    return (row) => bytes.subarray(row * width, (row + 1) * width);
  }
  const offset = offsetsOf(column);
  return (row) => bytes.subarray(offset(row), offset(row + 1));
}

export interface TextValues {
  readonly at: (row: number) => string;
  /** True when no value holds a quote, a backslash or a control character. */
  readonly plain: boolean;
}

// oxlint-disable-next-line no-control-regex -- these are what JSON must escape
const special = /["\\\u0000-\u001f]/;

/** The strings of a UTF-8 column. ASCII, the common case, is decoded in one go. */
export function textValues(column: Column): TextValues {
  if (column.length === 0) return { at: () => "", plain: true };
  const data = column.data as Uint8Array;
  const offset = offsetsOf(column);
  const first = offset(0);
  const bytes = Buffer.from(data.buffer, data.byteOffset + first, offset(column.length) - first);
  if (bytes.length > WHOLE_BYTES || !isAscii(bytes)) {
    return { at: (row) => bytes.toString("utf8", offset(row) - first, offset(row + 1) - first), plain: false };
  }
  const all = bytes.toString("latin1");
  return { at: (row) => all.slice(offset(row) - first, offset(row + 1) - first), plain: !special.test(all) };
}
