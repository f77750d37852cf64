import { createServer, type RequestListener, type Server } from "node:http";
import { OptionsError, SourceError } from "@ingest-ts/core";

/** Whether a process works, as its probes ask; `why` is told when it does not. */
export interface Health {
  readonly ok: boolean;
  readonly why?: string | undefined;
}

/** What the probes and Prometheus are answered. */
export interface OpsAnswers {
  /** The process makes progress, or has none to make: false asks for a restart. Never depends on the broker. */
  live(): Health;
  /** Partitions are assigned and it is not stopping. */
  ready(): Health;
  metrics(): Promise<{ readonly type: string; readonly text: string }>;
}

/** A server that listens. */
export interface OpsServer {
  readonly port: number;
  close(): Promise<void>;
}

function healthJson(health: Health): string {
  return `${JSON.stringify({ ok: health.ok, ...(health.why === undefined ? {} : { why: health.why }) })}\n`;
}

function listener(answers: OpsAnswers): RequestListener {
  const send = (response: Parameters<RequestListener>[1], status: number, type: string, text: string): void => {
    response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(text) });
    response.end(text);
  };
  return (request, response) => {
    response.on("error", () => undefined);
    const path = (request.url ?? "/").split("?", 1)[0];
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      return send(response, 405, "application/json", '{"error":"use GET"}\n');
    }
    if (path === "/livez" || path === "/readyz") {
      const health = path === "/livez" ? answers.live() : answers.ready();
      return send(response, health.ok ? 200 : 503, "application/json", healthJson(health));
    }
    if (path !== "/metrics") {
      return send(response, 404, "application/json", '{"error":"ask for /livez, /readyz or /metrics"}\n');
    }
    answers.metrics().then(
      ({ type, text }) => send(response, 200, type, text),
      (error: unknown) => send(response, 500, "application/json", `${JSON.stringify({ error: String(error) })}\n`),
    );
    return undefined;
  };
}

/**
 * Listens for probes and scrapes: /livez, /readyz and /metrics.
 *
 * @param port 0 takes a free one
 * @throws OptionsError when the port is taken, SourceError when it cannot listen otherwise
 */
export async function listenForOps(host: string, port: number, answers: OpsAnswers): Promise<OpsServer> {
  const server = createServer(listener(answers));
  await new Promise<void>((done, fail) => {
    server.once("error", (cause: NodeJS.ErrnoException) => fail(cannotListen(host, port, cause)));
    server.listen(port, host, () => done());
  });
  const address = server.address();
  return { port: typeof address === "object" && address !== null ? address.port : port, close: () => end(server) };
}

function end(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
}

function cannotListen(host: string, port: number, cause: NodeJS.ErrnoException): Error {
  const what = `nothing can listen on ${host}:${port}: ${cause.message}`;
  if (cause.code === "EADDRINUSE" || cause.code === "EADDRNOTAVAIL") {
    return new OptionsError(what, { remedy: "Choose another --ops-port or --ops-host.", cause });
  }
  return new SourceError(what, { cause });
}
