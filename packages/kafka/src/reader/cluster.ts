import { SourceError } from "@ingest-ts/core";
import { codeError } from "../transport/failures.ts";
import { retrying } from "../transport/retry.ts";
import type { PartitionInfo, TopicInfo, TopicPartition, Transport } from "../transport/types.ts";

const UNKNOWN_TOPIC = 3;
const NO_LEADER = 5;
/** A topic that the cluster does not know any more may only be on its way: metadata travels. */
const MISSING_GRACE_MS = 10_000;

/** Topics, their partitions and leaders, as the cluster said last. */
export class ClusterView {
  readonly #transport: Transport;
  readonly #names: readonly string[];
  readonly #retryTimeoutMs: number;
  readonly #signal: AbortSignal;
  readonly #topics = new Map<string, TopicInfo>();
  readonly #missingSince = new Map<string, number>();
  #refreshing: Promise<void> | undefined;

  constructor(transport: Transport, names: readonly string[], retryTimeoutMs: number, signal: AbortSignal) {
    this.#transport = transport;
    this.#names = names;
    this.#retryTimeoutMs = retryTimeoutMs;
    this.#signal = signal;
  }

  /** Asks until every topic is there and every partition has a leader. @throws SourceError for a topic that is not */
  async open(): Promise<void> {
    await this.#retrying(async () => {
      const { topics } = await this.#transport.metadata(this.#names, { signal: this.#signal });
      for (const name of this.#names) {
        const topic = topics.find((one) => one.name === name);
        const code = topic?.errorCode ?? UNKNOWN_TOPIC;
        if (code === UNKNOWN_TOPIC) throw this.#notFound(name);
        if (topic === undefined || code !== 0) throw codeError(code, "Metadata", this.#transport.url);
        const without = topic.partitions.find(({ leader }) => leader < 0);
        if (without !== undefined) throw codeError(NO_LEADER, "Metadata", this.#transport.url, without);
        this.#topics.set(name, topic);
      }
    });
  }

  #retrying<T>(body: () => Promise<T>): Promise<T> {
    const policy = { request: "Metadata", brokerId: -1, timeoutMs: this.#retryTimeoutMs, signal: this.#signal };
    return retrying(policy, body);
  }

  #notFound(topic: string): SourceError {
    return new SourceError("the topic does not exist", {
      where: { url: this.#transport.url, topic },
      reason: "NotFound",
      remedy: "Check its name; topics are not made here.",
    });
  }

  /** Asks once for all topics; calls at the same time are one. @throws SourceError */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refresh(): Promise<void> {
    const { topics } = await this.#transport.metadata(this.#names, { signal: this.#signal });
    for (const topic of topics) this.#take(topic);
  }

  #take(topic: TopicInfo): void {
    if (topic.errorCode === UNKNOWN_TOPIC) {
      const since = this.#missingSince.get(topic.name) ?? performance.now();
      this.#missingSince.set(topic.name, since);
      if (performance.now() - since >= Math.min(MISSING_GRACE_MS, this.#retryTimeoutMs))
        throw this.#notFound(topic.name);
      return;
    }
    if (topic.errorCode !== 0) return; // leaders are being elected
    this.#missingSince.delete(topic.name);
    const known = this.#topics.get(topic.name);
    if (known !== undefined && known.topicId !== null && topic.topicId !== null && known.topicId !== topic.topicId) {
      throw recreated(this.#transport.url, { topic: topic.name });
    }
    this.#topics.set(topic.name, topic);
  }

  topicId(topic: string): string | null {
    return this.#topics.get(topic)?.topicId ?? null;
  }

  /** Those that are known. */
  get topicIds(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.#names.flatMap((name) => {
        const id = this.topicId(name);
        return id === null ? [] : [[name, id] as const];
      }),
    );
  }

  partition({ topic, partition }: TopicPartition): PartitionInfo | undefined {
    return this.#topics.get(topic)?.partitions.find((one) => one.partition === partition);
  }

  /** By topic, then partition. */
  get partitions(): readonly PartitionInfo[] {
    return this.#names.flatMap((name) => this.#topics.get(name)?.partitions ?? []);
  }

  /** How many partitions each topic has. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#names.map((name) => [name, this.#topics.get(name)?.partitions.length ?? 0]));
  }
}

/** The topic is not the one whose offsets are known. */
export function recreated(
  url: string,
  at: { readonly topic: string; readonly partition?: number; readonly kafkaOffset?: number },
): SourceError {
  return new SourceError(
    "the topic was deleted and made again, or its log was cut: the offsets known are of another log",
    {
      where: { url, ...at },
      reason: "ObjectChanged",
      remedy: "Begin anew, without the saved offsets.",
    },
  );
}
