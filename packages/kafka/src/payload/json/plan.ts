import { type DataType, type Field, OptionsError } from "@ingest-ts/core";
import type { Builder } from "./builder.ts";
import { BoolBuilder, FixedBuilder, type PutValue, TextBuilder } from "./flat-builders.ts";
import { ListBuilder, MapBuilder, StructBuilder } from "./nested-builders.ts";
import { putDate, putDecimal, putFloat, putInteger, putTimestamp } from "./values.ts";

function putterOf(type: DataType): PutValue | undefined {
  switch (type.kind) {
    case "int":
      return putInteger(type);
    case "float":
      return type.bits === 16 ? undefined : putFloat({ bits: type.bits });
    case "decimal":
      return putDecimal(type);
    case "date":
      return type.unit === "day" ? putDate : undefined;
    case "timestamp":
      return putTimestamp(type);
    default:
      return undefined;
  }
}

/**
 * What collects JSON values of a field.
 *
 * @throws OptionsError for a type that JSON has no form for
 */
export function builderOf(field: Field, path: string): Builder {
  const { type } = field;
  const child = (below: Field): Builder => builderOf(below, `${path}.${below.name}`);
  switch (type.kind) {
    case "bool":
      return new BoolBuilder();
    case "utf8":
      return new TextBuilder();
    case "list":
      return new ListBuilder(type, child(type.child));
    case "struct":
      checkNames(type.children, path);
      return new StructBuilder(type, type.children.map(child));
    case "map":
      return mapBuilder(type, path, child);
    default: {
      const put = putterOf(type);
      if (put !== undefined) return new FixedBuilder(type, put);
      throw new OptionsError(`JSON has no values of the type ${type.kind}`, {
        where: { column: path },
        remedy: "Declare bool, int, float, decimal, date, timestamp, utf8, list, struct or map of text to these.",
      });
    }
  }
}

function mapBuilder(type: Extract<DataType, { kind: "map" }>, path: string, child: (field: Field) => Builder): Builder {
  const entries = type.child.type;
  const [key, value] = entries.kind === "struct" ? entries.children : [];
  if (key?.type.kind !== "utf8" || value === undefined) {
    throw new OptionsError("the keys of a JSON object are text", {
      where: { column: path },
      remedy: "Declare a map from utf8.",
    });
  }
  return new MapBuilder(type, new TextBuilder(), value, child(value));
}

function checkNames(fields: readonly Field[], path: string): void {
  const names = new Set<string>();
  for (const { name } of fields) {
    if (names.has(name)) {
      throw new OptionsError(`two fields are named ${JSON.stringify(name)}`, {
        where: { column: path },
        remedy: "Give every field its own name.",
      });
    }
    names.add(name);
  }
}
