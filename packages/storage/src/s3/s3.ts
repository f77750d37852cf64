import {
  type ByteSource,
  isIngestError,
  type ObjectLister,
  type Probed,
  type ReadOptions,
  SourceError,
} from "@ingest-ts/core";
import { type Opened, openTransport, sourceOf } from "../remote/open-remote.ts";
import { Primed } from "../remote/primed.ts";
import { onSettings } from "../settings.ts";
import { hasObjects, listPrefix, probePrefix } from "./s3-list.ts";
import { s3Transport } from "./s3-transport.ts";
import { parseS3Url } from "./s3-url.ts";

const primed = new Primed<Opened>();
onSettings(() => primed.clear());

/** Opens `s3://bucket/key`, pinned by its ETag. @throws SourceError, OptionsError */
export async function open(url: string, options: ReadOptions = {}): Promise<ByteSource> {
  options.signal?.throwIfAborted();
  return sourceOf(primed.take(url) ?? (await openUrl(url, options)));
}

async function openUrl(url: string, options: ReadOptions): Promise<Opened> {
  const location = parseS3Url(url);
  if (location.key === "" || location.key.endsWith("/")) {
    const isFolder = location.key === "" || (await hasObjects(location.bucket, location.key, options));
    throw new SourceError(isFolder ? "is a folder, not an object" : "no such folder: no key begins with this", {
      where: { url },
      remedy: isFolder ? "Name one object in it." : "Check bucket and key.",
      reason: "NotFound",
    });
  }
  return openTransport(await s3Transport(location), options);
}

/** An object of this name wins over a folder, as with files; what it took to find out is kept for `open`. */
async function probe(url: string, options: ReadOptions = {}): Promise<Probed> {
  const { bucket, key } = parseS3Url(url);
  if (key === "" || key.endsWith("/")) return probePrefix(url, options);
  try {
    const opened = await openUrl(url, options);
    primed.put(url, opened);
    const { sizeBytes, identity } = opened.opening.pin;
    return { kind: "object", object: { url, path: "", sizeBytes, etag: identity } };
  } catch (error) {
    if (!isNoSuchKey(error)) throw error;
    return (await hasObjects(bucket, `${key}/`, options)) ? { kind: "folder" } : { kind: "missing" };
  }
}

function isNoSuchKey(error: unknown): boolean {
  if (!isIngestError(error, "INGEST_SOURCE") || !(error instanceof SourceError)) return false;
  return error.reason === "NotFound" && !/NoSuchBucket/.test(error.what);
}

/** Buckets and key prefixes as folders. */
export const lister: ObjectLister = { probe, list: listPrefix };
