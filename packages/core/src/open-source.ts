import { OptionsError, publicUrl } from "./errors.ts";
import type { ByteSource, ReadOptions, Scheme, SchemeTable } from "./source.ts";

/** The scheme of a URL in lower case; plain paths are `file`. */
export function schemeOf(url: string): string {
  const match = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url) ?? /^(file):/i.exec(url);
  return match === null ? "file" : (match[1] as string).toLowerCase();
}

/**
 * The module that a URL's scheme needs.
 *
 * @throws OptionsError for a scheme that `schemes` does not have.
 */
export function schemeFor(url: string, schemes: SchemeTable): Promise<Scheme> {
  const scheme = schemeOf(url);
  const load = Object.hasOwn(schemes, scheme) ? schemes[scheme] : undefined;
  if (load === undefined) {
    throw new OptionsError(`scheme "${scheme}" is not supported`, {
      where: { url: publicUrl(url) },
      remedy: `Supported are plain paths and ${Object.keys(schemes)
        .map((name) => `${name}://`)
        .join(", ")}.`,
    });
  }
  return load();
}

/**
 * Opens an object by the scheme of its URL, loading only the module that this scheme needs.
 *
 * @throws OptionsError for a scheme that `schemes` does not have, SourceError when the object cannot be opened.
 */
export async function openSource(url: string, schemes: SchemeTable, options: ReadOptions = {}): Promise<ByteSource> {
  const { open } = await schemeFor(url, schemes);
  return open(url, options);
}
