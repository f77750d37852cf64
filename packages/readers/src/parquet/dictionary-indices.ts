import { FormatError } from "@ingest-ts/core";
import { kernelFault } from "./faults.ts";
import type { EncodedValues } from "./pages.ts";
import type { Block, Workspace } from "./workspace.ts";

/** The dictionary indices of one page (Encodings, "Dictionary Encoding"), all decoded when the page is opened. */
export class DictionaryIndices {
  readonly #space: Workspace;
  readonly #block: Block;
  #position = 0;

  constructor(space: Workspace) {
    this.#space = space;
    this.#block = space.block();
  }

  /** @param size entries of the dictionary; undefined when the chunk has none. @throws FormatError for an index past it. */
  open(page: EncodedValues, size: number | undefined): void {
    this.#position = 0;
    if (page.count === 0) return;
    if (size === undefined) throw new FormatError("a dictionary-encoded page in a column chunk without a dictionary");
    if (page.length === 0) throw new FormatError("the page ends before its dictionary indices");
    const { x } = this.#space;
    const out = this.#block.ensure(page.count * 4);
    const width = this.#space.bytes[page.address] as number;
    if (width > 32) throw new FormatError(`dictionary indices of ${width} bits`);
    const status = x.rleIndices(page.address + 1, page.length - 1, width, size, out, page.count);
    if (status < 0) throw kernelFault(x, status, "dictionary indices");
  }

  /** Address of the next `count` indices, which are passed. */
  next(count: number): number {
    const address = this.peek();
    this.#position += count;
    return address;
  }

  peek(): number {
    return this.#block.address + this.#position * 4;
  }
}
