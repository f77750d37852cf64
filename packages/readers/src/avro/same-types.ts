import { OptionsError } from "@ingest-ts/core";
import type { AvroType, LogicalType } from "./spec.ts";

/** How far the names of two types of one kind, or the kinds of two types, may differ. */
export type NameRule = "exact" | "alias" | "promoted";

/** The name of a named type, else its kind with its logical type. */
export function nameOf(type: AvroType): string {
  if ("name" in type) return type.name;
  const logical = "logical" in type ? type.logical : undefined;
  return logical === undefined ? type.kind : `${type.kind} (${logicalName(logical)})`;
}

function logicalName(logical: LogicalType): string {
  return logical.kind === "decimal" ? `decimal(${logical.precision}, ${logical.scale})` : logical.kind;
}

function withoutNamespace(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** Whether two types of one kind are the same by name (and size); types without names are. */
export function namesMatch(writer: AvroType, reader: AvroType, rule: NameRule): boolean {
  if (writer === reader || !("name" in writer) || !("name" in reader)) return true;
  if (writer.kind === "fixed" && reader.kind === "fixed" && writer.size !== reader.size) return false;
  if (writer.name === reader.name) return true;
  if (rule === "exact") return false;
  // Namespaces may differ: "their (unqualified) names match".
  const aliases = "aliases" in reader ? (reader.aliases ?? []) : [];
  const name = withoutNamespace(writer.name);
  return [reader.name, ...aliases].some((each) => withoutNamespace(each) === name);
}

const promotions: Partial<Record<AvroType["kind"], readonly AvroType["kind"][]>> = {
  int: ["long", "float", "double"],
  long: ["float", "double"],
  float: ["double"],
  string: ["bytes"],
  bytes: ["string"],
};

/** Whether values of another kind can be read as the reader's. */
export function canPromote(writer: AvroType, reader: AvroType): boolean {
  return promotions[writer.kind]?.includes(reader.kind) === true;
}

function logicalOf(type: AvroType): LogicalType | undefined {
  return "logical" in type ? type.logical : undefined;
}

/**
 * The specification resolves logical types by their base types, which would change what values mean without a word. So
 * the reader may drop or add one, but not replace one by another.
 *
 * @throws OptionsError naming both
 */
export function checkLogical(writer: AvroType, reader: AvroType, path: string): void {
  const from = logicalOf(writer);
  const to = logicalOf(reader);
  if (to === undefined) return;
  const isText = writer.kind === "string" || writer.kind === "bytes";
  if (from === undefined ? writer.kind === reader.kind || !isText : logicalName(from) === logicalName(to)) return;
  throw new OptionsError(
    `the data's ${nameOf(writer)} cannot be read as ${nameOf(reader)} without changing its values`,
    {
      where: { column: path },
      remedy: "Read it with the logical type of the data, or with none.",
    },
  );
}
