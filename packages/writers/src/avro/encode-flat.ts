import { type Column, type DataType, halfToNumber, OptionsError, UnsupportedError } from "@ingest-ts/core";
import { decimalBytes } from "../columns/decimal-bytes.ts";
import { extract } from "../columns/extract.ts";
import type { BoolValues, FixedValues, VaryingValues, WordValues } from "../columns/values.ts";
import { describeType } from "../describe-type.ts";
import type { Encoded, Encoder } from "./encoder.ts";
import { bytes32, bytes64, put32, put64 } from "./varints.ts";

/** The encoder of a type without children, whose places hold no nulls. */
export function flatEncoder(type: DataType): Encoder {
  switch (type.kind) {
    case "null":
      return () => ({ sizes: 0, write: () => undefined });
    case "bool":
      return (column, places) => booleans(extract(column, type, places) as BoolValues);
    case "float":
      return (column, places) => {
        if (type.bits === 16) return rawBytes(singles(extract(column, type, places) as FixedValues), 4);
        const { words } = extract(column, type, places) as WordValues;
        return rawBytes(bytesOf(words), type.bits / 8);
      };
    case "utf8":
    case "largeUtf8":
    case "binary":
    case "largeBinary":
      return (column, places) => strings(extract(column, type, places) as VaryingValues);
    case "fixedSizeBinary":
      return (column, places) => rawBytes((extract(column, type, places) as FixedValues).bytes, type.byteWidth);
    case "decimal":
      return (column, places) => {
        const width = decimalBytes(type.precision);
        const values = extract(column, type, places);
        return rawBytes(values.form === "words" ? bigEndian(values, width) : (values as FixedValues).bytes, width);
      };
    case "interval":
      return (column, places) => {
        const raw: DataType = { kind: "fixedSizeBinary", byteWidth: 16 };
        return rawBytes(durations(extract(column, raw, places) as FixedValues), 12);
      };
    default:
      return (column, places) => integers(column, type, extract(column, type, places) as WordValues);
  }
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function booleans({ bytes }: BoolValues): Encoded {
  return {
    sizes: 1,
    write(out, at) {
      for (let i = 0; i < at.length; i++) {
        const place = at[i] as number;
        out[place] = bytes[i] as number;
        at[i] = place + 1;
      }
    },
  };
}

/** Values of `width` bytes as they lie in memory, which is little endian like Avro's. */
function rawBytes(bytes: Uint8Array, width: number): Encoded {
  return {
    sizes: width,
    write(out, at) {
      for (let i = 0, from = 0; i < at.length; i++) {
        let place = at[i] as number;
        for (let k = 0; k < width; k++) out[place++] = bytes[from++] as number;
        at[i] = place;
      }
    },
  };
}

function singles({ bytes, count }: FixedValues): Uint8Array {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    out[i] = halfToNumber((bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8));
  }
  return bytesOf(out);
}

function integers(column: Column, type: DataType, { words, perValue }: WordValues): Encoded {
  if (type.kind === "int" && !type.signed && type.bits === 64) checkUnsigned(column, words);
  if (perValue === 2) return longs(words);
  return type.kind === "int" && !type.signed && type.bits === 32 ? longs(widened(words)) : ints(words);
}

/** uint32 as int64. */
function widened(words: Int32Array): Int32Array {
  const out = new Int32Array(words.length * 2);
  for (let i = 0; i < words.length; i++) out[2 * i] = words[i] as number;
  return out;
}

function checkUnsigned(column: Column, words: Int32Array): void {
  for (let i = 1; i < words.length; i += 2) {
    if ((words[i] as number) >= 0) continue;
    const value = new BigUint64Array(words.slice(i - 1, i + 1).buffer)[0];
    throw new UnsupportedError(`Avro's long cannot hold the ${describeType(column.type)} ${value}`, {
      remedy: "Cast the column to decimal(20, 0) or to text.",
    });
  }
}

function ints(words: Int32Array): Encoded {
  const sizes = new Int32Array(words.length);
  for (let i = 0; i < words.length; i++) {
    const value = words[i] as number;
    sizes[i] = bytes32((value << 1) ^ (value >> 31));
  }
  return {
    sizes,
    write(out, at) {
      for (let i = 0; i < at.length; i++) {
        const value = words[i] as number;
        at[i] = put32(out, at[i] as number, (value << 1) ^ (value >> 31));
      }
    },
  };
}

function longs(words: Int32Array): Encoded {
  const count = words.length >> 1;
  const sizes = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const low = words[2 * i] as number;
    const high = words[2 * i + 1] as number;
    const sign = high >> 31;
    sizes[i] = bytes64((low << 1) ^ sign, ((high << 1) | (low >>> 31)) ^ sign);
  }
  return {
    sizes,
    write(out, at) {
      for (let i = 0; i < at.length; i++) {
        const low = words[2 * i] as number;
        const high = words[2 * i + 1] as number;
        const sign = high >> 31;
        at[i] = put64(out, at[i] as number, (low << 1) ^ sign, ((high << 1) | (low >>> 31)) ^ sign);
      }
    },
  };
}

/** Values from here on are copied by the engine, shorter ones byte by byte. */
const LONG_BYTES = 32;

function strings({ starts, ends, bytes, count }: VaryingValues): Encoded {
  const sizes = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const length = (ends[i] as number) - (starts[i] as number);
    sizes[i] = length + bytes64(length << 1, length >>> 31);
  }
  return {
    sizes,
    write(out, at) {
      for (let i = 0; i < at.length; i++) {
        const start = starts[i] as number;
        const end = ends[i] as number;
        let place = put64(out, at[i] as number, (end - start) << 1, (end - start) >>> 31);
        if (end - start < LONG_BYTES) for (let from = start; from < end; from++) out[place++] = bytes[from] as number;
        else {
          out.set(bytes.subarray(start, end), place);
          place += end - start;
        }
        at[i] = place;
      }
    },
  };
}

/** Decimals of one or two words, as two's complement of `width` bytes, the highest first. */
function bigEndian({ words, perValue, count }: WordValues, width: number): Uint8Array {
  const little = bytesOf(words);
  const out = new Uint8Array(count * width);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < width; k++) out[(i + 1) * width - 1 - k] = little[i * 4 * perValue + k] as number;
  }
  return out;
}

/** Months, days (int32) and nanoseconds (int64) → months, days and milliseconds (uint32). */
function durations({ bytes, count }: FixedValues): Uint8Array {
  const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new DataView(new ArrayBuffer(count * 12));
  for (let i = 0; i < count; i++) {
    const months = from.getInt32(16 * i, true);
    const days = from.getInt32(16 * i + 4, true);
    const nanos = from.getInt32(16 * i + 12, true) * 2 ** 32 + from.getUint32(16 * i + 8, true);
    const millis = nanos / 1e6;
    if (months < 0 || days < 0 || !Number.isInteger(millis) || millis < 0 || millis >= 2 ** 32) {
      throw new OptionsError(`an interval of ${months} months, ${days} days and ${nanos} ns is no Avro duration`, {
        remedy: "Avro's are whole milliseconds, 32 bits without sign.",
      });
    }
    out.setUint32(12 * i, months, true);
    out.setUint32(12 * i + 4, days, true);
    out.setUint32(12 * i + 8, millis, true);
  }
  return new Uint8Array(out.buffer);
}
