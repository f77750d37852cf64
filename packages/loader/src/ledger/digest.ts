import { type Column, type Columns, copyBits, getBit, layoutOf } from "@ingest-ts/core";
import { murmur128 } from "./murmur.ts";

/** Room for the zeros that the hash wants behind its input. */
const SLACK_BYTES = 16;
const FIRST_BYTES = 64 * 1024;

/**
 * Rows in one spelling, whatever buffers they lie in (docs/ledger.md): per column validity, lengths, value bytes, nothing
 * under a null, no offsets, no padding.
 */
class CanonicalBytes {
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;

  start(): void {
    this.#length = 0;
  }

  digest(): string {
    this.#reserve(0);
    return murmur128(this.#bytes, this.#length);
  }

  /** `count` bytes to write, which the caller fills. */
  #reserve(count: number): Uint8Array {
    const end = this.#length + count;
    if (end + SLACK_BYTES > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end + SLACK_BYTES, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    const room = this.#bytes.subarray(this.#length, end);
    this.#length = end;
    return room;
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length).set(bytes);
  }

  #appendNumber(value: number): void {
    const room = this.#reserve(4);
    for (let i = 0; i < 4; i++) room[i] = value >>> (8 * i);
  }

  column(column: Column, from: number, to: number): void {
    const layout = layoutOf(column.type);
    this.#appendNumber(to - from);
    const validity = column.nullCount > 0 ? column.validity : null;
    if (layout.kind === "null") return;
    if (layout.kind === "sparseUnion" || layout.kind === "denseUnion") {
      this.#union(column, from, to, layout.kind === "denseUnion");
      return;
    }
    const bits = validity === null ? undefined : copyBits(validity, from, to - from);
    // A slice may have lost all the nulls of its column.
    const nulls = bits !== undefined && hasNulls(bits, to - from) ? bits : undefined;
    this.#append(nulls === undefined ? allValid : hasSome);
    if (nulls !== undefined) this.#append(nulls);
    if (layout.kind === "bits") this.#bits(column, from, to, nulls);
    else if (layout.kind === "fixed") this.#fixed(column, from, to, layout.byteWidth, nulls);
    else if (layout.kind === "bytes" || layout.kind === "list") this.#variable(column, from, to, nulls);
    else if (layout.kind === "fixedSizeList") {
      eachRun(nulls, from, to, (start, end) => {
        this.column(column.children[0] as Column, start * layout.size, end * layout.size);
      });
    } else {
      for (const child of column.children) eachRun(nulls, from, to, (start, end) => this.column(child, start, end));
    }
  }

  #bits(column: Column, from: number, to: number, nulls: Uint8Array | undefined): void {
    const bits = copyBits(column.data as Uint8Array, from, to - from);
    if (nulls !== undefined) for (let i = 0; i < bits.length; i++) bits[i] = (bits[i] as number) & (nulls[i] as number);
    this.#append(bits);
  }

  #fixed(column: Column, from: number, to: number, width: number, nulls: Uint8Array | undefined): void {
    const room = this.#reserve((to - from) * width);
    room.set((column.data as Uint8Array).subarray(from * width, to * width));
    if (nulls === undefined) return;
    for (let i = 0; i < to - from; i++) if (!getBit(nulls, i)) room.fill(0, i * width, (i + 1) * width);
  }

  #variable(column: Column, from: number, to: number, nulls: Uint8Array | undefined): void {
    const { offsets, data } = column;
    const at = offsets as Int32Array | BigInt64Array;
    this.#lengths(at, from, to, nulls);
    const [child] = column.children;
    eachRun(nulls, from, to, (start, end) => {
      const [first, last] = [Number(at[start]), Number(at[end])];
      if (child !== undefined) this.column(child, first, last);
      else if (data !== null) this.#append(data.subarray(first, last));
    });
  }

  /** Lengths modulo 2^32, from the lower words of the offsets: a bigint per row would cost more than the hash. */
  #lengths(offsets: Int32Array | BigInt64Array, from: number, to: number, nulls: Uint8Array | undefined): void {
    const stride = offsets.BYTES_PER_ELEMENT / 4;
    const words = new Int32Array(offsets.buffer, offsets.byteOffset + from * 4 * stride, (to - from + 1) * stride);
    const room = this.#reserve((to - from) * 4);
    let previous = words[0] as number;
    for (let i = 0, byte = 0, word = stride; i < to - from; i++, byte += 4, word += stride) {
      const next = words[word] as number;
      const length = nulls === undefined || getBit(nulls, i) ? next - previous : 0;
      previous = next;
      room[byte] = length;
      room[byte + 1] = length >>> 8;
      room[byte + 2] = length >>> 16;
      room[byte + 3] = length >>> 24;
    }
  }

  #union(column: Column, from: number, to: number, dense: boolean): void {
    const ids = column.data as Uint8Array;
    this.#append(ids.subarray(from, to));
    if (column.type.kind !== "union") return;
    const { typeIds } = column.type;
    for (let i = from; i < to; i++) {
      const child = column.children[typeIds.indexOf(((ids[i] as number) << 24) >> 24)] as Column;
      const row = dense ? Number((column.offsets as Int32Array)[i]) : i;
      this.column(child, row, row + 1);
    }
  }
}

const allValid = Uint8Array.of(0);
const hasSome = Uint8Array.of(1);

function hasNulls(bits: Uint8Array, length: number): boolean {
  for (let i = 0; i < length; i++) if (!getBit(bits, i)) return true;
  return false;
}

/** Calls `use` with the longest runs [start, end) of valid values in [from, to); bit 0 of `nulls` is `from`. */
function eachRun(
  nulls: Uint8Array | undefined,
  from: number,
  to: number,
  use: (start: number, end: number) => void,
): void {
  if (nulls === undefined) {
    use(from, to);
    return;
  }
  let start = from;
  for (let i = from; i < to; i++) {
    if (getBit(nulls, i - from)) continue;
    if (i > start) use(start, i);
    start = i + 1;
  }
  if (to > start) use(start, to);
}

const scratch = new CanonicalBytes();

/**
 * Digest of rows [from, to): 16 hexadecimal digits, equal in every process for equal rows of equal columns, however they
 * lie in memory. It finds accidents (other data, another order), not forgeries.
 */
export function digestRows(rows: Columns, from = 0, to: number = rows.rows): string {
  scratch.start();
  for (const column of rows.columns) scratch.column(column, from, to);
  return scratch.digest();
}
