import {
  type ByteSource,
  checkLimit,
  FormatError,
  type ReadOptions,
  type Schema,
  type Select,
  UnsupportedError,
  withWhere,
} from "@ingest-ts/core";
import { type ArrowFields, readFields } from "./fields.ts";
import { readFlatbuffer, type Table } from "./flatbuffer.ts";
import {
  type BatchLayout,
  compressionNames,
  CONTINUATION,
  type DictionaryLayout,
  FILE_MAGIC,
  MessageKind,
  METADATA_V5,
  UNKNOWN_NULLS,
} from "./spec.ts";

/** What an Arrow file or stream holds, without its values. Plain data. */
export interface ArrowMetadata {
  readonly url: string;
  readonly schema: Schema;
  readonly dictionaryIds: readonly number[];
  readonly dictionaries: readonly DictionaryLayout[];
  readonly batches: readonly ArrowBatch[];
}

export interface ArrowBatch extends BatchLayout {
  /** Positions in `dictionaries` of those in force, one per id. */
  readonly dictionaries: readonly number[];
}

const WINDOW_BYTES = 64 * 1024;
const PREFIX_BYTES = 8;
const TRAILER_BYTES = 10;
/** Magic and padding. */
const FILE_HEAD_BYTES = 8;

/** Reads ahead in windows, since messages of small batches lie close together. */
class Window {
  readonly #source: ByteSource;
  readonly #sizeBytes: number;
  readonly #options: ReadOptions;
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;

  constructor(source: ByteSource, sizeBytes: number, options: ReadOptions) {
    this.#source = source;
    this.#sizeBytes = sizeBytes;
    this.#options = options;
  }

  /** Bytes [start, start + length) of the object. @throws FormatError when it ends before. */
  async read(start: number, length: number, what: string): Promise<Uint8Array> {
    if (start + length > this.#sizeBytes) {
      throw new FormatError(`the object ends inside ${what}`, {
        where: { offset: start },
        remedy: "It is truncated: was it written to its end?",
      });
    }
    if (start < this.#start || start + length > this.#start + this.#bytes.length) {
      const end = Math.min(this.#sizeBytes, start + Math.max(length, WINDOW_BYTES));
      [this.#bytes = this.#bytes] = await this.#source.getRanges([{ start, end }], this.#options);
      this.#start = start;
    }
    return this.#bytes.subarray(start - this.#start, start - this.#start + length);
  }
}

/** One message without its body. */
interface Message {
  readonly flatbuffer: Uint8Array;
  readonly bodyStart: number;
}

type Content =
  | { readonly kind: "schema"; readonly fields: ArrowFields; readonly bodyBytes: number }
  | { readonly kind: "batch"; readonly layout: BatchLayout }
  | { readonly kind: "dictionary"; readonly layout: DictionaryLayout; readonly delta: boolean };

async function readMessage(window: Window, at: number, select: Select): Promise<Message | undefined> {
  const prefix = await window.read(at, PREFIX_BYTES, "a message");
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES);
  if (view.getUint32(0, true) !== CONTINUATION) {
    throw new FormatError("a message does not begin with its marker", { where: { offset: at } });
  }
  const length = view.getInt32(4, true);
  if (length === 0) return undefined;
  if (length < 0) throw new FormatError(`a message of ${length} bytes`, { where: { offset: at } });
  checkLimit(select.limits, "footerBytes", length, "metadata of a message");
  return {
    flatbuffer: await window.read(at + PREFIX_BYTES, length, "a message"),
    bodyStart: at + PREFIX_BYTES + length,
  };
}

function readContent({ flatbuffer, bodyStart }: Message, sizeBytes: number, select: Select): Content {
  return readFlatbuffer(flatbuffer, "a message", (root) => {
    const header = root.table(2);
    const bodyBytes = root.size(3);
    if (header === undefined) throw new FormatError("a message without a header");
    if (bodyStart + bodyBytes > sizeBytes) {
      throw new FormatError(`a body of ${bodyBytes} bytes in an object of ${sizeBytes}`, {
        remedy: "It is truncated: was it written to its end?",
      });
    }
    switch (root.uint8(1)) {
      case MessageKind.SCHEMA: {
        const fields = readFields(header, select.limits);
        checkVersion(root.int16(0), fields.schema);
        return { kind: "schema", fields, bodyBytes };
      }
      case MessageKind.RECORD_BATCH:
        return { kind: "batch", layout: readLayout(header, bodyStart, bodyBytes) };
      case MessageKind.DICTIONARY: {
        const data = header.table(1);
        if (data === undefined) throw new FormatError("a dictionary without values");
        const layout = { ...readLayout(data, bodyStart, bodyBytes), id: header.size(0) };
        return { kind: "dictionary", layout, delta: header.uint8(2) !== 0 };
      }
      default:
        throw new UnsupportedError(`Arrow messages of kind ${root.uint8(1)} are not supported`);
    }
  });
}

function checkVersion(version: number, schema: Schema): void {
  if (version >= METADATA_V5) return;
  if (JSON.stringify(schema).includes('"kind":"union"')) {
    throw new UnsupportedError(`unions of Arrow metadata version V${version + 1} are not supported`);
  }
}

function readLayout(batch: Table, start: number, bodyBytes: number): BatchLayout {
  const compression = batch.table(3);
  if (compression !== undefined) {
    const codec = compression.uint8(0);
    throw new UnsupportedError(
      `compressed Arrow buffers (${compressionNames[codec] ?? `codec ${codec}`}) are not supported`,
      { remedy: "Write the file without compression." },
    );
  }
  return {
    rows: batch.size(0),
    nodes: batch.sizes(1, 2, UNKNOWN_NULLS),
    buffers: batch.sizes(2, 2),
    start,
    end: start + bodyBytes,
  };
}

/** Collects messages; what a dictionary id means may change from batch to batch in a stream. */
class Collector {
  fields: ArrowFields | undefined;
  readonly dictionaries: DictionaryLayout[] = [];
  readonly batches: ArrowBatch[] = [];
  readonly #inForce = new Map<number, number>();

