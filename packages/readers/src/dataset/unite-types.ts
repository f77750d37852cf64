import type { DataType, Field } from "@ingest-ts/core";

const MAX_PRECISION = 76;
const PRECISION_OF_128 = 38;

/**
 * The narrowest type that holds every value of both exactly, or undefined: wider integers and floats, decimals of more
 * digits, 64-bit offsets, any type for a column of nulls, the same inside nested types. Struct fields go by name.
 */
export function uniteTypes(a: DataType, b: DataType): DataType | undefined {
  if (a.kind === "null") return b;
  if (b.kind === "null") return a;
  if (a.kind === "int" && b.kind === "int") return uniteInts(a, b);
  if (a.kind === "float" && b.kind === "float") return a.bits >= b.bits ? a : b;
  if (a.kind === "decimal" && b.kind === "decimal") return uniteDecimals(a, b);
  if (a.kind === "timestamp" && b.kind === "timestamp") return uniteTimestamps(a, b);
  if (isText(a) && isText(b)) return a.kind === "largeUtf8" ? a : b;
  if (isBytes(a) && isBytes(b)) return a.kind === "largeBinary" ? a : b;
  if (isOffsetList(a) && isOffsetList(b)) {
    const child = uniteItems(a.child, b.child);
    const kind = a.kind === "largeList" ? a.kind : b.kind;
    return child && { kind, child };
  }
  if (a.kind !== b.kind) return undefined;
  return uniteNested(a, b);
}

function uniteNested(a: DataType, b: DataType): DataType | undefined {
  if (a.kind === "fixedSizeList" && b.kind === "fixedSizeList") {
    const child = a.size === b.size ? uniteItems(a.child, b.child) : undefined;
    return child && { ...a, child };
  }
  if (a.kind === "map" && b.kind === "map") {
    const child = uniteEntries(a.child, b.child);
    return child && { ...a, keysSorted: a.keysSorted && b.keysSorted, child };
  }
  if (a.kind === "struct" && b.kind === "struct") {
    const children = uniteFields(a.children, b.children);
    return children && { kind: "struct", children };
  }
  return JSON.stringify(a) === JSON.stringify(b) ? a : undefined;
}

const isText = (type: DataType): boolean => type.kind === "utf8" || type.kind === "largeUtf8";
const isBytes = (type: DataType): boolean => type.kind === "binary" || type.kind === "largeBinary";
function isOffsetList(type: DataType): type is Extract<DataType, { kind: "list" | "largeList" }> {
  return type.kind === "list" || type.kind === "largeList";
}

type IntType = Extract<DataType, { kind: "int" }>;
type TimestampType = Extract<DataType, { kind: "timestamp" }>;
type DecimalType = Extract<DataType, { kind: "decimal" }>;

function uniteInts(a: IntType, b: IntType): IntType | undefined {
  if (a.signed === b.signed) return a.bits >= b.bits ? a : b;
  const [signed, unsigned] = a.signed ? [a, b] : [b, a];
  if (unsigned.bits === 64) return undefined;
  const bits = Math.max(signed.bits, unsigned.bits * 2) as IntType["bits"];
  return { kind: "int", bits, signed: true };
}

const fineness = ["s", "ms", "us", "ns"] as const;

/** The finer unit; values that it cannot hold are refused where they are met. */
function uniteTimestamps(a: TimestampType, b: TimestampType): TimestampType | undefined {
  if (a.timezone !== b.timezone) return undefined;
  return fineness.indexOf(a.unit) >= fineness.indexOf(b.unit) ? a : b;
}

function uniteDecimals(a: DecimalType, b: DecimalType): DecimalType | undefined {
  const scale = Math.max(a.scale, b.scale);
  const precision = Math.max(a.precision - a.scale, b.precision - b.scale) + scale;
  if (precision > MAX_PRECISION || (scale !== Math.min(a.scale, b.scale) && scale < 0)) return undefined;
  const bits = precision > PRECISION_OF_128 ? 256 : (Math.max(a.bits, b.bits) as DecimalType["bits"]);
  return { kind: "decimal", bits, precision, scale };
}

/** What a list holds has a name that says nothing: "item", "element", "array". */
function uniteItems(a: Field, b: Field): Field | undefined {
  return uniteField(a, { ...b, name: a.name });
}

/** Key and value by place: formats call them and their struct as they like. */
function uniteEntries(a: Field, b: Field): Field | undefined {
  if (a.type.kind !== "struct" || b.type.kind !== "struct") return undefined;
  const [key, value] = a.type.children.map((child, i) => {
    const other = b.type.kind === "struct" ? b.type.children[i] : undefined;
    return other && uniteItems(child, other);
  });
  return key && value && { ...a, type: { kind: "struct", children: [key, value] } };
}

const extensionName = "ARROW:extension:name";
const extensionMetadata = "ARROW:extension:metadata";

/**
 * The field that holds both; metadata is the first's. Two extension types must be the same; where only one of the two says
 * what its values mean, the field of both does not.
 */
export function uniteField(a: Field, b: Field): Field | undefined {
  if (a.name !== b.name) return undefined;
  const isSame = [extensionName, extensionMetadata].every((key) => a.metadata?.[key] === b.metadata?.[key]);
  const [ofA, ofB] = [a.metadata?.[extensionName], b.metadata?.[extensionName]];
  if (!isSame && ofA !== undefined && ofB !== undefined) return undefined;
  const type = uniteTypes(a.type, b.type);
  const nullable = a.nullable || b.nullable || a.type.kind === "null" || b.type.kind === "null";
  return type && { ...(isSame ? a : withoutExtension(a)), type, nullable };
}

function withoutExtension(field: Field): Field {
  const { metadata, ...rest } = field;
  const { [extensionName]: _, [extensionMetadata]: __, ...others } = metadata ?? {};
  return Object.keys(others).length === 0 ? rest : { ...rest, metadata: others };
}

/** By name: those of `a`, then what only `b` has; what one of them lacks becomes nullable. */
function uniteFields(a: readonly Field[], b: readonly Field[]): Field[] | undefined {
  if (hasTwins(a) || hasTwins(b)) return JSON.stringify(a) === JSON.stringify(b) ? [...a] : undefined;
  const others = new Map(b.map((field) => [field.name, field]));
  const out: Field[] = [];
  for (const field of a) {
    const other = others.get(field.name);
    others.delete(field.name);
    const united = other === undefined ? { ...field, nullable: true } : uniteField(field, other);
    if (united === undefined) return undefined;
    out.push(united);
  }
  for (const field of others.values()) out.push({ ...field, nullable: true });
  return out;
}

function hasTwins(fields: readonly Field[]): boolean {
  return new Set(fields.map(({ name }) => name)).size !== fields.length;
}
