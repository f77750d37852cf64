import { type Column, type Columns, layoutOf, type Schema, sliceColumn } from "@ingest-ts/core";
import { toArrowData, toArrowSchema } from "@ingest-ts/core/arrow";
import {
  Data,
  type DataType as ArrowType,
  type Field as ArrowField,
  RecordBatch,
  Schema as ArrowSchema,
  Struct,
} from "apache-arrow";

/**
 * apache-arrow copies the schema of every RecordBatch it makes, name by name, which costs more than the batch. A schema
 * that is assigned its own fields is itself.
 */
class SharedSchema extends ArrowSchema {
  override assign(...args: (ArrowSchema | ArrowField | ArrowField[])[]): ArrowSchema {
    const [fields] = args;
    const own = args.length === 1 && Array.isArray(fields) && fields.length === this.fields.length;
    if (own && fields.every((field, i) => field === this.fields[i])) return this;
    return super.assign(...(args as ArrowField[]));
  }
}

/** Rows [from, to) of one column of a block as apache-arrow's data. */
type ColumnSlicer = (from: number, to: number) => Data;

type TypedArray = { subarray(from: number, to: number): TypedArray; readonly BYTES_PER_ELEMENT: number };

function slicerOf(column: Column, type: ArrowType): ColumnSlicer {
  const layout = layoutOf(column.type);
  const general: ColumnSlicer = (from, to) => toArrowData(sliceColumn(column, from, to), type);
  if (layout.kind !== "fixed" || column.nullCount > 0 || column.dictionary !== null || column.length === 0)
    return general;
  // The view of the whole block is made once; a batch's is a part of it.
  const { values } = toArrowData(column, type) as unknown as { values: TypedArray };
  const perValue = layout.byteWidth / values.BYTES_PER_ELEMENT;
  return (from, to) => {
    const buffers = [undefined, values.subarray(from * perValue, to * perValue), undefined, undefined];
    return new Data(type, 0, to - from, 0, buffers as unknown as Data["buffers"]);
  };
}

/** Makes record batches of the rows of blocks, all with one schema object. */
export class RecordBatchMaker {
  readonly schema: ArrowSchema;
  readonly #types: readonly ArrowType[];
  readonly #struct: Struct;
  readonly #slicers = new WeakMap<Columns, readonly ColumnSlicer[]>();

  constructor(schema: Schema) {
    const { fields, metadata } = toArrowSchema(schema);
    this.schema = new SharedSchema(fields, metadata);
    this.#types = fields.map((field) => field.type);
    this.#struct = new Struct(fields);
  }

  /** Rows [from, to) of a block, sharing its buffers. */
  make(block: Columns, from: number, to: number): RecordBatch {
    let slicers = this.#slicers.get(block);
    if (slicers === undefined) {
      slicers = this.#types.map((type, c) => slicerOf(block.columns[c] as Column, type));
      this.#slicers.set(block, slicers);
    }
    const children = slicers.map((slice) => slice(from, to));
    return new RecordBatch(this.schema, new Data(this.#struct, 0, to - from, 0, undefined, children));
  }
}
