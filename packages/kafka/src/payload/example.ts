import type { DataType, JsonValue } from "@ingest-ts/core";
import {
  createExampleReader,
  type ExampleReader,
  type ExampleReaderOptions,
  type InferredFeatures,
} from "@ingest-ts/readers/tfrecord/values";
import type { DecodedValues, PayloadDecoder, PayloadInput } from "./values.ts";

/** How values are read as tf.train.Example. */
export interface ExamplePayloadOptions {
  readonly as: "example";
  /** As of TFRecord files: {"features": {…}}. Default: what the first records hold. */
  readonly declared?: JsonValue | undefined;
  /** From the state of another decoder. */
  readonly inferred?: InferredFeatures | undefined;
}

/** Values as tf.train.Example: a struct of the features. */
export class ExampleDecoder implements PayloadDecoder {
  readonly as = "example";
  readonly type: DataType;
  readonly resolved: JsonValue;
  readonly #reader: ExampleReader;

  private constructor(reader: ExampleReader, declared: JsonValue | undefined) {
    this.#reader = reader;
    this.type = reader.type;
    const { inferred } = reader;
    this.resolved =
      inferred === undefined
        ? { as: "example", declared: declared ?? null }
        : { as: "example", inferred: inferred as unknown as JsonValue };
  }

  /** @throws OptionsError for a wrong declaration, or without any records to look at */
  static async create(options: ExamplePayloadOptions, sample: PayloadInput | undefined): Promise<ExampleDecoder> {
    const { declared, inferred } = options;
    const given: ExampleReaderOptions = inferred === undefined ? { declared, sample: sample?.values } : { inferred };
    return new ExampleDecoder(await createExampleReader(given), declared);
  }

  decode({ values }: PayloadInput): DecodedValues {
    return this.#reader.decode(values);
  }
}
