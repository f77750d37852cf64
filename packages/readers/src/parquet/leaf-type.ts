import { type DataType, FormatError, UnsupportedError } from "@ingest-ts/core";
import { Converted, Logical, type LogicalType, nameOf, Physical, type SchemaElement } from "./spec.ts";

/** Largest precision of Arrow's Decimal128 and Decimal256. */
const MAX_PRECISION_128 = 38;
const MAX_PRECISION_256 = 76;

/**
 * The Arrow type of a leaf (LogicalTypes). Annotations this version does not know, or that say nothing about Arrow
 * (ENUM, BSON, GEOMETRY …), leave the storage type.
 *
 * @throws FormatError when the annotation does not fit the physical type; UnsupportedError for decimals over 76 digits.
 */
export function leafType(element: SchemaElement): DataType {
  const logical = element.logical ?? fromConverted(element);
  return (logical === undefined ? undefined : annotated(element, logical)) ?? storageType(element);
}

/** The type of a bare physical type. */
function storageType(element: SchemaElement): DataType {
  switch (element.type) {
    case Physical.BOOLEAN:
      return { kind: "bool" };
    case Physical.INT32:
      return { kind: "int", bits: 32, signed: true };
    case Physical.INT64:
      return { kind: "int", bits: 64, signed: true };
    case Physical.INT96:
      return { kind: "timestamp", unit: "ns", timezone: null };
    case Physical.FLOAT:
      return { kind: "float", bits: 32 };
    case Physical.DOUBLE:
      return { kind: "float", bits: 64 };
    case Physical.BYTE_ARRAY:
      return { kind: "binary" };
    case Physical.FIXED_LEN_BYTE_ARRAY:
      return { kind: "fixedSizeBinary", byteWidth: element.typeLength as number };
    default:
      throw new FormatError(`physical type ${element.type} does not exist`);
  }
}

/** The LogicalType of the same meaning (LogicalTypes, "Backward compatibility"). */
function fromConverted(element: SchemaElement): LogicalType | undefined {
  const int = (bitWidth: number, isSigned: boolean): LogicalType => ({ id: Logical.INTEGER, bitWidth, isSigned });
  switch (element.converted) {
    case Converted.UTF8:
      return { id: Logical.STRING };
    case Converted.JSON:
      return { id: Logical.JSON };
    case Converted.DECIMAL:
      return { id: Logical.DECIMAL, scale: element.scale ?? 0, precision: element.precision ?? 0 };
    case Converted.DATE:
      return { id: Logical.DATE };
    case Converted.TIME_MILLIS:
      return { id: Logical.TIME, isAdjustedToUtc: true, unit: "ms" };
    case Converted.TIME_MICROS:
      return { id: Logical.TIME, isAdjustedToUtc: true, unit: "us" };
    case Converted.TIMESTAMP_MILLIS:
      return { id: Logical.TIMESTAMP, isAdjustedToUtc: true, unit: "ms" };
    case Converted.TIMESTAMP_MICROS:
      return { id: Logical.TIMESTAMP, isAdjustedToUtc: true, unit: "us" };
    case Converted.UINT_8:
    case Converted.UINT_16:
    case Converted.UINT_32:
    case Converted.UINT_64:
      return int(8 << (element.converted - Converted.UINT_8), false);
    case Converted.INT_8:
    case Converted.INT_16:
    case Converted.INT_32:
    case Converted.INT_64:
      return int(8 << (element.converted - Converted.INT_8), true);
    default:
      return undefined;
  }
}

function annotated(element: SchemaElement, logical: LogicalType): DataType | undefined {
  const { type } = element;
  switch (logical.id) {
    case Logical.UNKNOWN:
      return { kind: "null" };
    case Logical.STRING:
    case Logical.JSON:
      require(element, logical, type === Physical.BYTE_ARRAY);
      return { kind: "utf8" };
    case Logical.DATE:
      require(element, logical, type === Physical.INT32);
      return { kind: "date", unit: "day" };
    case Logical.TIME:
      require(element, logical, type === (logical.unit === "ms" ? Physical.INT32 : Physical.INT64));
      return { kind: "time", unit: logical.unit ?? "ms" };
    case Logical.TIMESTAMP:
      // INT96 is a timestamp already; some writers say so.
      if (type === Physical.INT96) return undefined;
      require(element, logical, type === Physical.INT64);
      return {
        kind: "timestamp",
        unit: logical.unit ?? "ms",
        timezone: logical.isAdjustedToUtc === true ? "UTC" : null,
      };
    case Logical.INTEGER:
      return integer(element, logical);
    case Logical.DECIMAL:
      return decimal(element, logical);
    case Logical.UUID:
      require(element, logical, type === Physical.FIXED_LEN_BYTE_ARRAY && element.typeLength === 16);
      return undefined;
    case Logical.FLOAT16:
      require(element, logical, type === Physical.FIXED_LEN_BYTE_ARRAY && element.typeLength === 2);
      return { kind: "float", bits: 16 };
    default:
      return undefined;
  }
}

function require(element: SchemaElement, logical: LogicalType, fits: boolean): void {
  if (fits) return;
  const physical = nameOf(Physical, element.type ?? -1, "type");
  throw new FormatError(`logical type ${nameOf(Logical, logical.id, "type")} on a column stored as ${physical}`);
}

function integer(element: SchemaElement, logical: LogicalType): DataType {
  const { bitWidth, isSigned } = logical;
  require(element, logical, bitWidth === 8 || bitWidth === 16 || bitWidth === 32 || bitWidth === 64);
  require(element, logical, element.type === (bitWidth === 64 ? Physical.INT64 : Physical.INT32));
  return { kind: "int", bits: bitWidth as 8 | 16 | 32 | 64, signed: isSigned !== false };
}

function decimal(element: SchemaElement, logical: LogicalType): DataType {
  const { type } = element;
  const { precision = 0, scale = 0 } = logical;
  const stored =
    type === Physical.INT32 ||
    type === Physical.INT64 ||
    type === Physical.BYTE_ARRAY ||
    type === Physical.FIXED_LEN_BYTE_ARRAY;
  require(element, logical, stored);
  if (precision < 1 || scale < 0 || scale > precision)
    throw new FormatError(`a decimal of precision ${precision} and scale ${scale}`);
  if (precision > MAX_PRECISION_256)
    throw new UnsupportedError(`a decimal of ${precision} digits; Arrow holds ${MAX_PRECISION_256}`);
  return { kind: "decimal", bits: precision <= MAX_PRECISION_128 ? 128 : 256, precision, scale };
}
