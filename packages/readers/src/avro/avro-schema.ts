import { checkLimit, FormatError, type Limits, OptionsError, UnsupportedError } from "@ingest-ts/core";
import { jsonText, parseExactJson } from "./exact-json.ts";
import type { AvroField, AvroType, LogicalType, PrimitiveKind } from "./spec.ts";

const primitives: ReadonlySet<string> = new Set<PrimitiveKind>([
  "null",
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "bytes",
  "string",
]);

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuse(what: string): never {
  throw new FormatError(`the Avro schema is wrong: ${what}`);
}

function text(value: unknown, what: string): string {
  return typeof value === "string" ? value : refuse(`${what} is not a string`);
}

function list(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(`${what} is not a list`);
}

function wholeNumber(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** What may carry which logical type. */
const simpleLogical: Readonly<Record<string, readonly string[]>> = {
  int: ["date", "time-millis"],
  long: [
    "time-micros",
    "timestamp-millis",
    "timestamp-micros",
    "timestamp-nanos",
    "local-timestamp-millis",
    "local-timestamp-micros",
    "local-timestamp-nanos",
  ],
  string: ["uuid"],
};

/** Digits that always fit `size` bytes of two's complement. */
function digitsOf(size: number): number {
  return Math.floor((size * 8 - 1) * Math.log10(2));
}

/** The logical type of a schema, if it is known and valid; else the base type is read ("Logical Types"). */
function logicalOf(json: Json, kind: string, size: number): LogicalType | undefined {
  const name = json["logicalType"];
  if (typeof name !== "string") return undefined;
  if (name === "decimal" && (kind === "bytes" || kind === "fixed")) {
    const precision = wholeNumber(json["precision"]);
    const scale = json["scale"] === undefined ? 0 : wholeNumber(json["scale"]);
    if (precision === undefined || scale === undefined || precision === 0 || scale > precision) return undefined;
    if (precision > 76 || (kind === "fixed" && precision > digitsOf(size))) return undefined;
    return { kind: "decimal", precision, scale };
  }
  if (kind === "fixed") {
    if (name === "uuid" && size === 16) return { kind: "uuid" };
    return name === "duration" && size === 12 ? { kind: "duration" } : undefined;
  }
  return simpleLogical[kind]?.includes(name) === true ? ({ kind: name } as LogicalType) : undefined;
}

/** "Aliases": wrong ones are none, since only a reader's schema needs them. */
function aliasesOf(json: Json): readonly string[] | undefined {
  const aliases = json["aliases"];
  return Array.isArray(aliases) ? aliases.filter((alias) => typeof alias === "string") : undefined;
}

/** Aliases of a type; those without a namespace are in the type's own. */
function fullAliases(json: Json, namespace: string): readonly string[] | undefined {
  return aliasesOf(json)?.map((alias) => (alias.includes(".") || namespace === "" ? alias : `${namespace}.${alias}`));
}

/** Resolves names while it walks. `open` are the named types around the current one. */
class SchemaParser {
  readonly #limits: Limits;
  readonly #named = new Map<string, AvroType>();
  /** Types inside of each named one, itself included, with every reference followed. */
  readonly #sizes = new Map<AvroType, number>();
  readonly #open = new Set<string>();
  #types = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  parse(json: unknown, namespace: string, depth: number): AvroType {
    checkLimit(this.#limits, "depth", depth, "a schema");
    checkLimit(this.#limits, "columns", ++this.#types, "a schema");
    if (typeof json === "string") return this.#reference(json, namespace);
    if (Array.isArray(json)) return this.#union(json, namespace, depth);
    if (!isObject(json)) return refuse(`${jsonText(json)} is no type`);
    const { type } = json;
    if (typeof type !== "string") return this.parse(type, namespace, depth + 1);
    switch (type) {
      case "record":
      case "error":
        return this.#record(json, namespace, depth);
      case "enum":
        return this.#enum(json, namespace);
      case "fixed":
        return this.#fixed(json, namespace);
      case "array":
        return { kind: "array", items: this.parse(json["items"], namespace, depth + 1) };
      case "map":
        return { kind: "map", items: this.parse(json["values"], namespace, depth + 1) };
      default:
        if (!primitives.has(type)) return this.#reference(type, namespace);
        return { kind: type as PrimitiveKind, logical: logicalOf(json, type, 0) };
    }
  }

  #reference(name: string, namespace: string): AvroType {
    if (primitives.has(name)) return { kind: name as PrimitiveKind };
    const full = name.includes(".") || namespace === "" ? name : `${namespace}.${name}`;
    for (const candidate of [full, name]) {
      if (this.#open.has(candidate)) return { kind: "recursive", name: candidate };
      const known = this.#named.get(candidate);
      if (known === undefined) continue;
      // A reference counts as what it stands for: few definitions can name each other to make very many types.
      this.#types += this.#sizes.get(known) ?? 1;
      checkLimit(this.#limits, "columns", this.#types, "a schema");
      return known;
    }
    return refuse(`there is no type "${name}"`);
  }

  /** The full name of a definition and the namespace inside of it. @throws FormatError when it is taken. */
  #define(json: Json, namespace: string): [full: string, inside: string] {
    const name = text(json["name"], "a name");
    let full = name;
    if (!name.includes(".")) {
      const own = json["namespace"] === undefined ? namespace : text(json["namespace"], "a namespace");
      full = own === "" ? name : `${own}.${name}`;
    }
    if (this.#named.has(full) || this.#open.has(full)) refuse(`"${full}" is defined twice`);
    const dot = full.lastIndexOf(".");
    return [full, dot < 0 ? "" : full.slice(0, dot)];
  }

  #record(json: Json, namespace: string, depth: number): AvroType {
    const [name, inside] = this.#define(json, namespace);
    const typesBefore = this.#types;
    this.#open.add(name);
    const seen = new Set<string>();
    const fields: AvroField[] = list(json["fields"], `the fields of "${name}"`).map((field) => {
      if (!isObject(field)) return refuse(`a field of "${name}" is no object`);
      const fieldName = text(field["name"], `the name of a field of "${name}"`);
      if (seen.has(fieldName)) refuse(`"${name}" has the field "${fieldName}" twice`);
      seen.add(fieldName);
      const type = this.parse(field["type"], inside, depth + 1);
      return { name: fieldName, type, default: field["default"], aliases: aliasesOf(field) };
    });
    this.#open.delete(name);
    const record: AvroType = { kind: "record", name, aliases: fullAliases(json, inside), fields };
    this.#named.set(name, record);
    this.#sizes.set(record, this.#types - typesBefore + 1);
    return record;
  }

  #enum(json: Json, namespace: string): AvroType {
    const [name, inside] = this.#define(json, namespace);
    const symbols = list(json["symbols"], `the symbols of "${name}"`).map((symbol) => text(symbol, "a symbol"));
    const fallback = json["default"];
    const type: AvroType = {
      kind: "enum",
      name,
      aliases: fullAliases(json, inside),
      symbols,
      default: typeof fallback === "string" && symbols.includes(fallback) ? fallback : undefined,
    };
    this.#named.set(name, type);
    return type;
  }

  #fixed(json: Json, namespace: string): AvroType {
    const [name, inside] = this.#define(json, namespace);
    const size = wholeNumber(json["size"]);
    if (size === undefined) return refuse(`the size of "${name}" is no whole number`);
    checkLimit(this.#limits, "recordBytes", size, `the fixed type "${name}"`);
    const logical = logicalOf(json, "fixed", size);
    const type: AvroType = { kind: "fixed", name, aliases: fullAliases(json, inside), size, logical };
    this.#named.set(name, type);
    return type;
  }

  #union(branches: readonly unknown[], namespace: string, depth: number): AvroType {
    if (branches.length === 0) refuse("a union has no types");
    if (branches.length > 128) {
      throw new UnsupportedError(`a union of ${branches.length} types is not supported`, {
        remedy: "Arrow unions have at most 128 types.",
      });
    }
    const types = branches.map((branch) => {
      const type = this.parse(branch, namespace, depth + 1);
      // Also as {"type": […]}.
      return type.kind === "union" ? refuse("a union stands directly inside a union") : type;
    });
    return { kind: "union", branches: types };
  }
}

