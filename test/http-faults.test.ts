// The table of faults over `http:`: presigned URLs of real S3 servers, read through a proxy that breaks answers.
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { publicUrl } from "@ingest-ts/core";
import { configureStorage, openSource } from "@ingest-ts/storage";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FaultProxy, startFaultProxy } from "../packages/storage/test/lib/fault-proxy.ts";
import { checkRow, content, failure } from "../packages/storage/test/lib/fault-row.ts";
import { faultTable } from "../packages/storage/test/lib/fault-table.ts";
import { TestBucket } from "../packages/storage/test/lib/s3-fixture.ts";
import {
  accessKey,
  type S3Server,
  type S3ServerKind,
  secretKey,
  servers,
} from "../packages/storage/test/lib/servers.ts";

for (const kind of servers) {
  if (kind.missing === undefined) describe(`http faults on ${kind.name}`, () => suite(kind));
  else it.skip(`http faults on ${kind.name} (skipped: ${kind.missing})`, () => {});
}

function suite(kind: S3ServerKind): void {
  let server: S3Server;
  let proxy: FaultProxy;
  let url = "";
  const sign = (key: string, expiresIn = 3600): Promise<string> =>
    getSignedUrl(
      new S3Client({
        endpoint: proxy.endpoint,
        region: "us-east-1",
        forcePathStyle: true,
        credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
      }),
      new GetObjectCommand({ Bucket: "faults", Key: key }),
      { expiresIn },
    );
  beforeAll(async () => {
    server = await kind.start();
    proxy = await startFaultProxy(server.endpoint);
    const bucket = new TestBucket(server.endpoint, "faults");
    await bucket.create();
    await bucket.put("folder/object", content);
    url = await sign("folder/object");
  });
  afterAll(async () => {
    configureStorage({});
    await proxy.stop();
    await server.stop();
  });

  for (const [name, row] of Object.entries(faultTable)) {
    it(
      `${name}: ${(row.http ?? row).gives}`,
      () => checkRow(row, { proxy, url, shown: publicUrl(url), named: {} }),
      60_000,
    );
  }

  it("a signature that is wrong or too old, and an object that is not there, are told as they are", async () => {
    proxy.plan(() => undefined);
    const wrong = url.replace(/X-Amz-Signature=[0-9a-f]{8}/, "X-Amz-Signature=00000000");
    expect(await failure(openSource(wrong))).toMatchObject({ reason: "AccessDenied", request: { attempts: 1 } });
    const old = await sign("folder/object", 1);
    await expect
      .poll(
        () =>
          openSource(old).then(
            (source) => source.close(),
            (error: { reason: string }) => error.reason,
          ),
        {
          timeout: 20_000,
        },
      )
      .toBe("AccessDenied");
    expect(await failure(openSource(await sign("folder/none")))).toMatchObject({ reason: "NotFound" });
  }, 60_000);

  it("no connection is left behind", async () => {
    await expect.poll(() => proxy.connections(), { timeout: 30_000 }).toBe(0);
  }, 60_000);
}
