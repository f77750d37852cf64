import type { Column, DataType, Field } from "@ingest-ts/core";
import { type Builder, grown, Validity } from "./builder.ts";
import { type JsonCursor, JsonFault } from "./cursor.ts";
import type { TextBuilder } from "./flat-builders.ts";

/** Appends the value that comes next to `builder`, a null where `field` allows it. @throws JsonFault with the path */
function appendField(cursor: JsonCursor, field: Field, builder: Builder, name: string | number): void {
  try {
    if (cursor.kind() === "null") {
      if (!field.nullable) throw cursor.fault("null where a value has to be");
      cursor.word("null");
      builder.appendNull();
    } else builder.append(cursor);
  } catch (error) {
    if (error instanceof JsonFault) error.path.unshift(name);
    throw error;
  }
}

/** Lists of any length: offsets into the builder of their values. */
export class ListBuilder implements Builder {
  readonly type: DataType;
  readonly #child: Field;
  readonly #items: Builder;
  readonly #validity = new Validity();
  #offsets = new Int32Array(1);

  constructor(type: Extract<DataType, { kind: "list" }>, items: Builder) {
    this.type = type;
    this.#child = type.child;
    this.#items = items;
  }

  get length(): number {
    return this.#validity.length;
  }

  append(cursor: JsonCursor): void {
    const kind = cursor.kind();
    if (kind !== "array") throw cursor.fault(`${kind} where an array should be`);
    cursor.array((index) => appendField(cursor, this.#child, this.#items, index));
    this.#end(true);
  }

  appendNull(): void {
    this.#end(false);
  }

  #end(valid: boolean): void {
    this.#offsets = grown(this.#offsets, this.length + 1, 1);
    this.#offsets[this.length + 1] = this.#items.length;
    this.#validity.push(valid);
  }

  truncate(length: number): void {
    this.#validity.truncate(length);
    this.#items.truncate(this.#offsets[length] as number);
  }

  finish(): Column {
    const offsets = this.#offsets.slice(0, this.length + 1);
    const children = [this.#items.finish()];
    return { type: this.type, ...this.#validity.finish(), offsets, data: null, children, dictionary: null };
  }
}

/** An object whose names are data. */
export class MapBuilder implements Builder {
  readonly type: DataType;
  readonly #entries: Field;
  readonly #value: Field;
  readonly #keys: TextBuilder;
  readonly #values: Builder;
  readonly #validity = new Validity();
  #offsets = new Int32Array(1);

  constructor(type: Extract<DataType, { kind: "map" }>, keys: TextBuilder, value: Field, values: Builder) {
    this.type = type;
    this.#entries = type.child;
    this.#value = value;
    this.#keys = keys;
    this.#values = values;
  }

  get length(): number {
    return this.#validity.length;
  }

  append(cursor: JsonCursor): void {
    const kind = cursor.kind();
    if (kind !== "object") throw cursor.fault(`${kind} where an object should be`);
    const seen = new Set<string>();
    cursor.object((name) => {
      if (seen.has(name)) throw cursor.fault(`the name ${JSON.stringify(name)} comes twice`);
      seen.add(name);
      this.#keys.appendText(name, cursor);
      appendField(cursor, this.#value, this.#values, name);
    });
    this.#end(true);
  }

  appendNull(): void {
    this.#end(false);
  }

  #end(valid: boolean): void {
    this.#offsets = grown(this.#offsets, this.length + 1, 1);
    this.#offsets[this.length + 1] = this.#values.length;
    this.#validity.push(valid);
  }

  truncate(length: number): void {
    this.#validity.truncate(length);
    const entries = this.#offsets[length] as number;
    this.#keys.truncate(entries);
    this.#values.truncate(entries);
  }

  finish(): Column {
    const offsets = this.#offsets.slice(0, this.length + 1);
    const children = [this.#keys.finish(), this.#values.finish()];
    const length = (children[1] as Column).length;
    const none = { nullCount: 0, validity: null, offsets: null, data: null, dictionary: null };
    const entries: Column = { type: this.#entries.type, length, children, ...none };
    return {
      type: this.type,
      ...this.#validity.finish(),
      offsets,
      data: null,
      children: [entries],
      dictionary: null,
    };
  }
}

/** An object of declared fields. Names that are not declared are passed over; one that comes twice is a fault. */
export class StructBuilder implements Builder {
  readonly type: DataType;
  readonly #fields: readonly Field[];
  readonly #children: readonly Builder[];
  readonly #places: ReadonlyMap<string, number>;
  readonly #validity = new Validity();

  constructor(type: Extract<DataType, { kind: "struct" }>, children: readonly Builder[]) {
    this.type = type;
    this.#fields = type.children;
    this.#children = children;
    this.#places = new Map(type.children.map(({ name }, i) => [name, i]));
  }

  get length(): number {
    return this.#validity.length;
  }

  append(cursor: JsonCursor): void {
    const kind = cursor.kind();
    if (kind !== "object") throw cursor.fault(`${kind} where an object should be`);
    const row = this.length;
    cursor.object((name) => {
      const i = this.#places.get(name);
      if (i === undefined) {
        cursor.skip();
        return;
      }
      const builder = this.#children[i] as Builder;
      if (builder.length > row) throw cursor.fault(`the name ${JSON.stringify(name)} comes twice`);
      appendField(cursor, this.#fields[i] as Field, builder, name);
    });
    for (const [i, builder] of this.#children.entries()) {
      if (builder.length > row) continue;
      const field = this.#fields[i] as Field;
      if (!field.nullable) throw cursor.fault(`the name ${JSON.stringify(field.name)} is missing`);
      builder.appendNull();
    }
    this.#validity.push(true);
  }

  appendNull(): void {
    for (const child of this.#children) child.appendNull();
    this.#validity.push(false);
  }

  truncate(length: number): void {
    this.#validity.truncate(length);
    for (const child of this.#children) child.truncate(length);
  }

  finish(): Column {
    const children = this.#children.map((child) => child.finish());
    return { type: this.type, ...this.#validity.finish(), offsets: null, data: null, children, dictionary: null };
  }
}
