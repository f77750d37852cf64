import type { DataType } from "@ingest-ts/core";
import { avroOps, type Kernels } from "@ingest-ts/kernels";
import type { ColumnState } from "./column-states.ts";
import { leastBytes } from "./least-bytes.ts";
import type { ReadPlan } from "./read-plan.ts";
import type { AvroType } from "./spec.ts";
import type { Node } from "./tree.ts";

/** What to say of a fault in a node of the program. */
export interface Blame {
  readonly path: string | undefined;
  /** What a schema to read with has no place for. */
  readonly message?: string | undefined;
  readonly type?: string | undefined;
}

/**
 * Writes the program of `avroRows`: nodes of 32-bit words, children before parents. References inside are byte offsets
 * until `place` gives the program its address.
 */
export class ProgramWriter {
  readonly #words: number[] = [];
  /** Words that are offsets inside the program. */
  readonly #references: number[] = [];
  readonly #blames = new Map<number, Blame>();
  readonly #states = new Map<Node, ColumnState>();
  readonly #skips = new Map<AvroType, number>();
  /** Words that want the definition of a recursive type. */
  readonly #recursions: { word: number; name: string }[] = [];
  readonly #records = new Map<string, number>();

  constructor(columns: readonly ColumnState[]) {
    for (const column of columns) {
      for (const state of column.all()) if (state.node !== undefined) this.#states.set(state.node, state);
    }
  }

