// The parts of kafkajs that are used: connections, TLS, SASL and the versions that a broker speaks. They are internals of
// kafkajs 2.2.4, which is why the version is exact; test/transport/kafkajs.test.ts holds them to what is said here.
import { createRequire } from "node:module";
import type { KafkaConnection } from "../connection.ts";
import type { FrameMemory } from "./frame-memory.ts";
import { framedSockets } from "./framed-socket.ts";

/** What kafkajs writes before a request and wants of one: the body's bytes. */
interface KafkaJsRequest {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    readonly encode: () => Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
  };
  readonly response: {
    /** The answer behind its correlation id. */
    readonly decode: (
      payload: Buffer,
    ) => Promise<{ readonly payload: Buffer; readonly clientSideThrottleTime: number }>;
    readonly parse: (decoded: { readonly payload: Buffer }) => Promise<Buffer>;
  };
  readonly logResponseError: boolean;
}

/** One socket. */
export interface KafkaJsConnection {
  readonly socket?: { destroy(): void };
  readonly requestQueue: { scheduleCheckPendingRequests: () => void };
  /** What came and was not yet an answer; the first may be empty. */
  chunks: readonly Buffer[];
  processData(bytes: Buffer): void;
  isConnected(): boolean;
  send(request: KafkaJsRequest): Promise<Buffer>;
  rejectRequests(error: Error): void;
  disconnect(): Promise<unknown>;
}

/** A broker once connected: authenticated, and asked for its versions. */
export interface KafkaJsBroker {
  readonly versions: Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>> | null;
  readonly connectionPool: { readonly pool: readonly KafkaJsConnection[] };
  connect(): Promise<void>;
}

interface Logger {
  readonly namespace: () => Logger;
  readonly debug: () => void;
  readonly info: () => void;
  readonly warn: () => void;
  readonly error: () => void;
}

type Constructor<T> = new (options: Readonly<Record<string, unknown>>) => T;

const nothing = (): void => {};
const silent: Logger = { namespace: () => silent, debug: nothing, info: nothing, warn: nothing, error: nothing };

const load = createRequire(import.meta.url);

function tls(ssl: KafkaConnection["ssl"]): object | null {
  if (ssl === undefined || ssl === false) return null;
  return ssl === true ? {} : Object.fromEntries(Object.entries(ssl).filter(([, value]) => value !== undefined));
}

/** kafkajs writes into what it is given: each broker gets its own. */
function sasl(given: KafkaConnection["sasl"]): object | null {
  if (given === undefined) return null;
  if (given.mechanism !== "oauthbearer") return { ...given };
  return { mechanism: given.mechanism, authenticationProvider: oauthBearer(given.token) };
}

interface SaslExchange {
  readonly request: { readonly encode: () => Promise<Buffer> };
  readonly response: {
    readonly decode: (answer: Buffer) => Promise<Buffer>;
    readonly parse: (answer: Buffer) => Promise<Buffer>;
  };
}

interface SaslContext {
  readonly saslAuthenticate: (exchange: SaslExchange) => Promise<Buffer>;
}

/** What kafkajs calls a refused login. */
class KafkaJSSASLAuthenticationError extends Error {
  override readonly name = "KafkaJSSASLAuthenticationError";
}

/**
 * RFC 7628. A server that refuses a token answers with a challenge that says why; kafkajs's own provider does not look at
 * it and takes the connection for authenticated.
 */
function oauthBearer(token: () => Promise<string>): (context: SaslContext) => { authenticate: () => Promise<void> } {
  return ({ saslAuthenticate }) => ({
    authenticate: async () => {
      const message = Buffer.from(`n,,\u0001auth=Bearer ${await token()}\u0001\u0001`);
      const size = Buffer.alloc(4);
      size.writeInt32BE(message.length);
      const challenge = await saslAuthenticate({
        request: { encode: () => Promise.resolve(Buffer.concat([size, message])) },
        response: {
          decode: (answer) => Promise.resolve(answer.subarray(4)), // behind its length
          parse: (answer) => Promise.resolve(answer),
        },
      });
      if (challenge.length > 0) throw new KafkaJSSASLAuthenticationError(challenge.toString("utf8"));
    },
  });
}

/** So long before a session ends is it renewed: longer than a fetch waits. */
const REAUTHENTICATE_MS = 2000;

/** A broker that is not connected yet. Time-outs of requests are the caller's: kafkajs polls for them. */
export function createBroker(
  host: string,
  port: number,
  connection: KafkaConnection,
  timeoutMs: number,
  memory: FrameMemory,
): KafkaJsBroker {
  const Broker = load("kafkajs/src/broker/index.js") as Constructor<KafkaJsBroker>;
  const ConnectionPool = load("kafkajs/src/network/connectionPool.js") as Constructor<object>;
  const connectionPool = new ConnectionPool({
    host,
    port,
    rack: connection.rack ?? null,
    ssl: tls(connection.ssl),
    sasl: sasl(connection.sasl),
    clientId: connection.clientId ?? "ingest",
    socketFactory: framedSockets(memory),
    connectionTimeout: timeoutMs,
    requestTimeout: timeoutMs,
    enforceRequestTimeout: false,
    // kafkajs's 10 s would log in anew with every request where sessions are shorter, which brokers refuse.
    reauthenticationThreshold: REAUTHENTICATE_MS,
    logger: silent,
  });
  const broker = new Broker({ connectionPool, logger: silent, authenticationTimeout: timeoutMs });
  for (const connection of broker.connectionPool.pool) {
    // A timer after every answer, for requests that wait their turn: here none does. Its time is negative, which Node 24 warns of.
    connection.requestQueue.scheduleCheckPendingRequests = nothing;
    takeWholeAnswers(connection);
  }
  return broker;
}

/** The sockets give whole answers. kafkajs would copy each to append it to the nothing that was left of the last one. */
function takeWholeAnswers(connection: KafkaJsConnection): void {
  const processData = connection.processData.bind(connection);
  connection.processData = (answer) => {
    connection.chunks = [];
    processData(answer);
  };
}

/** Sends `body` as it is and gives the answer's bytes back unread. */
export async function sendRaw(
  connection: KafkaJsConnection,
  api: { readonly key: number; readonly name: string; readonly version: number },
  body: Uint8Array,
): Promise<Uint8Array> {
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const answer = await connection.send({
    request: {
      apiKey: api.key,
      apiVersion: api.version,
      apiName: api.name,
      encode: () => Promise.resolve({ buf: buffer, buffer }),
    },
    response: {
      decode: (payload) => Promise.resolve({ payload, clientSideThrottleTime: 0 }),
      parse: ({ payload }) => Promise.resolve(payload),
    },
    logResponseError: false,
  });
  // A Buffer differs from other arrays in its `slice`.
  return new Uint8Array(answer.buffer, answer.byteOffset, answer.byteLength);
}
