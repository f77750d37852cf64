import {
  type DataType as ArrowType,
  Data,
  type Null,
  RecordBatch,
  type Schema as ArrowSchema,
  Struct,
  Vector,
} from "apache-arrow";
import { copyBits } from "../bits.ts";
import type { Column, Columns, Slab } from "../columns.ts";
import { FormatError } from "../errors.ts";
import { byteWidthOf, type Schema } from "../schema.ts";
import { fromArrowSchema, fromArrowType } from "./from-arrow.ts";

type TypedArrayConstructor = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => ArrayBufferView;

const noBytes = new Uint8Array(0);

/** `bytes` seen as the element type that apache-arrow keeps for `type`; copied only when misaligned. */
function viewAs(type: ArrowType, bytes: Uint8Array): ArrayBufferView {
  const View = type.ArrayType as unknown as TypedArrayConstructor & { BYTES_PER_ELEMENT: number };
  const size = View.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new View(aligned.buffer, aligned.byteOffset, Math.floor(aligned.byteLength / size));
}

/**
 * Data of type Null. apache-arrow writes the items of lists as slices, and gives up the null count of a slice for one to be
 * counted in a bitmap, which this type has not: -1 would be written.
 */
class NullData extends Data<Null> {
  override get nullCount(): number {
    return this.length;
  }

  override clone<R extends ArrowType = Null>(
    type: R = this.type as unknown as R,
    offset: number = this.offset,
    length: number = this.length,
  ): Data<R> {
    return new NullData(type as unknown as Null, offset, length, length) as unknown as Data<R>;
  }
}

/** One column as apache-arrow's `Data`; shares every buffer. `type` must be `toArrowType(column.type)`. */
export function toArrowData(column: Column, type: ArrowType): Data {
  const childTypes = (type.children ?? []) as { type: ArrowType }[];
  const children = column.children.map((child, i) => toArrowData(child, (childTypes[i] as { type: ArrowType }).type));
  const { kind } = column.type;
  if (kind === "null") return new NullData(type as Null, 0, column.length, column.length);
  const buffers: unknown[] = [undefined, undefined, undefined, undefined];
  if (column.offsets !== null) buffers[0] = column.offsets;
  if (kind === "union")
    buffers[3] = new Int8Array(column.data?.buffer ?? noBytes.buffer, column.data?.byteOffset ?? 0, column.length);
  else if (column.data !== null) {
    // A dictionary type names its values' array; what lies here are the indices.
    const stored = kind === "dictionary" ? (type as unknown as { indices: ArrowType }).indices : type;
    buffers[1] = viewAs(stored, column.data);
  }
  if (column.validity !== null && column.nullCount > 0) buffers[2] = column.validity;
  const dictionary =
    column.dictionary === null || column.type.kind !== "dictionary"
      ? undefined
      : new Vector([toArrowData(column.dictionary, (type as unknown as { dictionary: ArrowType }).dictionary)]);
  return new Data(
    type,
    0,
    column.length,
    column.nullCount,
    buffers as unknown as Data["buffers"],
    children,
    dictionary,
  );
}

/** Rows as an Arrow record batch, sharing every buffer. `schema` must be `toArrowSchema` of the rows' schema. */
export function toRecordBatch(columns: Columns, schema: ArrowSchema): RecordBatch {
  const children = columns.columns.map((column, i) => {
    const field = schema.fields[i];
    if (field === undefined)
      throw new FormatError(`column ${i} is not in the schema of ${schema.fields.length} fields`);
    return toArrowData(column, field.type);
  });
  return new RecordBatch(schema, new Data(new Struct(schema.fields), 0, columns.rows, 0, undefined, children));
}

function bitsOf(bits: Uint8Array, offset: number, length: number): Uint8Array {
  if (offset % 8 === 0) return bits.subarray(offset / 8, Math.ceil((offset + length) / 8));
  return copyBits(bits, offset, length);
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function columnFromData(data: Data): Column {
  const type = fromArrowType(data.type as ArrowType);
  const { length, offset } = data;
  const isUnion = type.kind === "union";
  const nullCount = isUnion ? 0 : type.kind === "null" ? length : data.nullCount;
  let bytes: Uint8Array | null = null;
  if (type.kind === "bool") bytes = bitsOf(data.values as Uint8Array, offset, length);
  else if (isUnion) bytes = bytesOf(data.typeIds as unknown as Int8Array);
  else if (data.values !== undefined && data.values !== null) {
    bytes = bytesOf(data.values as ArrayBufferView);
    const width = byteWidthOf(type);
    if (width > 0) bytes = bytes.subarray(0, width * length);
  }
  const hasOffsets = data.valueOffsets !== undefined && data.valueOffsets !== null && type.kind !== "null";
  const dictionary = data.dictionary;
  return {
    type,
    length,
    nullCount: type.kind === "null" ? length : nullCount,
    validity: nullCount > 0 && type.kind !== "null" ? bitsOf(data.nullBitmap as Uint8Array, offset, length) : null,
    offsets: hasOffsets
      ? offsetsOf(data.valueOffsets as Int32Array | BigInt64Array, isUnion ? length : length + 1)
      : null,
    data: bytes,
    children: data.children.map(columnFromData),
    dictionary: dictionary === undefined ? null : columnFromVector(dictionary as Vector),
  };
}

function offsetsOf<T extends Int32Array | BigInt64Array>(offsets: T, length: number): T {
  // arrow-js leaves the offsets of an empty array empty, where the format wants one 0.
  if (offsets.length === 0 && length === 1) return new (offsets.constructor as new (length: number) => T)(1);
  return offsets.subarray(0, length) as T;
}

function columnFromVector(vector: Vector): Column {
  const [first] = vector.data;
  if (first === undefined || vector.data.length !== 1) {
    throw new FormatError(`a dictionary of ${vector.data.length} chunks; expected one`, {
      remedy: "Unify the dictionary first.",
    });
  }
  return columnFromData(first as Data);
}

/** The columns of an Arrow record batch as plain data, sharing buffers wherever their layout allows. */
export function fromRecordBatch(batch: RecordBatch, schema: Schema = fromArrowSchema(batch.schema)): Slab {
  return { schema, rows: batch.numRows, columns: batch.data.children.map((child) => columnFromData(child as Data)) };
}
