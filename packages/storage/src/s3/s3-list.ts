import { type _Object, ListObjectsV2Command, type ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { type ListedObject, type ListOptions, type Probed, type ReadOptions, SourceError } from "@ingest-ts/core";
import { sharedLimiter } from "../remote/limiter.ts";
import type { Target } from "../remote/source-error.ts";
import { storageSettings } from "../settings.ts";
import { type S3Clients, s3Clients } from "./clients.ts";
import { requestS3 } from "./s3-request.ts";
import { identityOf } from "./s3-transport.ts";
import { parseS3Url, targetOf } from "./s3-url.ts";
import { checkWhole } from "./whole-listing.ts";

interface PageAsk {
  readonly bucket: string;
  readonly prefix: string;
  readonly most?: number | undefined;
  readonly token?: string | undefined;
}

/** Whether any key begins with `prefix`. */
export async function hasObjects(bucket: string, prefix: string, options: ReadOptions): Promise<boolean> {
  const target = targetOf({ bucket, key: prefix });
  const page = await listPage(await s3Clients(), { bucket, prefix, most: 1 }, target, options.signal);
  return (page.Contents ?? []).length > 0;
}

/** A prefix that ends with a slash is a folder, as is a bucket. */
export async function probePrefix(url: string, options: ReadOptions = {}): Promise<Probed> {
  const { bucket, key } = parseS3Url(url);
  const prefix = key === "" || key.endsWith("/") ? key : `${key}/`;
  if (await hasObjects(bucket, prefix, options)) return { kind: "folder" };
  return key === "" ? { kind: "folder" } : { kind: "missing" };
}

/**
 * Every object below a folder, in the order of the keys, by pages of a thousand.
 *
 * @throws SourceError, also when the store's pages do not go on in the order of the keys
 */
export async function listPrefix(url: string, options: ListOptions = {}): Promise<ListedObject[]> {
  const { bucket, key } = parseS3Url(url);
  const prefix = key === "" || key.endsWith("/") ? key : `${key}/`;
  const target = targetOf({ bucket, key: prefix });
  const accepted = acceptor(options);
  const found: ListedObject[] = [];
  await eachObject(bucket, prefix, target, options.signal, (object) => {
    const listed = listedOf(object, bucket, prefix);
    if (listed !== undefined && accepted(listed.path)) found.push(listed);
  });
  return found;
}

/** Every key that begins with `prefix`, which need not end with a slash. @throws SourceError */
export async function listPrefixNames(bucket: string, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  await eachObject(bucket, prefix, targetOf({ bucket, key: prefix }), undefined, ({ Key }) => {
    if (Key !== undefined) keys.push(Key);
  });
  return keys;
}

async function eachObject(
  bucket: string,
  prefix: string,
  target: Target,
  signal: AbortSignal | undefined,
  visit: (object: _Object) => void,
): Promise<void> {
  const clients = await s3Clients();
  let token: string | undefined;
  do {
    const page = await listPage(clients, { bucket, prefix, token }, target, signal);
    for (const object of page.Contents ?? []) visit(object);
    token = nextToken(page, token, target);
  } while (token !== undefined);
}

function nextToken(page: ListObjectsV2CommandOutput, last: string | undefined, target: Target): string | undefined {
  if (page.IsTruncated !== true) return undefined;
  const { NextContinuationToken: next } = page;
  if (next !== undefined && next !== "" && next !== last) return next;
  throw new SourceError("the listing says that there is more, but not where", {
    where: { url: target.url },
    reason: "Corrupt",
  });
}

function listedOf({ Key, Size, ETag }: _Object, bucket: string, prefix: string): ListedObject | undefined {
  // Consoles mark folders by empty objects whose names end with a slash.
  if (Key === undefined || Key.endsWith("/") || !Key.startsWith(prefix)) return undefined;
  const etag = identityOf(ETag) ?? "";
  return { url: `s3://${bucket}/${Key}`, path: Key.slice(prefix.length), sizeBytes: Size ?? 0, etag };
}

/** Asks once for each folder and once for each object, like a walk through folders would. */
function acceptor({ accept }: ListOptions): (path: string) => boolean {
  if (accept === undefined) return () => true;
  const folders = new Map<string, boolean>();
  const folderAccepted = (folder: string): boolean => {
    if (folder === "") return true;
    const known = folders.get(folder);
    if (known !== undefined) return known;
    const accepted = folderAccepted(parentOf(folder)) && accept(folder);
    folders.set(folder, accepted);
    return accepted;
  };
  return (path) => folderAccepted(parentOf(path)) && accept(path);
}

function parentOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end < 0 ? "" : path.slice(0, end);
}

function listPage(
  clients: S3Clients,
  { bucket, prefix, most, token }: PageAsk,
  target: Target,
  signal: AbortSignal | undefined,
): Promise<ListObjectsV2CommandOutput> {
  const { requestPayer } = storageSettings().s3;
  const page = new ListObjectsV2Command({
    Bucket: bucket,
    Prefix: prefix,
    ...(most === undefined ? {} : { MaxKeys: most }),
    ...(token === undefined ? {} : { ContinuationToken: token }),
    ...(requestPayer === undefined ? {} : { RequestPayer: requestPayer }),
  });
  const command = checkWhole(page);
  return sharedLimiter().run(0, false, signal, () =>
    requestS3(clients, { target, op: "list", signal }, (abortSignal) => clients.main.send(command, { abortSignal })),
  );
}
