import { OptionsError } from "@ingest-ts/core";

/** How to reach S3; what is left out comes from the SDK's default chain (environment, profiles, instance). */
export interface S3Settings {
  /** Of a store that is not AWS, for example http://127.0.0.1:9000. Environment: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL. */
  readonly endpoint?: string | undefined;
  /** Environment: AWS_REGION, AWS_DEFAULT_REGION. Default "us-east-1", corrected by the store's redirect. */
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  /** Send no credentials: public buckets. */
  readonly anonymous?: boolean | undefined;
  /** "requester": this account pays for what is read. */
  readonly requestPayer?: "requester" | undefined;
  /** Bucket in the path instead of the host name. Default: true with an endpoint. */
  readonly forcePathStyle?: boolean | undefined;
}

/** How this process reads remote stores. */
export interface StorageSettings {
  readonly s3: S3Settings;
  /** Requests under way at once; fewer while a store throttles. */
  readonly requestsInFlight: number;
  /** Their bytes. */
  readonly bytesInFlight: number;
  /** Without a byte for so long a request is given up and made again from where it was. */
  readonly stallMs: number;
  /** Requests without progress, one after the other, before a read fails … */
  readonly attempts: number;
  /** … which it does after so long without progress at the latest. */
  readonly retryMs: number;
  /** Share of requests that may be sent twice because the first byte is late. 0: none. */
  readonly hedgeShare: number;
  /** A first byte is late after so long at the earliest; it must be slower than 95 of 100 too. */
  readonly hedgeMs: number;
  /** Gaps of at most so many bytes may be fetched, to save a request … */
  readonly holeBytes: number;
  /** … while what is fetched is at most so many times what was asked for. */
  readonly amplification: number;
  /** Longer reads are made in parts. */
  readonly partBytes: number;
  /** Folder of the block cache. Undefined: nothing is kept. */
  readonly cacheDir: string | undefined;
  /** What the cache may take on the disk. */
  readonly cacheBytes: number;
}

const MiB = 1024 * 1024;

const defaults: StorageSettings = {
  s3: {},
  requestsInFlight: 32,
  bytesInFlight: 256 * MiB,
  stallMs: 10_000,
  attempts: 8,
  retryMs: 180_000,
  hedgeShare: 0.05,
  hedgeMs: 200,
  holeBytes: MiB,
  amplification: 1.1,
  partBytes: 16 * MiB,
  cacheDir: undefined,
  cacheBytes: 64 * 1024 * MiB,
};

let current = defaults;
const listeners: (() => void)[] = [];

/** What holds now. */
export function storageSettings(): StorageSettings {
  return current;
}

/** Calls `listener` whenever settings change. */
export function onSettings(listener: () => void): void {
  listeners.push(listener);
}

/**
 * Changes how this process reads remote stores, from the next opened object on; what is left out or undefined goes back
 * to its default.
 *
 * @throws OptionsError naming a setting that is not a number in its range.
 */
export function configureStorage(
  settings: { readonly [K in keyof StorageSettings]?: StorageSettings[K] | undefined },
): void {
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const next: StorageSettings = { ...defaults, ...given };
  for (const name of [
    "requestsInFlight",
    "bytesInFlight",
    "stallMs",
    "attempts",
    "retryMs",
    "partBytes",
    "cacheBytes",
  ] as const) {
    check(name, next[name], Number.isSafeInteger(next[name]) && next[name] > 0, "a whole number above 0");
  }
  check("hedgeShare", next.hedgeShare, next.hedgeShare >= 0 && next.hedgeShare <= 1, "between 0 and 1");
  check("hedgeMs", next.hedgeMs, next.hedgeMs >= 0, "0 or more");
  check("holeBytes", next.holeBytes, Number.isSafeInteger(next.holeBytes) && next.holeBytes >= 0, "0 or more");
  check("amplification", next.amplification, next.amplification >= 1, "1 or more");
  current = next;
  for (const listener of listeners) listener();
}

function check(name: string, value: number, holds: boolean, what: string): void {
  if (holds) return;
  throw new OptionsError(`${name} is ${value}`, { remedy: `It must be ${what}.` });
}
