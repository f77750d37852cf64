// A client for preparing objects, and bytes to put into them.
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { accessKey, secretKey } from "./servers.ts";

/** Sets the environment that the SDK reads, and says how to undo it. */
export function setCredentials(values: Readonly<Record<string, string | undefined>> = {}): () => void {
  const wanted: Record<string, string | undefined> = {
    AWS_ACCESS_KEY_ID: accessKey,
    AWS_SECRET_ACCESS_KEY: secretKey,
    AWS_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/nonexistent",
    AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
    ...values,
  };
  const before = Object.keys(wanted).map((name) => [name, process.env[name]] as const);
  const assign = (name: string, value: string | undefined): void => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  for (const [name, value] of Object.entries(wanted)) assign(name, value);
  return () => {
    for (const [name, value] of before) assign(name, value);
  };
}

export class TestBucket {
  readonly name: string;
  readonly client: S3Client;

  constructor(endpoint: string, name: string) {
    this.name = name;
    this.client = new S3Client({
      endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
      requestChecksumCalculation: "WHEN_REQUIRED",
    });
  }

  async create(): Promise<void> {
    await this.client.send(new CreateBucketCommand({ Bucket: this.name }));
  }

  /** @returns its URL */
  async put(key: string, body: Uint8Array | string): Promise<string> {
    await this.client.send(new PutObjectCommand({ Bucket: this.name, Key: key, Body: body }));
    return `s3://${this.name}/${key}`;
  }
}

/** Bytes that repeat nowhere soon. */
export function sampleBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
