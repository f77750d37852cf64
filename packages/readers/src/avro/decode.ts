import {
  addWhere,
  type Columns,
  type Decoder,
  type DecodeOptions,
  type Field,
  FormatError,
  type Fragment,
} from "@ingest-ts/core";
import { restoreColumns } from "../restore/index.ts";
import { type Block, readBlocks } from "./blocks.ts";
import { readBlock } from "./codecs.ts";
import { compileDatum, type DatumDecoder } from "./compile.ts";
import { Cursor } from "./cursor.ts";
import type { AvroMetadata } from "./metadata.ts";
import type { BlockRun } from "./plan.ts";
import { selectedNodes, toSchema } from "./schema.ts";

/** Decodes a run of blocks, slab after slab; asks for the object's bytes as it goes. */
export function* decode(fragment: Fragment<BlockRun>, metadata: AvroMetadata, options: DecodeOptions): Decoder {
  try {
    yield* new RunDecoder(fragment, metadata, options).decode();
  } catch (error) {
    throw addWhere(error, { url: fragment.url, fragment: fragment.ordinal });
  }
}

class RunDecoder {
  readonly #run: BlockRun;
  readonly #metadata: AvroMetadata;
  readonly #options: DecodeOptions;
  readonly #datums: DatumDecoder;
  readonly #fields: readonly Field[];
  readonly #from: number;
  readonly #to: number;
  /** Rows passed, of the fragment. */
  #row = 0;
  #slabRows = 0;
  #slabBytes = 0;

  constructor({ plan: run }: Fragment<BlockRun>, metadata: AvroMetadata, options: DecodeOptions) {
    this.#run = run;
    this.#metadata = metadata;
    this.#options = options;
    const { select } = options;
    const nodes = selectedNodes(metadata, select);
    this.#fields = toSchema(metadata, select).fields;
    this.#datums = compileDatum(metadata.type, nodes, select.dictionary, select.limits);
    [this.#from, this.#to] = options.rows ?? [0, Number.POSITIVE_INFINITY];
  }

  *decode(): Decoder {
    const { limits } = this.#options.select;
    const blocks = readBlocks(this.#run, this.#metadata.sync, limits);
    for (let step = blocks.next(); step.done !== true; ) {
      if ("need" in step.value) {
        step = blocks.next(yield step.value);
        continue;
      }
      yield* this.#block(step.value);
      if (this.#row >= this.#to) break;
      step = blocks.next([]);
    }
    if (this.#slabRows > 0) yield this.#take();
    const { rows } = this.#run;
    if (rows !== undefined && this.#row < Math.min(rows, this.#to)) {
      throw new FormatError(`the index claims ${rows} rows, there are ${this.#row}`, {
        where: { offset: this.#run.start },
      });
    }
  }

  *#block(block: Block): Generator<Columns, void, unknown> {
    if (this.#row + block.rows <= this.#from) {
      this.#row += block.rows;
      return;
    }
    const { codec } = this.#metadata;
    try {
      const cursor = new Cursor(readBlock(codec, block.data, this.#options.select.limits));
      this.#datums.checkCount(block.rows, cursor.leftBytes);
      yield* this.#rows(cursor, block.rows);
    } catch (error) {
      throw addWhere(error, { offset: block.offset });
    }
  }

  *#rows(cursor: Cursor, rows: number): Generator<Columns, void, unknown> {
    const { batchRows, batchBytes } = this.#options;
    for (let i = 0; i < rows; i++) {
      // The rest of the block is passed all the same: only its end shows that it was whole.
      if (this.#row < this.#from || this.#row >= this.#to) {
        this.#datums.skip(cursor);
        this.#row++;
        continue;
      }
      const start = cursor.at;
      this.#datums.append(cursor);
      this.#row++;
      this.#slabRows++;
      this.#slabBytes += cursor.at - start;
      if (this.#slabRows >= batchRows || this.#slabBytes >= batchBytes) yield this.#take();
    }
    if (cursor.leftBytes > 0) throw new FormatError(`${cursor.leftBytes} bytes are left behind the rows of a block`);
  }

  #take(): Columns {
    const rows = this.#slabRows;
    this.#slabRows = 0;
    this.#slabBytes = 0;
    return restoreColumns({ rows, columns: this.#datums.columns.map((column) => column.take()) }, this.#fields);
  }
}
