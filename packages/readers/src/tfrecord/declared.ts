import { type DataType, OptionsError, type Schema } from "@ingest-ts/core";
import { schemaFromJson } from "./arrow-json.ts";
import { type FeatureSpec, featureType, fixedCount, listFeature, packBytes } from "./feature.ts";
import { type FeatureMapping, mapToFeature, withoutDictionary } from "./logical.ts";
import type { DType, RecordType } from "./spec.ts";

/** What a declaration says. Plain data. */
export interface Declaration {
  readonly recordType: RecordType;
  /** undefined: to be inferred. Of SequenceExamples: the context's. */
  readonly features: readonly FeatureSpec[] | undefined;
  /** Feature lists of SequenceExamples; undefined: to be inferred. */
  readonly lists: readonly FeatureSpec[] | undefined;
  /** Of the stored Arrow schema, when there is one. */
  readonly metadata: Readonly<Record<string, string>>;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Default values are kept in memory once a column: bounds what a declaration can ask for. */
const MOST_DEFAULT_BYTES = 64 * 1024 * 1024;

function bad(what: string, remedy = "See the declared schema in the documentation of TFRecord."): never {
  throw new OptionsError(`the declared schema: ${what}`, { remedy });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkKeys(value: JsonObject, known: readonly string[], what: string): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) bad(`${what} has the unknown key "${key}"; known are ${known.join(", ")}`);
  }
}

function dtypeOf(value: unknown, what: string): DType {
  if (value === "int64" || value === "float32" || value === "bytes") return value;
  return bad(`${what} has dtype ${JSON.stringify(value)}; one of int64, float32, bytes is needed`);
}

function shapeOf(value: unknown, what: string): number[] {
  const sizes: unknown = value ?? [];
  if (!Array.isArray(sizes)) return bad(`${what} has the shape ${JSON.stringify(sizes)}; a list of sizes is needed`);
  const shape = sizes.map((size: unknown): number => {
    if (typeof size === "number" && Number.isSafeInteger(size) && size >= 0) return size;
    return bad(`${what} has the size ${JSON.stringify(size)} in its shape; a whole number is needed`);
  });
  // Kernels count values in 32 bits.
  if (fixedCount(shape) > 2 ** 27)
    bad(`${what} has ${fixedCount(shape)} values a row; at most ${2 ** 27} are possible`);
  return shape;
}

const int64Range = [-(2n ** 63n), 2n ** 63n - 1n] as const;

function int64Default(value: unknown, what: string): bigint {
  const safe = typeof value === "number" && Number.isSafeInteger(value);
  const text = typeof value === "string" && /^-?\d+$/.test(value);
  if (!safe && !text)
    return bad(`${what} has the default ${JSON.stringify(value)}; an integer (beyond 2^53 as text) is needed`);
  const integer = BigInt(value);
  if (integer < int64Range[0] || integer > int64Range[1])
    bad(`${what} has the default ${value}, which is not an int64`);
  return integer;
}

function floatDefault(value: unknown, what: string): number {
  if (typeof value === "number") return value;
  if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
  return bad(`${what} has the default ${JSON.stringify(value)}; a number is needed`);
}

function bytesDefault(value: unknown, what: string): Uint8Array {
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (isObject(value) && typeof value["base64"] === "string" && /^[A-Za-z0-9+/]*={0,2}$/.test(value["base64"])) {
    return Uint8Array.from(atob(value["base64"]), (character) => character.charCodeAt(0));
  }
  return bad(`${what} has the default ${JSON.stringify(value)}; text or {"base64": …} is needed`);
}

function defaultsOf(value: unknown, dtype: DType, count: number, what: string): Uint8Array {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length !== count && list.length !== 1)
    bad(`${what} has ${list.length} default values for a shape of ${count}`);
  if (count * 8 > MOST_DEFAULT_BYTES) bad(`${what} has defaults of more than ${MOST_DEFAULT_BYTES} bytes`);
  const parse = <T>(one: (item: unknown, what: string) => T): T[] => {
    const values = list.map((item) => one(item, what));
    return values.length === count ? values : Array.from({ length: count }, () => values[0] as T);
  };
  if (dtype === "int64") return new Uint8Array(BigInt64Array.from(parse(int64Default)).buffer);
  if (dtype === "float32") return new Uint8Array(Float32Array.from(parse(floatDefault)).buffer);
  const strings = parse(bytesDefault);
  if (strings.reduce((sum, text) => sum + text.length, 0) > MOST_DEFAULT_BYTES) {
    bad(`${what} has defaults of more than ${MOST_DEFAULT_BYTES} bytes`);
  }
  return packBytes(strings);
}

function featureFromJson(name: string, json: unknown): FeatureSpec {
  const what = `feature "${name}"`;
  if (!isObject(json)) return bad(`${what} is ${JSON.stringify(json)}; an object is needed`);
  const dtype = dtypeOf(json["dtype"], what);
  if (json["kind"] === "varLen") {
    checkKeys(json, ["name", "kind", "dtype"], what);
    return listFeature(name, dtype);
  }
  if (json["kind"] !== "fixedLen") {
    return bad(`${what} has kind ${JSON.stringify(json["kind"])}; one of fixedLen, varLen is needed`);
  }
  checkKeys(json, ["name", "kind", "dtype", "shape", "default"], what);
  const shape = shapeOf(json["shape"], what);
  const given = json["default"] !== undefined && json["default"] !== null;
  return {
    name,
    dtype,
    shape,
    missing: given ? "default" : "error",
    defaults: given ? defaultsOf(json["default"], dtype, fixedCount(shape), what) : null,
    type: featureType(dtype, shape),
    nullable: false,
  };
}

