import { readObject } from "@ingest-ts/storage";

/** The whole of a text file or object. @throws SourceError when it cannot be read. */
export async function readFileText(path: string): Promise<string> {
  return new TextDecoder().decode(await readObject(path));
}
