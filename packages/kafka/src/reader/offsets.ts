import { OptionsError } from "@ingest-ts/core";
import { codeError } from "../transport/failures.ts";
import { retrying } from "../transport/retry.ts";
import type { Isolation, OffsetQuery, OffsetSpec, TopicPartition, Transport } from "../transport/types.ts";
import type { ClusterView } from "./cluster.ts";
import type { EndAt, PartitionOffsets, StartAt } from "./types.ts";

/** The name of a partition among others. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** Asks leaders for offsets. */
export class OffsetFinder {
  readonly #transport: Transport;
  readonly #view: ClusterView;
  readonly #isolation: Isolation;
  readonly #retryTimeoutMs: number;
  readonly #signal: AbortSignal;

  constructor(
    transport: Transport,
    view: ClusterView,
    isolation: Isolation,
    retryTimeoutMs: number,
    signal: AbortSignal,
  ) {
    this.#transport = transport;
    this.#view = view;
    this.#isolation = isolation;
    this.#retryTimeoutMs = retryTimeoutMs;
    this.#signal = signal;
  }

  /** By `partitionName`; -1 where no record is as new as asked. @throws SourceError */
  async find(partitions: readonly TopicPartition[], at: OffsetSpec): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    const policy = { request: "ListOffsets", brokerId: -1, timeoutMs: this.#retryTimeoutMs, signal: this.#signal };
    await retrying(policy, async (attempt) => {
      if (attempt > 1) await this.#view.refresh();
      const wanted = partitions.filter((one) => !found.has(partitionName(one)));
      for (const [leader, queries] of this.#byLeader(wanted, at)) {
        const answers = await this.#transport.listOffsets(leader, queries, this.#isolation, { signal: this.#signal });
        for (const answer of answers) if (answer.errorCode === 0) found.set(partitionName(answer), answer.offset);
        const failed = answers.find(({ errorCode }) => errorCode !== 0);
        if (failed !== undefined) throw codeError(failed.errorCode, "ListOffsets", this.#transport.url, failed);
      }
    });
    return found;
  }

  #byLeader(partitions: readonly TopicPartition[], at: OffsetSpec): ReadonlyMap<number, OffsetQuery[]> {
    const queries = new Map<number, OffsetQuery[]>();
    for (const { topic, partition } of partitions) {
      const leader = this.#view.partition({ topic, partition })?.leader ?? -1;
      if (leader < 0) throw codeError(5, "ListOffsets", this.#transport.url, { topic, partition });
      const list = queries.get(leader) ?? [];
      list.push({ topic, partition, at });
      queries.set(leader, list);
    }
    return queries;
  }

  /** Where reading begins, by `partitionName`. @throws OptionsError for a partition that `offsets` leaves out */
  async starts(partitions: readonly TopicPartition[], start: StartAt): Promise<ReadonlyMap<string, number>> {
    if (start === "earliest" || start === "latest") return this.find(partitions, start);
    if ("offsets" in start) return this.#given(partitions, start);
    return this.#byTime(partitions, start.timestampMs);
  }

  async #given(
    partitions: readonly TopicPartition[],
    { offsets, otherwise }: Extract<StartAt, { offsets: PartitionOffsets }>,
  ): Promise<ReadonlyMap<string, number>> {
    if (otherwise === undefined) return given(partitions, offsets, "start");
    const isNamed = ({ topic, partition }: TopicPartition): boolean => offsets[topic]?.[partition] !== undefined;
    const others = partitions.filter((one) => !isNamed(one));
    const named = given(partitions.filter(isNamed), offsets, "start");
    return others.length === 0 ? named : new Map([...named, ...(await this.find(others, otherwise))]);
  }

  /** Where reading ends, by `partitionName`: offsets that are there when asked; none for "none". */
  async ends(partitions: readonly TopicPartition[], end: EndAt): Promise<ReadonlyMap<string, number>> {
    if (end === "none") return new Map();
    if (end === "latest") return this.find(partitions, "latest");
    if (!("offsets" in end)) return this.#byTime(partitions, end.timestampMs);
    const wanted = given(partitions, end.offsets, "end");
    const latest = await this.find(partitions, "latest");
    for (const one of partitions) {
      const asked = wanted.get(partitionName(one)) ?? 0;
      const last = latest.get(partitionName(one)) ?? 0;
      if (asked <= last) continue;
      throw new OptionsError(`the end ${asked} is behind the log's, ${last}`, {
        where: { topic: one.topic, partition: one.partition, kafkaOffset: asked },
        remedy: "Wait for the records, or end earlier.",
      });
    }
    return wanted;
  }

  async #byTime(partitions: readonly TopicPartition[], timestampMs: number): Promise<ReadonlyMap<string, number>> {
    const found = new Map(await this.find(partitions, { timestampMs }));
    const none = partitions.filter((one) => found.get(partitionName(one)) === -1);
    if (none.length === 0) return found;
    for (const [name, offset] of await this.find(none, "latest")) found.set(name, offset);
    return found;
  }
}

function given(
  partitions: readonly TopicPartition[],
  offsets: PartitionOffsets,
  name: string,
): ReadonlyMap<string, number> {
  return new Map(
    partitions.map((one) => {
      const offset = offsets[one.topic]?.[one.partition];
      const where = { topic: one.topic, partition: one.partition };
      if (offset === undefined) {
        throw new OptionsError(`the ${name} offsets leave out a partition`, {
          where,
          remedy: "Name every one that is read.",
        });
      }
      if (!Number.isSafeInteger(offset) || offset < 0) {
        throw new OptionsError(`the ${name} offset is ${offset}`, { where, remedy: "Give a whole number from 0 on." });
      }
      return [partitionName(one), offset];
    }),
  );
}
