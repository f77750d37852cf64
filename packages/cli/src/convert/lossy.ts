import {
  type ByteSink,
  type Columns,
  type DataType,
  type Field,
  isIngestError,
  type Schema,
  typeName,
  typeText,
} from "@ingest-ts/core";
import { mapColumn } from "./lossy-columns.ts";
import type { Target, TargetOptions } from "./targets.ts";

/** What is written in place of the rows that were read. */
export interface LossyPlan {
  readonly schema: Schema;
  /** For people: `"a": uint64 as decimal128(20, 0)`. */
  readonly changes: readonly string[];
  /** @throws UnsupportedError for a value that the mapping has no place for */
  map(columns: Columns): Columns;
}

const decimal20: DataType = { kind: "decimal", bits: 128, precision: 20, scale: 0 };
const text: DataType = { kind: "utf8" };
const nothing: ByteSink = { write: async () => {}, close: async () => {}, abort: async () => {} };

/**
 * The mapping of `--lossy`: a column that `target` cannot hold takes the first of these that it can hold: uint64 as
 * decimal(20, 0) (ORC, Avro), float64 as the nearest float32 (TFRecord), each also inside others; the whole column as
 * text, as `cat --to csv` prints it. Field names that Avro forbids get `_` for each character it does not know.
 */
export async function planLossy(schema: Schema, target: Target, options: TargetOptions): Promise<LossyPlan> {
  const changes: string[] = [];
  const fields: Field[] = [];
  for (const field of schema.fields) {
    const named = target.format === "avro" ? avroNamed(field) : field;
    if (JSON.stringify(named) !== JSON.stringify(field)) {
      const what = named.name === field.name ? "names of its fields" : JSON.stringify(named.name);
      changes.push(`"${field.name}": ${what}, with _ for what Avro's names cannot have`);
    }
    const type = await heldType(named, target, options);
    if (type !== named.type) changes.push(`"${field.name}": ${changeText(named.type, type)}`);
    fields.push({ ...named, type });
  }
  const map = ({ rows, columns }: Columns): Columns => ({
    rows,
    columns: columns.map((column, i) => {
      const { name, type } = fields[i] as Field;
      return mapColumn(column, type, name);
    }),
  });
  return { schema: { ...schema, fields }, changes, map };
}

function changeText(from: DataType, to: DataType): string {
  return to.kind === "utf8" ? `${typeName(from)} as text` : `${typeText(from)} as ${typeText(to)}`;
}

async function heldType(field: Field, target: Target, options: TargetOptions): Promise<DataType> {
  const fitting = fit(field.type, target.format, options);
  if (await holds({ ...field, type: fitting }, target, options)) return fitting;
  if (fitting !== field.type && (await holds(field, target, options))) return field.type;
  return text;
}

async function holds(field: Field, target: Target, options: TargetOptions): Promise<boolean> {
  try {
    await (await target.create(nothing, { fields: [field], metadata: {} }, options)).abort();
    return true;
  } catch (error) {
    if (isIngestError(error, "INGEST_UNSUPPORTED")) return false;
    throw error;
  }
}

/** The same object when nothing changes. */
function fit(type: DataType, format: Target["format"], options: TargetOptions): DataType {
  const inner = (field: Field): Field => {
    const fitting = fit(field.type, format, options);
    return fitting === field.type ? field : { ...field, type: fitting };
  };
  switch (type.kind) {
    case "int":
      // Parquet's INT64 has an unsigned reading; ORC's and Avro's longs have none.
      return type.bits === 64 && !type.signed && (format === "orc" || format === "avro") ? decimal20 : type;
    case "float":
      return type.bits === 64 && format === "tfrecord" && options.float64 === "refuse"
        ? { kind: "float", bits: 32 }
        : type;
    case "list":
    case "largeList":
    case "fixedSizeList":
    case "map": {
      const child = inner(type.child);
      return child === type.child ? type : { ...type, child };
    }
    case "struct": {
      const children = type.children.map(inner);
      return children.every((child, i) => child === type.children[i]) ? type : { ...type, children };
    }
    default:
      return type;
  }
}

function avroNamed(field: Field): Field {
  const plain = field.name.replaceAll(/[^A-Za-z0-9_]/g, "_");
  const name = /^[0-9]/.test(plain) || plain === "" ? `_${plain}` : plain;
  return { ...field, name, type: avroNamedType(field.type) };
}

function avroNamedType(type: DataType): DataType {
  switch (type.kind) {
    case "struct":
      return { ...type, children: type.children.map(avroNamed) };
    case "list":
    case "largeList":
    case "fixedSizeList":
      return { ...type, child: { ...type.child, type: avroNamedType(type.child.type) } };
    case "map": {
      const entries = type.child.type;
      if (entries.kind !== "struct") return type;
      const children = entries.children.map((child) => ({ ...child, type: avroNamedType(child.type) }));
      return { ...type, child: { ...type.child, type: { ...entries, children } } };
    }
    default:
      return type;
  }
}
