import { defaultLimits, type Field, isIngestError } from "@ingest-ts/core";
import { readFields } from "../arrow/fields.ts";
import { readFlatbuffer } from "../arrow/flatbuffer.ts";

/** Key of the stored Arrow schema in the user metadata of a file: the one that Arrow's own Parquet writers use. */
const ARROW_SCHEMA_KEY = "ARROW:schema";

const CONTINUATION = 0xffffffff;
const SCHEMA_HEADER = 1;

/**
 * The fields of the Arrow schema that a writer stored: base64 of an encapsulated IPC message.
 *
 * @returns undefined when there is none, or when it cannot be read: the file's own schema is always enough to read the data
 */
export function storedFields(metadata: Readonly<Record<string, string>>): readonly Field[] | undefined {
  const base64 = metadata[ARROW_SCHEMA_KEY];
  if (base64 === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const marked = new DataView(bytes.buffer).getUint32(0, true) === CONTINUATION;
    return readFlatbuffer(bytes.subarray(marked ? 8 : 4), "a stored schema", (root) => {
      const header = root.table(2);
      if (root.uint8(1) !== SCHEMA_HEADER || header === undefined) return undefined;
      return readFields(header, defaultLimits).schema.fields;
    });
  } catch (error) {
    // Bad base64 is a DOMException, bytes too short a RangeError, the rest errors of ours: hints that cannot be used.
    if (isIngestError(error) || error instanceof RangeError || error instanceof DOMException) return undefined;
    throw error;
  }
}

/** User metadata without the stored schema. */
export function withoutStoredSchema(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (!(ARROW_SCHEMA_KEY in metadata)) return metadata;
  const { [ARROW_SCHEMA_KEY]: _, ...rest } = metadata;
  return rest;
}