  #node(op: number, state: number, words: readonly number[], blame: Blame = { path: undefined }): number {
    const offset = this.#words.length * 4;
    this.#words.push(op, state, ...words);
    this.#blames.set(offset, blame);
    return offset;
  }

  /** A node whose words from `first` on are references. */
  #parent(op: number, state: number, words: readonly number[], first: number, blame?: Blame): number {
    const offset = this.#node(op, state, words, blame);
    for (let i = first; i < words.length; i++) this.#references.push(offset / 4 + 2 + i);
    return offset;
  }

  /** Bytes of the program itself. */
  #bytes(bytes: Uint8Array): number {
    const offset = this.#words.length * 4;
    const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
    padded.set(bytes);
    for (const word of new Int32Array(padded.buffer)) this.#words.push(word);
    return offset;
  }

  #state(node: Node): ColumnState {
    return this.#states.get(node) as ColumnState;
  }

  /** @returns the offset of the node that does what `plan` says */
  write(plan: ReadPlan): number {
    switch (plan.op) {
      case "skip":
        return this.#skip(plan.type);
      case "null":
        return this.writeNull(this.#state(plan.node));
      case "value":
        return this.#value(plan.node, plan.from);
      case "enum":
        return this.#enum(plan.node, plan.indices);
      case "record":
        return this.#record(plan);
      case "list": {
        const state = this.#state(plan.node);
        const item = this.write(plan.item);
        return this.#parent(avroOps.list, state.address, [plan.itemBytes, item], 1, { path: state.path });
      }
      case "map":
        return this.#map(plan);
      case "union":
        return this.#union(plan.branches.map((branch) => this.write(branch)));
      case "branch": {
        const state = this.#state(plan.node);
        return this.#branch(state, plan.index, this.write(plan.plan));
      }
      case "default": {
        const bytes = this.#bytes(plan.bytes);
        const offset = this.#node(avroOps.default, 0, [this.write(plan.plan), bytes, plan.bytes.length]);
        const first = this.#words.length - 3;
        this.#references.push(first, first + 1);
        return offset;
      }
      case "unresolved":
        return this.#node(avroOps.unresolved, 0, [], { path: plan.path, message: plan.message });
    }
  }

  #record({ node, steps }: Extract<ReadPlan, { op: "record" }>): number {
    const fields = steps.map((step) => this.write(step));
    // The root has no column of its own.
    const state = this.#states.get(node);
    return this.#parent(avroOps.record, state?.address ?? 0, [fields.length, ...fields], 1);
  }

  #map({ node, value }: Extract<ReadPlan, { op: "map" }>): number {
    const state = this.#state(node);
    const [entries] = state.children as [ColumnState];
    const [keys] = entries.children as [ColumnState];
    const fields = [this.#node(avroOps.text, keys.address, [], { path: keys.path }), this.write(value)];
    const entry = this.#parent(avroOps.record, entries.address, [2, ...fields], 1);
    return this.#parent(avroOps.list, state.address, [1, entry], 1, { path: state.path });
  }

  #union(branches: readonly number[], path?: string): number {
    return this.#parent(avroOps.union, 0, [branches.length, ...branches], 1, { path });
  }

  #branch(state: ColumnState, index: number, value: number): number {
    const child = state.children[index] as ColumnState;
    return this.#parent(avroOps.branch, state.address, [index, child.address, value], 2, { path: state.path });
  }

  #value(node: Node, from: AvroType["kind"]): number {
    const state = this.#state(node);
    const blame: Blame = { path: state.path };
    const [op, ...words] = valueOp(node.type, from, state.type, state.width);
    return this.#node(op, state.address, words, blame);
  }

  #enum(node: Node, indices: readonly number[]): number {
    const state = this.#state(node);
    const { symbols } = node.type as Extract<AvroType, { kind: "enum" }>;
    const blame: Blame = { path: state.path };
    if (state.dictionary !== null) {
      const table = this.#bytes(new Uint8Array(Int32Array.from(indices).buffer));
      const offset = this.#node(avroOps.enumIndex, state.address, [indices.length, table], blame);
      this.#references.push(this.#words.length - 1);
      return offset;
    }
    const encoded = symbols.map((symbol) => new TextEncoder().encode(symbol));
    const places = encoded.map((bytes) => this.#bytes(bytes));
    const table = this.#words.length * 4;
    for (const index of indices) {
      this.#references.push(this.#words.length);
      this.#words.push(places[index] ?? 0, encoded[index]?.length ?? -1);
    }
    const offset = this.#node(avroOps.enumText, state.address, [indices.length, table], blame);
    this.#references.push(this.#words.length - 1);
    return offset;
  }

  /** Makes the next value of `state` null, and so the parts that are as long as it. @returns the offset of the node */
  writeNull(state: ColumnState): number {
    switch (state.layout) {
      case "null":
        return this.#node(avroOps.null, state.address, []);
      case "boolean":
        return this.#node(avroOps.nullBoolean, state.address, []);
      case "fixed":
        return this.#node(avroOps.nullFixed, state.address, []);
      case "bytes":
      case "list":
        return this.#node(avroOps.nullOffset, state.address, []);
      case "struct": {
        const fields = state.children.map((child) => this.writeNull(child));
        return this.#parent(avroOps.nullRecord, state.address, [fields.length, ...fields], 1);
      }
      case "union":
        return this.#branch(state, 0, this.writeNull(state.children[0] as ColumnState));
    }
  }

  #skip(type: AvroType): number {
    const known = this.#skips.get(type);
    if (known !== undefined) return known;
    const offset = this.#newSkip(type);
    this.#skips.set(type, offset);
    return offset;
  }

  #newSkip(type: AvroType): number {
    switch (type.kind) {
      case "null":
        return this.#node(avroOps.nothing, 0, []);
      case "boolean":
        return this.#node(avroOps.skipFixed, 0, [1]);
      case "int":
      case "long":
      case "enum":
        return this.#node(avroOps.skipLong, 0, []);
      case "float":
        return this.#node(avroOps.skipFixed, 0, [4]);
      case "double":
        return this.#node(avroOps.skipFixed, 0, [8]);
      case "fixed":
        return this.#node(avroOps.skipFixed, 0, [type.size]);
      case "bytes":
      case "string":
        return this.#node(avroOps.skipBytes, 0, []);
      case "array":
        return this.#parent(avroOps.skipBlocks, 0, [leastBytes(type.items), this.#skip(type.items)], 1);
      case "map": {
        const entry = [this.#node(avroOps.skipBytes, 0, []), this.#skip(type.items)];
        return this.#parent(avroOps.skipBlocks, 0, [1, this.#parent(avroOps.record, 0, [2, ...entry], 1)], 1);
      }
      case "union":
        return this.#union(type.branches.map((branch) => this.#skip(branch)));
      case "record": {
        const fields = type.fields.map((field) => this.#skip(field.type));
        const offset = this.#parent(avroOps.record, 0, [fields.length, ...fields], 1);
        this.#records.set(type.name, offset);
        return offset;
      }
      case "recursive": {
        const offset = this.#parent(avroOps.recurse, 0, [0], 0, { path: undefined, type: type.name });
        this.#recursions.push({ word: this.#words.length - 1, name: type.name });
        return offset;
      }
    }
  }

  /** Puts the program into the arena, the caller's to release. @returns its address and whom to blame, by address */
  place(kernels: Kernels): { address: number; blames: ReadonlyMap<number, Blame> } {
    for (const { word, name } of this.#recursions) {
      const definition = this.#records.get(name);
      if (definition === undefined) throw new Error(`the program has no definition of "${name}"`);
      this.#words[word] = definition;
    }
    const address = kernels.arena.allocate(this.#words.length * 4);
    for (const word of this.#references) this.#words[word] = (this.#words[word] as number) + address;
    new Int32Array(kernels.exports.memory.buffer, address, this.#words.length).set(this.#words);
    return { address, blames: new Map([...this.#blames].map(([offset, blame]) => [offset + address, blame])) };
  }
}

const promotedFrom: Partial<Record<AvroType["kind"], number>> = { int: 0, long: 1, float: 2 };
const promotedTo: Partial<Record<AvroType["kind"], number>> = { long: 1, float: 2, double: 3 };

/** What reads a value of kind `from` as `reader`, and the words of its node. */
function valueOp(reader: AvroType, from: AvroType["kind"], type: DataType, width: number): [number, ...number[]] {
  const raw = width === 4 ? avroOps.raw4 : width === 8 ? avroOps.raw8 : avroOps.raw;
  if (from !== reader.kind && promotedTo[reader.kind] !== undefined) {
    return [avroOps.promote, promotedFrom[from] as number, promotedTo[reader.kind] as number];
  }
  switch (reader.kind) {
    case "null":
      return [avroOps.null];
    case "boolean":
      return [avroOps.boolean];
    case "int":
      return [avroOps.int];
    case "long":
      return [avroOps.long];
    case "float":
    case "double":
      return [raw];
    case "fixed":
      if (type.kind === "decimal") return [avroOps.decimal, reader.size];
      return [type.kind === "interval" ? avroOps.duration : raw];
    default:
      if (type.kind === "decimal") return [avroOps.decimal, -1];
      if (type.kind === "fixedSizeBinary") return [avroOps.uuid];
      return [type.kind === "utf8" ? avroOps.text : avroOps.bytes];
  }
}
