// What the tests of writers share: our reader's view of a file, and schemas as readers restore them.
import type { DataType, Field, Schema } from "@ingest-ts/core";
import { memorySource, type PlainValue, rowsOf } from "@ingest-ts/core/testing";
import { open } from "@ingest-ts/readers";

/** Schema and rows of a file of any format. */
export async function readBack(bytes: Uint8Array): Promise<{ schema: Schema; rows: PlainValue[][] }> {
  const reader = await open(memorySource(bytes));
  const rows: PlainValue[][] = [];
  for await (const slab of reader.slabs()) rows.push(...rowsOf(slab));
  await reader.close();
  return { schema: reader.schema, rows };
}

/** The schema that is restored: dictionaries as the type of their values. */
export function withoutDictionaries(schema: Schema): Schema {
  return { ...schema, fields: schema.fields.map(plainField) };
}

function plainField(field: Field): Field {
  return { ...field, type: plainType(field.type) };
}

function plainType(type: DataType): DataType {
  switch (type.kind) {
    case "dictionary":
      return type.value;
    case "struct":
    case "union":
      return { ...type, children: type.children.map(plainField) };
    case "list":
    case "largeList":
    case "fixedSizeList":
    case "map":
      return { ...type, child: plainField(type.child) };
    default:
      return type;
  }
}
