import { getBit } from "../bits.ts";
import type { Column, Columns } from "../columns.ts";
import { layoutOf } from "../ops/layout.ts";
import { byteWidthOf, childFields, type DataType, type Field, type Schema } from "../schema.ts";
import type { Dice } from "./dice.ts";
import { randomText, randomValueWriter } from "./random-values.ts";

/**
 * Random rows of `schema`: valid in every respect (decimals within their precision, dates whole days, text UTF-8, map
 * keys distinct, no nulls in fields declared non-null), and awkward wherever Arrow's layout allows: offsets that do not
 * start at 0, lists with items under a null, bytes under nulls, NaN of several kinds, both zeros, extremes, empty and
 * long values, columns of nothing but nulls, dictionaries with unused, repeated and null values.
 */
export function randomColumns(dice: Dice, schema: Schema, rows: number): Columns {
  return { rows, columns: schema.fields.map((field) => randomColumn(dice, field, rows)) };
}

/** Random values of one field; see `randomColumns`. */
export function randomColumn(dice: Dice, field: Field, length: number): Column {
  const { type } = field;
  const base: Column = { ...validityOf(dice, field, length), type, length, ...nothing };
  const layout = layoutOf(type);
  switch (layout.kind) {
    case "null":
      return base;
    case "bits":
      return { ...base, data: Uint8Array.from({ length: (length + 7) >> 3 }, () => dice.below(256)) };
    case "fixed":
      if (type.kind === "dictionary") return randomDictionary(dice, type, base);
      return { ...base, data: randomFixed(dice, type, length) };
    case "bytes":
      return randomBytes(dice, base);
    case "list": {
      const offsets = randomOffsets(dice, base, length);
      const items = (offsets.at(-1) as number) + dice.below(3);
      return { ...base, offsets: offsetsFor(type, offsets), children: [randomItems(dice, type, items)] };
    }
    case "fixedSizeList":
      return { ...base, children: [randomItems(dice, type, length * layout.size)] };
    case "struct":
      return { ...base, children: childFields(type).map((child) => randomColumn(dice, child, length)) };
    default:
      return randomUnion(dice, type as Extract<DataType, { kind: "union" }>, base);
  }
}

const nothing = { offsets: null, data: null, children: [], dictionary: null } as const;

function validityOf(dice: Dice, field: Field, length: number): Pick<Column, "nullCount" | "validity"> {
  if (field.type.kind === "null") return { nullCount: length, validity: null };
  const nullRate = dice.pick([0, 0, 0.02, 0.5, 1]);
  if (!field.nullable || field.type.kind === "union" || nullRate === 0) return { nullCount: 0, validity: null };
  const validity = new Uint8Array((length + 7) >> 3);
  let nullCount = 0;
  for (let i = 0; i < length; i++) {
    if (dice.chance(nullRate)) nullCount++;
    else validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
  }
  return nullCount === 0 ? { nullCount, validity: null } : { nullCount, validity };
}

function offsetsFor(type: DataType, offsets: readonly number[]): Int32Array | BigInt64Array {
  const wide = type.kind === "largeUtf8" || type.kind === "largeBinary" || type.kind === "largeList";
  return wide ? BigInt64Array.from(offsets, (offset) => BigInt(offset)) : Int32Array.from(offsets);
}

/** Lengths laid end to end from a start that need not be 0; a few lists are long. */
function randomOffsets(dice: Dice, base: Column, length: number): number[] {
  const offsets = [dice.below(3)];
  const longest = dice.pick([0, 2, 5]);
  for (let i = 0; i < length; i++) {
    const isNull = base.validity !== null && !getBit(base.validity, i);
    const items = isNull && dice.chance(0.8) ? 0 : dice.below(longest + 1);
    offsets.push((offsets.at(-1) as number) + items);
  }
  return offsets;
}

