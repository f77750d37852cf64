import { byteWidthOf, type Column, type DataType } from "@ingest-ts/core";
import { type Builder, grown, Validity } from "./builder.ts";
import type { JsonCursor } from "./cursor.ts";

/** Writes a value, which is not null, at `at` of `view`. @throws JsonFault */
export type PutValue = (cursor: JsonCursor, view: DataView, at: number) => void;

/** Values of a fixed number of bytes. */
export class FixedBuilder implements Builder {
  readonly type: DataType;
  readonly #width: number;
  readonly #put: PutValue;
  readonly #validity = new Validity();
  #data = new Uint8Array(0);
  #view = new DataView(this.#data.buffer);

  constructor(type: DataType, put: PutValue) {
    this.type = type;
    this.#width = byteWidthOf(type);
    this.#put = put;
  }

  get length(): number {
    return this.#validity.length;
  }

  /** Room for one more value; where it goes. */
  #next(): number {
    const at = this.length * this.#width;
    const data = grown(this.#data, at, this.#width);
    if (data !== this.#data) {
      this.#data = data;
      this.#view = new DataView(data.buffer);
    }
    return at;
  }

  append(cursor: JsonCursor): void {
    // Before the view is looked at: room for the value may need a new one.
    const at = this.#next();
    this.#put(cursor, this.#view, at);
    this.#validity.push(true);
  }

  appendNull(): void {
    const at = this.#next();
    this.#data.fill(0, at, at + this.#width);
    this.#validity.push(false);
  }

  truncate(length: number): void {
    this.#validity.truncate(length);
  }

  finish(): Column {
    const data = this.#data.slice(0, this.length * this.#width);
    return { type: this.type, ...this.#validity.finish(), offsets: null, data, children: [], dictionary: null };
  }
}

/** Booleans: bits, least significant first. */
export class BoolBuilder implements Builder {
  readonly type: DataType = { kind: "bool" };
  readonly #validity = new Validity();
  readonly #values = new Validity();

  get length(): number {
    return this.#validity.length;
  }

  append(cursor: JsonCursor): void {
    const kind = cursor.kind();
    if (kind !== "true" && kind !== "false") throw cursor.fault(`${kind} where true or false should be`);
    cursor.word(kind);
    this.#values.push(kind === "true");
    this.#validity.push(true);
  }

  appendNull(): void {
    this.#values.push(false);
    this.#validity.push(false);
  }

  truncate(length: number): void {
    this.#values.truncate(length);
    this.#validity.truncate(length);
  }

  finish(): Column {
    const bits = this.#values.finish();
    const bytes = (bits.length + 7) >> 3;
    // All bits are set when none was left out.
    const data = bits.validity ?? new Uint8Array(bytes).fill(0xff);
    return { type: this.type, ...this.#validity.finish(), offsets: null, data, children: [], dictionary: null };
  }
}

const MOST_BYTES = 2 ** 31 - 1;
const encoder = new TextEncoder();

/** Strings as UTF-8 with offsets of 32 bits. */
export class TextBuilder implements Builder {
  readonly type: DataType = { kind: "utf8" };
  readonly #validity = new Validity();
  #offsets = new Int32Array(1);
  #data = new Uint8Array(0);

  get length(): number {
    return this.#validity.length;
  }

  append(cursor: JsonCursor): void {
    const kind = cursor.kind();
    if (kind !== "string") throw cursor.fault(`${kind} where a string should be`);
    this.#push(cursor.plainString() ?? encoder.encode(cursor.string()), cursor);
  }

  /** Also for the keys of a map. */
  appendText(text: string, cursor: JsonCursor): void {
    this.#push(encoder.encode(text), cursor);
  }

  #push(bytes: Uint8Array, cursor: JsonCursor): void {
    const from = this.#offsets[this.length] as number;
    if (from + bytes.length > MOST_BYTES) throw cursor.fault("a batch of 2 GiB of text");
    this.#data = grown(this.#data, from, bytes.length);
    this.#data.set(bytes, from);
    this.#end(from + bytes.length, true);
  }

  appendNull(): void {
    this.#end(this.#offsets[this.length] as number, false);
  }

  #end(offset: number, valid: boolean): void {
    this.#offsets = grown(this.#offsets, this.length + 1, 1);
    this.#offsets[this.length + 1] = offset;
    this.#validity.push(valid);
  }

  truncate(length: number): void {
    this.#validity.truncate(length);
  }

  finish(): Column {
    const offsets = this.#offsets.slice(0, this.length + 1);
    const data = this.#data.slice(0, offsets[this.length]);
    return { type: this.type, ...this.#validity.finish(), offsets, data, children: [], dictionary: null };
  }
}
