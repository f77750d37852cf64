import { type ByteSpan, checkLimit, FormatError, type Limits, UnsupportedError } from "@ingest-ts/core";
import { ChunkBytes } from "./chunk-bytes.ts";
import { readPageHeader } from "./page-header.ts";
import { loadPage, type StoredPage } from "./page-body.ts";
import { headOutside, splitOutside } from "./page-outside.ts";
import { decodeLevels, type LevelRun } from "./page-levels.ts";
import type { Leaf } from "./nodes.ts";
import type { PageLocation } from "./page-index.ts";
import type { ChunkPlan } from "./plan.ts";
import { Compression, type DataPageHeaderV2, Encoding, nameOf, type PageHeader, PageType } from "./spec.ts";
import type { Scratch } from "../scratch.ts";
import type { Block, Workspace } from "./workspace.ts";

/** Values encoded at `address` of the workspace. */
export interface EncodedValues {
  readonly encoding: number;
  readonly address: number;
  readonly length: number;
  /** PLAIN values that were left where they were fetched; `address` says nothing then. */
  readonly outside?: readonly Uint8Array[];
  /** Non-null values. */
  readonly count: number;
}

/** A data page whose header was read and whose body is fetched. */
export interface PendingPage {
  /** Level pairs. */
  readonly entries: number;
  /** Rows that start in the page, when that is known without its levels. */
  readonly rows: number | undefined;
}

/** A page header that does not fit into this much is not one. */
const MAX_HEADER_BYTES = 8 * 1024 * 1024;
/** Enough for every header without statistics. */
const HEADER_BYTES = 256;

/** Pages whose values are this large on average may be read without copying them into the workspace. */
const LARGE_VALUE_BYTES = 512;

/** What the reader of a chunk's pages asks of the column it belongs to. */
export interface PageClient {
  /** Called once, before any data page, when the chunk has a dictionary. */
  loadDictionary(values: EncodedValues): void;
  /** Called for every opened data page. */
  openPage(values: EncodedValues): void;
  /** Whether `openPage` takes values outside of the workspace. Large ones need not be copied through it. */
  readonly takesOutside: boolean;
}

/** Walks over the pages of one column chunk. */
export class PageReader {
  readonly #space: Workspace;
  readonly #plan: ChunkPlan;
  readonly #leaf: Leaf;
  readonly #limits: Limits;
  readonly #bytes: ChunkBytes;
  readonly #body: Block;
  readonly #repetitionBlock: Block;
  readonly #definitionBlock: Block;
  /** Start of the next page header, in the file; of the page's body once its header is read. */
  #offset: number;
  #pageStart = 0;
  #entriesSeen = 0;
  #header: PageHeader | undefined;
  #stored: readonly Uint8Array[] = [];
  #dictionarySeen = false;
  /** Data pages that are known by the offset index of a flat column, by where they start. */
  #located: ReadonlyMap<number, PageLocation> = new Map();
  /** The pending page is one of these: its bytes were not looked at. */
  #unread: PageLocation | undefined;

  /** The opened page: level pairs, and the addresses of their levels (0: all are at their maximum, or 0). */
  entries = 0;
  repetition = 0;
  definition = 0;
  /** Level pairs that hold a value. */
  valid = 0;

  /** @param scratch see `ChunkBytes` */
  constructor(
    space: Workspace,
    plan: ChunkPlan,
    leaf: Leaf,
    limits: Limits,
    aheadBytes: number,
    scratch: Scratch | undefined,
  ) {
    this.#space = space;
    this.#plan = plan;
    this.#leaf = leaf;
    this.#limits = limits;
    this.#bytes = new ChunkBytes(plan.start, plan.end, aheadBytes, scratch);
    this.#offset = plan.start;
    this.#body = space.block();
    this.#repetitionBlock = space.block();
    this.#definitionBlock = space.block();
  }

  /** Where the current page starts, for errors. */
  get offset(): number {
    return this.#offset;
  }

  get wanted(): readonly ByteSpan[] {
    return this.#bytes.wanted;
  }

  /** Memory for the answers to `wanted`. */
  places(): readonly Uint8Array[] {
    return this.#bytes.places();
  }

  give(answers: readonly Uint8Array[]): void {
    this.#bytes.give(answers);
  }

  /** Gives back what was fetched. Nothing may be read any more. */
  close(): void {
    this.#bytes.release(Number.POSITIVE_INFINITY);
  }

  /** Makes pages known of a column without lists, and which bytes of the chunk are worth fetching ahead. */
  locate(pages: readonly PageLocation[], ahead: readonly ByteSpan[]): void {
    this.#located = new Map(pages.map((page) => [page.offset, page]));
    this.#bytes.prefer(ahead);
  }