  add(content: Content): void {
    if (content.kind === "schema") {
      if (this.fields !== undefined) throw new FormatError("a second schema");
      this.fields = content.fields;
      return;
    }
    if (this.fields === undefined) throw new FormatError("rows before the schema");
    if (content.kind === "dictionary") {
      if (content.delta) {
        throw new UnsupportedError("Arrow delta dictionaries are not supported", {
          remedy: "Write whole dictionaries, or decode them.",
        });
      }
      this.#inForce.set(content.layout.id, this.dictionaries.length);
      this.dictionaries.push(content.layout);
      return;
    }
    const dictionaries = this.fields.dictionaryIds.map((id) => this.#inForce.get(id) ?? -1);
    if (dictionaries.includes(-1)) throw new FormatError("a dictionary is missing");
    this.batches.push({ ...content.layout, dictionaries });
  }
}

/** Messages one after the other, up to the end-of-stream marker. */
async function scanStream(window: Window, sizeBytes: number, select: Select): Promise<Collector> {
  const collector = new Collector();
  let at = 0;
  for (;;) {
    if (at === sizeBytes) {
      throw new FormatError("the stream has no end marker", {
        where: { offset: at },
        remedy: "It was cut: write it again.",
      });
    }
    const message = await readMessage(window, at, select);
    if (message === undefined) {
      const rest = sizeBytes - at - PREFIX_BYTES;
      if (rest !== 0) throw new FormatError(`${rest} bytes follow the end of the stream`, { where: { offset: at } });
      return collector;
    }
    const content = located(at, () => readContent(message, sizeBytes, select));
    located(at, () => collector.add(content));
    at = content.kind === "schema" ? message.bodyStart + content.bodyBytes : content.layout.end;
  }
}

/** A file: its footer says where the messages lie (File.fbs). */
async function readFooter(window: Window, sizeBytes: number, select: Select): Promise<Collector> {
  const trailer = await window.read(Math.max(0, sizeBytes - TRAILER_BYTES), TRAILER_BYTES, "the footer");
  const view = new DataView(trailer.buffer, trailer.byteOffset, TRAILER_BYTES);
  const magic = String.fromCharCode(...trailer.subarray(4));
  const length = view.getInt32(0, true);
  const start = sizeBytes - TRAILER_BYTES - length;
  if (magic !== FILE_MAGIC || length <= 0 || start < FILE_HEAD_BYTES) {
    throw new FormatError("the file does not end with a footer", {
      remedy: "It is truncated: was it written to its end?",
    });
  }
  checkLimit(select.limits, "footerBytes", length, "a footer");
  const footer = await window.read(start, length, "the footer");
  const { fields, dictionaries, batches } = readFlatbuffer(footer, "the footer", (root) => {
    const schema = root.table(1);
    if (schema === undefined) throw new FormatError("the footer has no schema");
    // Structs of offset, metadata length (with 4 bytes of padding) and body length.
    return { fields: readFields(schema, select.limits), dictionaries: root.sizes(2, 3), batches: root.sizes(3, 3) };
  });
  const collector = new Collector();
  collector.add({ kind: "schema", fields, bodyBytes: 0 });
  for (const [blocks, kind] of [
    [dictionaries, "dictionary"],
    [batches, "batch"],
  ] as const) {
    for (let i = 0; i < blocks.length; i += 3) {
      const at = blocks[i] as number;
      const message = await readMessage(window, at, select);
      if (message === undefined) throw new FormatError("a message of no bytes", { where: { offset: at } });
      const content = located(at, () => readContent(message, start, select));
      if (content.kind !== kind)
        throw new FormatError(`a ${content.kind} where a ${kind} should be`, { where: { offset: at } });
      located(at, () => collector.add(content));
    }
  }
  return collector;
}

function located<T>(offset: number, body: () => T): T {
  return withWhere({ offset }, body);
}

/** Reads the schema and where batches lie, of a file or a stream. @throws FormatError, UnsupportedError, SourceError */
export async function readMetadata(
  source: ByteSource,
  select: Select,
  options: ReadOptions = {},
): Promise<ArrowMetadata> {
  const { sizeBytes } = await source.stat(options);
  const window = new Window(source, sizeBytes, options);
  const head = await window.read(0, Math.min(FILE_HEAD_BYTES, sizeBytes), "the file");
  const isFile = String.fromCharCode(...head.subarray(0, FILE_MAGIC.length)) === FILE_MAGIC;
  const collector = isFile ? await readFooter(window, sizeBytes, select) : await scanStream(window, sizeBytes, select);
  if (collector.fields === undefined) throw new FormatError("the stream has no schema");
  const { schema, dictionaryIds } = collector.fields;
  return { url: source.url, schema, dictionaryIds, dictionaries: collector.dictionaries, batches: collector.batches };
}
