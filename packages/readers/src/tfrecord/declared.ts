import { type DataType, OptionsError, type Schema } from "@ingest-ts/core";
import { schemaFromJson } from "./arrow-json.ts";
import {
  assembledFeature,
  type FeatureSpec,
  featureType,
  fixedCount,
  listFeature,
  packBytes,
  type Partition,
  partitionKinds,
  storedConflict,
} from "./feature.ts";
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

/** Levels of lists below the record's. */
const MOST_PARTITIONS = 32;

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

/** tf.io.FixedLenSequenceFeature with allow_missing: a list of values of one shape. */
function sequenceFromJson(name: string, json: JsonObject, dtype: DType, what: string): FeatureSpec {
  checkKeys(json, ["name", "kind", "dtype", "shape"], what);
  const shape = shapeOf(json["shape"], what);
  if (shape.includes(0)) bad(`${what} has a shape without values, so their number would say nothing`);
  const partitions = shape.map((length): Partition => ({ kind: "uniformRowLength", length }));
  return assembledFeature(name, dtype, { valueKey: name, partitions });
}

/** tf.io.RaggedFeature: values of one feature, cut by others. */
function raggedFromJson(name: string, json: JsonObject, dtype: DType, what: string): FeatureSpec {
  checkKeys(json, ["name", "kind", "dtype", "valueKey", "partitions"], what);
  const valueKey = json["valueKey"] ?? name;
  if (typeof valueKey !== "string") return bad(`${what} has a valueKey that is no text`);
  const partitions = json["partitions"] ?? [];
  if (!Array.isArray(partitions)) return bad(`${what} has partitions that are no list`);
  if (partitions.length > MOST_PARTITIONS) bad(`${what} has more than ${MOST_PARTITIONS} partitions`);
  return assembledFeature(name, dtype, {
    valueKey,
    partitions: partitions.map((item) => partitionFromJson(item, what)),
  });
}

function partitionFromJson(json: unknown, what: string): Partition {
  const kinds = [...partitionKinds, "uniformRowLength"].join(", ");
  const [kind = "", ...others] = isObject(json) ? Object.keys(json) : [];
  if (!isObject(json) || others.length > 0) {
    return bad(`${what} has the partition ${JSON.stringify(json)}; an object with one of ${kinds} is needed`);
  }
  const value = json[kind];
  if (kind === "uniformRowLength") {
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0 && value <= 2 ** 27) {
      return { kind, length: value };
    }
    return bad(`${what} has a uniformRowLength of ${JSON.stringify(value)}; a whole number above 0 is needed`);
  }
  const known = partitionKinds.find((each) => each === kind);
  if (known === undefined) return bad(`${what} has a partition by "${kind}"; one of ${kinds} is needed`);
  if (typeof value !== "string")
    return bad(`${what} has ${kind} ${JSON.stringify(value)}; the name of a feature is needed`);
  return { kind: known, key: value };
}

function featureFromJson(name: string, json: unknown): FeatureSpec {
  const what = `feature "${name}"`;
  if (!isObject(json)) return bad(`${what} is ${JSON.stringify(json)}; an object is needed`);
  const dtype = dtypeOf(json["dtype"], what);
  if (json["kind"] === "varLen") {
    checkKeys(json, ["name", "kind", "dtype"], what);
    return listFeature(name, dtype);
  }
  if (json["kind"] === "fixedLenSequence") return sequenceFromJson(name, json, dtype, what);
  if (json["kind"] === "ragged") return raggedFromJson(name, json, dtype, what);
  if (json["kind"] !== "fixedLen") {
    const kinds = "fixedLen, varLen, fixedLenSequence, ragged";
    return bad(`${what} has kind ${JSON.stringify(json["kind"])}; one of ${kinds} is needed`);
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

function parseText(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch (cause) {
    return bad(`it is not JSON: ${(cause as Error).message}`);
  }
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
      else if (beside.assembly !== undefined) bad(`column "${field.name}" of "arrow" is not read as it was written`);
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
 *                   "v": {"kind": "varLen", "dtype": "bytes"},
 *                   "s": {"kind": "fixedLenSequence", "dtype": "float32", "shape": [3]},
 *                   "r": {"kind": "ragged", "dtype": "int64", "valueKey": "r_values",
 *                         "partitions": [{"rowLengths": "r_lengths"}, {"uniformRowLength": 2}]}},
 *      "featureLists": {"tokens": {"dtype": "int64"}},
 *      "arrow": {"fields": […], "metadata": {…}}}
 *
 * `fixedLenSequence` and `ragged` are tf.io's FixedLenSequenceFeature and RaggedFeature: lists (of lists) that are empty
 * where the record has no such feature. Partitions go from the outermost in; one is rowSplits, rowLengths, rowStarts,
 * rowLimits or valueRowIds with the name of an int64 feature, or uniformRowLength.
 *
 * All parts may be left out. `features` may be a list of objects with a `name` each, for names that look like numbers
 * (objects put those first). `arrow` is what our writer adds: the Arrow schema its rows had (see `mapToFeature`).
 *
 * @throws OptionsError
 */
export function parseDeclared(given: unknown): Declaration {
  const declared = typeof given === "string" ? parseText(given) : given;
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
  const conflict = storedConflict(features ?? []);
  if (conflict !== undefined) bad(conflict);
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
