import {
  addWhere,
  type Columns,
  type Decoder,
  type DecodeOptions,
  type Field,
  FormatError,
  type Fragment,
} from "@ingest-ts/core";
import { acquireKernels } from "@ingest-ts/kernels";
import { restoreColumns } from "../restore/index.ts";
import { type Block, readBlocks } from "./blocks.ts";
import { readBlock } from "./codecs.ts";
import { DatumDecoder } from "./datum-decoder.ts";
import type { AvroMetadata } from "./metadata.ts";
import type { BlockRun } from "./plan.ts";
import { datumPlan, toSchema } from "./schema.ts";

/** Decodes a run of blocks, slab after slab; asks for the object's bytes as it goes. */
export function* decode(fragment: Fragment<BlockRun>, metadata: AvroMetadata, options: DecodeOptions): Decoder {
  let decoder: RunDecoder | undefined;
  try {
    decoder = new RunDecoder(fragment, metadata, options);
    yield* decoder.decode();
  } catch (error) {
    throw addWhere(error, { url: fragment.url, fragment: fragment.ordinal });
  } finally {
    decoder?.release();
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
    this.#fields = toSchema(metadata, select).fields;
    this.#datums = new DatumDecoder(datumPlan(metadata, select), select.dictionary, select.limits, acquireKernels());
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
      this.#datums.setInput(readBlock(codec, block.data, this.#options.select.limits));
      this.#datums.checkCount(block.rows);
      yield* this.#rows(block.rows);
    } catch (error) {
      throw addWhere(error, { offset: block.offset });
    }
  }

  *#rows(rows: number): Generator<Columns, void, unknown> {
    const { batchRows, batchBytes } = this.#options;
    const end = this.#row + rows;
    this.#pass(Math.min(end, this.#from));
    const stop = Math.min(end, this.#to);
    while (this.#row < stop) {
      const wanted = Math.min(stop - this.#row, batchRows - this.#slabRows);
      const read = this.#datums.read(wanted, batchBytes - this.#slabBytes);
      this.#row += read.rows;
      this.#slabRows += read.rows;
      this.#slabBytes += read.bytes;
      if (this.#slabRows >= batchRows || this.#slabBytes >= batchBytes) yield this.#take();
    }
    // The rest of the block is passed all the same: only its end shows that it was whole.
    this.#pass(end);
    const { leftBytes } = this.#datums;
    if (leftBytes > 0) throw new FormatError(`${leftBytes} bytes are left behind the rows of a block`);
  }

  /** Passes the rows before row `to`, if there are any. */
  #pass(to: number): void {
    if (to <= this.#row) return;
    this.#datums.skip(to - this.#row);
    this.#row = to;
  }

  release(): void {
    this.#datums.release();
  }

  #take(): Columns {
    const rows = this.#slabRows;
    this.#slabRows = 0;
    this.#slabBytes = 0;
    return restoreColumns({ rows, columns: this.#datums.take() }, this.#fields);
  }
}
