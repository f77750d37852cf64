import { addWhere } from "@ingest-ts/core";
import { Encoding, PageType, Physical } from "@ingest-ts/readers/parquet/spec";
import { ByteBuffer } from "../columns/byte-buffer.ts";
import { dictionaryWillPay } from "../columns/dictionary-choice.ts";
import { createDictionary, type ValueDictionary } from "../columns/dictionary.ts";
import { extract } from "../columns/extract.ts";
import type { ChunkMetadata, EncodingCount } from "./footer.ts";
import { bitWidthOf, encodeHybrid } from "./hybrid.ts";
import { LevelBuffer } from "./level-buffer.ts";
import type { EncodedPage, PageEncoder } from "./page.ts";
import { appendPlain, packBits } from "./plain.ts";
import type { Leaf } from "./schema.ts";
import type { Shredded } from "./shred.ts";
import { ChunkStatistics } from "./statistics.ts";
import { plainBytes, type Values } from "../columns/values.ts";
import type { WorkMemory } from "../columns/work-memory.ts";

/** A dictionary larger than this is closed: later pages are PLAIN. */
const DICTIONARY_BYTES = 1024 * 1024;
/** A page ends at so many levels, however few bytes they take: readers unpack them whole. */
const PAGE_ENTRIES = 131_072;
/** Values that tell whether a dictionary is worth trying. */
const SAMPLE_VALUES = 16_384;

/** A column chunk ready to be written, dictionary page first. */
export interface EncodedChunk {
  readonly pages: readonly Uint8Array[];
  /** Bytes of the dictionary page, which is the first; 0 without one. */
  readonly dictionaryPageBytes: number;
  readonly metadata: Omit<ChunkMetadata, "codec" | "dataPageOffset" | "dictionaryPageOffset">;
}

export interface ColumnWriterOptions {
  readonly pageBytes: number;
  readonly dictionary: boolean;
  readonly statistics: boolean;
}

/** Encodes one leaf: takes rows, gives a column chunk per row group. */
export class ColumnWriter {
  readonly #leaf: Leaf;
  readonly #options: ColumnWriterOptions;
  readonly #encoder: PageEncoder;
  readonly #memory: WorkMemory;
  readonly #definitions: LevelBuffer;
  readonly #repetitions: LevelBuffer;
  /** Of the page being filled: PLAIN values (booleans a byte each), or indices into the dictionary. */
  readonly #plain = new ByteBuffer();
  #indices = new Int32Array(0);
  #pageValues = 0;
  #pageRows = 0;
  /** What the page's values take in PLAIN encoding. */
  #pagePlainBytes = 0;
  // Of the chunk:
  #pages: EncodedPage[] = [];
  /** Undefined when the chunk has none. */
  #dictionary: ValueDictionary | undefined;
  /** Whether values still go through the dictionary. */
  #indexing = false;
  #dictionaryPages = 0;
  #sampled = false;
  #statistics: ChunkStatistics | undefined;
  #entries = 0;
  #values = 0;
  #unencodedBytes = 0;
  #definitionHistogram: number[] = [];
  #repetitionHistogram: number[] = [];

  constructor(leaf: Leaf, encoder: PageEncoder, memory: WorkMemory, options: ColumnWriterOptions) {
    this.#leaf = leaf;
    this.#encoder = encoder;
    this.#memory = memory;
    this.#options = options;
    this.#definitions = new LevelBuffer(leaf.maxDefinition, memory);
    this.#repetitions = new LevelBuffer(leaf.maxRepetition, memory);
    this.#begin();
  }

  #begin(): void {
    const { physical, typeLength, type } = this.#leaf;
    const indexing = this.#options.dictionary && physical !== Physical.BOOLEAN && type.kind !== "null";
    const narrow = physical === Physical.INT32 || physical === Physical.FLOAT;
    const bytes = physical === Physical.BYTE_ARRAY || physical === Physical.FIXED_LEN_BYTE_ARRAY;
    this.#indexing = indexing;
    this.#dictionary = indexing
      ? createDictionary(this.#memory, narrow ? "word" : bytes ? "bytes" : "doubleWord", typeLength)
      : undefined;
    this.#dictionaryPages = 0;
    this.#sampled = false;
    this.#pages = [];
    this.#statistics = this.#options.statistics ? new ChunkStatistics(this.#leaf) : undefined;
    this.#entries = 0;
    this.#values = 0;
    this.#unencodedBytes = 0;
    this.#definitionHistogram = new Array<number>(this.#leaf.maxDefinition + 1).fill(0);
    this.#repetitionHistogram = new Array<number>(this.#leaf.maxRepetition + 1).fill(0);
  }

