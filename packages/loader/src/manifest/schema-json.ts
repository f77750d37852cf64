import type { DataType, Field, Schema } from "@ingest-ts/core";

const MOST_DEPTH = 64;
const units = ["s", "ms", "us", "ns"];

/** Parameters of a kind and the values that they may have; kinds that are not here do not exist. */
const parameters: Readonly<Record<DataType["kind"], Readonly<Record<string, (value: unknown) => boolean>>>> = {
  null: {},
  bool: {},
  int: { bits: oneOf(8, 16, 32, 64), signed: isBoolean },
  float: { bits: oneOf(16, 32, 64) },
  utf8: {},
  largeUtf8: {},
  binary: {},
  largeBinary: {},
  fixedSizeBinary: { byteWidth: isSize },
  decimal: { bits: oneOf(128, 256), precision: isSize, scale: Number.isSafeInteger },
  date: { unit: oneOf("day", "ms") },
  time: { unit: oneOf(...units) },
  timestamp: { unit: oneOf(...units), timezone: (value) => value === null || typeof value === "string" },
  duration: { unit: oneOf(...units) },
  interval: { unit: oneOf("yearMonth", "dayTime", "monthDayNano") },
  list: {},
  largeList: {},
  fixedSizeList: { size: isSize },
  map: { keysSorted: isBoolean },
  struct: {},
  union: { mode: oneOf("dense", "sparse"), typeIds: (value) => Array.isArray(value) && value.every(isSize) },
  dictionary: { ordered: isBoolean },
};

function oneOf(...values: readonly unknown[]): (value: unknown) => boolean {
  return (value) => values.includes(value);
}

function isBoolean(value: unknown): boolean {
  return typeof value === "boolean";
}

function isSize(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value < 2 ** 31;
}

/** What JSON calls an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((text) => typeof text === "string");
}

function isType(value: unknown, depth: number): boolean {
  if (depth > MOST_DEPTH || !isObject(value) || typeof value["kind"] !== "string") return false;
  if (!Object.hasOwn(parameters, value["kind"])) return false;
  const kind = value["kind"] as DataType["kind"];
  if (!Object.entries(parameters[kind]).every(([name, fits]) => fits(value[name]))) return false;
  switch (kind) {
    case "list":
    case "largeList":
    case "fixedSizeList":
      return isField(value["child"], depth + 1);
    case "map": {
      const { child } = value as { readonly child?: Field };
      if (!isField(child, depth + 1)) return false;
      const type = (child as Field).type;
      return type.kind === "struct" && type.children.length === 2;
    }
    case "struct":
      return isFields(value["children"], depth + 1);
    case "union":
      return isFields(value["children"], depth + 1) && sameLength(value["typeIds"], value["children"]);
    case "dictionary":
      return (
        isType(value["index"], depth + 1) &&
        (value["index"] as DataType).kind === "int" &&
        isType(value["value"], depth + 1)
      );
    default:
      return true;
  }
}

function sameLength(a: unknown, b: unknown): boolean {
  return Array.isArray(a) && Array.isArray(b) && a.length === b.length;
}

function isField(value: unknown, depth: number): boolean {
  return (
    isObject(value) &&
    typeof value["name"] === "string" &&
    typeof value["nullable"] === "boolean" &&
    (value["metadata"] === undefined || isTexts(value["metadata"])) &&
    isType(value["type"], depth)
  );
}

function isFields(value: unknown, depth: number): boolean {
  return Array.isArray(value) && value.every((field) => isField(field, depth));
}

/** Whether `value` is a schema: JSON that nobody vouches for. */
export function isSchema(value: unknown): value is Schema {
  return isObject(value) && isFields(value["fields"], 0) && isTexts(value["metadata"]);
}
