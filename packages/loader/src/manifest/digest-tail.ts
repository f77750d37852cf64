import type { ByteSource } from "@ingest-ts/core";
import { digestOf } from "@ingest-ts/sharder";

/** The end of an object is where formats describe it. */
const TAIL_BYTES = 64 * 1024;

/** Bytes that change when the content does and stay when the object is copied. */
export async function digestTail(
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<{ sizeBytes: number; etag: string; digest: string }> {
  const { sizeBytes, etag } = await source.stat({ signal });
  if (sizeBytes === 0) return { sizeBytes, etag, digest: digestOf("") };
  const [tail] = await source.getRanges([{ suffixBytes: Math.min(TAIL_BYTES, sizeBytes) }], { signal });
  return { sizeBytes, etag, digest: digestOf(tail as Uint8Array) };
}
