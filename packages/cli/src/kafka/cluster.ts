import { OptionsError, SourceError } from "@ingest-ts/core";
import {
  errorName,
  errorRemedy,
  type Isolation,
  type OffsetSpec,
  type PartitionInfo,
  retrying,
  type TopicPartition,
  type Transport,
} from "@ingest-ts/kafka";
import type { Place } from "./places.ts";

/** Partitions of topics, by topic and number. @throws OptionsError for a topic that is not there, SourceError */
export async function partitionsOf(transport: Transport, topics: readonly string[]): Promise<readonly PartitionInfo[]> {
  const { topics: found } = await transport.metadata(topics);
  const partitions: PartitionInfo[] = [];
  for (const { name, errorCode, partitions: own } of [...found].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (errorCode === UNKNOWN_TOPIC) {
      throw new OptionsError(`there is no topic "${name}"`, {
        where: { url: transport.url },
        remedy: "Check its name; topics are not created.",
      });
    }
    if (errorCode !== 0) {
      throw new SourceError(`the topic "${name}" cannot be read (${errorName(errorCode)})`, {
        where: { url: transport.url },
        remedy: errorRemedy(errorCode),
      });
    }
    partitions.push(...[...own].sort((a, b) => a.partition - b.partition));
  }
  return partitions;
}

const UNKNOWN_TOPIC = 3;
const LEADER_NOT_AVAILABLE = 5;

/** A leader or coordinator that moves is back by then. */
const RETRY_MS = 30_000;

/** What a group has committed, by `topic/partition`; partitions without a commit are left out. @throws SourceError */
export async function committedOf(
  transport: Transport,
  group: string,
  partitions: readonly PartitionInfo[],
): Promise<OffsetTable> {
  return retrying({ request: "OffsetFetch", brokerId: -1, timeoutMs: RETRY_MS }, async () => {
    // Asked again each time: the coordinator may be another one by now.
    const coordinator = await transport.findCoordinator(group);
    const table = new Map<string, number>();
    for (const answer of await transport.offsetFetch(coordinator, group, partitions)) {
      if (answer.errorCode !== 0) throw notTold(transport, `the commit of ${partitionKey(answer)}`, answer.errorCode);
      if (answer.offset >= 0) table.set(partitionKey(answer), answer.offset);
    }
    return table;
  });
}

function notTold(transport: Transport, what: string, errorCode: number): SourceError {
  return new SourceError(`${what} is not told (${errorName(errorCode)})`, {
    where: { url: transport.url },
    remedy: errorRemedy(errorCode) ?? "Try again: what answers for it may be moving.",
    retryable: errorRemedy(errorCode) === undefined,
  });
}

/** Offsets by `topic/partition`. */
export type OffsetTable = ReadonlyMap<string, number>;

/** The key of a partition in tables. */
export const partitionKey = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** The same place in each of some partitions. @throws SourceError when a leader does not tell */
export async function offsetsAt(
  transport: Transport,
  partitions: readonly PartitionInfo[],
  place: Place,
  isolation: Isolation,
): Promise<OffsetTable> {
  if (typeof place === "object" && "offset" in place) {
    return new Map(partitions.map((one) => [partitionKey(one), place.offset]));
  }
  const offsets = await listed(transport, partitions, place, isolation);
  const older = partitions.filter((one) => offsets.get(partitionKey(one)) === -1);
  if (older.length === 0) return offsets;
  // Every record is older than the time that was asked for: the place is the end.
  const ends = await listed(transport, older, "latest", isolation);
  return new Map([...offsets, ...ends]);
}

function listed(
  transport: Transport,
  partitions: readonly PartitionInfo[],
  at: OffsetSpec,
  isolation: Isolation,
): Promise<Map<string, number>> {
  let known = partitions;
  return retrying({ request: "ListOffsets", brokerId: -1, timeoutMs: RETRY_MS }, async (attempt) => {
    // Their leaders may be others by now.
    if (attempt > 1) known = await askedAgain(transport, partitions);
    const byLeader = new Map<number, PartitionInfo[]>();
    for (const one of known) byLeader.set(one.leader, [...(byLeader.get(one.leader) ?? []), one]);
    const table = new Map<string, number>();
    for (const [leader, own] of byLeader) {
      const [first] = own;
      if (leader < 0 && first !== undefined) {
        throw notTold(transport, `the offset of ${partitionKey(first)}`, LEADER_NOT_AVAILABLE);
      }
      const queries = own.map(({ topic, partition }) => ({ topic, partition, at }));
      for (const answer of await transport.listOffsets(leader, queries, isolation)) {
        if (answer.errorCode !== 0) throw notTold(transport, `the offset of ${partitionKey(answer)}`, answer.errorCode);
        table.set(partitionKey(answer), answer.offset);
      }
    }
    return table;
  });
}

async function askedAgain(transport: Transport, partitions: readonly PartitionInfo[]): Promise<PartitionInfo[]> {
  const wanted = new Set(partitions.map(partitionKey));
  const found = await partitionsOf(transport, [...new Set(partitions.map(({ topic }) => topic))]);
  return found.filter((one) => wanted.has(partitionKey(one)));
}

/** The table as readers take it. */
export function asOffsets(
  partitions: readonly TopicPartition[],
  table: OffsetTable,
): { readonly offsets: Record<string, Record<number, number>> } {
  const offsets: Record<string, Record<number, number>> = {};
  for (const one of partitions) {
    const offset = table.get(partitionKey(one));
    if (offset !== undefined) (offsets[one.topic] ??= {})[one.partition] = offset;
  }
  return { offsets };
}
