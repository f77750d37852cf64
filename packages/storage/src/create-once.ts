import { randomBytes } from "node:crypto";
import { link, mkdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { OptionsError, publicUrl, schemeOf } from "@ingest-ts/core";
import { fileError, systemCode } from "./file-errors.ts";
import { pathOf } from "./file-path.ts";
import { readObject } from "./read-object.ts";
import { sideObjects } from "./side-objects.ts";

/**
 * Writes a small object if there is none of its name: of several writers one wins. It is never seen in part. Folders of a
 * local path are made.
 *
 * @returns whether it was created; false: there is one, so read it. (It may be this very one, when the answer to an earlier
 *   attempt was lost.)
 * @throws OptionsError for a scheme that is not written, SourceError when it cannot be written
 */
export async function createOnce(url: string, bytes: Uint8Array): Promise<boolean> {
  const scheme = schemeOf(url);
  if (scheme === "file") return createFile(url, bytes);
  if (scheme === "s3") return createObject(url, bytes);
  throw new OptionsError(`scheme "${scheme}" is not written`, {
    where: { url: publicUrl(url) },
    remedy: "Name a file, or s3://bucket/key.",
  });
}

async function createObject(url: string, bytes: Uint8Array): Promise<boolean> {
  const [, folder = "", name = ""] = /^(.*)\/([^/]*)$/.exec(url) ?? [];
  const objects = name === "" ? undefined : await sideObjects(folder);
  if (objects !== undefined) return objects.create(name, bytes);
  throw new OptionsError("is a folder, not an object", { where: { url }, remedy: "Name an object to write." });
}

/** A link either makes a name for the whole file, or finds one. */
async function createFile(url: string, bytes: Uint8Array): Promise<boolean> {
  const path = pathOf(url);
  const temporary = join(dirname(path), `.${basename(path).slice(0, 200)}.${randomBytes(8).toString("hex")}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, bytes, { flag: "wx", flush: true });
    try {
      return await linkOnce(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
  } catch (error) {
    throw fileError(error, publicUrl(url));
  }
}

/** @returns false when the name is taken */
async function linkOnce(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

/**
 * What everybody holds for the content of an object: `bytes` when there was none, else what is there.
 *
 * @throws OptionsError, SourceError as `createOnce`
 */
export async function agreeOn(url: string, bytes: Uint8Array): Promise<Uint8Array> {
  return (await createOnce(url, bytes)) ? bytes : readObject(url);
}
