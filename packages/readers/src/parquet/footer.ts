import { checkLimit, type Limits } from "@ingest-ts/core";
import {
  type ColumnChunk,
  type FileMetadata,
  Logical,
  type LogicalType,
  type RowGroup,
  type SchemaElement,
  type StoredSpan,
} from "./spec.ts";
import { CompactReader, ThriftType } from "./thrift.ts";

const { BINARY, I32, I64, STRUCT } = ThriftType;

/**
 * Parses `struct FileMetaData` (Thrift), which lies at `baseOffset` of its file.
 *
 * @throws FormatError with the offset of what is wrong; UnsupportedError over limits.columns.
 */
export function readFileMetadata(bytes: Uint8Array, baseOffset: number, limits: Limits): FileMetadata {
  const reader = new CompactReader(bytes, baseOffset);
  let elements: SchemaElement[] | undefined;
  let rowGroups: RowGroup[] | undefined;
  let createdBy: string | undefined;
  let keyValues: Record<string, string> = {};
  let paths: readonly string[] = [];
  let typeOrdered: boolean[] = [];
  reader.struct(STRUCT, "FileMetaData", (id, type) => {
    switch (id) {
      case 2:
        elements = reader.list(type, STRUCT, "schema", (element) => readSchemaElement(reader, element));
        break;
      case 4:
        paths = leafPaths(elements ?? []);
        rowGroups = reader.list(type, STRUCT, "row_groups", (element) => readRowGroup(reader, element, paths));
        break;
      case 5:
        keyValues = readKeyValues(reader, type);
        break;
      case 6:
        createdBy = reader.string(type, "created_by");
        break;
      case 7:
        typeOrdered = reader.list(type, STRUCT, "column_orders", (element) => readColumnOrder(reader, element));
        break;
      default:
        reader.skip(type);
    }
  });
  if (elements === undefined || elements.length === 0) throw reader.fail("the footer has no schema");
  if (rowGroups === undefined) throw reader.fail("the footer has no list of row groups");
  checkLimit(
    limits,
    "columns",
    elements.filter((element) => element.numChildren === undefined).length,
    "a column count",
  );
  return { createdBy, elements, rowGroups, keyValues, typeOrdered };
}

/** Thrift: `union ColumnOrder`, of which 1 is TYPE_ORDER. */
function readColumnOrder(reader: CompactReader, unionType: number): boolean {
  let isTypeOrder = false;
  reader.struct(unionType, "ColumnOrder", (id, type) => {
    isTypeOrder = id === 1;
    reader.skip(type);
  });
  return isTypeOrder;
}

/**
 * The path of every leaf, its names joined by a character that no name should have. A column chunk says its path once
 * more: a chunk in the wrong place would be read as another column.
 */
function leafPaths(elements: readonly SchemaElement[]): string[] {
  const paths: string[] = [];
  // Groups that are open, each with the children it still waits for.
  const open: { path: string; left: number }[] = [];
  for (const [i, element] of elements.entries()) {
    while (open.at(-1)?.left === 0) open.pop();
    const parent = open.at(-1);
    if (parent !== undefined) parent.left--;
    const path = i === 0 ? "" : `${parent?.path ?? ""}${SEPARATOR}${element.name}`;
    if (element.numChildren === undefined) paths.push(path);
    else open.push({ path, left: element.numChildren });
  }
  return paths;
}

const SEPARATOR = "\u0000";

function readKeyValues(reader: CompactReader, type: number): Record<string, string> {
  // Without a prototype, so that a key such as "__proto__" is a key like any other.
  const out: Record<string, string> = Object.create(null) as Record<string, string>;
  reader.list(type, STRUCT, "key_value_metadata", (element) => {
    let key = "";
    let value = "";
    reader.struct(element, "KeyValue", (id, inner) => {
      if (id === 1) key = reader.string(inner, "key");
      else if (id === 2) value = reader.string(inner, "value");
      else reader.skip(inner);
    });
    out[key] = value;
  });
  return { ...out };
}

