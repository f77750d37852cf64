import { OptionsError, publicUrl, UnsupportedError } from "@ingest-ts/core";
import { detectFormat } from "@ingest-ts/readers";
import { daliIndex, detectCompression } from "@ingest-ts/readers/tfrecord";
import { openSource } from "@ingest-ts/storage";
import { textOf, writeBeside } from "./index-store.ts";
import { indexText } from "./manifest/format.ts";

/** Enough of a file to tell whether it is compressed. */
const HEAD_BYTES = 64 * 1024;

/** What `importDaliIndex` wrote. */
export interface ImportedIndex {
  /** Where. */
  readonly path: string;
  readonly rows: number;
  readonly fragments: number;
}

/**
 * Makes `<path>.ingest-index` of the index that NVIDIA DALI's `tfrecord2idx` wrote, without reading the file: a wrong one is
 * an error when the records are read.
 *
 * @param idx path of the DALI index
 * @throws FormatError when it does not fit the file, OptionsError for a file of another format or a compressed one,
 *   SourceError when one of them cannot be read, or the index not be written
 */
export async function importDaliIndex(
  path: string,
  idx: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<ImportedIndex> {
  const { signal } = options;
  const source = await openSource(path, { signal });
  try {
    const stat = await source.stat({ signal });
    const format = stat.sizeBytes === 0 ? "tfrecord" : await detectFormat(source, { signal });
    const [head] = await source.getRanges([{ start: 0, end: Math.min(HEAD_BYTES, stat.sizeBytes) }], { signal });
    const compression = format === "tfrecord" ? detectCompression(head as Uint8Array) : "none";
    if (format !== "tfrecord" || compression !== "none") {
      throw new OptionsError(`a DALI index is of a plain TFRecord file, and this is ${format} (${compression})`, {
        where: { url: publicUrl(path) },
        remedy: "Leave --dali out: ingest index reads the file itself.",
      });
    }
    const text = await textOf(idx, signal);
    if (text === undefined) {
      throw new UnsupportedError("a DALI index of more than 256 MiB", { where: { url: publicUrl(idx) } });
    }
    const index = daliIndex(text, stat, publicUrl(idx));
    const rows = index.fragments.reduce((sum, fragment) => sum + fragment.rows, 0);
    return { path: await writeBeside(path, indexText(index)), rows, fragments: index.fragments.length };
  } finally {
    await source.close();
  }
}
