import { loadKernels, prepareCrc32c } from "@ingest-ts/kernels";
import { prepareCodecs } from "@ingest-ts/kernels/codecs";

export { type DecodedRecords, RecordsDecoder, type RecordsRequest } from "./decode.ts";
export type { Gap, GapCause } from "./gap.ts";
export { recordSchema } from "./schema.ts";

/** Loads the codecs and the CRC, once per thread; then `RecordsDecoder` is synchronous. */
export async function prepareRecords(): Promise<void> {
  await Promise.all([loadKernels(), prepareCrc32c(), prepareCodecs(["gzip", "snappy", "lz4Raw", "zstd"], "read")]);
}
