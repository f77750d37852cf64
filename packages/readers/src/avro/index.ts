import { type Format, OptionsError } from "@ingest-ts/core";
import { loadKernels } from "@ingest-ts/kernels";
import { CodecError, prepareCodecs } from "@ingest-ts/kernels/codecs";
import { codecs } from "./codecs.ts";
import { decode } from "./decode.ts";
import { type AvroMetadata, readMetadata } from "./metadata.ts";
import { type BlockRun, plan } from "./plan.ts";
import { buildIndex } from "./runs.ts";
import { toSchema } from "./schema.ts";

/** Apache Avro object container files, specification 1.12. */
export const avro: Format<AvroMetadata, BlockRun> = {
  name: "avro",
  readMetadata,
  async prepare({ codec, url }) {
    try {
      await Promise.all([loadKernels(), codec === "null" ? undefined : prepareCodecs([codecs[codec]], "read")]);
    } catch (error) {
      if (error instanceof CodecError) throw new OptionsError(error.message, { where: { url }, cause: error });
      throw error;
    }
  },
  toSchema,
  buildIndex,
  plan,
  decode,
};
