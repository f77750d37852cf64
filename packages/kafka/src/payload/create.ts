import { isDeepStrictEqual } from "node:util";
import { type DataType, type JsonValue, OptionsError, StateError } from "@ingest-ts/core";
import { ArrowDecoder, type ArrowPayloadOptions } from "./arrow.ts";
import { AvroDecoder, type AvroPayloadOptions } from "./avro/index.ts";
import { ExampleDecoder, type ExamplePayloadOptions } from "./example.ts";
import { inferJsonType, JsonDecoder } from "./json/index.ts";
import { RawDecoder, TextDecoderOfValues } from "./text.ts";
import type { PayloadDecoder, PayloadInput, PayloadName } from "./values.ts";

/** How values are read as JSON. */
export interface JsonPayloadOptions {
  readonly as: "json";
  /** Of every value. Default: the type that holds the first records. */
  readonly type?: DataType | undefined;
}

/** How keys or values are read: a name, or a name with what it needs. */
export type PayloadOptions =
  | PayloadName
  | { readonly as: "raw" | "utf8" }
  | JsonPayloadOptions
  | AvroPayloadOptions
  | ExamplePayloadOptions
  | ArrowPayloadOptions;

/** The names, in the order of the documents. */
export const payloadNames: readonly PayloadName[] = ["raw", "utf8", "json", "avro", "example", "arrow"];

/** Whether a decoder's column depends on the first records: then `createPayloadDecoder` wants a sample. */
export function wantsSample(options: PayloadOptions): boolean {
  const given = typeof options === "string" ? ({ as: options } as Exclude<PayloadOptions, string>) : options;
  switch (given.as) {
    case "json":
      return given.type === undefined;
    case "avro":
      return [given.readerSchema, given.writerSchema, given.schemas, given.subject].every((one) => one === undefined);
    case "example":
      return given.declared === undefined && given.inferred === undefined;
    case "arrow":
      return given.schema === undefined;
    default:
      return false;
  }
}

/**
 * The decoder of keys or values.
 *
 * @param sample some first records, for whom `wantsSample`
 * @throws OptionsError for options that contradict each other, or when nothing shows the columns; SourceError when a
 *   schema registry cannot be asked
 */
export async function createPayloadDecoder(
  options: PayloadOptions,
  side: "key" | "value",
  sample?: PayloadInput,
): Promise<PayloadDecoder> {
  const given = typeof options === "string" ? ({ as: options } as Exclude<PayloadOptions, string>) : options;
  switch (given.as) {
    case "raw":
      return new RawDecoder();
    case "utf8":
      return new TextDecoderOfValues();
    case "json":
      return new JsonDecoder(given.type ?? jsonType(sample));
    case "avro":
      return AvroDecoder.create(given, side, sample);
    case "example":
      return ExampleDecoder.create(given, sample);
    case "arrow":
      return ArrowDecoder.create(given, sample);
    default:
      throw new OptionsError(`"${String((given as { as: unknown }).as)}" is no kind of payload`, {
        remedy: `Use one of ${payloadNames.join(", ")}.`,
      });
  }
}

function jsonType(sample: PayloadInput | undefined): DataType {
  const type = sample === undefined ? undefined : inferJsonType(sample.values);
  if (type !== undefined) return type;
  throw new OptionsError("no record shows the type of the JSON values", { remedy: "Declare it." });
}

/** Options that say what values look like: they stay as they were. */
const declarations = ["type", "writerSchema", "schemas", "readerSchema", "declared", "schema"] as const;

/**
 * The options again with what a decoder resolved: for a state. Only the registry's address and secrets come from
 * `options`.
 *
 * @throws StateError when they declare something else than was declared or seen before
 */
export function resumedOptions(options: PayloadOptions, resolved: JsonValue): PayloadOptions {
  const given = typeof options === "string" ? { as: options } : options;
  for (const name of declarations) {
    const declared = (given as Readonly<Record<string, unknown>>)[name];
    if (declared === undefined || isSame(declared, (resolved as Readonly<Record<string, unknown>>)[name])) continue;
    throw new StateError(`${given.as} was read with another \`${name}\` before`, {
      remedy: "Declare the same again, or nothing; or begin anew, elsewhere.",
    });
  }
  return { ...given, ...(resolved as object) } as PayloadOptions;
}

/** JSON as it is in a state, or text of JSON; of an Arrow schema the fields. */
function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(plain(a), plain(b));
}

function plain(value: unknown): unknown {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return value.map(plain);
  const parsed: unknown = typeof value === "string" ? parsedText(value) : JSON.parse(JSON.stringify(value));
  const isSchema = typeof parsed === "object" && parsed !== null && "fields" in parsed && "metadata" in parsed;
  return isSchema ? parsed.fields : parsed;
}

function parsedText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
