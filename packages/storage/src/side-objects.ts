import { schemeOf } from "@ingest-ts/core";

/** Small objects beside the data in an object store: whole or not there, and never another writer's overwritten. */
export interface SideObjects {
  /** @returns false when there is one of this name already */
  create(name: string, bytes: Uint8Array): Promise<boolean>;
  /** In the place of the version with this ETag. @returns false when that is no more what is there */
  replace(name: string, bytes: Uint8Array, etag: string): Promise<boolean>;
  /** Names in this folder that begin with `prefix`. */
  names(prefix: string): Promise<string[]>;
  /** Harmless when there is none. */
  remove(name: string): Promise<void>;
}

/** Those in a folder of S3, `s3://bucket` or `s3://bucket/folder`; undefined for other folders. */
export async function sideObjects(folder: string): Promise<SideObjects | undefined> {
  if (schemeOf(folder) !== "s3" || !/^s3:\/\/[^/]/i.test(folder)) return undefined;
  const { S3SideObjects } = await import("./s3/s3-side-objects.ts");
  return new S3SideObjects(folder);
}
