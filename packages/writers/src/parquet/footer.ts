import { Logical, type LogicalType, type SchemaElement } from "@ingest-ts/readers/parquet/spec";
import type { Bounds } from "./statistics.ts";
import { CompactWriter } from "./thrift.ts";

/** Thrift: `struct PageEncodingStats`. */
export interface EncodingCount {
  readonly pageType: number;
  readonly encoding: number;
  readonly pages: number;
}

/** Thrift: `struct ColumnMetaData`, with offsets once they are known. */
export interface ChunkMetadata {
  readonly physical: number;
  readonly encodings: readonly number[];
  readonly path: readonly string[];
  readonly codec: number;
  readonly numValues: number;
  readonly uncompressedBytes: number;
  readonly compressedBytes: number;
  readonly dataPageOffset: number;
  readonly dictionaryPageOffset: number | undefined;
  /** Undefined when statistics are off. */
  readonly nullCount: number | undefined;
  readonly bounds: Bounds | undefined;
  readonly encodingCounts: readonly EncodingCount[];
  /** Of BYTE_ARRAY values, without their lengths. */
  readonly unencodedBytes: number | undefined;
  /** Entries per level; undefined when there is only level 0. */
  readonly definitionHistogram: readonly number[] | undefined;
  readonly repetitionHistogram: readonly number[] | undefined;
}

/** Thrift: `struct RowGroup`. */
export interface RowGroupMetadata {
  readonly rows: number;
  readonly fileOffset: number;
  readonly chunks: readonly ChunkMetadata[];
}

export interface FileMetadata {
  readonly version: 1 | 2;
  readonly elements: readonly SchemaElement[];
  readonly rows: number;
  readonly rowGroups: readonly RowGroupMetadata[];
  readonly keyValues: readonly (readonly [key: string, value: string])[];
  readonly createdBy: string;
  readonly leaves: number;
}

/** `struct FileMetaData` (Thrift) as bytes. */
export function encodeFileMetadata(metadata: FileMetadata): Uint8Array {
  const out = new CompactWriter();
  out.message(() => {
    out.i32(1, metadata.version);
    out.structs(2, metadata.elements, (element) => writeSchemaElement(out, element));
    out.i64(3, metadata.rows);
    out.structs(4, metadata.rowGroups, (group, ordinal) => writeRowGroup(out, group, ordinal));
    if (metadata.keyValues.length > 0) {
      out.structs(5, metadata.keyValues, ([key, value]) => {
        out.string(1, key);
        out.string(2, value);
      });
    }
    out.string(6, metadata.createdBy);
    // column_orders: TypeDefinedOrder for every leaf; without it readers ignore min_value and max_value.
    out.structs(7, new Array<undefined>(metadata.leaves).fill(undefined), () => {
      out.struct(1, () => undefined);
    });
  });
  return out.view();
}

function writeSchemaElement(out: CompactWriter, element: SchemaElement): void {
  const i32 = (id: number, value: number | undefined): void => {
    if (value !== undefined) out.i32(id, value);
  };
  i32(1, element.type);
  i32(2, element.typeLength);
  i32(3, element.repetition);
  out.string(4, element.name);
  i32(5, element.numChildren);
  i32(6, element.converted);
  i32(7, element.scale);
  i32(8, element.precision);
  i32(9, element.fieldId);
  const { logical } = element;
  if (logical !== undefined) {
    out.struct(10, () => {
      out.struct(logical.id, () => writeLogicalParameters(out, logical));
    });
  }
}

const unitIds = { ms: 1, us: 2, ns: 3 };

function writeLogicalParameters(out: CompactWriter, logical: LogicalType): void {
  switch (logical.id) {
    case Logical.DECIMAL:
      out.i32(1, logical.scale ?? 0);
      out.i32(2, logical.precision ?? 0);
      break;
    case Logical.TIME:
    case Logical.TIMESTAMP:
      out.bool(1, logical.isAdjustedToUtc ?? false);
      out.struct(2, () => {
        out.struct(unitIds[logical.unit ?? "ms"], () => undefined);
      });
      break;
    case Logical.INTEGER:
      out.i8(1, logical.bitWidth ?? 0);
      out.bool(2, logical.isSigned ?? true);
      break;
    default:
  }
}

function writeRowGroup(out: CompactWriter, group: RowGroupMetadata, ordinal: number): void {
  const { chunks } = group;
  out.structs(1, chunks, (chunk) => {
    // file_offset is deprecated; 0 as the specification asks.
    out.i64(2, 0);
    out.struct(3, () => writeColumnMetadata(out, chunk));
  });
  out.i64(2, sum(chunks.map((chunk) => chunk.uncompressedBytes)));
  out.i64(3, group.rows);
  out.i64(5, group.fileOffset);
  out.i64(6, sum(chunks.map((chunk) => chunk.compressedBytes)));
  if (ordinal < 2 ** 15) out.i16(7, ordinal);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function writeColumnMetadata(out: CompactWriter, chunk: ChunkMetadata): void {
  out.i32(1, chunk.physical);
  out.i32s(2, chunk.encodings);
  out.strings(3, chunk.path);
  out.i32(4, chunk.codec);
  out.i64(5, chunk.numValues);
  out.i64(6, chunk.uncompressedBytes);
  out.i64(7, chunk.compressedBytes);
  out.i64(9, chunk.dataPageOffset);
  if (chunk.dictionaryPageOffset !== undefined) out.i64(11, chunk.dictionaryPageOffset);
  const { nullCount, bounds } = chunk;
  if (nullCount !== undefined) out.struct(12, () => writeStatistics(out, nullCount, bounds));
  out.structs(13, chunk.encodingCounts, (count) => {
    out.i32(1, count.pageType);
    out.i32(2, count.encoding);
    out.i32(3, count.pages);
  });
  out.struct(16, () => {
    if (chunk.unencodedBytes !== undefined) out.i64(1, chunk.unencodedBytes);
    if (chunk.repetitionHistogram !== undefined) out.i64s(2, chunk.repetitionHistogram);
    if (chunk.definitionHistogram !== undefined) out.i64s(3, chunk.definitionHistogram);
  });
}

function writeStatistics(out: CompactWriter, nullCount: number, bounds: Bounds | undefined): void {
  out.i64(3, nullCount);
  if (bounds?.max !== undefined) out.binary(5, bounds.max);
  if (bounds?.min !== undefined) out.binary(6, bounds.min);
  if (bounds?.max !== undefined) out.bool(7, bounds.maxExact);
  if (bounds?.min !== undefined) out.bool(8, bounds.minExact);
}
