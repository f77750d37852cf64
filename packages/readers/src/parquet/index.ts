import type { Format } from "@ingest-ts/core";
import { loadKernels } from "@ingest-ts/kernels";
import { decode } from "./decode.ts";
import { type ParquetMetadata, readMetadata } from "./metadata.ts";
import { preparePageCodecs } from "./page-body.ts";
import { type ParquetPlan, plan } from "./plan.ts";
import { toSchema } from "./schema.ts";

export type { ParquetMetadata } from "./metadata.ts";
export type { ChunkPlan, ParquetPlan } from "./plan.ts";

/** Apache Parquet; a fragment is a row group. */
export const parquet: Format<ParquetMetadata, ParquetPlan> = {
  name: "parquet",
  readMetadata,
  async prepare(metadata: ParquetMetadata): Promise<void> {
    await loadKernels();
    const chunks = metadata.rowGroups.flatMap((group) => group.columns);
    await preparePageCodecs(new Set(chunks.map((chunk) => chunk.codec)));
  },
  toSchema,
  plan,
  decode,
};
