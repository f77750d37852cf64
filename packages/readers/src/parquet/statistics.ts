import { type ColumnRange, type DataType, FormatError, halfToNumber, type Key } from "@ingest-ts/core";
import { leafType } from "./leaf-type.ts";
import type { LeafNode } from "./nodes.ts";
import { Converted, Logical, Physical, type SchemaElement } from "./spec.ts";
import { CompactReader, ThriftType } from "./thrift.ts";

/** Thrift: `struct Statistics`. */
interface Statistics {
  /** Deprecated: compared as signed, whatever the type. */
  readonly min: Uint8Array | undefined;
  readonly max: Uint8Array | undefined;
  readonly nullCount: number | undefined;
  readonly minValue: Uint8Array | undefined;
  readonly maxValue: Uint8Array | undefined;
}

/**
 * What the statistics of a column chunk say in the terms of its Arrow type. Whatever is malformed, in an order that is
 * not defined, or stored in other units than the column's, is not known.
 *
 * @param typeOrdered whether the file says that min_value and max_value follow the order of the type
 */
export function chunkRange(
  stored: Uint8Array | undefined,
  node: LeafNode,
  element: SchemaElement,
  typeOrdered: boolean,
): ColumnRange {
  const required = node.leaf.maxDefinition === 0 ? 0 : undefined;
  const statistics = stored === undefined ? undefined : readStatistics(stored);
  if (statistics === undefined || isConverted(node.type, leafType(element))) return { nullCount: required };
  const { min, max, nullCount = required } = statistics;
  if (isOrdered(node, element, typeOrdered)) {
    const { minValue, maxValue } = statistics;
    return { nullCount, min: keyOf(minValue, node), max: keyOf(maxValue, node) };
  }
  if (isSigned(node.type, node.leaf.physical)) return { nullCount, min: keyOf(min, node), max: keyOf(max, node) };
  return { nullCount };
}

/** Whether bounds that follow the order of the stored type are bounds of the column. */
export function isOrdered(node: LeafNode, element: SchemaElement, typeOrdered: boolean): boolean {
  return typeOrdered && hasOrder(element) && !isConverted(node.type, leafType(element));
}

/** Whether values are stored in another unit than the column's. */
export function isConverted(type: DataType, stored: DataType): boolean {
  const hasUnit = type.kind === "timestamp" || type.kind === "time" || type.kind === "date";
  return hasUnit && !("unit" in stored && stored.unit === type.unit);
}

/** @returns undefined when they are malformed */
function readStatistics(bytes: Uint8Array): Statistics | undefined {
  const reader = new CompactReader(bytes, 0);
  const binaries: (Uint8Array | undefined)[] = [];
  let nullCount: number | undefined;
  try {
    reader.struct(ThriftType.STRUCT, "Statistics", (id, type) => {
      if (id === 1 || id === 2 || id === 5 || id === 6) binaries[id] = reader.binary(type, `field ${id} of Statistics`);
      else if (id === 3) nullCount = reader.i64(type, "null_count");
      else reader.skip(type);
    });
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
  return { max: binaries[1], min: binaries[2], nullCount, maxValue: binaries[5], minValue: binaries[6] };
}

/** Annotations whose order is that of the stored bytes or numbers, or the one that Arrow's type has. */
const ordered: ReadonlySet<number> = new Set([
  Logical.STRING,
  Logical.ENUM,
  Logical.DECIMAL,
  Logical.DATE,
  Logical.TIME,
  Logical.TIMESTAMP,
  Logical.INTEGER,
  Logical.JSON,
  Logical.BSON,
  Logical.UUID,
  Logical.FLOAT16,
]);

/** INT96, INTERVAL, geometries, variants and what this version does not know have no order (Thrift: ColumnOrder). */
function hasOrder({ type, converted, logical }: SchemaElement): boolean {
  if (type === Physical.INT96 || converted === Converted.INTERVAL) return false;
  return logical === undefined || ordered.has(logical.id);
}

/** The deprecated bounds were compared as signed: right for numbers that are, wrong for text, bytes and unsigned. */
function isSigned(type: DataType, physical: number): boolean {
  if (type.kind === "int" && !type.signed) return false;
  return physical !== Physical.INT96 && physical !== Physical.BYTE_ARRAY && physical !== Physical.FIXED_LEN_BYTE_ARRAY;
}

/** A bound as a key of the column, or undefined when it is not known or not of the column's width. */
export function keyOf(bytes: Uint8Array | undefined, { type: own, leaf }: LeafNode): Key | undefined {
  if (bytes === undefined) return undefined;
  const type = own.kind === "dictionary" ? own.value : own;
  switch (leaf.physical) {
    case Physical.BOOLEAN:
      return type.kind === "bool" && bytes.length === 1 && (bytes[0] as number) <= 1 ? bytes[0] : undefined;
    case Physical.INT32:
    case Physical.INT64:
      return integerKey(bytes, type, leaf.physical === Physical.INT32 ? 4 : 8);
    case Physical.FLOAT:
      return type.kind === "float" && type.bits === 32 && bytes.length === 4
        ? view(bytes).getFloat32(0, true)
        : undefined;
    case Physical.DOUBLE:
      return type.kind === "float" && type.bits === 64 && bytes.length === 8
        ? view(bytes).getFloat64(0, true)
        : undefined;
    case Physical.BYTE_ARRAY:
    case Physical.FIXED_LEN_BYTE_ARRAY:
      return bytesKey(bytes, type, leaf.physical === Physical.BYTE_ARRAY ? undefined : leaf.typeLength);
    default:
      return undefined;
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Integers as they are stored; undefined for types that are not listed. */
function integerKey(bytes: Uint8Array, type: DataType, width: 4 | 8): Key | undefined {
  if (bytes.length !== width) return undefined;
  const value = width === 4 ? BigInt(view(bytes).getInt32(0, true)) : view(bytes).getBigInt64(0, true);
  switch (type.kind) {
    case "int": {
      const key = type.signed ? value : BigInt.asUintN(width * 8, value);
      if (type.bits === 64) return width === 8 ? key : undefined;
      const fits = (type.signed ? BigInt.asIntN(type.bits, key) : BigInt.asUintN(type.bits, key)) === key;
      return width === 4 && fits ? Number(key) : undefined;
    }
    case "date":
      return type.unit === "day" && width === 4 ? Number(value) : undefined;
    case "time":
      if (type.unit === "ms") return width === 4 ? Number(value) : undefined;
      return type.unit !== "s" && width === 8 ? value : undefined;
    case "timestamp":
      return type.unit !== "s" && width === 8 ? value : undefined;
    case "duration":
      return width === 8 ? value : undefined;
    case "decimal":
      return value;
    default:
      return undefined;
  }
}

function bytesKey(bytes: Uint8Array, type: DataType, typeLength: number | undefined): Key | undefined {
  switch (type.kind) {
    case "utf8":
    case "largeUtf8":
    case "binary":
    case "largeBinary":
      return bytes;
    // Bounds may be truncated: a prefix compares as what it begins.
    case "fixedSizeBinary":
      return bytes.length <= type.byteWidth ? bytes : undefined;
    case "float":
      return type.bits === 16 && bytes.length === 2 ? halfToNumber(view(bytes).getUint16(0, true)) : undefined;
    case "decimal": {
      if (bytes.length === 0 || (typeLength !== undefined && bytes.length !== typeLength)) return undefined;
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
    }
    default:
      return undefined;
  }
}
