import { FormatError } from "@ingest-ts/core";
import { kernelFault } from "./faults.ts";
import { GrowingBits } from "./growing.ts";
import { encodingError, type LeafBuffers, type LeafValues, type Step } from "./leaf-values.ts";
import type { EncodedValues } from "./pages.ts";
import { Encoding, Physical } from "./spec.ts";
import type { Block, Workspace } from "./workspace.ts";

/** BOOLEAN values, kept as bits all the way. */
export class BooleanValues implements LeafValues {
  readonly takesOutside: boolean = false;
  readonly #space: Workspace;
  readonly #decoded: Block;
  /** Bits of the page, their length in bytes, and the next one. */
  #bits = 0;
  #length = 0;
  #position = 0;
  readonly #data: GrowingBits = new GrowingBits();

  constructor(space: Workspace) {
    this.#space = space;
    this.#decoded = space.block();
  }

  loadDictionary(): void {
    throw new FormatError("a dictionary of booleans");
  }

  openPage(page: EncodedValues): void {
    this.#position = 0;
    this.#length = (page.count + 7) >> 3;
    if (page.encoding === Encoding.PLAIN) {
      if (this.#length > page.length) throw new FormatError(`${page.count} booleans in a page of ${page.length} bytes`);
      this.#bits = page.address;
    } else if (page.encoding === Encoding.RLE) this.#openRle(page);
    else throw encodingError(page.encoding, Physical.BOOLEAN);
  }

  /** Encodings, "RLE": booleans have a length in front, in both versions of data pages. */
  #openRle(page: EncodedValues): void {
    if (page.count === 0) return;
    const { x } = this.#space;
    if (page.length < 4) throw new FormatError("the page ends before its booleans");
    const length = new DataView(x.memory.buffer).getUint32(page.address, true);
    if (length > page.length - 4)
      throw new FormatError(`booleans claim ${length} bytes, the page has ${page.length - 4} left`);
    this.#bits = this.#decoded.ensure(this.#length);
    const status = x.rleBits(page.address + 4, length, this.#bits, 0, page.count);
    if (status < 0) throw kernelFault(x, status, "booleans");
  }

  skip(values: number): void {
    this.#position += values;
  }

  append({ slots, valid, bits, bit }: Step, maxBytes: number): boolean {
    if (slots > maxBytes * 8) return false;
    const { x } = this.#space;
    const index = this.#data.bit;
    const sizeBytes = (index + slots + 7) >> 3;
    const target = this.#space.spread.ensure(sizeBytes);
    const status =
      bits === 0
        ? x.copyBits(this.#bits, this.#length, this.#position, target, index, slots)
        : x.spreadBits(bits, bit, slots, this.#bits, this.#position, valid, target, index);
    if (status < 0) throw kernelFault(x, status, "booleans");
    this.#position += valid;
    this.#data.append(this.#space.bytes.subarray(target, target + sizeBytes), slots);
    return true;
  }

  sizeOf(slots: number): number {
    return Math.ceil(slots / 8);
  }

  take(slots: number): LeafBuffers {
    return { data: this.#data.take(slots), offsets: null };
  }
}
