import { UnsupportedError } from "@ingest-ts/core";
import { Encoding, PageType } from "@ingest-ts/readers/parquet/spec";
import { ByteBuffer } from "../columns/byte-buffer.ts";
import type { PageCompressor } from "./compression.ts";
import type { LevelBuffer } from "./level-buffer.ts";
import { CompactWriter } from "./thrift.ts";

/** A page as it stands in the file, header included. */
export interface EncodedPage {
  readonly bytes: Uint8Array;
  /** Header and content before compression. */
  readonly uncompressedBytes: number;
}

/** What a data page holds before it is encoded. */
export interface DataPage {
  readonly repetitions: LevelBuffer;
  readonly definitions: LevelBuffer;
  /** Levels, nulls included. */
  readonly entries: number;
  readonly nulls: number;
  readonly rows: number;
  readonly encoding: number;
  /** Appends the encoded values. */
  readonly writeValues: (out: ByteBuffer) => void;
}

/** Sizes are 32-bit signed in the page header. */
const MAX_PAGE_BYTES = 2 ** 31 - 1;

/** Turns pages into bytes: levels, compression, checksum, header (parquet.thrift, `struct PageHeader`). */
export class PageEncoder {
  readonly #compressor: PageCompressor;
  readonly #pageCrc: boolean;
  readonly #version: 1 | 2;
  readonly #body = new ByteBuffer();

  constructor(compressor: PageCompressor, pageCrc: boolean, version: 1 | 2) {
    this.#compressor = compressor;
    this.#pageCrc = pageCrc;
    this.#version = version;
  }

  /** One of `PageType`. */
  get dataPageType(): number {
    return this.#version === 1 ? PageType.DATA_PAGE : PageType.DATA_PAGE_V2;
  }

  /** @param values in PLAIN encoding. */
  dictionaryPage(values: Uint8Array, count: number): EncodedPage {
    const stored = this.#compressor.compress(values);
    return this.#assemble(PageType.DICTIONARY_PAGE, values.length, [stored], (header) => {
      header.struct(7, () => {
        header.i32(1, count);
        header.i32(2, Encoding.PLAIN);
      });
    });
  }

  dataPage(page: DataPage): EncodedPage {
    return this.#version === 1 ? this.#dataPageV1(page) : this.#dataPageV2(page);
  }

  #dataPageV1(page: DataPage): EncodedPage {
    const body = this.#body;
    body.clear();
    appendLevelsV1(page.repetitions, body);
    appendLevelsV1(page.definitions, body);
    page.writeValues(body);
    const stored = this.#compressor.compress(body.view());
    return this.#assemble(PageType.DATA_PAGE, body.length, [stored], (header) => {
      header.struct(5, () => {
        header.i32(1, page.entries);
        header.i32(2, page.encoding);
        header.i32(3, Encoding.RLE);
        header.i32(4, Encoding.RLE);
      });
    });
  }

  /** Levels stand before the values, without lengths and never compressed. */
  #dataPageV2(page: DataPage): EncodedPage {
    const body = this.#body;
    body.clear();
    page.repetitions.encode(body);
    const repetitionBytes = body.length;
    page.definitions.encode(body);
    const levelBytes = body.length;
    page.writeValues(body);
    const plain = body.view();
    const values = plain.subarray(levelBytes);
    const compressed = values.length === 0 ? values : this.#compressor.compress(values);
    const isCompressed = compressed.length < values.length;
    const parts = isCompressed ? [plain.subarray(0, levelBytes), compressed] : [plain];
    return this.#assemble(PageType.DATA_PAGE_V2, plain.length, parts, (header) => {
      header.struct(8, () => {
        header.i32(1, page.entries);
        header.i32(2, page.nulls);
        header.i32(3, page.rows);
        header.i32(4, page.encoding);
        header.i32(5, levelBytes - repetitionBytes);
        header.i32(6, repetitionBytes);
        header.bool(7, isCompressed);
      });
    });
  }

  #assemble(
    type: number,
    uncompressedBytes: number,
    parts: readonly Uint8Array[],
    writeRest: (header: CompactWriter) => void,
  ): EncodedPage {
    const storedBytes = parts.reduce((total, part) => total + part.length, 0);
    if (uncompressedBytes > MAX_PAGE_BYTES || storedBytes > MAX_PAGE_BYTES) {
      throw new UnsupportedError(`parquet: a page of ${uncompressedBytes} bytes; the format's limit is 2 GiB`, {
        remedy: "One row of this column is too large for Parquet, or pageBytes is.",
      });
    }
    const header = new CompactWriter();
    header.message(() => {
      header.i32(1, type);
      header.i32(2, uncompressedBytes);
      header.i32(3, storedBytes);
      if (this.#pageCrc) header.i32(4, this.#compressor.crc32(parts) | 0);
      writeRest(header);
    });
    const head = header.view();
    const bytes = new Uint8Array(head.length + storedBytes);
    bytes.set(head);
    let at = head.length;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return { bytes, uncompressedBytes: head.length + uncompressedBytes };
  }
}

/** Four bytes of length, then the levels; nothing at all when the column has none. */
function appendLevelsV1(levels: LevelBuffer, body: ByteBuffer): void {
  if (levels.max === 0) return;
  const at = body.length;
  body.u32(0);
  levels.encode(body);
  body.setU32(at, body.length - at - 4);
}
