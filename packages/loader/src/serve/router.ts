import type { IncomingMessage, ServerResponse } from "node:http";
import { OptionsError, SourceError } from "@ingest-ts/core";
import { sendStream } from "./connection.ts";
import { errorNotice, statusOf } from "./notices.ts";
import type { RankStream } from "./rank-stream.ts";
import type { Served } from "./served-data.ts";
import { parseStreamRequest, type StreamRequest } from "./stream-request.ts";

/** A client that was killed a moment ago may still seem to be there. */
const TAKEN_MS = 1000;
const TAKEN_STEP_MS = 20;

const loopbackHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

interface OpenStream {
  readonly worldSize: number;
  readonly stream: RankStream;
}

/** An error with the status that only the router knows. */
interface Refusal {
  readonly status: number;
  readonly error: unknown;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Answers requests; knows which rank has a client. */
export class Router {
  readonly #data: Served;
  readonly #version: string;
  /** Whether requests came over TCP, where a page in a browser could send them too. */
  readonly #checkHost: boolean;
  readonly #streams = new Map<number, OpenStream>();
  #draining = false;

  constructor(data: Served, version: string, checkHost: boolean) {
    this.#data = data;
    this.#version = version;
    this.#checkHost = checkHost;
  }

  /** Ranks that have a client now. */
  get open(): number {
    return this.#streams.size;
  }

  /** Asks every stream to end; refuses new ones. */
  drain(): void {
    this.#draining = true;
    for (const { stream } of this.#streams.values()) stream.drain();
  }

  /** Answers a request. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A client that is gone is noticed by the writes.
    response.on("error", () => undefined);
    try {
      const refusal = await this.#answer(request, response);
      if (refusal !== undefined) sendError(response, refusal.status, refusal.error);
    } catch (error) {
      if (response.headersSent) {
        // Nobody else hears of it: the client sees a lost connection.
        process.emitWarning(error instanceof Error ? error : String(error));
        response.destroy();
      } else sendError(response, statusOf(error), error);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Refusal | undefined> {
    const { host = "" } = request.headers;
    if (this.#checkHost && !loopbackHost.test(host)) {
      return refused(403, `this server is not called ${JSON.stringify(host)}`, "Connect to 127.0.0.1 or localhost.");
    }
    // Put behind the host, not resolved against it: "//" would be a host without a name.
    const url = new URL(`http://localhost${request.url ?? "/"}`);
    const answer = {
      "/livez": () => sendJson(response, 200, { live: true }),
      "/readyz": () => sendJson(response, this.#draining ? 503 : 200, { ready: !this.#draining }),
      "/v1/info": () => sendJson(response, 200, this.#data.info(this.#version)),
      "/v1/batches": undefined,
    };
    if (!Object.hasOwn(answer, url.pathname)) {
      return refused(404, `there is nothing at ${url.pathname}`, `Ask for ${Object.keys(answer).join(", ")}.`);
    }
    const simple = answer[url.pathname as keyof typeof answer];
    const methods = simple === undefined ? ["GET"] : ["GET", "HEAD"];
    if (!methods.includes(request.method ?? "")) {
      response.setHeader("Allow", methods.join(", "));
      return refused(405, `${request.method} cannot be answered here`, `Use ${methods.join(" or ")}.`);
    }
    if (simple === undefined) return this.#batches(url.searchParams, response);
    simple();
    return undefined;
  }

  async #batches(query: URLSearchParams, response: ServerResponse): Promise<Refusal | undefined> {
    const asked = parseStreamRequest(query, this.#data.defaults);
    const turn = await this.#takeTurn(asked, response);
    if (turn === undefined || "error" in turn) return turn;
    try {
      await sendStream(turn, response);
    } finally {
      this.#streams.delete(asked.rank);
    }
    return undefined;
  }

  /**
   * The stream of a rank that nobody else reads, noted as open in the same step as that is seen.
   *
   * @returns why the request cannot be answered, after a while in which that might have changed; undefined when the
   *   client is gone by then
   */
  async #takeTurn(asked: StreamRequest, response: ServerResponse): Promise<RankStream | Refusal | undefined> {
    for (let waited = 0; ; waited += TAKEN_STEP_MS) {
      if (this.#draining) {
        const error = new SourceError("the server is stopping", {
          remedy: "Connect again when it is back, with the same state.",
          retryable: true,
        });
        return { status: 503, error };
      }
      const conflict = this.#conflict(asked);
      if (response.closed) return undefined;
      if (conflict === undefined) {
        const stream = this.#data.stream(asked);
        this.#streams.set(asked.rank, { worldSize: asked.worldSize, stream });
        return stream;
      }
      if (waited >= TAKEN_MS) return { status: 409, error: conflict };
      await pause(TAKEN_STEP_MS);
    }
  }

  #conflict({ rank, worldSize }: StreamRequest): OptionsError | undefined {
    if (this.#streams.has(rank)) {
      return new OptionsError(`rank ${rank} has a client already`, {
        remedy: "Every rank has one client: check the ranks, or wait until the other one has ended.",
        retryable: true,
      });
    }
    for (const open of this.#streams.values()) {
      if (open.worldSize === worldSize) continue;
      return new OptionsError(`a world of ${worldSize} ranks, while streams of ${open.worldSize} ranks are open`, {
        remedy: "All ranks of a run have one world: end the others first.",
        retryable: true,
      });
    }
    return undefined;
  }
}

function refused(status: number, what: string, remedy: string): Refusal {
  return { status, error: new OptionsError(what, { remedy }) };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}

function sendError(response: ServerResponse, status: number, error: unknown): void {
  sendJson(response, status, errorNotice(error));
}
