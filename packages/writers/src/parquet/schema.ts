import { type DataType, type Field, type Schema, UnsupportedError } from "@ingest-ts/core";
import {
  Converted,
  Logical,
  type LogicalType,
  Physical,
  Repetition,
  type SchemaElement,
} from "@ingest-ts/readers/parquet/spec";
import { leafTypeOf } from "./leaf-type.ts";
import type { Step } from "./shred.ts";

/** One leaf of the Parquet schema: what is stored as a column chunk. */
export interface Leaf {
  /** Index of the top-level column it lies in. */
  readonly root: number;
  /** Path in the Parquet schema, list and map groups included. */
  readonly path: readonly string[];
  /** Dotted path in the Arrow schema, for messages and options. */
  readonly name: string;
  /** The Arrow type of the stored values: what a dictionary's indices point to, for dictionary types. */
  readonly type: DataType;
  /** One of `Physical`. */
  readonly physical: number;
  /** Bytes per value of FIXED_LEN_BYTE_ARRAY, else 0. */
  readonly typeLength: number;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
  /** The way from the top-level column down to the leaf. */
  readonly steps: readonly Step[];
}

export interface ParquetSchema {
  /** Depth first, the root first. */
  readonly elements: readonly SchemaElement[];
  readonly leaves: readonly Leaf[];
}

/** Levels are kept as bytes. */
const MAX_LEVEL = 255;

interface Context {
  readonly root: number;
  readonly path: readonly string[];
  readonly names: readonly string[];
  readonly definition: number;
  readonly repetition: number;
  readonly steps: readonly Step[];
}

const group: SchemaElement = {
  name: "",
  type: undefined,
  typeLength: undefined,
  repetition: undefined,
  numChildren: undefined,
  converted: undefined,
  scale: undefined,
  precision: undefined,
  fieldId: undefined,
  logical: undefined,
};

/**
 * The Parquet schema that holds `schema`, with lists and maps in their three-level forms (LogicalTypes.md, "Nested
 * Types") and OPTIONAL for every nullable field.
 *
 * @throws UnsupportedError naming the column and its type when Parquet cannot hold it.
 */
export function toParquetSchema(schema: Schema): ParquetSchema {
  const elements: SchemaElement[] = [{ ...group, name: "schema", numChildren: schema.fields.length }];
  const leaves: Leaf[] = [];
  schema.fields.forEach((field, root) => {
    const context = { root, path: [], names: [], definition: 0, repetition: 0, steps: [] };
    addField(field, field.name, context, elements, leaves);
  });
  return { elements, leaves };
}

function fieldIdOf(field: Field): number | undefined {
  const text = field.metadata?.["PARQUET:field_id"];
  if (text === undefined) return undefined;
  const id = Number(text);
  return Number.isInteger(id) && Math.abs(id) < 2 ** 31 ? id : undefined;
}

/** @param name the field's name in Parquet, which is not its own inside lists and maps. */
function addField(field: Field, name: string, outer: Context, elements: SchemaElement[], leaves: Leaf[]): void {
  const { type } = field;
  const names = [...outer.names, field.name];
  const where = { column: names.join(".") };
  // A null column holds nothing but nulls, whatever its field declares.
  const optional = field.nullable || type.kind === "null";
  const step: Step = type.kind === "null" ? { do: "allNull" } : { do: optional ? "optional" : "required" };
  const context: Context = {
    root: outer.root,
    path: [...outer.path, name],
    names,
    definition: outer.definition + (optional ? 1 : 0),
    repetition: outer.repetition,
    steps: [...outer.steps, step],
  };
  if (context.definition > MAX_LEVEL) throw new UnsupportedError("parquet: columns nested this deep", { where });
  const base: SchemaElement = {
    ...group,
    name,
    repetition: optional ? Repetition.OPTIONAL : Repetition.REQUIRED,
    fieldId: fieldIdOf(field),
  };
  switch (type.kind) {
    case "list":
    case "largeList":
    case "fixedSizeList":
      addList(type, base, context, elements, leaves);
      return;
    case "map":
      addMap(type.child, base, context, elements, leaves);
      return;
    case "struct":
      if (type.children.length === 0) {
        throw new UnsupportedError("parquet: a struct without fields cannot be stored", {
          where,
          remedy: "Leave the column out, or give the struct a field.",
        });
      }
      elements.push({ ...base, numChildren: type.children.length });
      addStructChildren(type.children, context, elements, leaves);
      return;
    default:
      addLeaf(type, base, context, elements, leaves);
  }
}

