import { FormatError, UnsupportedError } from "@ingest-ts/core";
import type { Cursor } from "./cursor.ts";
import type { ItemCounter } from "./items.ts";
import type { AvroType } from "./spec.ts";

/** Passes one value without keeping it. */
export type Skip = (cursor: Cursor) => void;

/** Values nested deeper than this in a recursive type would end the stack. */
const DEPTH = 1000;

const skipLong: Skip = (cursor) => cursor.long();
const skipBytes: Skip = (cursor) => {
  cursor.take(cursor.length());
};

function skipFixed(size: number): Skip {
  return (cursor) => {
    cursor.take(size);
  };
}

/** Makes skippers; a type that contains itself uses the one of its definition again. */
export class Skipper {
  readonly #items: ItemCounter;
  readonly #records = new Map<string, Skip>();
  #depth = 0;

  constructor(items: ItemCounter, root: AvroType) {
    this.#items = items;
    // Recursive references may be met without the record around them: make all records known first.
    this.of(root);
  }

  of(type: AvroType): Skip {
    switch (type.kind) {
      case "null":
        return () => undefined;
      case "boolean":
        return skipFixed(1);
      case "int":
      case "long":
      case "enum":
        return skipLong;
      case "float":
        return skipFixed(4);
      case "double":
        return skipFixed(8);
      case "bytes":
      case "string":
        return skipBytes;
      case "fixed":
        return skipFixed(type.size);
      case "array":
        return this.#blocks(type.items, this.of(type.items));
      case "map": {
        const item = this.of(type.items);
        return this.#blocks({ kind: "string" }, (cursor) => {
          skipBytes(cursor);
          item(cursor);
        });
      }
      case "union":
        return this.#union(type.branches.map((branch) => this.of(branch)));
      case "record":
        return this.#record(type);
      case "recursive":
        return (cursor) => this.#again(type.name, cursor);
    }
  }

  #record(type: Extract<AvroType, { kind: "record" }>): Skip {
    const fields = type.fields.map((field) => this.of(field.type));
    const skip: Skip = (cursor) => {
      for (const field of fields) field(cursor);
    };
    this.#records.set(type.name, skip);
    return skip;
  }

  #again(name: string, cursor: Cursor): void {
    if (++this.#depth > DEPTH) {
      throw new UnsupportedError(`a value of the recursive type "${name}" is nested deeper than ${DEPTH}`);
    }
    (this.#records.get(name) as Skip)(cursor);
    this.#depth--;
  }

  #union(branches: readonly Skip[]): Skip {
    return (cursor) => {
      const branch = cursor.count();
      const skip = branches[branch];
      if (skip === undefined) {
        throw new FormatError(`a union of ${branches.length} types has branch ${branch} at byte ${cursor.at}`);
      }
      skip(cursor);
    };
  }

  /** A block with a negative count says its size, so that it is passed at once. */
  #blocks(type: AvroType, item: Skip): Skip {
    const perItem = this.#items.of(type);
    return (cursor) => {
      for (let count = cursor.count(); count !== 0; count = cursor.count()) {
        if (count < 0) {
          cursor.take(cursor.length());
          continue;
        }
        perItem(count, cursor.leftBytes);
        for (let i = 0; i < count; i++) item(cursor);
      }
    };
  }
}