/**
 * The schema of a file from the JSON text of its header.
 *
 * @throws FormatError when it is no schema; UnsupportedError when it passes a limit
 * @see Avro specification, "Schema Declaration"
 */
export function parseSchema(json: string, limits: Limits): AvroType {
  return schemaOf(parseText(json), limits);
}

/**
 * A schema whose names may be defined in other schemas, each of which may name those before it.
 *
 * @throws as `parseSchema`
 */
export function parseSchemaWith(json: string, references: readonly string[], limits: Limits): AvroType {
  const parser = new SchemaParser(limits);
  for (const reference of references) parser.parse(parseSchemaText(reference), "", 0);
  return parser.parse(parseSchemaText(json), "", 0);
}

/** A schema as text: JSON, or the bare name of a primitive type. */
function parseSchemaText(json: string): unknown {
  return primitives.has(json.trim()) ? json.trim() : parseText(json);
}

/** A schema from parsed JSON. @throws as `parseSchema` */
function schemaOf(json: unknown, limits: Limits): AvroType {
  return new SchemaParser(limits).parse(json, "", 0);
}

function parseText(json: string): unknown {
  try {
    return parseExactJson(json);
  } catch (cause) {
    throw new FormatError("the Avro schema is not JSON", { cause });
  }
}

/**
 * The schema that a caller wants data in: JSON text, the name of a primitive type, or JSON already parsed.
 *
 * @throws OptionsError when it is no schema; UnsupportedError when it passes a limit
 */
export function parseReaderSchema(declared: unknown, limits: Limits, references: readonly string[] = []): AvroType {
  try {
    const isText = typeof declared === "string" && /^\s*["{[]/.test(declared);
    const parser = new SchemaParser(limits);
    for (const reference of references) parser.parse(parseSchemaText(reference), "", 0);
    return parser.parse(isText ? parseText(declared) : declared, "", 0);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new OptionsError(error.what.replace("the Avro schema", "the schema to read with"), {
      remedy: "Give an Avro schema as JSON.",
      cause: error,
    });
  }
}
