import { checkLimit, FormatError, type Limits } from "@ingest-ts/core";
import { kernelFault } from "./faults.ts";
import type { EncodedValues } from "./pages.ts";
import type { Block, Workspace } from "./workspace.ts";

/** The byte arrays of one page laid end to end with Int32 offsets: what the delta encodings of them are undone to. */
export class ByteArrayPage {
  readonly #space: Workspace;
  readonly #bytes: Block;
  readonly #offsets: Block;
  #count = 0;

  constructor(space: Workspace, bytes: Block, offsets: Block) {
    this.#space = space;
    this.#bytes = bytes;
    this.#offsets = offsets;
  }

  get bytesAddress(): number {
    return this.#bytes.address;
  }

  /** count + 1 offsets from `bytesAddress`. */
  get offsetsAddress(): number {
    return this.#offsets.address;
  }

  /** Encodings, "Delta-length byte array". */
  openDeltaLength(page: EncodedValues): void {
    const { x } = this.#space;
    this.#count = page.count;
    const lengths = this.#space.values.ensure(page.count * 4);
    const bytes = this.#bytes.ensure(page.length);
    const offsets = this.#offsets.ensure((page.count + 1) * 4);
    const { address, length, count } = page;
    const status = x.deltaLengthStrings(address, length, count, lengths, 0, 0, count, bytes, 0, length, offsets);
    if (status < 0) throw kernelFault(x, status, "byte arrays");
  }

  /** Encodings, "Delta Strings". Prefixes may make far more bytes than are stored, so these are bounded as a page is. */
  openDeltaByteArray(page: EncodedValues, limits: Limits): void {
    const { x } = this.#space;
    this.#count = page.count;
    const { address, length, count } = page;
    const lengths = this.#space.values.ensure(count * 8);
    const size = x.deltaByteArrayLengths(address, length, count, lengths);
    if (size < 0) throw kernelFault(x, size, "prefixes and lengths");
    const start = x.position();
    checkLimit(limits, "pageBytes", size, "a page");
    const bytes = this.#bytes.ensure(size);
    const offsets = this.#offsets.ensure((count + 1) * 4);
    const status = x.deltaByteArrayValues(address, length, start, count, lengths, 0, 0, count, bytes, 0, size, offsets);
    if (status < 0) throw kernelFault(x, status, "byte arrays");
  }

  /** @throws FormatError unless every value is `width` bytes long. */
  checkUniform(width: number): void {
    const { x } = this.#space;
    if (x.checkUniform(this.#offsets.address, this.#count, width) < 0)
      throw new FormatError(`a value that is not ${width} bytes long`);
  }
}