  /**
   * Goes to the next data page; a dictionary page on the way is handed to `client`.
   *
   * @param skip so many rows will be passed over: a page of no others is not fetched when its place is known
   * @returns the page; "need" when `wanted` must be fetched first; undefined after the last page.
   */
  next(client: PageClient, skip: number): PendingPage | "need" | undefined {
    for (;;) {
      if (this.#header === undefined && this.#isComplete()) return undefined;
      this.#unread = this.#header === undefined ? this.#unneeded(skip) : undefined;
      if (this.#unread !== undefined) {
        const rows = this.#unread.to - this.#unread.from;
        return { entries: rows, rows };
      }
      if (!this.#readHeader()) return "need";
      const header = this.#header as PageHeader;
      switch (header.type) {
        case PageType.DATA_PAGE:
        case PageType.DATA_PAGE_V2:
          return this.#pending(header);
        case PageType.DICTIONARY_PAGE:
          this.#openDictionary(header, client);
          this.#finishPage();
          this.#bytes.release(this.#offset);
          break;
        case PageType.INDEX_PAGE:
          this.#finishPage();
          break;
        default:
          throw new UnsupportedError(`page type ${header.type} is not supported`);
      }
    }
  }

  /** Whether all values were seen and nothing follows them. What follows can only be pages without values. */
  #isComplete(): boolean {
    if (this.#entriesSeen < this.#plan.numValues) return false;
    return this.#plan.exactEnd === undefined || this.#offset >= this.#plan.exactEnd;
  }

  /** The page that starts here, when it holds only rows that are passed over. */
  #unneeded(skip: number): PageLocation | undefined {
    const page = this.#located.get(this.#offset);
    return page !== undefined && page.from === this.#entriesSeen && page.to - page.from <= skip ? page : undefined;
  }

  /** Reads the next header and finds its body. @returns false when bytes must be fetched first. */
  #readHeader(): boolean {
    if (this.#header !== undefined) return true;
    const left = this.#plan.end - this.#offset;
    if (left <= 0)
      throw new FormatError(`the pages hold ${this.#entriesSeen} values, the footer says ${this.#plan.numValues}`);
    for (let atLeast = Math.min(HEADER_BYTES, left); ; ) {
      const bytes = this.#bytes.view(this.#offset, atLeast);
      if (bytes === undefined) return false;
      const parsed = this.#parseHeader(bytes, left);
      if (parsed === undefined) {
        atLeast = Math.min(left, MAX_HEADER_BYTES, bytes.length * 4);
        continue;
      }
      const { header, headerBytes } = parsed;
      checkLimit(this.#limits, "pageBytes", header.uncompressedSize, "a page");
      const stored = this.#bytes.parts(this.#offset + headerBytes, header.compressedSize);
      if (stored === undefined) return false;
      this.#header = header;
      this.#stored = stored;
      this.#pageStart = this.#offset;
      this.#offset += headerBytes;
      return true;
    }
  }

  /** @returns undefined when the header is cut short by the end of `bytes`, and more could be had. */
  #parseHeader(bytes: Uint8Array, left: number): ReturnType<typeof readPageHeader> | undefined {
    try {
      return readPageHeader(bytes.subarray(0, MAX_HEADER_BYTES), this.#offset);
    } catch (error) {
      if (error instanceof FormatError && bytes.length < Math.min(left, MAX_HEADER_BYTES)) return undefined;
      throw error;
    }
  }

  #pending(header: PageHeader): PendingPage {
    const page = header.type === PageType.DATA_PAGE ? header.data : header.dataV2;
    if (page === undefined) throw new FormatError("a data page without its header");
    if (this.#entriesSeen + page.numValues > this.#plan.numValues)
      throw new FormatError(`the pages hold more than the ${this.#plan.numValues} values of the footer`);
    const isFlat = this.#leaf.maxRepetition === 0;
    const located = this.#located.get(this.#pageStart);
    // Others were passed over by what the same index says: if it is wrong, so are the rows.
    if (located !== undefined && (located.from !== this.#entriesSeen || located.to - located.from !== page.numValues))
      throw new FormatError(
        `a page of ${page.numValues} rows where the offset index has rows ${located.from} to ${located.to}`,
      );
    const rows = header.type === PageType.DATA_PAGE_V2 ? header.dataV2?.numRows : undefined;
    if (rows !== undefined && (rows > page.numValues || (isFlat && rows !== page.numValues)))
      throw new FormatError(`a page of ${page.numValues} values claims ${rows} rows`);
    return { entries: page.numValues, rows: isFlat ? page.numValues : rows };
  }

  #finishPage(): void {
    this.#offset += this.#header?.compressedSize ?? 0;
    this.#header = undefined;
    this.#stored = [];
  }

  /** Leaves the pending page undecoded. */
  pass(page: PendingPage): void {
    this.#entriesSeen += page.entries;
    this.#offset += this.#unread?.sizeBytes ?? 0;
    this.#unread = undefined;
    this.#finishPage();
  }

  #storedPage(header: PageHeader, codec: number, plainBytes: number): StoredPage {
    const { crc, compressedSize: storedSize, uncompressedSize } = header;
    return { parts: this.#stored, storedSize, crc, codec, plainBytes, uncompressedSize };
  }

  #openDictionary(header: PageHeader, client: PageClient): void {
    const { dictionary } = header;
    if (dictionary === undefined) throw new FormatError("a dictionary page without its header");
    if (this.#dictionarySeen || this.#entriesSeen > 0)
      throw new FormatError("a dictionary page that is not the first page of its column chunk");
    this.#dictionarySeen = true;
    checkLimit(this.#limits, "dictionaryEntries", dictionary.numValues, "a dictionary");
    if (dictionary.encoding !== Encoding.PLAIN && dictionary.encoding !== Encoding.PLAIN_DICTIONARY)
      throw new UnsupportedError(`a dictionary in encoding ${nameOf(Encoding, dictionary.encoding, "encoding")}`);
    const address = loadPage(this.#space, this.#space.page, this.#storedPage(header, this.#plan.codec, 0));
    client.loadDictionary({
      encoding: Encoding.PLAIN,
      address,
      length: header.uncompressedSize,
      count: dictionary.numValues,
    });
  }

  /** Checks, decompresses and takes apart the pending page. */
  open(page: PendingPage, client: PageClient): void {
    const header = this.#header as PageHeader;
    // Levels and indices take up to 4 bytes each, whatever they were packed into.
    checkLimit(this.#limits, "pageBytes", page.entries * 4, "the levels of a page");
    const mayStayOutside = client.takesOutside && header.uncompressedSize >= LARGE_VALUE_BYTES * page.entries;
    const values =
      header.type === PageType.DATA_PAGE ? this.#openV1(header, mayStayOutside) : this.#openV2(header, mayStayOutside);
    client.openPage(values);
    this.#entriesSeen += page.entries;
    this.#finishPage();
    // Values that stayed outside are read from the bytes fetched until the next page is opened.
    this.#bytes.release(values.outside === undefined ? this.#offset : this.#pageStart);
  }

  #openV1(header: PageHeader, mayStayOutside: boolean): EncodedValues {
    const page = header.data as NonNullable<PageHeader["data"]>;
    const { numValues: count, encoding, repetitionLevelEncoding, definitionLevelEncoding } = page;
    const length = header.uncompressedSize;
    const stored = this.#storedPage(header, this.#plan.codec, 0);
    const outside = mayStayOutside && encoding === Encoding.PLAIN ? headOutside(stored, this.#leaf, page) : undefined;
    const address =
      outside === undefined ? loadPage(this.#space, this.#body, stored) : this.#space.load(this.#body, outside.head);
    const end = address + (outside?.head.length ?? length);
    let at = address;
    const take = (max: number, levels: number, block: Block): LevelRun => {
      const run = decodeLevels(this.#space, block, { address: at, length: end - at, max, encoding: levels, count });
      at += run.bytes;
      return run;
    };
    const repetition = take(this.#leaf.maxRepetition, repetitionLevelEncoding, this.#repetitionBlock);
    const definition = take(this.#leaf.maxDefinition, definitionLevelEncoding, this.#definitionBlock);
    this.#setLevels(count, repetition, definition);
    const values = { encoding, address: at, length: length - (at - address), count: this.valid };
    return outside === undefined ? values : { ...values, outside: outside.values };
  }

  /** Levels come first and are never compressed (Thrift: `struct DataPageHeaderV2`). */
  #openV2(header: PageHeader, mayStayOutside: boolean): EncodedValues {
    const page = header.dataV2 as DataPageHeaderV2;
    const { numValues: count, encoding, repetitionLevelsByteLength: repetitionBytes } = page;
    const levelBytes = repetitionBytes + page.definitionLevelsByteLength;
    if (levelBytes > header.compressedSize || levelBytes > header.uncompressedSize)
      throw new FormatError(`levels of ${levelBytes} bytes in a page of ${header.compressedSize}`);
    // Some writers compress although they say otherwise; then the sizes tell.
    const isPlain = !page.isCompressed && header.compressedSize === header.uncompressedSize;
    const stored = this.#storedPage(header, isPlain ? Compression.UNCOMPRESSED : this.#plan.codec, levelBytes);
    const outside = mayStayOutside && encoding === Encoding.PLAIN ? splitOutside(stored, levelBytes) : undefined;
    const address =
      outside === undefined ? loadPage(this.#space, this.#body, stored) : this.#space.load(this.#body, outside.head);
    const take = (at: number, length: number, max: number, block: Block): LevelRun =>
      decodeLevels(this.#space, block, { address: at, length, max, encoding: undefined, count });
    const { maxRepetition, maxDefinition } = this.#leaf;
    const repetition = take(address, repetitionBytes, maxRepetition, this.#repetitionBlock);
    const at = address + repetitionBytes;
    const definition = take(at, page.definitionLevelsByteLength, maxDefinition, this.#definitionBlock);
    this.#setLevels(count, repetition, definition);
    if (count - this.valid !== page.numNulls)
      throw new FormatError(`a page claims ${page.numNulls} nulls and has ${count - this.valid}`);
    const length = header.uncompressedSize - levelBytes;
    const values = { encoding, address: address + levelBytes, length, count: this.valid };
    return outside === undefined ? values : { ...values, outside: outside.values };
  }

  #setLevels(entries: number, repetition: LevelRun, definition: LevelRun): void {
    this.entries = entries;
    this.repetition = repetition.address;
    this.definition = definition.address;
    this.valid = this.#leaf.maxDefinition === 0 ? entries : definition.atMax;
  }
}
