import { PutObjectCommand } from "@aws-sdk/client-s3";
import { OptionsError } from "@ingest-ts/core";
import { StoreFailure } from "../remote/failure.ts";
import { s3Clients } from "./clients.ts";
import { requestS3 } from "./s3-request.ts";
import { parseS3Url, targetOf } from "./s3-url.ts";

/**
 * Puts an object under a key that has none (`If-None-Match: *`).
 *
 * @returns false when there is one
 * @throws OptionsError for a URL that names no object, SourceError
 */
export async function createObject(url: string, bytes: Uint8Array): Promise<boolean> {
  const location = parseS3Url(url);
  if (location.key === "" || location.key.endsWith("/")) {
    throw new OptionsError("is a folder, not an object", { where: { url }, remedy: "Name an object to write." });
  }
  const clients = await s3Clients();
  const command = { Bucket: location.bucket, Key: location.key, Body: bytes, IfNoneMatch: "*" };
  const request = { target: targetOf(location), op: "put", sizeBytes: bytes.length } as const;
  return requestS3(clients, request, async (abortSignal) => {
    try {
      await clients.main.send(new PutObjectCommand(command), { abortSignal });
      return true;
    } catch (error) {
      const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
      if (status === PRECONDITION_FAILED) return false;
      // Another writer is at it: its success or failure decides.
      if (status === CONFLICT) throw new StoreFailure("transient", "another writer is creating it", { status });
      throw error;
    }
  });
}

const CONFLICT = 409;
const PRECONDITION_FAILED = 412;
