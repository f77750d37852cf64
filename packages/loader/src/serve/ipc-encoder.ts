import { type Columns, emptyColumn, type Schema } from "@ingest-ts/core";
import { toArrowSchema, toRecordBatch } from "@ingest-ts/core/arrow";
import { RecordBatch, RecordBatchStreamWriter, type Schema as ArrowSchema } from "apache-arrow";
import { METADATA_KEY, type Notice } from "./protocol.ts";

/** Bytes in order, in pieces that are worth a place of their own in a system call; the large ones are a batch's own. */
export type Pieces = readonly Uint8Array[];

/** What is smaller is put together with its neighbours: copying it costs less than passing it on by itself. */
const OWN_PIECE_BYTES = 64 * 1024;

function joined(parts: readonly Uint8Array[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const flush = (): void => {
    if (small.length > 0) pieces.push(Buffer.concat(small));
    small = [];
  };
  for (const part of parts) {
    if (part.length < OWN_PIECE_BYTES) {
      small.push(part);
    } else {
      flush();
      pieces.push(part);
    }
  }
  flush();
  return pieces;
}

/** apache-arrow's writer with its messages taken out one at a time, instead of put into a queue without an end. */
class MessageWriter extends RecordBatchStreamWriter {
  #parts: Uint8Array[] = [];

  protected override _write(chunk: ArrayBufferView): this {
    if (chunk.byteLength > 0) this.#parts.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    return this;
  }

  schema(schema: ArrowSchema): Pieces {
    this._writeSchema(schema);
    return this.#take();
  }

  batch(batch: RecordBatch): Pieces {
    this._writeRecordBatch(batch);
    return this.#take();
  }

  #take(): Pieces {
    const pieces = joined(this.#parts);
    this.#parts = [];
    // The writer keeps a list of all blocks for the footer of a file, which a stream does not have.
    this._recordBatchBlocks.length = 0;
    return pieces;
  }
}

/** End of an Arrow stream. */
export const END_OF_STREAM: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);
/** The beginning of a message that never comes: a reader that ignores metadata fails on it. */
export const NEVER_ENDED: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff);

/** Record batches of one schema as messages of an Arrow IPC stream (metadata version 5), with notices. */
export class IpcEncoder {
  readonly #writer = new MessageWriter();
  readonly #schema: ArrowSchema;
  /** Ours: apache-arrow's own batch without rows has lists without offsets, which it cannot write. */
  readonly #nothing: Columns;

  constructor(schema: Schema) {
    this.#schema = toArrowSchema(schema);
    this.#nothing = { rows: 0, columns: schema.fields.map((field) => emptyColumn(field, 0)) };
  }

  /** The message that a stream begins with. */
  schemaMessage(): Pieces {
    return this.#writer.schema(this.#schema);
  }

  /** A message of some rows, whose buffers it shares. */
  message(columns: Columns, notice: Notice): Pieces {
    const { schema, data } = toRecordBatch(columns, this.#schema);
    return this.#writer.batch(new RecordBatch(schema, data, metadataOf(notice)));
  }

  /** A message without rows. */
  notice(notice: Notice): Pieces {
    return this.message(this.#nothing, notice);
  }
}

function metadataOf(notice: Notice): Map<string, string> {
  return new Map([[METADATA_KEY, JSON.stringify(notice)]]);
}