function randomItems(dice: Dice, type: DataType, length: number): Column {
  const [child] = childFields(type) as readonly [Field];
  if (type.kind !== "map" || child.type.kind !== "struct") return randomColumn(dice, child, length);
  const [key, value] = child.type.children as readonly [Field, Field];
  const children = [distinctKeys(key, length), randomColumn(dice, value, length)];
  return { ...nothing, type: child.type, length, nullCount: 0, validity: null, children };
}

function distinctKeys(key: Field, length: number): Column {
  const base: Column = { ...nothing, type: key.type, length, nullCount: 0, validity: null };
  if (key.type.kind !== "utf8") {
    const numbers = BigInt64Array.from({ length }, (_, i) => BigInt(i) * 1_000_003n);
    return { ...base, data: new Uint8Array(numbers.buffer) };
  }
  return {
    ...base,
    ...packed(
      key.type,
      Array.from({ length }, (_, i) => new TextEncoder().encode(`key ${i}`)),
    ),
  };
}

/** Values laid end to end, from a start that may not be 0. */
function packed(type: DataType, values: readonly Uint8Array[], start = 0): Pick<Column, "offsets" | "data"> {
  const offsets = [start];
  for (const value of values) offsets.push((offsets.at(-1) as number) + value.length);
  const data = new Uint8Array(offsets.at(-1) as number);
  values.forEach((value, i) => {
    data.set(value, offsets[i]);
  });
  return { offsets: offsetsFor(type, offsets), data };
}

function randomBytes(dice: Dice, base: Column): Column {
  const { type, length } = base;
  const isText = type.kind === "utf8" || type.kind === "largeUtf8";
  const raw = (): Uint8Array =>
    Uint8Array.from({ length: dice.below(12) }, () => dice.pick([0, 0xff, dice.below(256)]));
  const value = (): Uint8Array => (isText ? randomText(dice) : raw());
  const few = Array.from({ length: 1 + dice.below(5) }, value);
  const repeats = dice.chance(0.5);
  const values = Array.from({ length }, () => (repeats ? dice.pick(few) : value()));
  return { ...base, ...packed(type, values, dice.below(3)) };
}

function randomFixed(dice: Dice, type: DataType, length: number): Uint8Array {
  const width = byteWidthOf(type);
  const data = new Uint8Array(length * width);
  const view = new DataView(data.buffer);
  const write = randomValueWriter(type);
  // Now and then few different values, in runs.
  const runs = dice.chance(0.5);
  for (let i = 0; i < length; i++) {
    if (runs && i > 0 && dice.chance(0.8)) {
      const from = dice.below(Math.min(i, 4)) * width;
      data.copyWithin(i * width, from, from + width);
    } else write(dice, view, i * width);
  }
  return data;
}

function randomDictionary(dice: Dice, type: Extract<DataType, { kind: "dictionary" }>, base: Column): Column {
  const entries = 1 + dice.below(20);
  const width = type.index.bits / 8;
  const data = new Uint8Array(base.length * width);
  for (let i = 0; i < base.length; i++) data[i * width] = dice.below(entries);
  // A null value behind a valid index is a null of the column, so only a nullable one may have it.
  const nullable = base.nullCount > 0 && dice.chance(0.3);
  return { ...base, data, dictionary: randomColumn(dice, { name: "", type: type.value, nullable }, entries) };
}

function randomUnion(dice: Dice, type: Extract<DataType, { kind: "union" }>, base: Column): Column {
  const branches = Uint8Array.from({ length: base.length }, () => dice.below(type.children.length));
  const data = branches.map((branch) => type.typeIds[branch] as number);
  if (type.mode === "sparse")
    return { ...base, data, children: type.children.map((child) => randomColumn(dice, child, base.length)) };
  const counts = type.children.map(() => 0);
  const offsets = Int32Array.from(branches, (branch) => {
    const at = counts[branch] as number;
    counts[branch] = at + 1;
    return at;
  });
  const children = type.children.map((child, i) => randomColumn(dice, child, counts[i] as number));
  return { ...base, data, offsets, children };
}
