import { openSource, type ReadOptions } from "@ingest-ts/core";
import { schemes } from "./schemes.ts";

/** The whole of a small object. @throws SourceError when it cannot be read, OptionsError for an unknown scheme */
export async function readObject(url: string, options: ReadOptions = {}): Promise<Uint8Array> {
  const source = await openSource(url, schemes, options);
  try {
    const { sizeBytes } = await source.stat(options);
    const [bytes] = await source.getRanges([{ start: 0, end: sizeBytes }], options);
    return bytes as Uint8Array;
  } finally {
    await source.close();
  }
}
