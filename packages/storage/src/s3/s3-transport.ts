import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { StoreFailure } from "../remote/failure.ts";
import type { Target } from "../remote/source-error.ts";
import {
  type Answer,
  type AnswerBody,
  parseContentRange,
  type RangeAsk,
  type SendOptions,
  type Transport,
} from "../remote/transport.ts";
import { storageSettings } from "../settings.ts";
import { type S3Clients, s3Clients, sendGet } from "./clients.ts";
import { s3Failure } from "./s3-failure.ts";
import { type S3Location, targetOf } from "./s3-url.ts";

/** GETs of one object through the SDK. */
export class S3Transport implements Transport {
  readonly target: Target;
  readonly cacheId: string;
  readonly #location: S3Location;
  readonly #clients: S3Clients;

  constructor(location: S3Location, clients: S3Clients) {
    this.target = targetOf(location);
    this.cacheId = JSON.stringify(["s3", clients.endpoint, location.bucket, location.key]);
    this.#location = location;
    this.#clients = clients;
  }

  async get({ range, identity, unless }: RangeAsk, { signal, hedge }: SendOptions): Promise<Answer> {
    const { bucket, key } = this.#location;
    const { requestPayer } = storageSettings().s3;
    const input = {
      Bucket: bucket,
      Key: key,
      ...(range === undefined ? {} : { Range: range }),
      ...(identity === undefined ? {} : { IfMatch: `"${identity}"` }),
      ...(unless === undefined ? {} : { IfNoneMatch: `"${unless}"` }),
      ...(requestPayer === undefined ? {} : { RequestPayer: requestPayer }),
    };
    try {
      const client = hedge ? this.#clients.hedge : this.#clients.main;
      return answerOf(await sendGet(client, input, signal));
    } catch (error) {
      throw s3Failure(error);
    }
  }

  async refresh(): Promise<void> {
    await this.#clients.main.config.credentials({ forceRefresh: true });
  }
}

/** The ETag without its quotes, as listings and answers differ in them. */
export function identityOf(etag: string | undefined): string | undefined {
  return etag === undefined || etag === "" ? undefined : etag.replaceAll(/^"|"$/g, "");
}

function answerOf(output: GetObjectCommandOutput): Answer {
  const { $metadata, ContentRange, ContentLength, ETag, Body } = output;
  const { requestId } = $metadata;
  const status = $metadata.httpStatusCode;
  const body = Body as unknown as AnswerBody | undefined;
  if (body === undefined || (status !== 200 && status !== 206)) {
    body?.destroy();
    throw new StoreFailure("corrupt", `the status is ${status}`, { status, requestId });
  }
  const identity = identityOf(ETag);
  if (status === 200) {
    if (ContentRange !== undefined) {
      body.destroy();
      throw new StoreFailure("corrupt", "the whole object and a part of it are answered at once", {
        status,
        requestId,
      });
    }
    return { status, start: 0, end: ContentLength, sizeBytes: ContentLength, identity, requestId, body };
  }
  const range = parseContentRange(ContentRange);
  if (range === undefined) {
    body.destroy();
    throw new StoreFailure("corrupt", "a part is answered without saying which", { status, requestId });
  }
  return { status, ...range, identity, requestId, body };
}

/** The transport of one object, with the clients of this process. */
export async function s3Transport(location: S3Location): Promise<S3Transport> {
  return new S3Transport(location, await s3Clients());
}
