import { type Column, OptionsError } from "@ingest-ts/core";
import { decimalBytes } from "./decimal-bytes.ts";
import { fixedData, type Places } from "./places.ts";
import type { Values } from "./values.ts";
import { viewInt32 } from "./views.ts";

/**
 * Decimals in the shortest form their precision allows: INT32 (≤ 9 digits), INT64 (≤ 18), else big-endian bytes
 * (LogicalTypes.md, "DECIMAL").
 *
 * @param bits of the Arrow type, whose values are little-endian two's complement
 * @throws OptionsError for a value that does not fit the stored form: it exceeds the declared precision.
 */
export function extractDecimals(column: Column, places: Places, bits: 128 | 256, precision: number): Values {
  const source = viewInt32(fixedData(column, bits / 8));
  const wordsPerValue = bits / 32;
  if (precision > 18) return extractBigEndian(source, places, wordsPerValue, precision);
  const perValue = precision <= 9 ? 1 : 2;
  const { start, length, indices } = places;
  const words = new Int32Array(length * perValue);
  for (let i = 0; i < length; i++) {
    const from = (indices === null ? start + i : (indices[i] as number)) * wordsPerValue;
    for (let k = 0; k < perValue; k++) words[i * perValue + k] = source[from + k] as number;
    const sign = (source[from + perValue - 1] as number) >> 31;
    for (let k = perValue; k < wordsPerValue; k++) if (source[from + k] !== sign) throw overPrecision(precision);
  }
  return { form: "words", count: length, perValue, words };
}

function overPrecision(precision: number): OptionsError {
  return new OptionsError(`a decimal value has more digits than its declared precision of ${precision}`);
}

function extractBigEndian(source: Int32Array, places: Places, wordsPerValue: number, precision: number): Values {
  const { start, length, indices } = places;
  const width = decimalBytes(precision);
  const little = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  const valueBytes = wordsPerValue * 4;
  const bytes = new Uint8Array(length * width);
  for (let i = 0; i < length; i++) {
    const from = (indices === null ? start + i : (indices[i] as number)) * valueBytes;
    const last = (i + 1) * width - 1;
    for (let k = 0; k < width; k++) bytes[last - k] = little[from + k] as number;
    const sign = (little[from + width - 1] as number) >> 7 === 1 ? 0xff : 0;
    for (let k = width; k < valueBytes; k++) if (little[from + k] !== sign) throw overPrecision(precision);
  }
  return { form: "fixed", count: length, width, bytes };
}
