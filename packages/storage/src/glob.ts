import { OptionsError, publicUrl } from "@ingest-ts/core";
import { Minimatch } from "minimatch";

/** A pattern taken apart: the folder that all its matches lie in, and what their paths below it look like. */
export interface Glob {
  readonly folder: string;
  readonly matches: (path: string) => boolean;
}

const MAGIC = /(?<!\\)[*?[{]/;

/** Whether `text` has a wildcard in it: `*`, `?`, `[…]` or `{…}` that no backslash stands before. */
export function hasWildcard(text: string): boolean {
  return MAGIC.test(text);
}

/**
 * Reads `pattern`: `*` and `?` within a name, `[a-z]` and `[!a-z]`, `{one,other}`, and `**` for any number of folders.
 * Names that begin with a dot match as others do.
 *
 * @throws OptionsError for a pattern that cannot be read.
 */
export function parseGlob(pattern: string): Glob {
  const parts = pattern.split("/");
  const first = parts.findIndex((part) => MAGIC.test(part));
  const folder = parts.slice(0, first).join("/").replaceAll(/\\(.)/g, "$1");
  const below = parts.slice(first).join("/");
  return { folder: first === 0 ? "." : folder === "" ? "/" : folder, matches: matcher(below, pattern) };
}

function matcher(below: string, pattern: string): (path: string) => boolean {
  try {
    const options = { dot: true, nonegate: true, nocomment: true, noext: true, platform: "linux" } as const;
    const parsed = new Minimatch(below, options);
    return (path) => parsed.match(path);
  } catch (cause) {
    throw new OptionsError(`not a pattern: ${(cause as Error).message}`, {
      where: { url: publicUrl(pattern) },
      remedy: "Wildcards are *, ?, [a-z], {one,other} and **; put a backslash before one that is meant as it stands.",
      cause,
    });
  }
}
