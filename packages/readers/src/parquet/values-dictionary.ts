import { type Column, concatColumns, type DataType, type Limits } from "@ingest-ts/core";
import { BinaryPages } from "./binary-pages.ts";
import { DictionaryIndices } from "./dictionary-indices.ts";
import { kernelFault } from "./faults.ts";
import { GrowingBytes, GrowingOffsets } from "./growing.ts";
import type { LeafBuffers, LeafValues, Step } from "./leaf-values.ts";
import type { EncodedValues } from "./pages.ts";
import { Encoding } from "./spec.ts";
import { widenOffsets } from "./widen.ts";
import type { Block, Workspace } from "./workspace.ts";

/** What entries of a kept dictionary may be. */
export type ValueType = Extract<DataType, { kind: "utf8" | "largeUtf8" | "binary" | "largeBinary" }>;

/**
 * BYTE_ARRAY values that keep the dictionary of their column chunk, as Int32 indices. Values of pages without one (their
 * writer gave the dictionary up, or never had it) are added to it, each as an entry of its own: then the dictionary is
 * another one in every slab.
 *
 * Indices are kept as: those of the chunk's entries, one that is never used, those of the added values in their order. So a
 * null, whose index is 0, is never taken for an added value.
 */
export class DictionaryValues implements LeafValues {
  readonly takesOutside: boolean = false;
  readonly #space: Workspace;
  readonly #type: ValueType;
  readonly #indices: DictionaryIndices;
  readonly #pages: BinaryPages;
  readonly #sequence: Block;
  #isIndexed = false;
  #entries: Column;
  #hasEntries = false;
  /** Values added since the last `take`. */
  #added = 0;
  readonly #addedData: GrowingBytes = new GrowingBytes();
  readonly #addedOffsets: GrowingOffsets = new GrowingOffsets();
  readonly #data: GrowingBytes = new GrowingBytes();

  constructor(space: Workspace, type: ValueType, limits: Limits) {
    this.#space = space;
    this.#type = type;
    this.#indices = new DictionaryIndices(space);
    this.#pages = new BinaryPages(space, this.#isText, limits);
    this.#sequence = space.block();
    this.#entries = this.#column(0, new Int32Array(1), new Uint8Array(0));
  }

  get #isText(): boolean {
    return this.#type.kind === "utf8" || this.#type.kind === "largeUtf8";
  }

  #column(length: number, offsets: Int32Array, data: Uint8Array): Column {
    const isLarge = this.#type.kind === "largeUtf8" || this.#type.kind === "largeBinary";
    const ends = isLarge ? widenOffsets(this.#space, offsets) : offsets;
    return {
      type: this.#type,
      length,
      nullCount: 0,
      validity: null,
      offsets: ends,
      data,
      children: [],
      dictionary: null,
    };
  }

  loadDictionary(values: EncodedValues): void {
    const { address, length, count } = values;
    // Checks lengths, and that text is UTF-8.
    this.#pages.loadDictionary(values);
    const { x } = this.#space;
    const bytes = this.#space.values.ensure(length);
    const offsets = this.#space.offsets.ensure((count + 1) * 4);
    const end = x.plainStrings(address, length, count, 0, 0, count, bytes, 0, length, offsets);
    if (end < 0) throw kernelFault(x, end, "dictionary entries");
    const memory = this.#space.bytes;
    const ends = new Int32Array(memory.slice(offsets, offsets + (count + 1) * 4).buffer);
    this.#entries = this.#column(count, ends, memory.slice(bytes, bytes + end));
    this.#hasEntries = true;
  }

  openPage(page: EncodedValues): void {
    this.#isIndexed = page.encoding === Encoding.PLAIN_DICTIONARY || page.encoding === Encoding.RLE_DICTIONARY;
    if (this.#isIndexed) this.#indices.open(page, this.#hasEntries ? this.#entries.length : undefined);
    else this.#pages.openPage(page);
  }

  skip(values: number): void {
    if (this.#isIndexed) this.#indices.next(values);
    else this.#pages.skip(values);
  }

  append(step: Step, maxBytes: number): boolean {
    const { slots, valid, bits, bit, expectedSlots } = step;
    const sizeBytes = slots * 4;
    if (sizeBytes > maxBytes) return false;
    if (!this.#isIndexed && !this.#add(valid, maxBytes - sizeBytes)) return false;
    let source = this.#isIndexed ? this.#indices.next(valid) : this.#addedIndices(valid);
    if (bits !== 0) {
      const { x } = this.#space;
      const target = this.#space.spread.ensure(sizeBytes);
      const status = x.spread4(bits, bit, slots, source, valid, target);
      if (status < 0) throw kernelFault(x, status, "values");
      source = target;
    }
    this.#data.append(this.#space.bytes.subarray(source, source + sizeBytes), expectedSlots * 4);
    return true;
  }

  /** Adds the next values of a page to the dictionary. @returns false, having done nothing, when they are too large */
  #add(count: number, maxBytes: number): boolean {
    if (count === 0) return true;
    const all: Step = { slots: count, valid: count, bits: 0, bit: 0, expectedSlots: count };
    const values = this.#pages.read(all, this.#addedOffsets.end, maxBytes);
    if (values === undefined) return false;
    const { bytes } = this.#space;
    const starts = this.#space.offsets.address;
    this.#addedOffsets.append(bytes.subarray(starts, starts + count * 4), this.#addedOffsets.end + values.sizeBytes);
    this.#addedData.append(bytes.subarray(values.address, values.address + values.sizeBytes));
    this.#added += count;
    return true;
  }

  #addedIndices(count: number): number {
    const address = this.#sequence.ensure(count * 4);
    const first = this.#entries.length + 1 + this.#added - count;
    const indices = new Int32Array(this.#space.x.memory.buffer, address, count);
    for (let i = 0; i < count; i++) indices[i] = first + i;
    return address;
  }

  sizeOf(slots: number): number {
    return slots * 4 + (this.#data.length === 0 ? 0 : (this.#addedOffsets.end * slots * 4) / this.#data.length);
  }

  take(slots: number): LeafBuffers {
    const data = this.#data.take(slots * 4);
    if (this.#added === 0) return { data, offsets: null, dictionary: this.#entries };
    const { length } = this.#entries;
    let used = 0;
    const indices = new Int32Array(data.buffer, data.byteOffset, slots);
    for (let i = 0; i < slots; i++) {
      const index = indices[i] as number;
      if (index <= length) continue;
      used = Math.max(used, index - length);
      indices[i] = index - 1;
    }
    return { data, offsets: null, dictionary: this.#dictionaryWith(used) };
  }

  /** The dictionary with the first `used` added values, which are forgotten. */
  #dictionaryWith(used: number): Column {
    if (used === 0) return this.#entries;
    const offsets = this.#addedOffsets.take(used);
    const added = this.#column(used, offsets, this.#addedData.take(offsets[used] as number));
    this.#added -= used;
    const rest = this.#data.take(this.#data.length);
    const indices = new Int32Array(rest.buffer, rest.byteOffset, rest.length / 4);
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i] as number;
      if (index > this.#entries.length) indices[i] = index - used;
    }
    this.#data.append(rest);
    return concatColumns([this.#entries, added]);
  }
}