function readSchemaElement(reader: CompactReader, elementType: number): SchemaElement {
  let name: string | undefined;
  const numbers: (number | undefined)[] = [];
  let logical: LogicalType | undefined;
  reader.struct(elementType, "SchemaElement", (id, type) => {
    if (id === 4) name = reader.string(type, "name");
    else if (id === 10) logical = readLogicalType(reader, type);
    else if (id >= 1 && id <= 9) numbers[id] = reader.i32(type, `field ${id} of a SchemaElement`);
    else reader.skip(type);
  });
  if (name === undefined) throw reader.fail("a schema element without a name");
  const numChildren = numbers[5];
  if (numbers[1] === undefined && numChildren === undefined)
    throw reader.fail(`schema element "${name}" has neither a type nor children`);
  if (numChildren !== undefined && numChildren < 0)
    throw reader.fail(`schema element "${name}" has ${numChildren} children`);
  return {
    name,
    // Some writers give leaves num_children = 0.
    type: numbers[1],
    numChildren: numbers[1] !== undefined && numChildren === 0 ? undefined : numChildren,
    typeLength: numbers[2],
    repetition: numbers[3],
    converted: numbers[6],
    scale: numbers[7],
    precision: numbers[8],
    fieldId: numbers[9],
    logical,
  };
}

/** Thrift: `union LogicalType`: one field, whose id tells the type and whose value is its parameters. */
/** Thrift: `struct GeometryType` and `struct GeographyType`. */
function readGeoType(reader: CompactReader, structType: number): Partial<LogicalType> {
  let crs: string | undefined;
  let algorithm: number | undefined;
  reader.struct(structType, "GeometryType", (id, type) => {
    if (id === 1) crs = reader.string(type, "crs");
    else if (id === 2) algorithm = reader.i32(type, "algorithm");
    else reader.skip(type);
  });
  return { crs, algorithm };
}

function readLogicalType(reader: CompactReader, unionType: number): LogicalType | undefined {
  let logical: LogicalType | undefined;
  reader.struct(unionType, "LogicalType", (id, type) => {
    let parameters = {};
    if (id === Logical.DECIMAL) parameters = readDecimalType(reader, type);
    else if (id === Logical.TIME || id === Logical.TIMESTAMP) parameters = readTimeType(reader, type);
    else if (id === Logical.INTEGER) parameters = readIntType(reader, type);
    else if (id === Logical.GEOMETRY || id === Logical.GEOGRAPHY) parameters = readGeoType(reader, type);
    else reader.skip(type);
    logical = { id, ...parameters };
  });
  return logical;
}

function readDecimalType(reader: CompactReader, type: number): Pick<LogicalType, "scale" | "precision"> {
  let scale = 0;
  let precision = 0;
  reader.struct(type, "DecimalType", (id, inner) => {
    if (id === 1) scale = reader.i32(inner, "scale");
    else if (id === 2) precision = reader.i32(inner, "precision");
    else reader.skip(inner);
  });
  return { scale, precision };
}

function readTimeType(reader: CompactReader, type: number): Pick<LogicalType, "isAdjustedToUtc" | "unit"> {
  let isAdjustedToUtc = false;
  let unit: LogicalType["unit"];
  reader.struct(type, "TimeType", (id, inner) => {
    if (id === 1) isAdjustedToUtc = reader.bool(inner, "isAdjustedToUTC");
    else if (id === 2) {
      reader.struct(inner, "TimeUnit", (unitId, unitType) => {
        unit = unitId === 1 ? "ms" : unitId === 2 ? "us" : unitId === 3 ? "ns" : undefined;
        reader.skip(unitType);
      });
    } else reader.skip(inner);
  });
  if (unit === undefined) throw reader.fail("a TIME or TIMESTAMP type without a known unit");
  return { isAdjustedToUtc, unit };
}

function readIntType(reader: CompactReader, type: number): Pick<LogicalType, "bitWidth" | "isSigned"> {
  let bitWidth = 0;
  let isSigned = true;
  reader.struct(type, "IntType", (id, inner) => {
    if (id === 1) bitWidth = reader.i8(inner, "bitWidth");
    else if (id === 2) isSigned = reader.bool(inner, "isSigned");
    else reader.skip(inner);
  });
  return { bitWidth, isSigned };
}

function readRowGroup(reader: CompactReader, elementType: number, paths: readonly string[]): RowGroup {
  let columns: ColumnChunk[] | undefined;
  let numRows: number | undefined;
  reader.struct(elementType, "RowGroup", (id, type) => {
    if (id === 1) {
      let next = 0;
      columns = reader.list(type, STRUCT, "columns", (element) => readColumnChunk(reader, element, paths[next++]));
    } else if (id === 3) numRows = reader.count(type, I64, "num_rows of a row group");
    else reader.skip(type);
  });
  if (columns === undefined || numRows === undefined) throw reader.fail("a row group without columns or num_rows");
  return { columns, numRows };
}

