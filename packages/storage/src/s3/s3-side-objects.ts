import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { SourceError } from "@ingest-ts/core";
import type { SideObjects } from "../side-objects.ts";
import { s3Clients } from "./clients.ts";
import { listPrefixNames } from "./s3-list.ts";
import { requestS3 } from "./s3-request.ts";
import { parseS3Url, targetOf } from "./s3-url.ts";

type Condition = { readonly IfNoneMatch: "*" } | { readonly IfMatch: string };

/** By conditional writes: the store decides which of two writers was first. */
export class S3SideObjects implements SideObjects {
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(folder: string) {
    const { bucket, key } = parseS3Url(folder);
    this.#bucket = bucket;
    this.#prefix = key === "" || key.endsWith("/") ? key : `${key}/`;
  }

  create(name: string, bytes: Uint8Array): Promise<boolean> {
    return this.#put(name, bytes, { IfNoneMatch: "*" });
  }

  replace(name: string, bytes: Uint8Array, etag: string): Promise<boolean> {
    return this.#put(name, bytes, { IfMatch: `"${etag}"` });
  }

  async names(prefix: string): Promise<string[]> {
    const names = await listPrefixNames(this.#bucket, `${this.#prefix}${prefix}`);
    return names.map((key) => key.slice(this.#prefix.length)).filter((name) => !name.includes("/"));
  }

  async remove(name: string): Promise<void> {
    const clients = await s3Clients();
    const { Bucket, Key } = this.#nameOf(name);
    await requestS3(clients, { target: targetOf({ bucket: Bucket, key: Key }), op: "put" }, (abortSignal) =>
      clients.main.send(new DeleteObjectCommand({ Bucket, Key }), { abortSignal }),
    );
  }

  async #put(name: string, bytes: Uint8Array, condition: Condition): Promise<boolean> {
    const clients = await s3Clients();
    const { Bucket, Key } = this.#nameOf(name);
    const target = targetOf({ bucket: Bucket, key: Key });
    const put = new PutObjectCommand({ Bucket, Key, Body: bytes, ...condition });
    try {
      await requestS3(clients, { target, op: "put", sizeBytes: bytes.length }, (abortSignal) =>
        clients.main.send(put, { abortSignal }),
      );
      return true;
    } catch (error) {
      // 412, or 404 where what was to be replaced is gone. After a lost answer it may be our own that is there: as good.
      const lost =
        error instanceof SourceError &&
        (error.reason === "ObjectChanged" || ("IfMatch" in condition && /\bNoSuchKey\b/.test(error.what)));
      if (lost) return false;
      throw error;
    }
  }

  #nameOf(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: `${this.#prefix}${name}` };
  }
}
