import { byteWidthOf, type Column, childFields, type DataType, getBit, layoutOf } from "@ingest-ts/core";

/** A small generator for tests: mulberry32. */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 0;
  }
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
}

const flat: DataType[] = [
  { kind: "null" },
  { kind: "bool" },
  { kind: "int", bits: 8, signed: true },
  { kind: "int", bits: 16, signed: false },
  { kind: "float", bits: 32 },
  { kind: "int", bits: 64, signed: true },
  { kind: "float", bits: 64 },
  { kind: "decimal", bits: 128, precision: 20, scale: 2 },
  { kind: "decimal", bits: 256, precision: 50, scale: 2 },
  { kind: "fixedSizeBinary", byteWidth: 3 },
  { kind: "fixedSizeBinary", byteWidth: 40 },
  { kind: "fixedSizeBinary", byteWidth: 0 },
  { kind: "utf8" },
  { kind: "binary" },
  { kind: "largeUtf8" },
  { kind: "largeBinary" },
  { kind: "interval", unit: "monthDayNano" },
  { kind: "date", unit: "day" },
  { kind: "timestamp", unit: "ns", timezone: "UTC" },
];

export function randomType(dice: Dice, depth: number): DataType {
  if (depth === 0 || dice.next() < 0.5) return flat[dice.below(flat.length)] as DataType;
  const field = (name: string) => ({ name, type: randomType(dice, depth - 1), nullable: true });
  switch (dice.below(8)) {
    case 0:
      return { kind: "list", child: field("item") };
    case 1:
      return { kind: "largeList", child: field("item") };
    case 2:
      return { kind: "fixedSizeList", size: dice.below(4), child: field("item") };
    case 3:
      return {
        kind: "map",
        keysSorted: false,
        child: { name: "entries", nullable: false, type: { kind: "struct", children: [field("key"), field("value")] } },
      };
    case 4:
      return { kind: "struct", children: [field("a"), field("b")] };
    case 5:
      return { kind: "union", mode: "sparse", typeIds: [5, 0], children: [field("a"), field("b")] };
    case 6:
      return { kind: "union", mode: "dense", typeIds: [2, 100], children: [field("a"), field("b")] };
    default:
      return {
        kind: "dictionary",
        index: { kind: "int", bits: [8, 16, 32, 64][dice.below(4)] as 8 | 16 | 32 | 64, signed: dice.next() < 0.5 },
        value: randomType(dice, 0),
        ordered: false,
      };
  }
}

function randomBytes(dice: Dice, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = dice.below(256);
  return out;
}

/** Lengths of lists or strings laid from a start that need not be 0. */
function randomOffsets(dice: Dice, length: number, maximum: number): number[] {
  const offsets = [dice.below(3)];
  for (let i = 0; i < length; i++) offsets.push((offsets.at(-1) as number) + dice.below(maximum + 1));
  return offsets;
}

export function randomColumn(dice: Dice, type: DataType, length: number): Column {
  const layout = layoutOf(type);
  const isUnion = type.kind === "union";
  let validity: Uint8Array | null = null;
  let nullCount = type.kind === "null" ? length : 0;
  if (type.kind !== "null" && !isUnion && dice.next() < 0.6) {
    validity = randomBytes(dice, (length + 7) >> 3);
    for (let i = 0; i < length; i++) if (!getBit(validity, i)) nullCount++;
    if (nullCount === 0) validity = null;
  }
  const base = { type, length, nullCount, validity, offsets: null, data: null, children: [], dictionary: null };
  const children = (n: number) => childFields(type).map((field) => randomColumn(dice, field.type, n));
  const wide = type.kind === "largeUtf8" || type.kind === "largeBinary" || type.kind === "largeList";
  const asOffsets = (offsets: number[]) =>
    wide ? BigInt64Array.from(offsets, (n) => BigInt(n)) : Int32Array.from(offsets);
  switch (layout.kind) {
    case "null":
      return base;
    case "bits":
      return { ...base, data: randomBytes(dice, (length + 7) >> 3) };
    case "fixed":
      if (type.kind !== "dictionary") return { ...base, data: randomBytes(dice, length * byteWidthOf(type)) };
      return randomDictionary(dice, type, base, length);
    case "bytes": {
      const offsets = randomOffsets(dice, length, dice.next() < 0.2 ? 60 : 5);
      return { ...base, offsets: asOffsets(offsets), data: randomBytes(dice, (offsets.at(-1) as number) + 2) };
    }
    case "list": {
      const offsets = randomOffsets(dice, length, 4);
      return { ...base, offsets: asOffsets(offsets), children: children((offsets.at(-1) as number) + 2) };
    }
    case "fixedSizeList":
      return { ...base, children: children(length * layout.size) };
    case "struct":
      return { ...base, children: children(length) };
    default:
      return randomUnion(dice, type as DataType & { kind: "union" }, base, length);
  }
}

