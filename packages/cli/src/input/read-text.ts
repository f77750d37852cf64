import { openSource } from "@ingest-ts/storage";

/** The whole of a text file or object. @throws SourceError when it cannot be read. */
export async function readFileText(path: string): Promise<string> {
  const source = await openSource(path);
  try {
    const { sizeBytes } = await source.stat();
    const [bytes] = await source.getRanges([{ start: 0, end: sizeBytes }]);
    return new TextDecoder().decode(bytes);
  } finally {
    await source.close();
  }
}
