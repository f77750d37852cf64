import { byteWidthOf, type Column, type DataType, FormatError, type Limits } from "@ingest-ts/core";
import {
  BooleanBuilder,
  type Builder,
  BytesBuilder,
  DictionaryBuilder,
  FixedBuilder,
  ListBuilder,
  NullableBuilder,
  NullBuilder,
  StructBuilder,
  UnionBuilder,
  writeBytes,
} from "./builders.ts";
import type { Cursor } from "./cursor.ts";
import { ItemCounter } from "./items.ts";
import { type Skip, Skipper } from "./skip.ts";
import type { AvroType } from "./spec.ts";
import { arrowType, type Node } from "./tree.ts";
import { writeDecimal, writeDuration, writeInt, writeLong, writeRaw, writeUuid } from "./values.ts";

/** Reads datums of one schema into the selected columns. */
export interface DatumDecoder {
  /** One builder for each selected column. */
  readonly columns: readonly Builder[];
  /** Reads one datum into them. */
  append(cursor: Cursor): void;
  /** Passes one datum. */
  skip(cursor: Cursor): void;
  /** Checks that `count` datums can lie in `leftBytes`. */
  checkCount(count: number, leftBytes: number): void;
}

type Step = (cursor: Cursor) => void;

class Compiler {
  readonly #items: ItemCounter;
  readonly #skipper: Skipper;
  readonly #dictionary: "decode" | "preserve";

  constructor(root: AvroType, items: ItemCounter, dictionary: "decode" | "preserve") {
    this.#items = items;
    this.#skipper = new Skipper(items, root);
    this.#dictionary = dictionary;
  }

  skip(type: AvroType): Skip {
    return this.#skipper.of(type);
  }

  build(node: Node): Builder {
    const inner = this.#inner(node, arrowType(node, this.#dictionary));
    return node.nullBranch === undefined ? inner : new NullableBuilder(inner, node.nullBranch);
  }

  #inner(node: Node, type: DataType): Builder {
    const avro = node.type;
    switch (avro.kind) {
      case "record": {
        const children = node.children.map((child) => this.build(child));
        return new StructBuilder(type, children, this.steps(avro, node.children, children));
      }
      case "array":
        return this.#array(node, type);
      case "map":
        return this.#map(node, type as Extract<DataType, { kind: "map" }>);
      case "union":
        return new UnionBuilder(
          type,
          node.children.map((child) => this.build(child)),
        );
      case "enum":
        return enumBuilder(type, avro.symbols, node.name);
      case "boolean":
        return new BooleanBuilder();
      case "null":
        return new NullBuilder();
      default:
        return primitiveBuilder(avro, type, node.name);
    }
  }

  /** One step for each field of the file, in its order; fields in a row that are not selected are skipped. */
  steps(record: Extract<AvroType, { kind: "record" }>, nodes: readonly Node[], builders: readonly Builder[]): Step[] {
    return record.fields.map((field, index) => {
      const at = nodes.findIndex((node) => node.index === index);
      const builder = builders[at];
      return builder === undefined ? this.skip(field.type) : (cursor) => builder.append(cursor);
    });
  }

  #readBlocks(type: AvroType, item: Step): (cursor: Cursor) => number {
    const check = this.#items.of(type);
    return (cursor) => {
      let total = 0;
      for (let count = cursor.count(); count !== 0; count = cursor.count()) {
        if (count < 0) {
          count = -count;
          cursor.length();
        }
        check(count, cursor.leftBytes);
        for (let i = 0; i < count; i++) item(cursor);
        total += count;
      }
      return total;
    };
  }

  #array(node: Node, type: DataType): Builder {
    const items = this.build(node.children[0] as Node);
    const { items: itemType } = node.type as Extract<AvroType, { kind: "array" | "map" }>;
    return new ListBuilder(
      type,
      items,
      this.#readBlocks(itemType, (cursor) => items.append(cursor)),
    );
  }

  #map(node: Node, type: Extract<DataType, { kind: "map" }>): Builder {
    const keys = new BytesBuilder({ kind: "utf8" }, node.name, writeBytes);
    const values = this.build(node.children[0] as Node);
    const steps = [(cursor: Cursor) => keys.append(cursor), (cursor: Cursor) => values.append(cursor)];
    const entries = new StructBuilder(type.child.type, [keys, values], steps);
    return new ListBuilder(
      type,
      entries,
      this.#readBlocks({ kind: "string" }, (cursor) => entries.append(cursor)),
    );
  }
}

