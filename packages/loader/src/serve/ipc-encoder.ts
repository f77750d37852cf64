import { type Columns, emptyColumn, type Schema } from "@ingest-ts/core";
import { toArrowSchema, toRecordBatch } from "@ingest-ts/core/arrow";
import { RecordBatch, RecordBatchStreamWriter, type Schema as ArrowSchema } from "apache-arrow";
import { METADATA_KEY, type Notice } from "./protocol.ts";

/** apache-arrow's writer with its messages taken out one at a time, instead of put into a queue without an end. */
class MessageWriter extends RecordBatchStreamWriter {
  #parts: Uint8Array[] = [];

  protected override _write(chunk: ArrayBufferView): this {
    if (chunk.byteLength > 0) this.#parts.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    return this;
  }

  schema(schema: ArrowSchema): Uint8Array {
    this._writeSchema(schema);
    return this.#take();
  }

  batch(batch: RecordBatch): Uint8Array {
    this._writeRecordBatch(batch);
    return this.#take();
  }

  /** In one piece: one large write costs less than many small ones. */
  #take(): Uint8Array {
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    return bytes;
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
  schemaMessage(): Uint8Array {
    return this.#writer.schema(this.#schema);
  }

  /** A message of some rows. */
  message(columns: Columns, notice: Notice): Uint8Array {
    const { schema, data } = toRecordBatch(columns, this.#schema);
    return this.#writer.batch(new RecordBatch(schema, data, metadataOf(notice)));
  }

  /** A message without rows. */
  notice(notice: Notice): Uint8Array {
    return this.message(this.#nothing, notice);
  }
}

function metadataOf(notice: Notice): Map<string, string> {
  return new Map([[METADATA_KEY, JSON.stringify(notice)]]);
}
