import { SourceError } from "@ingest-ts/core";
import { prepareRecords } from "../records/index.ts";
import { encodeBatch } from "../records/encode.ts";
import type { Api } from "./api/api.ts";
import { initProducerIdApi, produceApi } from "./api/produce.ts";
import { codeError } from "./failures.ts";
import { DEFAULT_RETRY_MS, retrying } from "./retry.ts";
import type { CallOptions, ProducedOffset, RecordToProduce, TopicPartition, Transport } from "./types.ts";

type Ask = <Q, R>(brokerId: number, api: Api<Q, R>, request: Q, options?: CallOptions) => Promise<R>;

interface Identity {
  readonly producerId: bigint;
  readonly epoch: number;
}

const DUPLICATE_SEQUENCE = 46;
/** The broker does not know this producer any more, or what it wrote last. */
const forgotten: ReadonlySet<number> = new Set([45, 47, 59]);

/** Writes batches one after the other to each partition; a repeated one is recognised by its sequence number. */
export class IdempotentProducer {
  readonly #cluster: Pick<Transport, "metadata" | "url">;
  readonly #ask: Ask;
  readonly #requestTimeoutMs: number;
  readonly #retryTimeoutMs: number;
  readonly #sequences = new Map<string, number>();
  readonly #tails = new Map<string, Promise<unknown>>();
  readonly #leaders = new Map<string, number>();
  #identity: Promise<Identity> | undefined;

  constructor(
    cluster: Pick<Transport, "metadata" | "url">,
    ask: Ask,
    requestTimeoutMs: number,
    retryTimeoutMs: number = DEFAULT_RETRY_MS,
  ) {
    this.#cluster = cluster;
    this.#ask = ask;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#retryTimeoutMs = retryTimeoutMs;
  }

  async produce(
    to: TopicPartition,
    records: readonly RecordToProduce[],
    options?: CallOptions,
  ): Promise<ProducedOffset> {
    const name = `${to.topic}/${to.partition}`;
    const call = (this.#tails.get(name) ?? Promise.resolve()).then(() => this.#write(name, to, records, options));
    this.#tails.set(
      name,
      call.catch(() => {}),
    );
    return call;
  }

  async #write(
    name: string,
    to: TopicPartition,
    records: readonly RecordToProduce[],
    options?: CallOptions,
  ): Promise<ProducedOffset> {
    await prepareRecords();
    const policy = { request: "Produce", brokerId: -1, timeoutMs: this.#retryTimeoutMs, signal: options?.signal };
    return retrying(policy, async () => {
      try {
        const brokerId = await this.#leader(name, to, options);
        const identity = await this.#identify(brokerId, options);
        const sequence = this.#sequences.get(name) ?? 0;
        const batch = encodeBatch(records, { ...identity, sequence });
        const request = { to, batch, timeoutMs: this.#requestTimeoutMs };
        const answer = await this.#ask(brokerId, produceApi, request, options);
        this.#judge(answer.errorCode, to);
        this.#sequences.set(name, (sequence + records.length) % 2 ** 31);
        return { ...to, baseOffset: answer.baseOffset };
      } catch (error) {
        this.#leaders.delete(name);
        throw error;
      }
    });
  }

  #judge(errorCode: number, to: TopicPartition): void {
    if (errorCode === 0 || errorCode === DUPLICATE_SEQUENCE) return;
    const error = codeError(errorCode, "Produce", this.#cluster.url, to);
    if (!forgotten.has(errorCode)) throw error;
    this.#identity = undefined;
    this.#sequences.clear();
    throw new SourceError(error.what, { where: error.where, reason: "Exhausted", retryable: true });
  }

  async #leader(name: string, to: TopicPartition, options?: CallOptions): Promise<number> {
    const known = this.#leaders.get(name);
    if (known !== undefined) return known;
    const { topics } = await this.#cluster.metadata([to.topic], options);
    const topic = topics[0];
    if (topic === undefined || topic.errorCode !== 0)
      throw codeError(topic?.errorCode ?? 3, "Metadata", this.#cluster.url, to);
    const partition = topic.partitions.find((one) => one.partition === to.partition);
    if (partition === undefined) throw codeError(3, "Metadata", this.#cluster.url, to);
    if (partition.leader < 0) throw codeError(5, "Metadata", this.#cluster.url, to);
    this.#leaders.set(name, partition.leader);
    return partition.leader;
  }

  async #identify(brokerId: number, options?: CallOptions): Promise<Identity> {
    this.#identity ??= this.#ask(brokerId, initProducerIdApi, undefined, options).then(
      ({ errorCode, producerId, epoch }) => {
        if (errorCode !== 0) throw codeError(errorCode, "InitProducerId", this.#cluster.url);
        return { producerId, epoch };
      },
    );
    try {
      return await this.#identity;
    } catch (error) {
      this.#identity = undefined;
      throw error;
    }
  }
}