function symbolColumn(symbols: readonly string[]): Column {
  const encoded = symbols.map((symbol) => new TextEncoder().encode(symbol));
  const offsets = new Int32Array(symbols.length + 1);
  for (let i = 0; i < encoded.length; i++) offsets[i + 1] = (offsets[i] as number) + (encoded[i] as Uint8Array).length;
  const data = new Uint8Array(offsets[symbols.length] as number);
  for (let i = 0; i < encoded.length; i++) data.set(encoded[i] as Uint8Array, offsets[i]);
  const type: DataType = { kind: "utf8" };
  return { type, length: symbols.length, nullCount: 0, validity: null, offsets, data, children: [], dictionary: null };
}

function enumBuilder(type: DataType, symbols: readonly string[], column: string): Builder {
  const dictionary = symbolColumn(symbols);
  const readIndex = (cursor: Cursor): number => {
    const index = cursor.int();
    if (index < 0 || index >= symbols.length) {
      throw new FormatError(`an enum of ${symbols.length} symbols has index ${index} at byte ${cursor.at}`);
    }
    return index;
  };
  if (type.kind === "dictionary") {
    return new DictionaryBuilder(type, dictionary, (cursor, out, at) => {
      out.words[at >> 2] = readIndex(cursor);
    });
  }
  const offsets = dictionary.offsets as Int32Array;
  const bytes = dictionary.data as Uint8Array;
  return new BytesBuilder(type, column, (cursor, out) => {
    const index = readIndex(cursor);
    const start = offsets[index] as number;
    const symbol = bytes.subarray(start, offsets[index + 1]);
    const at = out.extend(symbol.length);
    out.bytes.set(symbol, at);
  });
}

function primitiveBuilder(avro: AvroType, type: DataType, column: string): Builder {
  const fixed = (write: Parameters<typeof makeFixed>[1]): Builder => makeFixed(type, write);
  switch (avro.kind) {
    case "int":
      return fixed(writeInt);
    case "long":
      return fixed(writeLong);
    case "float":
      return fixed(writeRaw(4));
    case "double":
      return fixed(writeRaw(8));
    case "fixed":
      if (avro.logical?.kind === "decimal") return fixed(writeDecimal(byteWidthOf(type), avro.size));
      return fixed(avro.logical?.kind === "duration" ? writeDuration : writeRaw(avro.size));
    case "bytes":
      if (avro.logical?.kind === "decimal") return fixed(writeDecimal(byteWidthOf(type), undefined));
      return new BytesBuilder(type, column, writeBytes);
    default:
      // What is left is a string.
      if (type.kind === "fixedSizeBinary") return fixed(writeUuid);
      return new BytesBuilder(type, column, writeBytes);
  }
}

function makeFixed(type: DataType, write: ConstructorParameters<typeof FixedBuilder>[2]): Builder {
  return new FixedBuilder(type, byteWidthOf(type), write);
}

/** A decoder for datums of `root` into the columns `nodes`. @throws UnsupportedError for recursive columns. */
export function compileDatum(
  root: AvroType,
  nodes: readonly Node[],
  dictionary: "decode" | "preserve",
  limits: Limits,
): DatumDecoder {
  const items = new ItemCounter(limits);
  const compiler = new Compiler(root, items, dictionary);
  const columns = nodes.map((node) => compiler.build(node));
  const steps =
    root.kind === "record"
      ? compiler.steps(root, nodes, columns)
      : columns.length === 0
        ? [compiler.skip(root)]
        : columns.map(
            (column): Step =>
              (cursor) =>
                column.append(cursor),
          );
  const check = items.of(root);
  return {
    columns,
    append(cursor) {
      for (let i = 0; i < steps.length; i++) (steps[i] as Step)(cursor);
    },
    skip: compiler.skip(root),
    checkCount: check,
  };
}
