import { checkLimit, FormatError, type Limits, UnsupportedError } from "@ingest-ts/core";
import { ByteArrayPage } from "./byte-arrays.ts";
import { DictionaryIndices } from "./dictionary-indices.ts";
import { kernelFault } from "./faults.ts";
import { encodingError, type Step } from "./leaf-values.ts";
import type { EncodedValues } from "./pages.ts";
import { OutsideValues } from "./outside-values.ts";
import { Encoding, Physical } from "./spec.ts";
import type { Block, Workspace } from "./workspace.ts";

/** Largest end of a value that Int32 offsets can tell. */
const MAX_OFFSET = 0x7fffffff;

/**
 * Byte arrays of some slots: `sizeBytes` at `address`, or in `parts` outside of the workspace. Their offsets stand in the
 * workspace's scratch.
 */
export interface ByteArrays {
  readonly address: number;
  readonly parts?: readonly Uint8Array[];
  readonly sizeBytes: number;
}

type Mode = "plain" | "outside" | "dictionary" | "packed";

/** Hands out the BYTE_ARRAY values of a chunk's pages, in whatever encoding, as Arrow offsets and bytes. */
export class BinaryPages {
  readonly #space: Workspace;
  readonly #limits: Limits;
  readonly #isText: boolean;
  readonly #indices: DictionaryIndices;
  /** Bytes of the dictionary page, and (address, length) of every entry. */
  readonly #dictionary: Block;
  readonly #table: Block;
  #dictionarySize: number | undefined;
  #longest = 0;
  /** Values of a page whose delta encoding was undone, and the next of them. */
  readonly #packed: ByteArrayPage;
  #packedPosition = 0;
  #mode: Mode = "plain";
  readonly #outside: OutsideValues;
  /** Undecoded PLAIN values of the page. */
  #plain = 0;
  #plainBytes = 0;

  /** @param isText whether values must be UTF-8. */
  constructor(space: Workspace, isText: boolean, limits: Limits) {
    this.#space = space;
    this.#limits = limits;
    this.#isText = isText;
    this.#indices = new DictionaryIndices(space);
    this.#dictionary = space.block();
    this.#table = space.block();
    this.#packed = new ByteArrayPage(space, space.block(), space.block());
    this.#outside = new OutsideValues(space);
  }

  loadDictionary({ address, length, count }: EncodedValues): void {
    const { x } = this.#space;
    if (this.#isText) this.#checkDictionaryText(address, length, count);
    const own = this.#dictionary.ensure(length);
    this.#space.bytes.copyWithin(own, address, address + length);
    const longest = x.plainStringTable(own, length, count, this.#table.ensure(count * 8));
    if (longest < 0) throw kernelFault(x, longest, "dictionary entries");
    this.#longest = longest;
    this.#dictionarySize = count;
  }

  #checkDictionaryText(address: number, length: number, count: number): void {
    const { x } = this.#space;
    const bytes = this.#space.values.ensure(length);
    const offsets = this.#space.offsets.ensure((count + 1) * 4);
    const status = x.plainStrings(address, length, count, 0, 0, count, bytes, 0, length, offsets);
    if (status < 0) throw kernelFault(x, status, "dictionary entries");
    if (x.validateUtf8(bytes, offsets, count) < 0) throw new FormatError("a dictionary entry that is not UTF-8");
  }

  openPage(page: EncodedValues): void {
    switch (page.encoding) {
      case Encoding.PLAIN:
        this.#openPlain(page);
        return;
      case Encoding.PLAIN_DICTIONARY:
      case Encoding.RLE_DICTIONARY:
        this.#mode = "dictionary";
        this.#indices.open(page, this.#dictionarySize);
        return;
      case Encoding.DELTA_LENGTH_BYTE_ARRAY:
      case Encoding.DELTA_BYTE_ARRAY:
        this.#openPacked(page);
        return;
      default:
        throw encodingError(page.encoding, Physical.BYTE_ARRAY);
    }
  }

  #openPlain(page: EncodedValues): void {
    this.#mode = page.outside === undefined ? "plain" : "outside";
    if (page.outside !== undefined) this.#outside.open(page.outside);
    this.#plain = page.address;
    this.#plainBytes = page.length;
  }

