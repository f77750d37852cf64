import { type Column, OptionsError } from "@ingest-ts/core";
import { listSpans, offsetsOf } from "../columns/list-spans.ts";
import type { Places } from "../columns/places.ts";
import type { WorkMemory } from "../columns/work-memory.ts";
import { type ColumnBody, ColumnEncoder, direct, directV2 } from "./column.ts";
import { BinaryColumn } from "./column-bytes.ts";
import { DecimalColumn } from "./column-decimals.ts";
import { BooleanColumn, ByteColumn, FloatColumn, IntegerColumn } from "./column-numbers.ts";
import { StringColumn } from "./column-strings.ts";
import { TimestampColumn } from "./column-timestamps.ts";
import type { TypedStatistics } from "./statistics.ts";
import { IntegerStream } from "./streams.ts";
import type { OrcNode } from "./types.ts";
import { WordBuffer } from "./words.ts";

function childOf(column: Column, index: number): Column {
  const child = column.children[index];
  if (child === undefined) throw new OptionsError(`a ${column.type.kind} column without child ${index}`);
  return child;
}

/** struct: nothing but its fields. */
class StructColumn extends ColumnEncoder {
  protected override newStatistics(): TypedStatistics | undefined {
    return undefined;
  }

  protected override mark(): void {}

  protected override take(column: Column, places: Places): void {
    this.node.children.forEach((_, i) => {
      this.child(i).append(childOf(column, i), places);
    });
  }

  protected override flush(): void {}

  protected override finishBody(): ColumnBody {
    return { streams: [], encoding: direct };
  }
}

/** list and map: how many items each has. */
class ListColumn extends ColumnEncoder {
  readonly #words = new WordBuffer();
  readonly #lengths: IntegerStream;

  constructor(node: OrcNode, children: readonly ColumnEncoder[], memory: WorkMemory) {
    super(node, children);
    this.#lengths = new IntegerStream(memory, false);
  }

  protected override newStatistics(): TypedStatistics | undefined {
    return undefined;
  }

  protected override mark(): void {
    this.#lengths.mark();
  }

  protected override take(column: Column, places: Places): void {
    const { type } = this.node;
    const items = childOf(column, 0);
    const shape = type.kind === "fixedSizeList" ? type.size : offsetsOf(column);
    const { lengths, total, start, indices } = listSpans(places, shape, items.length);
    const { words, at } = this.#words.extend(lengths.length);
    for (let i = 0, to = at; i < lengths.length; i++) {
      words[to++] = lengths[i] as number;
      words[to++] = 0;
    }
    const below: Places = { start, length: total, indices };
    if (this.node.kind === "list") this.child(0).append(items, below);
    else for (const k of [0, 1]) this.child(k).append(childOf(items, k), below);
  }

  protected override flush(): void {
    this.#lengths.append(this.#words.take());
  }

  protected override finishBody(): ColumnBody {
    return { streams: [this.#lengths.finish("length")], encoding: directV2 };
  }
}

/** The encoder of a column and all below it. */
export function createColumn(node: OrcNode, memory: WorkMemory, tryDictionary: boolean): ColumnEncoder {
  const children = node.children.map((child) => createColumn(child, memory, tryDictionary));
  switch (node.kind) {
    case "struct":
      return new StructColumn(node, children);
    case "list":
    case "map":
      return new ListColumn(node, children, memory);
    case "boolean":
      return new BooleanColumn(node);
    case "byte":
      return new ByteColumn(node);
    case "float":
    case "double":
      return new FloatColumn(node);
    case "string":
      return new StringColumn(node, memory, tryDictionary);
    case "binary":
      return new BinaryColumn(node, memory);
    case "decimal":
      return new DecimalColumn(node, memory);
    case "timestamp":
    case "timestampInstant":
      return new TimestampColumn(node, memory);
    default:
      return new IntegerColumn(node, memory);
  }
}
