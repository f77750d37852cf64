import {
  type ByteRange,
  type ByteSource,
  type Columns,
  concatRows,
  emptyColumn,
  defaultLimits,
  FormatError,
  type Limits,
  type Schema,
  type Select,
} from "@ingest-ts/core";
import { arrow } from "./index.ts";

/** Bytes in memory as a source. */
function sourceOf(bytes: Uint8Array): ByteSource {
  const cut = (range: ByteRange): Uint8Array =>
    "suffixBytes" in range
      ? bytes.subarray(Math.max(0, bytes.length - range.suffixBytes))
      : bytes.subarray(range.start, range.end);
  return {
    url: "",
    stat: () => Promise.resolve({ sizeBytes: bytes.length, etag: "" }),
    getRanges: (ranges) => Promise.resolve(ranges.map(cut)),
    close: () => Promise.resolve(),
  };
}

/** All rows of one Arrow IPC stream (or file) with the schema they follow. */
export interface ArrowRows extends Columns {
  readonly schema: Schema;
}

/**
 * Reads a complete Arrow IPC stream or file that lies in memory, such as a value of a Kafka topic. Dictionaries are
 * decoded.
 *
 * @throws FormatError, UnsupportedError
 */
export async function readArrowBytes(bytes: Uint8Array, limits: Partial<Limits> = {}): Promise<ArrowRows> {
  const select: Select = { dictionary: "decode", limits: { ...defaultLimits, ...limits } };
  const source = sourceOf(bytes);
  const metadata = await arrow.readMetadata(source, select);
  const schema = arrow.toSchema(metadata, select);
  const parts: Columns[] = [];
  for (const fragment of arrow.plan(metadata, select)) {
    const decoder = arrow.decode(fragment, metadata, {
      select,
      batchRows: Number.MAX_SAFE_INTEGER,
      batchBytes: Number.MAX_SAFE_INTEGER,
    });
    let step = decoder.next([]);
    while (step.done !== true) {
      if ("need" in step.value) step = decoder.next(await source.getRanges(step.value.need));
      else {
        if (!("columns" in step.value)) throw new FormatError("rows were passed over");
        parts.push(step.value);
        step = decoder.next([]);
      }
    }
  }
  const none: Columns = { rows: 0, columns: schema.fields.map((field) => emptyColumn(field, 0)) };
  return { schema, ...(parts.length === 0 ? none : concatRows(parts)) };
}
