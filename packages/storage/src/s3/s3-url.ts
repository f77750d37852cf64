import { OptionsError, publicUrl } from "@ingest-ts/core";
import type { Target } from "../remote/source-error.ts";

/** What `s3://bucket/key` names. Keys are taken as they stand, as the aws command line does. */
export interface S3Location {
  readonly bucket: string;
  /** Empty for the bucket itself. */
  readonly key: string;
}

/** Takes an S3 URL apart. @throws OptionsError when there is no bucket in it. */
export function parseS3Url(url: string): S3Location {
  const match = /^s3:\/\/([^/]*)(?:\/([^]*))?$/i.exec(url);
  const bucket = match?.[1] ?? "";
  // A user name and password before the bucket, as some URLs have them, is no name of a bucket.
  if (!/^[a-z0-9][a-z0-9._-]*$/i.test(bucket) && !bucket.startsWith("arn:")) {
    throw new OptionsError("not an S3 URL", {
      where: { url: publicUrl(url) },
      remedy: "Write s3://bucket/key; credentials come from the environment or a profile.",
    });
  }
  return { bucket, key: match?.[2] ?? "" };
}

/** The object or prefix as errors name it. */
export function targetOf({ bucket, key }: S3Location): Target {
  return { store: "s3", url: publicUrl(`s3://${bucket}/${key}`), bucket, key };
}
