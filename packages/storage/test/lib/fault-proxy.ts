// An HTTP proxy before a store that breaks answers on request.
import { Buffer } from "node:buffer";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What happens to one request. Offsets count bytes of the answer's body; the default is its middle. */
export interface Fault {
  /** Answered without asking the store. */
  readonly status?: number;
  readonly code?: string;
  readonly body?: string;
  /** The connection is reset before the answer begins. */
  readonly reset?: boolean;
  /** The body ends here: by closing the connection, resetting it, never going on, or as if it were complete. */
  readonly cut?: "close" | "reset" | "stall" | "end";
  /** The store's answer is awaited whole, and the connection reset in its place. */
  readonly lost?: boolean;
  /** One bit of the body is turned over. */
  readonly flip?: boolean;
  /** Bytes behind the end of the body, which is chunked. */
  readonly more?: number;
  readonly at?: number;
  readonly delayMs?: number;
  /** Of the answer; undefined removes one. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly forceStatus?: number;
}

interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly ifMatch: string | undefined;
}

export interface FaultProxy {
  readonly endpoint: string;
  readonly seen: SeenRequest[];
  /** Called with the number of requests before this one since the plan was set. */
  plan(plan: (index: number, request: IncomingMessage) => Fault | undefined): void;
  /** Connections of clients that are open. */
  connections(): Promise<number>;
  /** Requests whose connection is still taken: not answered to the end, and not given up. */
  pending(): number;
  stop(): Promise<void>;
}

export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true });
  const seen: SeenRequest[] = [];
  let current: (index: number, request: IncomingMessage) => Fault | undefined = () => undefined;
  let count = 0;
  let pending = 0;
  const server = createServer((incoming, outgoing) => {
    outgoing.on("error", () => {});
    pending++;
    outgoing.on("close", () => pending--);
    const { method = "", url = "", headers } = incoming;
    const fault = current(count++, incoming) ?? {};
    seen.push({ method, path: url, range: headers.range, ifMatch: headers["if-match"] });
    if (fault.reset === true) return void incoming.socket.resetAndDestroy();
    if (fault.status !== undefined) return answerFault(outgoing, fault);
    if (fault.delayMs === undefined) forward(incoming, outgoing, fault, upstream, agent);
    else setTimeout(() => forward(incoming, outgoing, fault, upstream, agent), fault.delayMs);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    plan(plan) {
      current = plan;
      count = 0;
      seen.length = 0;
    },
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, n) => (error === null ? resolve(n) : reject(error))),
      ),
    pending: () => pending,
    stop: async () => {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answerFault(outgoing: ServerResponse, { status = 500, code = "InternalError", body, headers }: Fault): void {
  const text =
    body ?? `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>injected</Message></Error>`;
  const known = Object.entries(headers ?? {}).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const base = { "content-type": "application/xml", "x-amz-request-id": "REQ-INJECTED" };
  outgoing.writeHead(status, { ...base, "content-length": Buffer.byteLength(text), ...Object.fromEntries(known) });
  outgoing.end(text);
}

function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault,
  upstream: string,
  agent: Agent,
): void {
  const { hostname, port } = new URL(upstream);
  const { method, url, headers } = incoming;
  const asked = request({ hostname, port, method, path: url, headers, agent }, (answer) => {
    if (fault.lost === true) {
      answer.once("end", () => outgoing.socket?.resetAndDestroy());
      return void answer.resume();
    }
    const changed: Record<string, string | string[]> = {};
    for (const [name, value] of Object.entries({ ...answer.headers, ...fault.headers })) {
      if (value !== undefined) changed[name] = value;
    }
    // Without a length the body is chunked: its end shows nothing.
    if (fault.cut === "end" || fault.more !== undefined) delete changed["content-length"];
    outgoing.writeHead(fault.forceStatus ?? answer.statusCode ?? 502, changed);
    send(answer, outgoing, fault);
  });
  asked.on("error", () => outgoing.destroy());
  outgoing.on("close", () => asked.destroy());
  incoming.pipe(asked);
}

function send(answer: IncomingMessage, outgoing: ServerResponse, { cut, flip, more = 0, at }: Fault): void {
  const lengthBytes = Number(answer.headers["content-length"] ?? 0);
  const from = at ?? Math.floor(lengthBytes / 2);
  let sent = 0;
  answer.on("data", (bytes: Buffer) => {
    const end = sent + bytes.length;
    if (flip === true && sent <= from && from < end) {
      bytes[from - sent] = (bytes[from - sent] as number) ^ 1;
    }
    if (cut !== undefined && end >= from) {
      const part = bytes.subarray(0, from - sent);
      answer.destroy();
      answer.removeAllListeners("data");
      outgoing.write(part, () => {
        if (cut === "close") outgoing.socket?.end();
        else if (cut === "reset") outgoing.socket?.resetAndDestroy();
        else if (cut === "end") outgoing.end();
      });
      return;
    }
    sent = end;
    if (!outgoing.write(bytes)) {
      answer.pause();
      outgoing.once("drain", () => answer.resume());
    }
  });
  answer.on("end", () => outgoing.end(Buffer.alloc(more)));
  answer.on("error", () => outgoing.destroy());
}
