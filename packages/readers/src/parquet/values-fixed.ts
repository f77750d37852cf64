import { byteWidthOf, checkLimit, type DataType, FormatError, type Limits, UnsupportedError } from "@ingest-ts/core";
import { type Conversion, conversionFault, conversionOf, storedWidth } from "./conversions.ts";
import { DictionaryIndices } from "./dictionary-indices.ts";
import { kernelFault } from "./faults.ts";
import { GrowingBytes } from "./growing.ts";
import { encodingError, type LeafBuffers, type LeafValues, SlotFault, type Step } from "./leaf-values.ts";
import type { Leaf } from "./nodes.ts";
import type { EncodedValues } from "./pages.ts";
import { Encoding, Physical } from "./spec.ts";
import { ByteArrayPage } from "./byte-arrays.ts";
import type { Block, Workspace } from "./workspace.ts";

const MAX_ROW_BYTES = 0x7fffffff;

/** Values of a fixed width: INT32, INT64, INT96, FLOAT, DOUBLE and FIXED_LEN_BYTE_ARRAY in all their meanings. */
export class FixedValues implements LeafValues {
  readonly takesOutside: boolean = false;
  readonly #space: Workspace;
  readonly #leaf: Leaf;
  readonly #type: DataType;
  readonly #limits: Limits;
  readonly #storedWidth: number;
  /** Bytes of one Arrow value. */
  readonly #width: number;
  readonly #convert: Conversion | undefined;
  readonly #indices: DictionaryIndices;
  /** The dictionary, converted. */
  readonly #dictionary: Block;
  #dictionarySize: number | undefined;
  /** Entries of the dictionary that the column cannot hold: errors of the rows that have them. */
  #badEntries: ReadonlySet<number> = new Set();
  /** Stored values of the page when its encoding had to be undone. */
  readonly #decoded: Block;
  /** Next stored value of the page; undefined while its values are dictionary indices. */
  #dense: number | undefined;
  readonly #data: GrowingBytes = new GrowingBytes();

  constructor(space: Workspace, leaf: Leaf, type: DataType, limits: Limits) {
    this.#space = space;
    this.#leaf = leaf;
    this.#type = type;
    this.#limits = limits;
    this.#storedWidth = storedWidth(leaf);
    this.#width = byteWidthOf(type);
    this.#convert = conversionOf(space, leaf, type);
    this.#indices = new DictionaryIndices(space);
    this.#dictionary = space.block();
    this.#decoded = space.block();
  }

