import { type DataType, type Field, OptionsError, type Schema, type TimeUnit } from "@ingest-ts/core";

/** Nesting that a stored schema may have. */
const MOST_DEPTH = 64;

type JsonObject = Readonly<Record<string, unknown>>;

function bad(what: string): never {
  throw new OptionsError(`the stored Arrow schema: ${what}`, {
    remedy: "Write the file again, or leave its schema out.",
  });
}

function objectOf(json: unknown, what: string): JsonObject {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return bad(`${what} is not an object`);
  return json as JsonObject;
}

function oneOf<T extends string | number>(json: unknown, values: readonly T[], what: string): T {
  const found = values.find((value) => value === json);
  return found === undefined ? bad(`${what} is ${JSON.stringify(json)}, not one of ${values.join(", ")}`) : found;
}

function sizeOf(json: unknown, what: string): number {
  if (typeof json === "number" && Number.isSafeInteger(json) && json >= 0 && json < 2 ** 31) return json;
  return bad(`${what} is ${JSON.stringify(json)}, not a size`);
}

const units: readonly TimeUnit[] = ["s", "ms", "us", "ns"];

function childOf(type: JsonObject, depth: number): Field {
  return fieldFromJson(type["child"], depth + 1);
}

function typeFromJson(json: unknown, depth: number): DataType {
  if (depth > MOST_DEPTH) return bad(`it is nested deeper than ${MOST_DEPTH}`);
  const type = objectOf(json, "a type");
  const kind = type["kind"];
  switch (kind) {
    case "null":
    case "bool":
    case "utf8":
    case "largeUtf8":
    case "binary":
    case "largeBinary":
      return { kind };
    case "int":
      return { kind, bits: oneOf(type["bits"], [8, 16, 32, 64], "bits"), signed: type["signed"] === true };
    case "float":
      return { kind, bits: oneOf(type["bits"], [16, 32, 64], "bits") };
    case "fixedSizeBinary":
      return { kind, byteWidth: sizeOf(type["byteWidth"], "byteWidth") };
    case "date":
      return { kind, unit: oneOf(type["unit"], ["day", "ms"], "unit") };
    case "time":
    case "duration":
      return { kind, unit: oneOf(type["unit"], units, "unit") };
    case "timestamp": {
      const timezone = type["timezone"];
      if (timezone !== null && typeof timezone !== "string") return bad("a time zone is not text");
      return { kind, unit: oneOf(type["unit"], units, "unit"), timezone };
    }
    case "list":
    case "largeList":
      return { kind, child: childOf(type, depth) };
    case "fixedSizeList":
      return { kind, size: sizeOf(type["size"], "size"), child: childOf(type, depth) };
    case "dictionary": {
      const index = objectOf(type["index"], "index");
      return {
        kind,
        index: { kind: "int", bits: oneOf(index["bits"], [8, 16, 32, 64], "bits"), signed: index["signed"] === true },
        value: typeFromJson(type["value"], depth + 1),
        ordered: type["ordered"] === true,
      };
    }
    default:
      return bad(`the type ${JSON.stringify(kind)} is not one that features hold`);
  }
}

function textsFromJson(json: unknown, what: string): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(objectOf(json, what))) {
    if (typeof value !== "string") bad(`"${key}" of ${what} is not text`);
    else texts[key] = value;
  }
  return texts;
}

function fieldFromJson(json: unknown, depth: number): Field {
  const field = objectOf(json, "a field");
  const name = field["name"];
  if (typeof name !== "string") return bad("a field has no name");
  const base = { name, type: typeFromJson(field["type"], depth), nullable: field["nullable"] === true };
  return field["metadata"] === undefined ? base : { ...base, metadata: textsFromJson(field["metadata"], "metadata") };
}

/** A `Schema` of types that features hold, out of JSON that nobody vouches for. @throws OptionsError */
export function schemaFromJson(json: unknown): Schema {
  const schema = objectOf(json, "it");
  const fields = schema["fields"];
  if (!Array.isArray(fields)) return bad("it has no fields");
  const parsed = fields.map((field: unknown) => fieldFromJson(field, 0));
  const names = new Set(parsed.map((field) => field.name));
  if (names.size !== parsed.length) bad("two fields have the same name");
  return { fields: parsed, metadata: textsFromJson(schema["metadata"] ?? {}, "metadata") };
}
