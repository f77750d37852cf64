import type { Format } from "@ingest-ts/core";
import { loadKernels, prepareCrc32c } from "@ingest-ts/kernels";
import { decodeFragment } from "./decode.ts";
import { readMetadata, type TFRecordMetadata } from "./metadata.ts";
import { planFragments, type RecordPlan } from "./plan.ts";
import { buildIndex } from "./runs.ts";
import { selectedSchema } from "./schema.ts";

export type { TFRecordMetadata } from "./metadata.ts";
export { daliIndex } from "./dali.ts";
export { detectCompression } from "./metadata.ts";
export type { RecordPlan } from "./plan.ts";

/** TFRecord files of tf.train.Example, SequenceExample or raw records: plain, gzip or zlib. */
export const tfrecord: Format<TFRecordMetadata, RecordPlan> = {
  name: "tfrecord",
  readMetadata,
  async prepare(): Promise<void> {
    await Promise.all([loadKernels(), prepareCrc32c()]);
  },
  toSchema: selectedSchema,
  buildIndex,
  plan: planFragments,
  decode: (fragment, metadata, options) => decodeFragment(fragment, metadata, options),
};