function randomDictionary(dice: Dice, type: DataType & { kind: "dictionary" }, base: Column, length: number): Column {
  const entries = 1 + dice.below(10);
  const width = type.index.bits / 8;
  const data = new Uint8Array(length * width);
  for (let i = 0; i < length; i++) data[i * width] = dice.below(entries);
  return { ...base, data, dictionary: randomColumn(dice, type.value, entries) };
}

function randomUnion(dice: Dice, type: DataType & { kind: "union" }, base: Column, length: number): Column {
  const ids = Uint8Array.from({ length }, () => type.typeIds[dice.below(2)] as number);
  if (type.mode === "sparse") {
    return { ...base, data: ids, children: type.children.map((field) => randomColumn(dice, field.type, length)) };
  }
  const counts = type.typeIds.map(() => dice.below(2));
  const offsets = Int32Array.from(ids, (id) => {
    const child = type.typeIds.indexOf(id);
    const at = counts[child] as number;
    counts[child] = at + 1;
    return at;
  });
  return {
    ...base,
    offsets,
    data: ids,
    children: type.children.map((field, i) => randomColumn(dice, field.type, counts[i] as number)),
  };
}

/** The values of a column, slowly and plainly: what every operation is compared with. */
export function valuesOf(column: Column): unknown[] {
  return Array.from({ length: column.length }, (_, i) => valueAt(column, i));
}

function valueAt(column: Column, i: number): unknown {
  const { type, data, offsets } = column;
  if (type.kind === "null") return null;
  if (column.validity !== null && !getBit(column.validity, i)) return null;
  const layout = layoutOf(type);
  const children = column.children;
  switch (layout.kind) {
    case "bits":
      return getBit(data as Uint8Array, i);
    case "fixed": {
      const bytes = (data as Uint8Array).subarray(i * layout.byteWidth, (i + 1) * layout.byteWidth);
      if (type.kind !== "dictionary") return bytes.join();
      let index = 0;
      for (let b = bytes.length - 1; b >= 0; b--) index = index * 256 + (bytes[b] as number);
      return valueAt(column.dictionary as Column, index);
    }
    case "bytes":
      return (data as Uint8Array).subarray(Number(offsets?.[i]), Number(offsets?.[i + 1])).join();
    case "list": {
      const start = Number(offsets?.[i]);
      return Array.from({ length: Number(offsets?.[i + 1]) - start }, (_, j) =>
        valueAt(children[0] as Column, start + j),
      );
    }
    case "fixedSizeList":
      return Array.from({ length: layout.size }, (_, j) => valueAt(children[0] as Column, i * layout.size + j));
    case "struct":
      return children.map((child) => valueAt(child, i));
    default: {
      const union = type as DataType & { kind: "union" };
      const child = union.typeIds.indexOf((data as Uint8Array)[i] as number);
      return [child, valueAt(children[child] as Column, layout.kind === "denseUnion" ? Number(offsets?.[i]) : i)];
    }
  }
}

/** Whether nullCount, validity and lengths agree, all the way down. */
export function problemsOf(column: Column): string[] {
  const { type, length, nullCount, validity, children } = column;
  const problems: string[] = [];
  if (type.kind === "null" ? nullCount !== length : (validity === null) !== (nullCount === 0))
    problems.push("nullCount");
  if (validity !== null) {
    let nulls = 0;
    for (let i = 0; i < length; i++) if (!getBit(validity, i)) nulls++;
    if (nulls !== nullCount) problems.push(`${type.kind}: ${nulls} nulls, nullCount ${nullCount}`);
  }
  const layout = layoutOf(type);
  if (layout.kind === "struct" || layout.kind === "sparseUnion") {
    if (children.some((child) => child.length !== length)) problems.push("child length");
  }
  if (layout.kind === "fixedSizeList" && children[0]?.length !== length * layout.size) problems.push("items");
  if (layout.kind === "fixed" && column.data?.length !== length * layout.byteWidth) problems.push("data length");
  return [...problems, ...children.flatMap(problemsOf)];
}
