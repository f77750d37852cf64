import { FormatError } from "@ingest-ts/core";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * A table of a flatbuffer (flatbuffers.dev, "Internals"): fields are found by slot through its vtable. Every access is
 * checked against the buffer; `RangeError` from the view is what a wrong offset gives, see `readFlatbuffer`.
 */
export class Table {
  readonly #view: DataView;
  readonly #position: number;
  readonly #vtable: number;
  readonly #vtableBytes: number;

  constructor(view: DataView, position: number) {
    this.#view = view;
    this.#position = position;
    this.#vtable = position - view.getInt32(position, true);
    this.#vtableBytes = view.getUint16(this.#vtable, true);
  }

  #at(slot: number): number {
    const entry = 4 + slot * 2;
    if (entry + 2 > this.#vtableBytes) return 0;
    const offset = this.#view.getUint16(this.#vtable + entry, true);
    return offset === 0 ? 0 : this.#position + offset;
  }

  uint8(slot: number): number {
    const at = this.#at(slot);
    return at === 0 ? 0 : this.#view.getUint8(at);
  }

  int16(slot: number, missing = 0): number {
    const at = this.#at(slot);
    return at === 0 ? missing : this.#view.getInt16(at, true);
  }

  int32(slot: number, missing = 0): number {
    const at = this.#at(slot);
    return at === 0 ? missing : this.#view.getInt32(at, true);
  }

  /** A count or an offset: not negative, at most 2^53. */
  size(slot: number): number {
    const at = this.#at(slot);
    return at === 0 ? 0 : sizeAt(this.#view, at);
  }

  has(slot: number): boolean {
    return this.#at(slot) !== 0;
  }

  table(slot: number): Table | undefined {
    const at = this.#at(slot);
    return at === 0 ? undefined : new Table(this.#view, at + this.#view.getUint32(at, true));
  }

  text(slot: number): string | undefined {
    const at = this.#at(slot);
    if (at === 0) return undefined;
    const start = at + this.#view.getUint32(at, true);
    const length = this.#view.getUint32(start, true);
    const { buffer, byteOffset, byteLength } = this.#view;
    if (start + 4 + length > byteLength) throw new RangeError("a string past the end");
    return utf8.decode(new Uint8Array(buffer, byteOffset + start + 4, length));
  }

  /** Start and number of the elements of a vector whose elements take `elementBytes` each. */
  #vector(slot: number, elementBytes: number): { start: number; count: number } {
    const at = this.#at(slot);
    if (at === 0) return { start: 0, count: 0 };
    const start = at + this.#view.getUint32(at, true);
    const count = this.#view.getUint32(start, true);
    if (start + 4 + count * elementBytes > this.#view.byteLength) throw new RangeError("a vector past the end");
    return { start: start + 4, count };
  }

  tables(slot: number): Table[] {
    const { start, count } = this.#vector(slot, 4);
    return Array.from({ length: count }, (_, i) => {
      const at = start + i * 4;
      return new Table(this.#view, at + this.#view.getUint32(at, true));
    });
  }

  int32s(slot: number): number[] {
    const { start, count } = this.#vector(slot, 4);
    return Array.from({ length: count }, (_, i) => this.#view.getInt32(start + i * 4, true));
  }

  /** Structs of `words` 64-bit sizes each, flattened; none is below `least`. */
  sizes(slot: number, words: number, least = 0): number[] {
    const { start, count } = this.#vector(slot, words * 8);
    return Array.from({ length: count * words }, (_, i) => sizeAt(this.#view, start + i * 8, least));
  }
}

function sizeAt(view: DataView, at: number, least = 0): number {
  const value = view.getBigInt64(at, true);
  if (value < BigInt(least) || value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`a size of ${value}`);
  return Number(value);
}

/** Reads the root table of `bytes` with `read`. @throws FormatError naming `what` where offsets lead astray. */
export function readFlatbuffer<T>(bytes: Uint8Array, what: string, read: (root: Table) => T): T {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return read(new Table(view, view.getUint32(0, true)));
  } catch (error) {
    // RangeError: an offset or a size; TypeError: text that is not UTF-8.
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    throw new FormatError(`${what} is malformed`, { cause: error });
  }
}
