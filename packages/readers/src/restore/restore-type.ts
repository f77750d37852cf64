import type { DataType, Field, TimeUnit } from "@ingest-ts/core";

const unitOrder: readonly TimeUnit[] = ["s", "ms", "us", "ns"];

/** How many times a value of `from` is divided by 1000 to be one of `to`; negative when `to` is finer. */
export function thousandsBetween(from: TimeUnit, to: TimeUnit): number {
  return unitOrder.indexOf(from) - unitOrder.indexOf(to);
}

/**
 * The fields of a file with the types that its writer stored beside them. The file's schema wins wherever the two
 * disagree: a stored type is taken only where the file's values can be turned into it exactly, and names of fields and
 * their number never change. Dictionaries are restored as the type of their values.
 *
 * @param requires whether fields that the writer declared non-null become so, for a format that cannot say it itself
 */
export function restoreFields(fields: readonly Field[], stored: readonly Field[], requires: boolean): readonly Field[] {
  const byName = new Map<string, Field | undefined>();
  // A name that occurs twice says nothing.
  for (const field of stored) byName.set(field.name, byName.has(field.name) ? undefined : field);
  return fields.map((field) => {
    const hint = byName.get(field.name);
    return hint === undefined ? field : restoreField(field, hint, requires);
  });
}

function restoreField(field: Field, stored: Field, requires: boolean): Field {
  const nullable = field.nullable && (stored.nullable || !requires);
  const restored = { ...field, nullable, type: restoreType(field.type, stored.type, requires) };
  return stored.metadata === undefined ? restored : { ...restored, metadata: stored.metadata };
}

/** Formats do not keep the names of items; the stored one is as good. */
function restoreItem(item: Field, stored: Field, requires: boolean): Field {
  return { ...restoreField(item, stored, requires), name: stored.name };
}

/** `stored` where values of `file` can be turned into it, else `file`. */
function restoreType(file: DataType, stored: DataType, requires: boolean): DataType {
  if (stored.kind === "dictionary")
    return file.kind === "dictionary" ? file : restoreType(file, stored.value, requires);
  switch (file.kind) {
    case "bool":
      return stored.kind === "null" ? stored : file;
    case "int":
      return fromInteger(file.bits, stored) ? stored : file;
    case "float":
      return stored.kind === "float" && file.bits === 32 && stored.bits === 16 ? stored : file;
    case "utf8":
      return stored.kind === "largeUtf8" ? stored : file;
    case "binary":
      return stored.kind === "largeBinary" || stored.kind === "fixedSizeBinary" ? stored : file;
    case "decimal":
      return stored.kind === "decimal" && stored.precision === file.precision && stored.scale === file.scale
        ? { ...file, bits: stored.bits > file.bits ? stored.bits : file.bits }
        : file;
    case "date":
      return stored.kind === "date" ? stored : file;
    case "time":
      return stored.kind === "time" && file.unit === "ms" && stored.unit === "s" ? stored : file;
    case "timestamp":
      return restoreTimestamp(file, stored);
    default:
      return restoreNested(file, stored, requires);
  }
}

function fromInteger(bits: number, stored: DataType): boolean {
  switch (stored.kind) {
    case "int":
      // Unsigned values lie in the next wider integer; there is none for 64 bits, whose upper half is never written.
      return stored.bits <= bits;
    case "time":
      return bits === (stored.unit === "s" || stored.unit === "ms" ? 32 : 64);
    case "duration":
      return bits === 64;
    default:
      return false;
  }
}

function restoreTimestamp(file: Extract<DataType, { kind: "timestamp" }>, stored: DataType): DataType {
  const fits =
    stored.kind === "timestamp" &&
    (stored.timezone === null) === (file.timezone === null) &&
    thousandsBetween(file.unit, stored.unit) >= 0;
  return fits ? stored : file;
}

function restoreNested(file: DataType, stored: DataType, requires: boolean): DataType {
  switch (file.kind) {
    case "list":
      if (stored.kind === "list" || stored.kind === "largeList" || stored.kind === "fixedSizeList")
        return { ...stored, child: restoreItem(file.child, stored.child, requires) };
      return stored.kind === "map" ? (restoreMap(file.child, stored, requires) ?? file) : file;
    case "map":
      return stored.kind === "map" ? (restoreMap(file.child, stored, requires) ?? file) : file;
    case "struct":
      return stored.kind === "struct"
        ? { kind: "struct", children: restoreFields(file.children, stored.children, requires) }
        : file;
    default:
      return file;
  }
}

/** A map from a list of pairs or from a map. */
function restoreMap(
  entries: Field,
  stored: Extract<DataType, { kind: "map" }>,
  requires: boolean,
): DataType | undefined {
  const { type } = entries;
  const { type: pair } = stored.child;
  if (type.kind !== "struct" || pair.kind !== "struct" || entries.nullable) return undefined;
  const [key, value] = type.children;
  const [storedKey, storedValue] = pair.children;
  if (key === undefined || value === undefined || storedKey === undefined || storedValue === undefined)
    return undefined;
  if (type.children.length !== 2 || key.nullable) return undefined;
  const children = [restoreItem(key, storedKey, requires), restoreItem(value, storedValue, requires)];
  return { ...stored, child: { name: stored.child.name, nullable: false, type: { kind: "struct", children } } };
}