/** Names with what is declared of each: an object, or a list of objects with names (whose order is kept for any name). */
function entriesOf(json: unknown, what: string): [string, unknown][] {
  if (isObject(json)) return Object.entries(json);
  if (!Array.isArray(json)) return bad(`${what} is ${JSON.stringify(json)}; an object is needed`);
  const seen = new Set<string>();
  return json.map((item: unknown): [string, unknown] => {
    const name = isObject(item) ? item["name"] : undefined;
    if (typeof name !== "string") return bad(`an entry of ${what} has no name`);
    if (seen.has(name)) bad(`${what} has "${name}" twice`);
    seen.add(name);
    return [name, item];
  });
}

function listFromJson(name: string, json: unknown): FeatureSpec {
  const what = `feature list "${name}"`;
  if (!isObject(json)) return bad(`${what} is ${JSON.stringify(json)}; an object is needed`);
  checkKeys(json, ["name", "dtype"], what);
  return listFeature(name, dtypeOf(json["dtype"], what));
}

function sameShape(a: readonly number[] | null, b: readonly number[] | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The lists' own type of a stored list column holds its nullability and names; items are never null here. */
function restored(name: string, type: DataType, nullable: boolean, mapping: FeatureMapping): FeatureSpec {
  return {
    name,
    dtype: mapping.dtype,
    shape: mapping.shape,
    missing: nullable || mapping.dtype === null ? "null" : "error",
    defaults: null,
    type,
    nullable,
  };
}

/** Features by the Arrow schema of the writer, which must agree with the declaration beside it. */
function featuresFromArrow(schema: Schema, declared: readonly FeatureSpec[] | undefined): FeatureSpec[] {
  const byName = new Map(declared?.map((feature) => [feature.name, feature]));
  return schema.fields.map((stored) => {
    const field = withoutDictionary(stored);
    const mapping = mapToFeature(field.type);
    if (mapping === undefined)
      return bad(`column "${field.name}" has the type ${field.type.kind}, which no feature holds`);
    const beside = byName.get(field.name);
    if (mapping.dtype !== null && declared !== undefined) {
      if (beside === undefined) bad(`column "${field.name}" of "arrow" is missing in "features"`);
      else if (beside.dtype !== mapping.dtype || (beside.shape !== null && !sameShape(beside.shape, mapping.shape))) {
        bad(`column "${field.name}" of "arrow" disagrees with "features"`);
      }
    }
    const spec = restored(field.name, field.type, field.nullable, mapping);
    return field.metadata === undefined ? spec : { ...spec, metadata: field.metadata };
  });
}

/**
 * Reads a declared schema:
 *
 *     {"recordType": "example" | "sequenceExample" | "bytes",
 *      "features": {"x": {"kind": "fixedLen", "dtype": "int64" | "float32" | "bytes", "shape": [2, 3], "default": […]},
 *                   "v": {"kind": "varLen", "dtype": "bytes"}},
 *      "featureLists": {"tokens": {"dtype": "int64"}},
 *      "arrow": {"fields": […], "metadata": {…}}}
 *
 * All parts may be left out. `features` may be a list of objects with a `name` each, for names that look like numbers
 * (objects put those first). `arrow` is what our writer adds: the Arrow schema its rows had (see `mapToFeature`).
 *
 * @throws OptionsError
 */
export function parseDeclared(declared: unknown): Declaration {
  if (declared === undefined || declared === null) {
    return { recordType: "example", features: undefined, lists: undefined, metadata: {} };
  }
  if (!isObject(declared)) return bad("it is not an object");
  checkKeys(declared, ["recordType", "features", "featureLists", "arrow"], "it");
  const recordType = declared["recordType"] ?? "example";
  if (recordType !== "example" && recordType !== "sequenceExample" && recordType !== "bytes") {
    return bad(`recordType is ${JSON.stringify(recordType)}; one of example, sequenceExample, bytes is needed`);
  }
  const features =
    declared["features"] === undefined
      ? undefined
      : entriesOf(declared["features"], "features").map(([name, json]) => featureFromJson(name, json));
  const lists =
    declared["featureLists"] === undefined
      ? undefined
      : entriesOf(declared["featureLists"], "featureLists").map(([name, json]) => listFromJson(name, json));
  if (recordType === "bytes" && features !== undefined) bad("raw records have no features");
  if (recordType !== "sequenceExample" && lists !== undefined) bad("only sequenceExample has featureLists");
  if (declared["arrow"] === undefined) return { recordType, features, lists, metadata: {} };
  if (recordType !== "example") bad(`"arrow" is only possible with the record type example`);
  const schema = schemaFromJson(declared["arrow"]);
  return { recordType, features: featuresFromArrow(schema, features), lists, metadata: schema.metadata };
}
