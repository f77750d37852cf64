import { type Column, type DataType, type Field, FormatError, getBit, type JsonValue } from "@ingest-ts/core";
import type { DecodedValues, PayloadDecoder, PayloadInput, PoisonValue } from "../values.ts";
import { JsonCursor, JsonFault } from "./cursor.ts";
import { JsonInference } from "./infer.ts";
import { builderOf } from "./plan.ts";

function poison(index: number, fault: JsonFault): PoisonValue {
  const path = fault.path.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
  const column = path.replace(/^\./, "");
  const error = new FormatError(`JSON: ${fault.message}, at byte ${fault.at} of the value`, {
    where: column === "" ? {} : { column },
    remedy: "Mend the producer, declare a schema that holds the value, or choose what is done with such records.",
  });
  return { index, error };
}

/** Values of records as JSON of one type, straight into columns. Made once; what a batch left does not touch the next. */
export class JsonDecoder implements PayloadDecoder {
  readonly as = "json";
  readonly type: DataType;
  readonly resolved: JsonValue;
  readonly #field: Field;
  readonly #cursor = new JsonCursor();

  /** @throws OptionsError for a type that JSON has no form for */
  constructor(type: DataType) {
    this.type = type;
    this.resolved = { as: "json", type: type as unknown as JsonValue };
    this.#field = { name: "value", type, nullable: true };
    builderOf(this.#field, "value");
  }

  /**
   * A null (a tombstone) stays one.
   *
   * @returns as many values; those that are no JSON of this type are null there, and poison
   */
  decode({ values }: PayloadInput): DecodedValues {
    const builder = builderOf(this.#field, "value");
    const faults: PoisonValue[] = [];
    const offsets = values.offsets as Int32Array;
    const bytes = values.data as Uint8Array;
    for (let i = 0; i < values.length; i++) {
      if (values.validity !== null && !getBit(values.validity, i)) {
        builder.appendNull();
        continue;
      }
      this.#cursor.reset(bytes, offsets[i] as number, offsets[i + 1] as number);
      try {
        if (this.#cursor.kind() === "null") {
          this.#cursor.word("null");
          this.#cursor.finish();
          builder.appendNull();
        } else {
          builder.append(this.#cursor);
          this.#cursor.finish();
        }
      } catch (error) {
        if (!(error instanceof JsonFault)) throw error;
        faults.push(poison(i, error));
        builder.truncate(i);
        builder.appendNull();
      }
    }
    return { column: builder.finish(), poison: faults };
  }
}

/**
 * The type that holds all these values but those that are no JSON; undefined when there is nothing but nulls.
 *
 * @throws FormatError when two records have values at one place that no type holds
 */
export function inferJsonType(values: Column): DataType | undefined {
  const inference = new JsonInference();
  const cursor = new JsonCursor();
  const offsets = values.offsets as Int32Array;
  for (let i = 0; i < values.length; i++) {
    if (values.validity !== null && !getBit(values.validity, i)) continue;
    cursor.reset(values.data as Uint8Array, offsets[i] as number, offsets[i + 1] as number);
    try {
      inference.add(cursor);
    } catch (error) {
      if (!(error instanceof JsonFault)) throw error;
      throw poison(i, error).error;
    }
  }
  return inference.type;
}
