import type { Format } from "@ingest-ts/core";
import { loadKernels } from "@ingest-ts/kernels";
import { prepareCodecs } from "@ingest-ts/kernels/codecs";
import { codecs } from "./chunks.ts";
import { decode } from "./decode.ts";
import { type OrcMetadata, readMetadata } from "./metadata.ts";
import { plan, type StripePlan } from "./plan.ts";
import { toSchema } from "./schema.ts";

/** Apache ORC, specification v1. */
export const orc: Format<OrcMetadata, StripePlan> = {
  name: "orc",
  readMetadata,
  async prepare({ postscript }) {
    const codec = codecs[postscript.compression];
    await Promise.all([loadKernels(), codec === undefined ? undefined : prepareCodecs([codec], "read")]);
  },
  toSchema,
  plan,
  decode,
};
