import { type DataType, UnsupportedError } from "@ingest-ts/core";
import { decimalBytes } from "../columns/decimal-bytes.ts";
import { describeType } from "../describe-type.ts";
import { Converted, Logical, type LogicalType, Physical } from "@ingest-ts/readers/parquet/spec";

/** How values of one Arrow type are stored. */
export interface LeafType {
  /** One of `Physical`. */
  readonly physical: number;
  /** Bytes per value of FIXED_LEN_BYTE_ARRAY, else 0. */
  readonly typeLength: number;
  readonly logical: LogicalType | undefined;
  readonly converted: number | undefined;
}

function plain(physical: number, logical?: LogicalType, converted?: number): LeafType {
  return { physical, typeLength: 0, logical, converted };
}

function fixed(typeLength: number, logical?: LogicalType, converted?: number): LeafType {
  return { physical: Physical.FIXED_LEN_BYTE_ARRAY, typeLength, logical, converted };
}

/**
 * Physical and logical type for a flat Arrow type (LogicalTypes.md). Types that Parquet lacks but can carry without loss
 * (duration, date in ms, times in seconds) take the next physical type; the stored Arrow schema restores them.
 *
 * @throws UnsupportedError naming column and type when there is no such type.
 */
export function leafTypeOf(type: DataType, column: string): LeafType {
  const refuse = (why: string): UnsupportedError =>
    new UnsupportedError(`parquet: type ${describeType(type)} cannot be stored: ${why}`, {
      where: { column },
      remedy: "Leave the column out, or cast it.",
    });
  switch (type.kind) {
    case "null":
      return plain(Physical.INT32, { id: Logical.UNKNOWN });
    case "bool":
      return plain(Physical.BOOLEAN);
    case "int":
      return intType(type.bits, type.signed);
    case "float":
      if (type.bits === 16) return fixed(2, { id: Logical.FLOAT16 });
      return plain(type.bits === 32 ? Physical.FLOAT : Physical.DOUBLE);
    case "utf8":
    case "largeUtf8":
      return plain(Physical.BYTE_ARRAY, { id: Logical.STRING }, Converted.UTF8);
    case "binary":
    case "largeBinary":
      return plain(Physical.BYTE_ARRAY);
    case "fixedSizeBinary":
      if (type.byteWidth < 1) throw refuse("Parquet has no values of 0 bytes");
      return fixed(type.byteWidth);
    case "decimal":
      if (type.scale < 0 || type.scale > type.precision)
        throw refuse("Parquet wants a scale from 0 up to the precision");
      if (type.precision < 1 || type.precision > (type.bits === 128 ? 38 : 76))
        throw refuse("its precision is invalid");
      return decimalType(type.precision, type.scale);
    case "date":
      return plain(Physical.INT32, { id: Logical.DATE }, Converted.DATE);
    case "time":
      return timeType(type.unit);
    case "timestamp":
      return timestampType(type.unit, type.timezone !== null && type.timezone !== "");
    case "duration":
      return plain(Physical.INT64);
    default:
      throw refuse("Parquet has no type for it");
  }
}

function intType(bits: 8 | 16 | 32 | 64, signed: boolean): LeafType {
  const physical = bits === 64 ? Physical.INT64 : Physical.INT32;
  if (signed && bits >= 32) return plain(physical);
  const converted = signed
    ? { 8: Converted.INT_8, 16: Converted.INT_16, 32: Converted.INT_32, 64: Converted.INT_64 }
    : { 8: Converted.UINT_8, 16: Converted.UINT_16, 32: Converted.UINT_32, 64: Converted.UINT_64 };
  return plain(physical, { id: Logical.INTEGER, bitWidth: bits, isSigned: signed }, converted[bits]);
}

/** The integer types where they are wide enough, else the shortest byte array that holds every value. */
function decimalType(precision: number, scale: number): LeafType {
  const logical = { id: Logical.DECIMAL, precision, scale };
  if (precision <= 9) return plain(Physical.INT32, logical, Converted.DECIMAL);
  if (precision <= 18) return plain(Physical.INT64, logical, Converted.DECIMAL);
  return fixed(decimalBytes(precision), logical, Converted.DECIMAL);
}

function timeType(unit: "s" | "ms" | "us" | "ns"): LeafType {
  const stored = unit === "s" ? "ms" : unit;
  const physical = stored === "ms" ? Physical.INT32 : Physical.INT64;
  // Arrow's times are local: no converted type says that (LogicalTypes.md, "TIME").
  return plain(physical, { id: Logical.TIME, isAdjustedToUtc: false, unit: stored });
}

function timestampType(unit: "s" | "ms" | "us" | "ns", isAdjustedToUtc: boolean): LeafType {
  const stored = unit === "s" ? "ms" : unit;
  const converted = { ms: Converted.TIMESTAMP_MILLIS, us: Converted.TIMESTAMP_MICROS, ns: undefined }[stored];
  // The converted types mean UTC (LogicalTypes.md, "TIMESTAMP").
  return plain(
    Physical.INT64,
    { id: Logical.TIMESTAMP, isAdjustedToUtc, unit: stored },
    isAdjustedToUtc ? converted : undefined,
  );
}
