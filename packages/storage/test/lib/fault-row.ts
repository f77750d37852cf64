// Reads through one row of the table of faults, and checks all that is promised of it.
import { Buffer } from "node:buffer";
import { inspect } from "node:util";
import { isIngestError, SourceError } from "@ingest-ts/core";
import { expect, vi } from "vitest";
import { configureStorage, openSource } from "../../src/index.ts";
import { sharedLimiter } from "../../src/remote/limiter.ts";
import type { FaultProxy } from "./fault-proxy.ts";
import { type FaultRow, SIZE_BYTES } from "./fault-table.ts";
import { sampleBytes } from "./s3-fixture.ts";
import { secretKey } from "./servers.ts";

export const content: Uint8Array = sampleBytes(SIZE_BYTES);

export const faultSettings = {
  /** Long enough for a busy machine; rows that show stalls set their own. */
  stallMs: 20_000,
  attempts: 4,
  hedgeShare: 0,
} as const;

/** What `promise` fails with. */
export async function failure(promise: Promise<unknown>): Promise<SourceError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isIngestError(error) || !(error instanceof SourceError)) throw new Error(`not a SourceError: ${inspect(error)}`);
  return error;
}

interface Target {
  readonly proxy: FaultProxy;
  /** As `openSource` takes it, and as errors show it. */
  readonly url: string;
  readonly shown: string;
  /** Of the error's request. */
  readonly named: Readonly<Record<string, string>>;
}

/**
 * The right bytes, or the error of the right reason with what was asked for, how often, and the store's name for the
 * request; no more requests than the row says; no connection and no byte of the budget kept; no secret in the error.
 */
export async function checkRow(row: FaultRow, { proxy, url, shown, named }: Target): Promise<void> {
  const { plan, stallMs = faultSettings.stallMs, hedgeMs } = row;
  const overHttp = shown.startsWith("http");
  const { gives, requests } = (overHttp ? row.http : undefined) ?? row;
  const hedging = hedgeMs === undefined ? {} : { hedgeShare: 1, hedgeMs };
  const s3 = { endpoint: proxy.endpoint };
  proxy.plan(() => undefined);
  configureStorage({ ...faultSettings, ...hedging, s3 });
  const source = await openSource(url);
  configureStorage({ ...faultSettings, ...hedging, s3, stallMs });
  proxy.plan(plan);
  const reading = source.getRanges([{ start: 1000, end: 4_000_000 }]);
  if (gives === "bytes") {
    const [bytes] = await reading;
    expect(Buffer.compare(bytes as Uint8Array, content.subarray(1000, 4_000_000))).toBe(0);
  } else {
    const error = await failure(reading);
    expect(error.reason).toBe(gives);
    const { request } = error;
    expect(request).toMatchObject({ ...named, range: "bytes=1000-3999999" });
    expect(request?.attempts).toBe(proxy.seen.length);
    expect(error.where).toMatchObject({ url: shown, offset: 1000 });
    const text = inspect(error, { depth: 10, showHidden: true });
    for (const secret of [secretKey, "X-Amz-", "AWS4-HMAC"]) expect(text).not.toContain(secret);
    if (plan(0)?.status !== undefined) expect(request?.requestId).toBe("REQ-INJECTED");
  }
  expect(proxy.seen.length).toBeLessThanOrEqual(requests);
  await source.close();
  expect(sharedLimiter().bytesInFlight).toBe(0);
  await vi.waitFor(() => expect(proxy.pending()).toBe(0), { timeout: 10_000 });
}
