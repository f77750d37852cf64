import { type ByteSink, OptionsError, publicUrl, schemeOf } from "@ingest-ts/core";
import { fileSink } from "./file-sink.ts";
import type { SinkOptions } from "./sink-options.ts";

/**
 * Where to write a path or an `s3:` URL: what was there stays until `close` succeeds, `abort` leaves nothing behind. When
 * `signal` aborts, what is under way fails at once with its reason; whoever writes then calls `abort`.
 *
 * @throws OptionsError for a scheme that is not written, SourceError when it cannot be written
 */
export async function createSink(url: string, options: SinkOptions = {}): Promise<ByteSink> {
  const scheme = schemeOf(url);
  if (scheme === "file") return fileSink(url);
  if (scheme === "s3") return (await import("./s3/s3-sink.ts")).s3Sink(url, options);
  throw new OptionsError(`scheme "${scheme}" is not written`, {
    where: { url: publicUrl(url) },
    remedy: "Name a file, or s3://bucket/key.",
  });
}
