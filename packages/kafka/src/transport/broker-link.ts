import { SourceError, UnsupportedError } from "@ingest-ts/core";
import type { KafkaConnection } from "../connection.ts";
import type { Api } from "./api/api.ts";
import { connectionError, stalled } from "./failures.ts";
import type { FrameMemory } from "./frame-memory.ts";
import { createBroker, type KafkaJsBroker, type KafkaJsConnection, sendRaw } from "./kafkajs.ts";
import { WireReader, WireWriter } from "./wire.ts";

/** How long one request may take. */
export interface RequestLimit {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

function aborted(): DOMException {
  return new DOMException("the request was given up", "AbortError");
}

/**
 * One connection to one broker, for requests that follow each other: a broker answers those of a connection in turn, and
 * kafkajs cannot authenticate anew while an answer is awaited. What gets no answer in time ends the connection, since its
 * late answer would be taken for another's; the next request makes a new one.
 */
export class BrokerLink {
  readonly #host: string;
  readonly #port: number;
  readonly #options: KafkaConnection;
  readonly #connectTimeoutMs: number;
  readonly #url: string;
  readonly #memory: FrameMemory;
  #broker: KafkaJsBroker | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(
    host: string,
    port: number,
    options: KafkaConnection,
    connectTimeoutMs: number,
    url: string,
    memory: FrameMemory,
  ) {
    this.#host = host;
    this.#port = port;
    this.#options = options;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#url = url;
    this.#memory = memory;
  }

  get address(): string {
    return `${this.#host}:${this.#port}`;
  }

  /** @throws SourceError; `AbortError` when the signal fires */
  async call<Request, Response>(api: Api<Request, Response>, request: Request, limit: RequestLimit): Promise<Response> {
    const turn = this.#tail;
    const call = turn.then(() => this.#send(api, request, limit));
    this.#tail = call.catch(() => {});
    return call;
  }

  async #send<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    limit: RequestLimit,
  ): Promise<Response> {
    limit.signal?.throwIfAborted();
    const name = `${api.name} to ${this.address}`;
    try {
      const connection = await this.#connected(name, limit.signal);
      const version = this.#version(api, request);
      const writer = new WireWriter();
      api.encode(writer, request, version);
      const sent = sendRaw(connection, { key: api.key, name: api.name, version }, writer.finish());
      const answer = await this.#within(sent, limit.timeoutMs, name, limit.signal);
      const reader = new WireReader(answer);
      const response = api.decode(reader, version, request);
      reader.end();
      return response;
    } catch (error) {
      if (error instanceof UnsupportedError) throw error;
      this.#drop(`${name} failed`);
      throw connectionError(error, this.#url, name);
    }
  }

  #version<Request, Response>(api: Api<Request, Response>, request: Request): number {
    const range = this.#broker?.versions?.[api.key];
    const version = api.versions.find(
      (one) =>
        range !== undefined &&
        one >= range.minVersion &&
        one <= range.maxVersion &&
        (api.accepts?.(request, one) ?? true),
    );
    if (version !== undefined) return version;
    const offered = range === undefined ? "none" : `${range.minVersion} to ${range.maxVersion}`;
    throw new UnsupportedError(
      `${this.address} offers ${offered} of ${api.name}, here ${api.versions.join(", ")} is spoken`,
      {
        where: { url: this.#url },
        remedy: "Brokers from Kafka 2.3 on are spoken to.",
      },
    );
  }

  async #connected(name: string, signal: AbortSignal | undefined): Promise<KafkaJsConnection> {
    const current = this.#broker?.connectionPool.pool[0];
    if (current?.isConnected() === true) return current;
    if (this.#closed) throw new SourceError("the connection is closed", { where: { url: this.#url } });
    const broker = createBroker(this.#host, this.#port, this.#options, this.#connectTimeoutMs, this.#memory);
    this.#broker = broker;
    // Authentication has no time-out in kafkajs: a broker that accepts and then says nothing would hang here.
    await this.#within(broker.connect(), this.#connectTimeoutMs, `the connection for ${name}`, signal);
    const connection = broker.connectionPool.pool[0];
    if (connection === undefined) throw new Error("kafkajs has no connection");
    return connection;
  }

  async #within<T>(work: Promise<T>, timeoutMs: number, name: string, signal: AbortSignal | undefined): Promise<T> {
    // Whichever loses may still fail, unheard.
    work.catch(() => {});
    signal?.throwIfAborted(); // a signal that fired before is not heard
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => settle(() => reject(signal?.reason instanceof Error ? signal.reason : aborted()));
      const timer = setTimeout(() => settle(() => reject(stalled(this.#url, name, timeoutMs))), timeoutMs);
      const settle = (outcome: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        outcome();
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      work.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error instanceof Error ? error : new Error(String(error)))),
      );
    });
  }

  #drop(why: string): void {
    const broker = this.#broker;
    this.#broker = undefined;
    for (const connection of broker?.connectionPool.pool ?? []) {
      connection.rejectRequests(new Error(why));
      connection.disconnect().catch(() => {});
      connection.socket?.destroy();
    }
  }

  /** Ends the connection; what is under way fails. */
  close(): void {
    this.#closed = true;
    this.#drop("the connection is closed");
  }
}