  /**
   * Adds `rows` whole rows. A page ends before them when they do not fit into it.
   *
   * @throws OptionsError naming the column for values that its type cannot hold.
   */
  append(shredded: Shredded, rows: number): void {
    try {
      this.#append(shredded, rows);
    } catch (error) {
      throw addWhere(error, { column: this.#leaf.name });
    }
  }

  #append(shredded: Shredded, rows: number): void {
    const values = extract(shredded.column, this.#leaf.type, shredded);
    const size = plainBytes(values);
    const entries = this.#definitions.length;
    if (
      entries > 0 &&
      (entries + shredded.entries > PAGE_ENTRIES || this.#sizeWith(values.count, size) > this.#options.pageBytes)
    )
      this.#endPage();
    this.#definitions.append(shredded.definitions, shredded.entries);
    this.#repetitions.append(shredded.repetitions ?? 0, shredded.entries);
    this.#pageRows += rows;
    this.#pagePlainBytes += size;
    if (this.#leaf.physical === Physical.BYTE_ARRAY) this.#unencodedBytes += size - 4 * values.count;
    if (this.#indexing) this.#index(values);
    else {
      this.#statistics?.update(values);
      appendPlain(values, this.#plain, this.#memory);
    }
    this.#pageValues += values.count;
    if (this.#indexing && (this.#isDictionaryFull() || this.#isDictionaryHopeless())) this.#leaveDictionary();
  }

  #isDictionaryFull(): boolean {
    return (this.#dictionary as ValueDictionary).sizeBytes > DICTIONARY_BYTES;
  }

  /** Judged once a chunk, when enough values have been seen. */
  #isDictionaryHopeless(): boolean {
    if (this.#sampled || this.#pageValues < SAMPLE_VALUES) return false;
    this.#sampled = true;
    const { count, sizeBytes } = this.#dictionary as ValueDictionary;
    const sample = { values: this.#pageValues, distinct: count, valueBytes: sizeBytes / count };
    return !dictionaryWillPay(sample, DICTIONARY_BYTES);
  }

  /** About how large the page would be with so many more values. */
  #sizeWith(count: number, size: number): number {
    if (!this.#indexing) return this.#plain.length + size;
    return Math.ceil(((this.#pageValues + count) * this.#indexBits()) / 8);
  }

  #indexBits(): number {
    return Math.max(1, bitWidthOf((this.#dictionary?.count ?? 1) - 1));
  }

  #index(values: Values): void {
    const needed = this.#pageValues + values.count;
    if (needed > this.#indices.length) {
      const grown = new Int32Array(Math.max(needed, this.#indices.length * 2));
      grown.set(this.#indices.subarray(0, this.#pageValues));
      this.#indices = grown;
    }
    this.#dictionary?.encode(values, this.#indices, this.#pageValues);
  }

  /** From here on PLAIN. A dictionary that no page needs is forgotten. */
  #leaveDictionary(): void {
    const dictionary = this.#dictionary as ValueDictionary;
    if (this.#dictionaryPages > 0) {
      this.#endPage();
      this.#statistics?.update(dictionary.values());
      this.#indexing = false;
      return;
    }
    this.#indexing = false;
    this.#statistics?.update(dictionary.values());
    appendPlain(dictionary.gather(this.#indices.subarray(0, this.#pageValues)), this.#plain, this.#memory);
    this.#forgetDictionary();
  }

  #forgetDictionary(): void {
    this.#dictionary?.release();
    this.#dictionary = undefined;
  }

  #endPage(): void {
    const entries = this.#definitions.length;
    if (entries === 0) return;
    // A page of nothing but nulls says nothing about the dictionary, and needs none.
    const hasValues = this.#pageValues > 0;
    if (this.#indexing && hasValues && this.#dictionaryPages === 0 && !this.#dictionaryPays()) this.#leaveDictionary();
    const indexed = this.#indexing && hasValues;
    this.#pages.push(
      this.#encoder.dataPage({
        repetitions: this.#repetitions,
        definitions: this.#definitions,
        entries,
        nulls: entries - this.#pageValues,
        rows: this.#pageRows,
        encoding: indexed ? Encoding.RLE_DICTIONARY : Encoding.PLAIN,
        writeValues: (out) => (indexed ? this.#writeIndices(out) : this.#writePlain(out)),
      }),
    );
    if (indexed) this.#dictionaryPages++;
    this.#entries += entries;
    this.#values += this.#pageValues;
    this.#definitions.count(this.#definitionHistogram);
    this.#repetitions.count(this.#repetitionHistogram);
    this.#definitions.clear();
    this.#repetitions.clear();
    this.#plain.clear();
    this.#pageValues = 0;
    this.#pageRows = 0;
    this.#pagePlainBytes = 0;
  }

  /** Whether dictionary and indices together are smaller than the first page's values. */
  #dictionaryPays(): boolean {
    const { sizeBytes } = this.#dictionary as ValueDictionary;
    return sizeBytes + (this.#pageValues * this.#indexBits()) / 8 < this.#pagePlainBytes;
  }

  /** Encodings.md, "Dictionary Encoding": the bit width, then the hybrid. */
  #writeIndices(out: ByteBuffer): void {
    const bits = this.#indexBits();
    out.byte(bits);
    encodeHybrid(this.#indices.subarray(0, this.#pageValues), bits, out, this.#memory);
  }

  #writePlain(out: ByteBuffer): void {
    if (this.#leaf.physical === Physical.BOOLEAN) packBits(this.#plain.view(), out);
    else out.append(this.#plain.view());
  }

  /** Ends the chunk and begins the next one. */
  finish(): EncodedChunk {
    this.#endPage();
    const dictionary = this.#dictionaryPages > 0 ? this.#dictionary : undefined;
    if (this.#indexing && dictionary !== undefined) this.#statistics?.update(dictionary.values());
    const data = this.#pages;
    const first = dictionary === undefined ? [] : [this.#encodeDictionary(dictionary)];
    const all = [...first, ...data];
    const chunk: EncodedChunk = {
      pages: all.map((page) => page.bytes),
      dictionaryPageBytes: first[0]?.bytes.length ?? 0,
      metadata: {
        physical: this.#leaf.physical,
        path: this.#leaf.path,
        encodings: this.#encodings(),
        encodingCounts: this.#encodingCounts(),
        numValues: this.#entries,
        uncompressedBytes: all.reduce((total, page) => total + page.uncompressedBytes, 0),
        compressedBytes: all.reduce((total, page) => total + page.bytes.length, 0),
        nullCount: this.#options.statistics ? this.#entries - this.#values : undefined,
        bounds: this.#statistics?.finish(),
        unencodedBytes: this.#leaf.physical === Physical.BYTE_ARRAY ? this.#unencodedBytes : undefined,
        definitionHistogram: this.#leaf.maxDefinition > 0 ? this.#definitionHistogram : undefined,
        repetitionHistogram: this.#leaf.maxRepetition > 0 ? this.#repetitionHistogram : undefined,
      },
    };
    this.#forgetDictionary();
    this.#begin();
    return chunk;
  }

  #encodeDictionary(dictionary: ValueDictionary): EncodedPage {
    const plain = new ByteBuffer(dictionary.sizeBytes);
    appendPlain(dictionary.values(), plain, this.#memory);
    return this.#encoder.dictionaryPage(plain.view(), dictionary.count);
  }

  #encodings(): number[] {
    const plainPages = this.#pages.length - this.#dictionaryPages;
    const encodings: number[] = [];
    // The dictionary page itself is PLAIN.
    if (plainPages > 0 || this.#dictionaryPages > 0) encodings.push(Encoding.PLAIN);
    if (this.#leaf.maxDefinition > 0 || this.#leaf.maxRepetition > 0) encodings.push(Encoding.RLE);
    if (this.#dictionaryPages > 0) encodings.push(Encoding.RLE_DICTIONARY);
    return encodings;
  }

  #encodingCounts(): EncodingCount[] {
    const pageType = this.#encoder.dataPageType;
    const plainPages = this.#pages.length - this.#dictionaryPages;
    const counts: EncodingCount[] = [];
    if (this.#dictionaryPages > 0) {
      counts.push({ pageType: PageType.DICTIONARY_PAGE, encoding: Encoding.PLAIN, pages: 1 });
      counts.push({ pageType, encoding: Encoding.RLE_DICTIONARY, pages: this.#dictionaryPages });
    }
    if (plainPages > 0) counts.push({ pageType, encoding: Encoding.PLAIN, pages: plainPages });
    return counts;
  }
}