const absent: Omit<ColumnChunk, "encrypted" | "filePath"> = {
  type: -1,
  codec: -1,
  encodings: [],
  numValues: 0,
  totalUncompressedSize: 0,
  totalCompressedSize: 0,
  dataPageOffset: 0,
  dictionaryPageOffset: undefined,
};

function readColumnChunk(reader: CompactReader, elementType: number, path: string | undefined): ColumnChunk {
  let filePath: string | undefined;
  let encrypted = false;
  let metadata: Omit<ColumnChunk, "encrypted" | "filePath"> | undefined;
  const places: (number | undefined)[] = [];
  reader.struct(elementType, "ColumnChunk", (id, type) => {
    switch (id) {
      case 4:
      case 6:
        places[id] = reader.i64(type, "the place of an index");
        break;
      case 5:
      case 7:
        places[id] = reader.i32(type, "the length of an index");
        break;
      case 1:
        filePath = reader.string(type, "file_path");
        break;
      case 3:
        metadata = readColumnMetadata(reader, type, path);
        break;
      case 8:
        encrypted = true;
        reader.skip(type);
        break;
      default:
        reader.skip(type);
    }
  });
  if (metadata === undefined && !encrypted) throw reader.fail("a column chunk without metadata");
  const [offsetIndex, columnIndex] = [storedSpan(places[4], places[5]), storedSpan(places[6], places[7])];
  return { ...(metadata ?? absent), offsetIndex, columnIndex, encrypted, filePath };
}

/** Undefined when it says nothing: indexes only save work, so they are not refused. */
function storedSpan(offset: number | undefined, length: number | undefined): StoredSpan | undefined {
  if (offset === undefined || offset <= 0 || (length !== undefined && length <= 0)) return undefined;
  return { offset, length };
}

function readColumnMetadata(
  reader: CompactReader,
  type: number,
  path: string | undefined,
): Omit<ColumnChunk, "encrypted" | "filePath"> {
  const numbers: (number | undefined)[] = [];
  let encodings: number[] = [];
  let statistics: Uint8Array | undefined;
  reader.struct(type, "ColumnMetaData", (id, inner) => {
    switch (id) {
      case 1:
      case 4:
        numbers[id] = reader.i32(inner, id === 1 ? "type" : "codec");
        break;
      case 2:
        encodings = reader.list(inner, I32, "encodings", (element) => reader.i32(element, "encoding"));
        break;
      case 3:
        checkPath(reader, inner, path);
        break;
      case 5:
      case 6:
      case 7:
      case 9:
        numbers[id] = reader.count(inner, I64, chunkFields[id] as string);
        break;
      case 11:
        // Negative in files of old writers that have no dictionary.
        numbers[id] = reader.i64(inner, "dictionary_page_offset");
        break;
      case 12:
        statistics = reader.raw(inner);
        break;
      case 14:
        numbers[id] = reader.i64(inner, "bloom_filter_offset");
        break;
      case 15:
        numbers[id] = reader.i32(inner, "bloom_filter_length");
        break;
      default:
        reader.skip(inner);
    }
  });
  const required = (id: number): number => {
    const value = numbers[id];
    if (value === undefined) throw reader.fail(`column metadata without ${chunkFields[id] ?? `field ${id}`}`);
    return value;
  };
  return {
    type: required(1),
    codec: required(4),
    encodings,
    numValues: required(5),
    totalUncompressedSize: required(6),
    totalCompressedSize: required(7),
    dataPageOffset: required(9),
    dictionaryPageOffset: numbers[11],
    statistics,
    bloomFilter: storedSpan(numbers[14], numbers[15]),
  };
}

function checkPath(reader: CompactReader, type: number, path: string | undefined): void {
  const names = reader.list(type, BINARY, "path_in_schema", (element) => reader.string(element, "path_in_schema"));
  const found = names.map((name) => `${SEPARATOR}${name}`).join("");
  if (path === undefined || found === path) return;
  const shown = path.slice(1).replaceAll(SEPARATOR, ".");
  throw reader.fail(`a column chunk of "${names.join(".")}" where "${shown}" belongs`);
}

const chunkFields: Readonly<Record<number, string>> = {
  1: "type",
  4: "codec",
  5: "num_values",
  6: "total_uncompressed_size",
  7: "total_compressed_size",
  9: "data_page_offset",
};
