import { addWhere, type Column, type Columns, type DataType, type Field, OptionsError } from "@ingest-ts/core";
import { listSpans, offsetsOf } from "../columns/list-spans.ts";
import { live } from "../columns/live.ts";
import type { Places } from "../columns/places.ts";
import { flatEncoder } from "./encode-flat.ts";
import { addSizes, type Encoded, type Encoder } from "./encoder.ts";
import { bytes64, put64 } from "./varints.ts";

/** The encoder of a field: a union with null when it is nullable. */
function fieldEncoder(field: Field): Encoder {
  const { type, nullable } = field;
  const values = typeEncoder(type);
  if (type.kind === "null") return values;
  return (column, places) => {
    const found = live(column, places, nullable);
    const encoded = values(found.column, found.places);
    if (!nullable) return encoded;
    return found.kept === null ? allPresent(encoded, places.length) : somePresent(encoded, found.kept, places.length);
  };
}

function typeEncoder(type: DataType): Encoder {
  switch (type.kind) {
    case "list":
    case "largeList":
    case "map":
      return listEncoder(type.kind === "map" ? entryEncoder(type.child) : fieldEncoder(type.child), offsetsOf);
    case "fixedSizeList":
      return listEncoder(fieldEncoder(type.child), () => type.size);
    case "struct":
      return structEncoder(type.children);
    case "dictionary":
      return typeEncoder(type.value);
    default:
      return flatEncoder(type);
  }
}

/** "Unions": the branch, zigzag, then the value. null is branch 0. */
function allPresent(encoded: Encoded, count: number): Encoded {
  const { sizes } = encoded;
  let withBranch: Int32Array | number = 1;
  if (typeof sizes === "number") withBranch = sizes + 1;
  else {
    withBranch = new Int32Array(count).fill(1);
    addSizes(withBranch, sizes);
  }
  return {
    sizes: withBranch,
    write(out, at) {
      for (let i = 0; i < at.length; i++) {
        const place = at[i] as number;
        out[place] = 2;
        at[i] = place + 1;
      }
      encoded.write(out, at);
    },
  };
}

function somePresent(encoded: Encoded, kept: Int32Array, count: number): Encoded {
  const sizes = new Int32Array(count).fill(1);
  const inner = encoded.sizes;
  for (let i = 0; i < kept.length; i++) {
    sizes[kept[i] as number] = 1 + (typeof inner === "number" ? inner : (inner[i] as number));
  }
  return {
    sizes,
    write(out, at) {
      const below = new Int32Array(kept.length);
      for (let i = 0; i < at.length; i++) {
        const place = at[i] as number;
        out[place] = 0;
        at[i] = place + 1;
      }
      for (let i = 0; i < kept.length; i++) {
        const place = at[kept[i] as number] as number;
        out[place - 1] = 2;
        below[i] = place;
      }
      encoded.write(out, below);
      for (let i = 0; i < kept.length; i++) at[kept[i] as number] = below[i] as number;
    },
  };
}

function childOf(column: Column, index: number): Column {
  const child = column.children[index];
  if (child === undefined) throw new OptionsError(`a ${column.type.kind} column without child ${index}`);
  return child;
}

/** Rows of top-level columns, each a record. */
export function rowEncoder(fields: readonly Field[]): (columns: Columns) => Encoded {
  const encoders = fields.map(fieldEncoder);
  return ({ columns, rows }) => encodeFields(columns, fields, encoders, { start: 0, length: rows, indices: null });
}

/** "Records": the fields one after the other. */
function structEncoder(fields: readonly Field[]): Encoder {
  const encoders = fields.map(fieldEncoder);
  return (column, places) => encodeFields(column.children, fields, encoders, places);
}

/** Values of several columns, one behind the other at each place. */
function encodeFields(
  columns: readonly Column[],
  fields: readonly Field[],
  encoders: readonly Encoder[],
  places: Places,
): Encoded {
  const parts = encoders.map((encode, i): Encoded => {
    const column = columns[i];
    const { name } = fields[i] as Field;
    if (column === undefined)
      throw new OptionsError("a struct column without all its fields", { where: { column: name } });
    try {
      return encode(column, places);
    } catch (error) {
      throw addWhere(error, { column: name });
    }
  });
  const sizes = new Int32Array(places.length);
  for (const part of parts) addSizes(sizes, part.sizes);
  return {
    sizes,
    write(out, at) {
      for (const part of parts) part.write(out, at);
    },
  };
}

/** Key and value, the key never null. */
function entryEncoder({ type }: Field): Encoder {
  const [key, value] = (type as Extract<DataType, { kind: "struct" }>).children as readonly [Field, Field];
  return structEncoder([{ ...key, nullable: false }, value]);
}

/** "Arrays" and "Maps": one block of all items, and an empty one that ends them; an empty list is the latter alone. */
function listEncoder(item: Encoder, shapeOf: (column: Column) => Int32Array | number): Encoder {
  return (column, places) => {
    const items = childOf(column, 0);
    const { lengths, total, start, indices } = listSpans(places, shapeOf(column), items.length);
    const encoded = item(items, { start, length: total, indices });
    const itemSizes = encoded.sizes;
    const sizes = new Int32Array(lengths.length);
    for (let i = 0, at = 0; i < lengths.length; i++) {
      const length = lengths[i] as number;
      if (length === 0) {
        sizes[i] = 1;
        continue;
      }
      let size = 1 + bytes64(length << 1, length >>> 31);
      if (typeof itemSizes === "number") size += length * itemSizes;
      else for (let k = 0; k < length; k++) size += itemSizes[at++] as number;
      sizes[i] = size;
    }
    const write = (out: Uint8Array, at: Int32Array): void => {
      const below = new Int32Array(total);
      for (let i = 0, next = 0; i < lengths.length; i++) {
        const length = lengths[i] as number;
        let place = at[i] as number;
        if (length > 0) place = put64(out, place, length << 1, length >>> 31);
        for (let k = 0; k < length; k++, next++) {
          below[next] = place;
          place += typeof itemSizes === "number" ? itemSizes : (itemSizes[next] as number);
        }
        out[place] = 0;
        at[i] = place + 1;
      }
      encoded.write(out, below);
    };
    return { sizes, write };
  };
}
