import { type Column, type DataType, OptionsError, UnsupportedError } from "@ingest-ts/core";
import { extractDecimals } from "./extract-decimal.ts";
import { extractDates, extractTimes, extractTimestamps } from "./extract-time.ts";
import { fixedData, type Places } from "./places.ts";
import type { Values, VaryingValues } from "./values.ts";
import { viewInt32 } from "./views.ts";

/**
 * The chosen values of a flat column in the narrowest of the forms of `Values`: seconds as milliseconds, dates as days.
 *
 * @param type the column's type, not a dictionary
 * @throws OptionsError for a value that its physical type cannot hold exactly.
 */
export function extract(column: Column, type: DataType, places: Places): Values {
  switch (type.kind) {
    case "null":
      return { form: "words", count: 0, perValue: 1, words: new Int32Array(0) };
    case "bool":
      return extractBits(column, places);
    case "int":
      return type.bits < 32
        ? extractNarrow(column, places, type.bits as 8 | 16, type.signed)
        : extractWords(column, places, type.bits === 64 ? 2 : 1);
    case "float":
      return type.bits === 16
        ? extractFixed(column, places, 2)
        : extractWords(column, places, type.bits === 64 ? 2 : 1);
    case "utf8":
    case "largeUtf8":
    case "binary":
    case "largeBinary":
      return extractVarying(column, places);
    case "fixedSizeBinary":
      return extractFixed(column, places, type.byteWidth);
    case "decimal":
      return extractDecimals(column, places, type.bits, type.precision);
    case "date":
      return type.unit === "day" ? extractWords(column, places, 1) : extractDates(column, places);
    case "time":
      if (type.unit === "s") return extractTimes(column, places);
      return extractWords(column, places, type.unit === "ms" ? 1 : 2);
    case "timestamp":
      return type.unit === "s" ? extractTimestamps(column, places) : extractWords(column, places, 2);
    case "duration":
      return extractWords(column, places, 2);
    default:
      throw new OptionsError(`a ${type.kind} column is not flat`);
  }
}

function extractBits(column: Column, places: Places): Values {
  const { start, length, indices } = places;
  const data = column.data;
  if (data === null || data.length * 8 < column.length)
    throw new OptionsError(`a bool column of ${column.length} values with too few bytes`);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const at = indices === null ? start + i : (indices[i] as number);
    bytes[i] = ((data[at >> 3] as number) >> (at & 7)) & 1;
  }
  return { form: "bool", count: length, bytes };
}

/** 8- and 16-bit integers, widened with their sign. */
function extractNarrow(column: Column, places: Places, bits: 8 | 16, signed: boolean): Values {
  const { start, length, indices } = places;
  const data = fixedData(column, bits / 8);
  const words = new Int32Array(length);
  const shift = signed ? 32 - bits : 0;
  for (let i = 0; i < length; i++) {
    const at = indices === null ? start + i : (indices[i] as number);
    const value = bits === 8 ? (data[at] as number) : (data[2 * at] as number) | ((data[2 * at + 1] as number) << 8);
    words[i] = (value << shift) >> shift;
  }
  return { form: "words", count: length, perValue: 1, words };
}

function extractWords(column: Column, places: Places, perValue: 1 | 2): Values {
  const { start, length, indices } = places;
  const source = viewInt32(fixedData(column, 4 * perValue));
  if (indices === null) {
    const words = source.subarray(start * perValue, (start + length) * perValue);
    return { form: "words", count: length, perValue, words };
  }
  const words = new Int32Array(length * perValue);
  if (perValue === 1) for (let i = 0; i < length; i++) words[i] = source[indices[i] as number] as number;
  else {
    for (let i = 0; i < length; i++) {
      const at = 2 * (indices[i] as number);
      words[2 * i] = source[at] as number;
      words[2 * i + 1] = source[at + 1] as number;
    }
  }
  return { form: "words", count: length, perValue, words };
}

function extractFixed(column: Column, places: Places, width: number): Values {
  const { start, length, indices } = places;
  const data = fixedData(column, width);
  if (indices === null) {
    return { form: "fixed", count: length, width, bytes: data.subarray(start * width, (start + length) * width) };
  }
  const bytes = new Uint8Array(length * width);
  for (let i = 0; i < length; i++) {
    const from = (indices[i] as number) * width;
    for (let k = 0, to = i * width; k < width; k++) bytes[to + k] = data[from + k] as number;
  }
  return { form: "fixed", count: length, width, bytes };
}

function extractVarying(column: Column, places: Places): VaryingValues {
  const { offsets } = column;
  const data = column.data ?? new Uint8Array(0);
  if (offsets === null || offsets.length < column.length + 1)
    throw new OptionsError(`a ${column.type.kind} column of ${column.length} values with too few offsets`);
  const values =
    offsets instanceof Int32Array ? varyingOf(offsets, data, places) : largeVaryingOf(offsets, data, places);
  checkSpans(values);
  return values;
}

function varyingOf(offsets: Int32Array, bytes: Uint8Array, places: Places): VaryingValues {
  const { start, length, indices } = places;
  if (indices === null) {
    const starts = offsets.subarray(start, start + length);
    const ends = offsets.subarray(start + 1, start + length + 1);
    return { form: "varying", count: length, bytes, starts, ends };
  }
  const starts = new Int32Array(length);
  const ends = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const at = indices[i] as number;
    starts[i] = offsets[at] as number;
    ends[i] = offsets[at + 1] as number;
  }
  return { form: "varying", count: length, bytes, starts, ends };
}

/** 64-bit offsets, made relative to the lowest one so that they fit 32 bits. */
function largeVaryingOf(offsets: BigInt64Array, data: Uint8Array, places: Places): VaryingValues {
  const { start, length, indices } = places;
  const words = new Int32Array(offsets.buffer, offsets.byteOffset, offsets.length * 2);
  const from = new Float64Array(length);
  const to = new Float64Array(length);
  let low = Infinity;
  let high = 0;
  for (let i = 0; i < length; i++) {
    const at = indices === null ? start + i : (indices[i] as number);
    const begin = (words[2 * at] as number) + (words[2 * at + 1] as number) * 2 ** 32;
    const end = (words[2 * at + 2] as number) + (words[2 * at + 3] as number) * 2 ** 32;
    from[i] = (words[2 * at] as number) < 0 ? begin + 2 ** 32 : begin;
    to[i] = (words[2 * at + 2] as number) < 0 ? end + 2 ** 32 : end;
    low = Math.min(low, from[i] as number);
    high = Math.max(high, to[i] as number);
  }
  if (length === 0) low = 0;
  if (low < 0 || high > data.length) throw new OptionsError(`offsets up to ${high} into ${data.length} bytes`);
  if (high - low >= 2 ** 31) {
    throw new UnsupportedError("neighbouring values of 2 GiB and more", {
      remedy: "Write them in smaller batches; one value must stay below 2 GiB.",
    });
  }
  const starts = new Int32Array(length);
  const ends = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    starts[i] = (from[i] as number) - low;
    ends[i] = (to[i] as number) - low;
  }
  return { form: "varying", count: length, bytes: data.subarray(low, high), starts, ends };
}

function checkSpans({ starts, ends, bytes, count }: VaryingValues): void {
  const available = bytes.length;
  for (let i = 0; i < count; i++) {
    const start = starts[i] as number;
    const end = ends[i] as number;
    if (start < 0 || end < start || end > available)
      throw new OptionsError(`a value at bytes ${start} to ${end} of ${available}`);
  }
}
