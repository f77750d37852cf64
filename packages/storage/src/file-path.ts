import type { BigIntStats } from "node:fs";
import { fileURLToPath } from "node:url";
import { OptionsError, publicUrl } from "@ingest-ts/core";

/** The path that `url` names: a plain path as it is, or a `file:` URL with its percent-encoding undone. */
export function pathOf(url: string): string {
  if (!/^file:/i.test(url)) return url;
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new OptionsError("not a usable file URL", {
      where: { url: publicUrl(url) },
      remedy: "Write file:///absolute/path with special characters percent-encoded, or the plain path.",
      cause,
    });
  }
}

/** Changes whenever the file does. */
export function etagOf(stat: BigIntStats): string {
  return `${stat.dev}-${stat.ino}-${stat.size}-${stat.mtimeNs}`;
}