  #openPacked(page: EncodedValues): void {
    const { x } = this.#space;
    this.#mode = "packed";
    this.#packedPosition = 0;
    if (page.count === 0) return;
    checkLimit(this.#limits, "pageBytes", page.count * 4, "the lengths of a page");
    if (page.encoding === Encoding.DELTA_LENGTH_BYTE_ARRAY) this.#packed.openDeltaLength(page);
    else this.#packed.openDeltaByteArray(page, this.#limits);
    if (this.#isText && x.validateUtf8(this.#packed.bytesAddress, this.#packed.offsetsAddress, page.count) < 0)
      throw new FormatError("a string that is not UTF-8");
  }

  skip(values: number): void {
    if (values === 0) return;
    const step = { slots: values, valid: values, bits: 0, bit: 0, expectedSlots: 0 };
    if (this.#mode === "dictionary") this.#indices.next(values);
    else if (this.#mode === "packed") this.#packedPosition += values;
    else if (this.#mode === "outside") this.#outside.read(step, 0, Number.POSITIVE_INFINITY);
    else this.#readPlain(step, 0, MAX_OFFSET);
  }

  /**
   * The next values with offsets that start at `used`, in `space.offsets`.
   *
   * @returns undefined, having passed nothing, when they are more than `maxBytes`.
   */
  read(step: Step, used: number, maxBytes: number): ByteArrays | undefined {
    if (this.#mode === "dictionary") return this.#readDictionary(step, used, maxBytes);
    if (this.#mode === "outside") return this.#readOutside(step, used, maxBytes);
    if (this.#mode === "packed" && step.valid > 0) return this.#readPacked(step, used, maxBytes);
    return this.#readPlain(step, used, maxBytes);
  }

  #checkEnd(end: number): void {
    if (end > MAX_OFFSET) throw new UnsupportedError("one row of more than 2 GiB");
  }

  #readPlain(step: Step, used: number, maxBytes: number): ByteArrays | undefined {
    const { x } = this.#space;
    const { slots, valid, bits, bit } = step;
    const room = step.valid === 0 ? 0 : this.#plainBytes;
    this.#checkEnd(used + room);
    const bytes = this.#space.values.ensure(room);
    const offsets = this.#space.offsets.ensure((slots + 1) * 4);
    // Offsets count from `used`, so the kernel's base lies that far before the scratch.
    const end = x.plainStrings(this.#plain, room, valid, bits, bit, slots, bytes - used, used, used + room, offsets);
    if (end < 0) throw kernelFault(x, end, "byte arrays");
    if (end - used > maxBytes) return undefined;
    const passed = x.position();
    if (this.#isText && x.validateUtf8(bytes - used, offsets, slots) < 0)
      throw new FormatError("a string that is not UTF-8");
    this.#plain += passed;
    this.#plainBytes -= passed;
    return { address: bytes, sizeBytes: end - used };
  }

  #readOutside(step: Step, used: number, maxBytes: number): ByteArrays | undefined {
    const run = this.#outside.read(step, used, maxBytes);
    if (run === undefined) return undefined;
    this.#checkEnd(used + run.sizeBytes);
    return { address: 0, ...run };
  }

  #readDictionary(step: Step, used: number, maxBytes: number): ByteArrays | undefined {
    const { x } = this.#space;
    const { slots, valid, bits, bit } = step;
    const indices = this.#indices.peek();
    const table = this.#table.address;
    let room = valid * this.#longest;
    // Counting exactly costs a pass over the indices: only when the bound would waste memory.
    if (room > 1 << 20 || room > maxBytes) room = x.gatheredBytes(indices, valid, table);
    if (room > maxBytes) return undefined;
    this.#checkEnd(used + room);
    const bytes = this.#space.values.ensure(room);
    const offsets = this.#space.offsets.ensure((slots + 1) * 4);
    const end = x.gatherStrings(indices, valid, table, bits, bit, slots, bytes - used, used, used + room, offsets);
    if (end < 0) throw kernelFault(x, end, "byte arrays");
    this.#indices.next(valid);
    return { address: bytes, sizeBytes: end - used };
  }

  #readPacked(step: Step, used: number, maxBytes: number): ByteArrays | undefined {
    const { x } = this.#space;
    const { slots, valid, bits, bit } = step;
    const dense = this.#packed.offsetsAddress + this.#packedPosition * 4;
    const view = new DataView(x.memory.buffer);
    const start = view.getInt32(dense, true);
    const sizeBytes = view.getInt32(dense + valid * 4, true) - start;
    if (sizeBytes > maxBytes) return undefined;
    this.#checkEnd(used + sizeBytes);
    const offsets = this.#space.offsets.ensure((slots + 1) * 4);
    const status = x.spreadOffsets(bits, bit, slots, dense, valid, used - start, offsets);
    if (status < 0) throw kernelFault(x, status, "byte arrays");
    this.#packedPosition += valid;
    return { address: this.#packed.bytesAddress + start, sizeBytes };
  }
}
