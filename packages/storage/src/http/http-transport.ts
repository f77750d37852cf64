import { createHash } from "node:crypto";
import { OptionsError } from "@ingest-ts/core";
import { Agent, type Dispatcher, interceptors } from "undici";
import { dispatchGet } from "../remote/dispatch-get.ts";
import { kindOfStatus, StoreFailure } from "../remote/failure.ts";
import type { Target } from "../remote/source-error.ts";
import {
  type Answer,
  parseContentRange,
  parseRetryAfter,
  type RangeAsk,
  type SendOptions,
  type Transport,
} from "../remote/transport.ts";
import { onSettings, storageSettings } from "../settings.ts";

const KEEP_ALIVE_MS = 4_000;
const CONNECT_TIMEOUT_MS = 5_000;
const MOST_REDIRECTIONS = 5;

type Pools = Readonly<Record<"main" | "hedge", Dispatcher>>;

let shared: Pools | undefined;
onSettings(() => {
  shared = undefined;
});

function pools(): Pools {
  shared ??= { main: pool(), hedge: pool() };
  return shared;
}

function pool(): Dispatcher {
  const agent = new Agent({
    connections: storageSettings().requestsInFlight,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    // The watchdog of each request does this.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return agent.compose(interceptors.redirect({ maxRedirections: MOST_REDIRECTIONS }));
}

type Headers = Readonly<Record<string, string>>;

/** GETs of one `http(s):` URL; a user name and password in it are sent as basic authentication. */
export class HttpTransport implements Transport {
  readonly target: Target;
  readonly cacheId: string;
  readonly #url: URL;
  readonly #authorization: string | undefined;

  /** @throws OptionsError */
  constructor(url: URL, shown: string) {
    this.target = { store: "http", url: shown };
    this.#url = new URL(url);
    this.#url.username = "";
    this.#url.password = "";
    this.#url.hash = "";
    this.cacheId = cacheIdOf(this.#url);
    const pair = [url.username, url.password].map((part) => decoded(part, shown)).join(":");
    this.#authorization = pair === ":" ? undefined : `Basic ${Buffer.from(pair).toString("base64")}`;
  }

  async get({ range, identity, unless }: RangeAsk, { signal, hedge }: SendOptions): Promise<Answer> {
    const headers: Record<string, string> = {
      // A compressed body would have other bytes than the ranges speak of.
      "accept-encoding": "identity",
      ...(this.#authorization === undefined ? {} : { authorization: this.#authorization }),
      ...(range === undefined ? {} : { range }),
      ...(identity === undefined ? {} : condition(identity)),
      ...(unless === undefined || unless.startsWith(MODIFIED) ? {} : { "if-none-match": unless }),
    };
    const { origin, pathname, search } = this.#url;
    const dispatcher = pools()[hedge ? "hedge" : "main"];
    const {
      statusCode,
      headers: answered,
      body,
    } = await dispatchGet(dispatcher, { origin, path: `${pathname}${search}`, headers, signal });
    const requestId = answered["x-amz-request-id"] ?? answered["x-request-id"];
    try {
      if (statusCode !== 200 && statusCode !== 206) throw failureOfStatus(statusCode, answered, requestId);
      return answerOf(statusCode, answered, requestId, body);
    } catch (error) {
      body.destroy();
      throw error;
    }
  }
}

function decoded(part: string, shown: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new OptionsError("the user name or password in the URL cannot be decoded", {
      where: { url: shown },
      remedy: "Percent-encode what is special in it: a percent sign is %25.",
    });
  }
}

const MODIFIED = "modified ";

/** Signatures change from day to day, and are secret: they name no object. Other parameters may. */
function cacheIdOf(url: URL): string {
  const named = new URL(url);
  for (const name of url.searchParams.keys()) {
    if (
      /^(x-amz-|x-goog-|signature$|expires$|awsaccesskeyid$|googleaccessid$|key-pair-id$|policy$|token$|s[a-z]{1,3}$)/i.test(
        name,
      )
    )
      named.searchParams.delete(name);
  }
  return JSON.stringify(["http", createHash("sha256").update(named.href).digest("hex")]);
}

/** A server sends the whole object, and its new name, when the condition does not hold. */
function condition(identity: string): Record<string, string> {
  if (identity.startsWith(MODIFIED)) return { "if-range": identity.slice(MODIFIED.length) };
  // A weak name says that two versions mean the same, not that their bytes are the same: servers refuse it here.
  return identity.startsWith("W/") ? {} : { "if-range": identity };
}

/** What tells one version from another: the ETag as it stands, else when it was modified. */
function identityOf(headers: Headers): string | undefined {
  const etag = headers["etag"];
  if (etag !== undefined && etag !== "") return etag;
  const modified = headers["last-modified"];
  return modified === undefined ? undefined : `${MODIFIED}${modified}`;
}

function failureOfStatus(status: number, headers: Headers, requestId: string | undefined): StoreFailure {
  return new StoreFailure(kindOfStatus(status, ""), "", {
    code: `status ${status}`,
    requestId,
    retryAfterMs: parseRetryAfter(headers["retry-after"]),
  });
}

function answerOf(status: 200 | 206, headers: Headers, requestId: string | undefined, body: Answer["body"]): Answer {
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    throw new StoreFailure("refused", `the server compresses the object (${encoding})`, { requestId });
  }
  const identity = identityOf(headers);
  if (status === 200) {
    if (headers["content-range"] !== undefined) {
      throw new StoreFailure("corrupt", "the whole object and a part of it are answered at once", {
        status,
        requestId,
      });
    }
    const text = headers["content-length"];
    const sizeBytes = text === undefined ? undefined : Number(text);
    return { status, start: 0, end: sizeBytes, sizeBytes, identity, requestId, body };
  }
  const range = parseContentRange(headers["content-range"]);
  if (range === undefined) {
    throw new StoreFailure("corrupt", "a part is answered without saying which", { status, requestId });
  }
  return { status, ...range, identity, requestId, body };
}
