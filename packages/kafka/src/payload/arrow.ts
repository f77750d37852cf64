import {
  type Column,
  type Columns,
  concatRows,
  type DataType,
  FormatError,
  getBit,
  type IngestError,
  isIngestError,
  type JsonValue,
  OptionsError,
  type Schema,
  UnsupportedError,
} from "@ingest-ts/core";
import { readArrowBytes } from "@ingest-ts/readers/arrow/values";
import type { DecodedValues, PayloadDecoder, PayloadInput, PoisonValue } from "./values.ts";

/** How values are read as Arrow IPC streams. */
export interface ArrowPayloadOptions {
  readonly as: "arrow";
  /** Of the rows in every value. Default: that of the first one. */
  readonly schema?: Schema | undefined;
}

/**
 * Each value is one complete Arrow IPC stream of any number of rows, so that a column of them is a list of structs: nothing
 * is decoded row by row.
 */
export class ArrowDecoder implements PayloadDecoder {
  readonly as = "arrow";
  readonly type: DataType;
  readonly resolved: JsonValue;
  readonly #rowType: DataType;
  readonly #fields: string;

  private constructor({ fields }: Schema) {
    this.#rowType = { kind: "struct", children: fields };
    this.#fields = JSON.stringify(fields.map(shape));
    this.type = { kind: "list", child: { name: "item", type: this.#rowType, nullable: false } };
    this.resolved = { as: "arrow", schema: { fields, metadata: {} } as unknown as JsonValue };
  }

  /** @throws OptionsError without a schema and without a record that shows it */
  static async create(options: ArrowPayloadOptions, sample: PayloadInput | undefined): Promise<ArrowDecoder> {
    if (options.schema !== undefined) return new ArrowDecoder(options.schema);
    for (const bytes of sample === undefined ? [] : presentValues(sample.values)) {
      try {
        return new ArrowDecoder((await readArrowBytes(bytes)).schema);
      } catch (error) {
        // Poison is found when it is decoded.
        if (!isIngestError(error)) throw error;
      }
    }
    throw new OptionsError("no value is an Arrow stream whose schema could be taken", {
      remedy: "Declare the schema of the values.",
    });
  }

  async decode({ values }: PayloadInput): Promise<DecodedValues> {
    const offsets = new Int32Array(values.length + 1);
    const validity = new Uint8Array((values.length + 7) >> 3);
    const poison: PoisonValue[] = [];
    const parts: Columns[] = [];
    let rows = 0;
    let nullCount = 0;
    for (let i = 0; i < values.length; i++) {
      const found = await this.#rowsOf(values, i);
      if (found === undefined) nullCount++;
      else if (isIngestError(found)) {
        nullCount++;
        poison.push({ index: i, error: found });
      } else {
        if (found.rows > 0) parts.push(found);
        rows += found.rows;
        if (rows > 2 ** 31 - 1) throw new UnsupportedError("more than 2^31 rows of Arrow values at once");
        validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
      }
      offsets[i + 1] = rows;
    }
    const items = this.#items(parts, rows);
    const column: Column = {
      type: this.type,
      length: values.length,
      nullCount,
      validity: nullCount === 0 ? null : validity,
      offsets,
      data: null,
      children: [items],
      dictionary: null,
    };
    return { column, poison };
  }

  async #rowsOf(values: Column, i: number): Promise<Columns | IngestError | undefined> {
    if (values.validity !== null && !getBit(values.validity, i)) return undefined;
    try {
      const { schema, rows, columns } = await readArrowBytes(valueAt(values, i));
      if (JSON.stringify(schema.fields.map(shape)) === this.#fields) return { rows, columns };
      return new FormatError("an Arrow stream of another schema than the first one or the declared one", {
        remedy: "Declare the schema, or write all values with one.",
      });
    } catch (error) {
      if (!isIngestError(error)) throw error;
      return error;
    }
  }

  #items(parts: readonly Columns[], rows: number): Column {
    const base = { type: this.#rowType, length: rows, nullCount: 0, validity: null, offsets: null, data: null };
    if (parts.length === 0) return { ...base, children: emptyChildren(this.#rowType), dictionary: null };
    return { ...base, children: concatRows(parts).columns, dictionary: null };
  }
}

/** What two schemas must agree in: everything but the metadata of fields. */
function shape(field: unknown): unknown {
  return JSON.parse(JSON.stringify(field, (key, value: unknown) => (key === "metadata" ? undefined : value)));
}

function emptyChildren(type: DataType): Column[] {
  if (type.kind !== "struct") return [];
  return type.children.map((field) => emptyOf(field.type));
}

/** A column of no values. */
function emptyOf(type: DataType): Column {
  const large = type.kind === "largeUtf8" || type.kind === "largeBinary" || type.kind === "largeList";
  const listed = type.kind === "utf8" || type.kind === "binary" || type.kind === "list" || type.kind === "map";
  return {
    type,
    length: 0,
    nullCount: 0,
    validity: null,
    offsets: large ? new BigInt64Array(1) : listed ? new Int32Array(1) : null,
    data: new Uint8Array(0),
    children: childrenOf(type).map(emptyOf),
    dictionary: null,
  };
}

function childrenOf(type: DataType): DataType[] {
  if ("children" in type) return type.children.map((child) => child.type);
  return "child" in type ? [type.child.type] : [];
}

function valueAt({ data, offsets }: Column, i: number): Uint8Array {
  const ends = offsets as Int32Array;
  return (data as Uint8Array).subarray(ends[i], ends[i + 1]);
}

function* presentValues(values: Column): Generator<Uint8Array> {
  for (let i = 0; i < values.length; i++) {
    if (values.validity === null || getBit(values.validity, i)) yield valueAt(values, i);
  }
}
