import { OptionsError, publicUrl, SourceError, type SourceReason } from "@ingest-ts/core";

/** How the registry is told who asks. Secrets appear in no error. */
export type RegistryAuth = { readonly username: string; readonly password: string } | { readonly token: string };

export interface RegistryOptions {
  /** One or several addresses of the same registry: the next is asked when one fails. */
  readonly url: string | readonly string[];
  readonly auth?: RegistryAuth | undefined;
  /** Of one request. Default 10,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** Failures that may pass (429, 5xx, no connection) are tried again for so long. Default 60,000. */
  readonly retryTimeoutMs?: number | undefined;
  /** How long "there is no such schema" is believed. Default 5,000. */
  readonly negativeMs?: number | undefined;
  /** Default: the global one; another may bring client certificates or a proxy. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

const ACCEPT = "application/vnd.schemaregistry.v1+json, application/json;q=0.9";
const BASE_DELAY_MS = 100;
const MOST_DELAY_MS = 5000;
const MOST_ANSWER_BYTES = 16 * 1024 * 1024;

/** One request that failed, and whether another may not. */
interface Failure {
  readonly what: string;
  readonly reason: SourceReason;
  readonly mayPass: boolean;
  readonly retryAfterMs: number;
  readonly cause?: unknown;
}

function isFailure(value: unknown): value is Failure {
  return typeof value === "object" && value !== null && "mayPass" in value;
}

function baseUrls(url: string | readonly string[]): string[] {
  const urls = typeof url === "string" ? url.split(",") : url;
  if (urls.length === 0) throw new OptionsError("a schema registry without an address");
  return urls.map((text) => {
    let parsed: URL;
    try {
      parsed = new URL(text.trim());
    } catch {
      throw new OptionsError("the address of the schema registry is no URL", { remedy: "Write http(s)://host:port." });
    }
    if (!/^https?:$/.test(parsed.protocol)) {
      throw new OptionsError(`a schema registry at ${parsed.protocol}`, { remedy: "Write http(s)://host:port." });
    }
    // Not shown: it may be a password.
    if (parsed.username !== "" || parsed.password !== "" || parsed.search !== "") {
      throw new OptionsError("the address of a schema registry carries no user, password or query", {
        remedy: "Give them by `auth`.",
      });
    }
    return parsed.href.replace(/\/+$/, "");
  });
}

function authorization(auth: RegistryAuth | undefined): Record<string, string> {
  if (auth === undefined) return {};
  if ("token" in auth) return { authorization: `Bearer ${auth.token}` };
  const bytes = new TextEncoder().encode(`${auth.username}:${auth.password}`);
  return { authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

function reasonOf(status: number): SourceReason {
  if (status === 401 || status === 403) return "AccessDenied";
  if (status === 404) return "NotFound";
  if (status === 429) return "Throttled";
  return status >= 500 ? "Exhausted" : "Refused";
}

/** Confluent's error body {error_code, message}; other bodies say nothing. */
function describeBody(body: string): string {
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json !== "object" || json === null) return "";
    const { error_code: code, message } = json as { error_code?: unknown; message?: unknown };
    const parts = [typeof code === "number" ? String(code) : "", typeof message === "string" ? message : ""];
    return parts
      .filter((part) => part !== "")
      .join(": ")
      .slice(0, 300);
  } catch {
    return "";
  }
}

function retryAfterMs(text: string | null): number {
  const seconds = Number(text ?? "");
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

/** The body as text. @throws Failure when it is longer than a schema can be */
async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    size += part.value.length;
    if (size > MOST_ANSWER_BYTES) {
      await reader?.cancel();
      throw failure(`an answer of more than ${MOST_ANSWER_BYTES} bytes`, "Corrupt", false);
    }
    parts.push(part.value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new TextDecoder().decode(whole);
}

function failure(what: string, reason: SourceReason, mayPass: boolean, more: Partial<Failure> = {}): Failure {
  return { what, reason, mayPass, retryAfterMs: 0, ...more };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** GET requests to a registry, repeated while failures may pass. */
export class RegistryHttp {
  readonly #urls: readonly string[];
  readonly #headers: Record<string, string>;
  readonly #requestTimeoutMs: number;
  readonly #retryTimeoutMs: number;
  readonly #fetch: typeof globalThis.fetch;
  /** The address that answered last. */
  #current = 0;

  /** @throws OptionsError for an address that is none or carries secrets */
  constructor(options: RegistryOptions) {
    this.#urls = baseUrls(options.url);
    this.#headers = { accept: ACCEPT, ...authorization(options.auth) };
    this.#requestTimeoutMs = options.requestTimeoutMs ?? 10_000;
    this.#retryTimeoutMs = options.retryTimeoutMs ?? 60_000;
    this.#fetch = options.fetch ?? globalThis.fetch;
  }

  /** The first address, fit to be shown. */
  get url(): string {
    return publicUrl(this.#urls[0] as string);
  }

  /**
   * The JSON that the registry answers.
   *
   * @param what what is asked for, in the words of an error
   * @throws SourceError: "NotFound", "AccessDenied", "Refused" at once; "Throttled", "Stalled", "Corrupt" or "Exhausted"
   *   when time was up
   */
  async get(path: string, what: string): Promise<unknown> {
    const startedAt = performance.now();
    for (let attempts = 1; ; attempts++) {
      const url = `${this.#urls[this.#current] as string}${path}`;
      const timeoutMs = Math.min(this.#requestTimeoutMs, this.#leftMs(startedAt));
      try {
        return await this.#once(url, timeoutMs);
      } catch (error) {
        if (!isFailure(error)) throw error;
        this.#current = (this.#current + 1) % this.#urls.length;
        // All addresses first, without waiting.
        const rounds = Math.floor(attempts / this.#urls.length);
        const mayWait = attempts % this.#urls.length === 0;
        const delayMs = mayWait ? Math.min(MOST_DELAY_MS, BASE_DELAY_MS * 2 ** rounds) * (0.5 + Math.random() / 2) : 0;
        const waitMs = Math.max(delayMs, error.retryAfterMs);
        if (!error.mayPass || waitMs >= this.#leftMs(startedAt))
          throw this.#error(error, what, url, attempts, startedAt);
        await sleep(waitMs);
      }
    }
  }

  #leftMs(startedAt: number): number {
    return Math.max(1, this.#retryTimeoutMs - (performance.now() - startedAt));
  }

  async #once(url: string, timeoutMs: number): Promise<unknown> {
    const signal = AbortSignal.timeout(Math.ceil(timeoutMs));
    let status: number;
    let body: string;
    let wait: number;
    try {
      // A redirect would carry the credentials elsewhere.
      const response = await this.#fetch(url, { headers: this.#headers, redirect: "manual", signal });
      ({ status } = response);
      wait = retryAfterMs(response.headers.get("retry-after"));
      body = await textOf(response);
    } catch (cause) {
      if (isFailure(cause)) throw cause;
      throw signal.aborted
        ? failure(`no answer within ${Math.ceil(timeoutMs)} ms`, "Stalled", true, { cause })
        : failure("no connection", "Exhausted", true, { cause });
    }
    if (status !== 200) {
      const mayPass = status === 429 || status === 408 || status >= 500;
      const said = describeBody(body);
      throw failure(`status ${status}${said === "" ? "" : ` (${said})`}`, reasonOf(status), mayPass, {
        retryAfterMs: wait,
      });
    }
    try {
      return JSON.parse(body);
    } catch (cause) {
      throw failure("an answer that is not JSON", "Corrupt", true, { cause });
    }
  }

  #error({ what, reason, mayPass, cause }: Failure, asked: string, url: string, attempts: number, startedAt: number) {
    const tries = attempts === 1 ? "" : ` after ${attempts} attempts`;
    const elapsedMs = performance.now() - startedAt;
    const remedies: Partial<Record<SourceReason, string>> = {
      NotFound: "Is it the registry that the producers use?",
      AccessDenied: "Check the registry's credentials.",
    };
    return new SourceError(`the schema registry did not give ${asked}: ${what}${tries}`, {
      where: { url: publicUrl(url) },
      reason,
      retryable: mayPass,
      remedy: remedies[reason] ?? "Is the address right, and the registry up?",
      request: { attempts, elapsedMs },
      cause,
    });
  }
}