function addStructChildren(
  children: readonly Field[],
  context: Context,
  elements: SchemaElement[],
  leaves: Leaf[],
): void {
  children.forEach((child, index) => {
    const steps: Step[] = [...context.steps, { do: "child", index }];
    addField(child, child.name, { ...context, steps }, elements, leaves);
  });
}

function annotated(id: number, converted: number): { logical: LogicalType; converted: number } {
  return { logical: { id }, converted };
}

/** `group (LIST) { repeated group list { element } }`. */
function addList(
  type: Extract<DataType, { kind: "list" | "largeList" | "fixedSizeList" }>,
  base: SchemaElement,
  context: Context,
  elements: SchemaElement[],
  leaves: Leaf[],
): void {
  elements.push({ ...base, numChildren: 1, ...annotated(Logical.LIST, Converted.LIST) });
  elements.push({ ...group, name: "list", repetition: Repetition.REPEATED, numChildren: 1 });
  const step: Step = type.kind === "fixedSizeList" ? { do: "fixedSizeList", size: type.size } : { do: "list" };
  addField(type.child, "element", inRepeated(context, "list", step), elements, leaves);
}

/** `group (MAP) { repeated group key_value { required key; value } }`. */
function addMap(
  entries: Field,
  base: SchemaElement,
  context: Context,
  elements: SchemaElement[],
  leaves: Leaf[],
): void {
  const [key, value] = entries.type.kind === "struct" ? entries.type.children : [];
  if (key === undefined || value === undefined || childCount(entries.type) !== 2) {
    throw new UnsupportedError("parquet: a map whose entries are not a struct of key and value", {
      where: { column: context.names.join(".") },
    });
  }
  elements.push({ ...base, numChildren: 1, ...annotated(Logical.MAP, Converted.MAP) });
  elements.push({ ...group, name: "key_value", repetition: Repetition.REPEATED, numChildren: 2 });
  const inner = inRepeated(context, "key_value", { do: "list" }, { do: "required" });
  // Parquet's keys are never null, whatever the Arrow field declares; a null one is refused when it comes.
  const requiredKey = { ...key, nullable: false };
  addField(requiredKey, "key", { ...inner, steps: [...inner.steps, { do: "child", index: 0 }] }, elements, leaves);
  addField(value, "value", { ...inner, steps: [...inner.steps, { do: "child", index: 1 }] }, elements, leaves);
}

function childCount(type: DataType): number {
  return type.kind === "struct" ? type.children.length : 0;
}

/** One definition and one repetition level down. */
function inRepeated(context: Context, name: string, ...steps: Step[]): Context {
  return {
    ...context,
    path: [...context.path, name],
    definition: context.definition + 1,
    repetition: context.repetition + 1,
    steps: [...context.steps, ...steps],
  };
}

function addLeaf(
  type: DataType,
  base: SchemaElement,
  context: Context,
  elements: SchemaElement[],
  leaves: Leaf[],
): void {
  const name = context.names.join(".");
  const value = type.kind === "dictionary" ? type.value : type;
  const optional = base.repetition === Repetition.OPTIONAL;
  const steps: readonly Step[] =
    type.kind === "dictionary" ? [...context.steps, { do: "dictionary", optional }] : context.steps;
  const leafType = leafTypeOf(value, name);
  elements.push({
    ...base,
    type: leafType.physical,
    typeLength: leafType.physical === Physical.FIXED_LEN_BYTE_ARRAY ? leafType.typeLength : undefined,
    converted: leafType.converted,
    scale: leafType.logical?.scale,
    precision: leafType.logical?.precision,
    logical: leafType.logical,
  });
  leaves.push({
    root: context.root,
    path: context.path,
    name,
    type: value,
    physical: leafType.physical,
    typeLength: leafType.typeLength,
    maxDefinition: context.definition,
    maxRepetition: context.repetition,
    steps,
  });
}
