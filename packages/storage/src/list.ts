import {
  type ListedObject,
  type ListOptions,
  type ObjectLister,
  OptionsError,
  publicUrl,
  type ReadOptions,
  schemeFor,
  schemeOf,
  type SchemeTable,
} from "@ingest-ts/core";
import { pathOf } from "./file-path.ts";
import { hasWildcard, parseGlob } from "./glob.ts";

/** What a path, URL or pattern stands for. */
export type Expanded =
  /** One object that is named outright, or one whose store cannot list: `object` is undefined then. */
  | { readonly kind: "object"; readonly object: ListedObject | undefined }
  /** Objects below a folder, their paths relative to it. */
  | { readonly kind: "folder"; readonly folder: string; readonly objects: readonly ListedObject[] }
  | { readonly kind: "missing" };

/**
 * Finds what `input` names: an object, all objects below a folder, or those that a pattern fits. What exists under just
 * this name wins over its reading as a pattern. Opens nothing.
 *
 * @throws OptionsError for an unknown scheme or a pattern that cannot be read, SourceError for what cannot be listed
 */
export async function expandUrl(input: string, schemes: SchemeTable, options: ListOptions = {}): Promise<Expanded> {
  const { lister } = await schemeFor(input, schemes);
  if (lister === undefined) return { kind: "object", object: undefined };
  const probed = await lister.probe(input, options);
  if (probed.kind === "object") return probed;
  if (probed.kind === "folder") {
    return { kind: "folder", folder: input, objects: await lister.list(input, options) };
  }
  return hasWildcard(input) ? expandGlob(input, lister, options) : probed;
}

/** Whether `input` names one object, or any number of them. */
export async function probeUrl(
  input: string,
  schemes: SchemeTable,
  options: ReadOptions = {},
): Promise<"one" | "many"> {
  const { lister } = await schemeFor(input, schemes);
  if (lister === undefined) return "one";
  const { kind } = await lister.probe(input, options);
  return kind === "folder" || (kind === "missing" && hasWildcard(input)) ? "many" : "one";
}

async function expandGlob(input: string, lister: ObjectLister, options: ListOptions): Promise<Expanded> {
  const pattern = schemeOf(input) === "file" ? pathOf(input) : input;
  const { folder, matches } = parseGlob(pattern);
  await checkFolder(folder, pattern, lister, options);
  const objects = await lister.list(folder, options);
  return { kind: "folder", folder, objects: objects.filter(({ path }) => matches(path)) };
}

async function checkFolder(folder: string, pattern: string, lister: ObjectLister, options: ReadOptions): Promise<void> {
  const { kind } = await lister.probe(folder, options);
  if (kind === "folder") return;
  const what = kind === "missing" ? "no such folder" : "a file, not a folder";
  throw new OptionsError(`the pattern begins with ${what}: "${publicUrl(folder)}"`, {
    where: { url: publicUrl(pattern) },
    remedy: "Check the path.",
  });
}