  loadDictionary({ address, length, count }: EncodedValues): void {
    this.#checkLength(length, count);
    const target = this.#dictionary.ensure(count * this.#width);
    if (this.#convert === undefined) this.#space.bytes.copyWithin(target, address, address + count * this.#width);
    else this.#badEntries = this.#convertEntries(this.#convert, address, count, target);
    this.#dictionarySize = count;
  }

  /** @returns which entries do not fit */
  #convertEntries(convert: Conversion, address: number, count: number, target: number): ReadonlySet<number> {
    const bad = new Set<number>();
    for (let at = 0; at < count; ) {
      const fits = convert(address + at * this.#storedWidth, count - at, target + at * this.#width);
      at += fits + 1;
      if (at <= count) bad.add(at - 1);
    }
    return bad;
  }

  #checkLength(length: number, count: number): void {
    if (count * this.#storedWidth > length)
      throw new FormatError(`${count} values of ${this.#storedWidth} bytes in a page of ${length} bytes`);
  }

  openPage(page: EncodedValues): void {
    switch (page.encoding) {
      case Encoding.PLAIN:
        this.#checkLength(page.length, page.count);
        this.#dense = page.address;
        return;
      case Encoding.PLAIN_DICTIONARY:
      case Encoding.RLE_DICTIONARY:
        this.#dense = undefined;
        this.#indices.open(page, this.#dictionarySize);
        return;
      default:
        this.#dense = page.count === 0 ? 0 : this.#undo(page);
    }
  }

  /** Undoes an encoding of the whole page. @returns where its stored values are. */
  #undo(page: EncodedValues): number {
    const { x } = this.#space;
    const { physical } = this.#leaf;
    const isInteger = physical === Physical.INT32 || physical === Physical.INT64;
    if (page.encoding === Encoding.DELTA_BINARY_PACKED && isInteger) {
      const out = this.#decoded.ensure(page.count * this.#storedWidth);
      const status =
        physical === Physical.INT32
          ? x.deltaBinaryPacked32(page.address, page.length, out, page.count)
          : x.deltaBinaryPacked64(page.address, page.length, out, page.count);
      if (status < 0) throw kernelFault(x, status, "delta-packed values");
      return out;
    }
    if (page.encoding === Encoding.BYTE_STREAM_SPLIT && physical !== Physical.INT96) {
      const out = this.#decoded.ensure(page.count * this.#storedWidth);
      const status = x.byteStreamSplit(page.address, page.length, this.#storedWidth, out, page.count);
      if (status < 0) throw kernelFault(x, status, "byte streams");
      return out;
    }
    if (page.encoding === Encoding.DELTA_BYTE_ARRAY && physical === Physical.FIXED_LEN_BYTE_ARRAY) {
      checkLimit(this.#limits, "pageBytes", page.count * this.#storedWidth, "a page");
      const values = new ByteArrayPage(this.#space, this.#decoded, this.#space.offsets);
      values.openDeltaByteArray(page, this.#limits);
      values.checkUniform(this.#storedWidth);
      return values.bytesAddress;
    }
    throw encodingError(page.encoding, physical);
  }

  skip(values: number): void {
    if (this.#dense === undefined) this.#indices.next(values);
    else this.#dense += values * this.#storedWidth;
  }

  append(step: Step, maxBytes: number): boolean {
    const sizeBytes = step.slots * this.#width;
    if (sizeBytes > maxBytes) return false;
    if (this.#data.length + sizeBytes > MAX_ROW_BYTES) throw new UnsupportedError("one row of more than 2 GiB");
    let source = this.#next(step);
    if (step.bits !== 0) source = this.#spread(source, step);
    this.#data.append(this.#space.bytes.subarray(source, source + sizeBytes), step.expectedSlots * this.#width);
    return true;
  }

  /** Address of the step's Arrow values, dense. @throws SlotFault for one that does not fit */
  #next(step: Step): number {
    const width = this.#width;
    const count = step.valid;
    if (this.#dense === undefined) {
      const indices = this.#indices.next(count);
      if (this.#badEntries.size > 0) this.#checkEntries(indices, step);
      return this.#gather(indices, count);
    }
    const source = this.#dense;
    this.#dense += count * this.#storedWidth;
    if (this.#convert === undefined) return source;
    const target = this.#space.values.ensure(count * width);
    const fits = this.#convert(source, count, target);
    if (fits < count) throw this.#fault(fits, step);
    return target;
  }

  #checkEntries(indices: number, step: Step): void {
    const entries = new Int32Array(this.#space.x.memory.buffer, indices, step.valid);
    const at = entries.findIndex((entry) => this.#badEntries.has(entry));
    if (at >= 0) throw this.#fault(at, step);
  }

  /** For value `index` of the step, nulls not counted. */
  #fault(index: number, { bits, bit }: Step): SlotFault {
    let slot = index;
    if (bits !== 0) {
      const { bytes } = this.#space;
      slot = -1;
      for (let seen = -1; seen < index; ) {
        slot++;
        const place = bit + slot;
        seen += ((bytes[bits + (place >> 3)] as number) >> (place & 7)) & 1;
      }
    }
    return new SlotFault(slot, conversionFault(this.#type, this.#leaf));
  }

  #gather(indices: number, count: number): number {
    const { x } = this.#space;
    const width = this.#width;
    const target = this.#space.values.ensure(count * width);
    const from = this.#dictionary.address;
    if (width === 4) x.gather4(indices, count, from, target);
    else if (width === 8) x.gather8(indices, count, from, target);
    else if (width === 1) x.gather1(indices, count, from, target);
    else if (width === 2) x.gather2(indices, count, from, target);
    else if (width === 16) x.gather16(indices, count, from, target);
    else x.gatherFixed(indices, count, from, width, target);
    return target;
  }

  #spread(source: number, { bits, bit, slots, valid }: Step): number {
    const { x } = this.#space;
    const width = this.#width;
    const target = this.#space.spread.ensure(slots * width);
    let status: number;
    if (width === 4) status = x.spread4(bits, bit, slots, source, valid, target);
    else if (width === 8) status = x.spread8(bits, bit, slots, source, valid, target);
    else if (width === 1) status = x.spread1(bits, bit, slots, source, valid, target);
    else if (width === 2) status = x.spread2(bits, bit, slots, source, valid, target);
    else if (width === 16) status = x.spread16(bits, bit, slots, source, valid, target);
    else status = x.spreadFixed(bits, bit, slots, source, valid, width, target);
    if (status < 0) throw kernelFault(x, status, "values");
    return target;
  }

  sizeOf(slots: number): number {
    return slots * this.#width;
  }

  take(slots: number): LeafBuffers {
    return { data: this.#data.take(slots * this.#width), offsets: null };
  }
}
