import { type JsonValue, StateError } from "@ingest-ts/core";
import type { PartitionOffsets } from "./types.ts";

/** One partition in a state: [position, end or null, leader epoch]. */
type PartitionState = readonly [position: number, end: number | null, leaderEpoch: number];

interface TopicState {
  readonly topicId: string | null;
  /** How many the topic had: one beyond them is new, and one below them that is not here belongs to another rank. */
  readonly count: number;
  readonly partitions: Readonly<Record<string, PartitionState>>;
}

/** The state of a rank in assign mode, or of many ranks, merged. */
export interface KafkaState {
  readonly kafkaState: 1;
  readonly isolation: string;
  /** Ends were frozen: partitions that are new are not read. */
  readonly bounded: boolean;
  readonly topics: Readonly<Record<string, TopicState>>;
}

function wrong(what: string, topic?: string, partition?: number): StateError {
  return new StateError(what, {
    where: { topic, partition },
    remedy: "Load a state that a Kafka reader of these topics gave.",
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function readPartition(value: unknown, topic: string, name: string): PartitionState {
  const [position, end, leaderEpoch] = Array.isArray(value) ? (value as unknown[]) : [];
  const fits = isOffset(position) && (end === null || isOffset(end)) && Number.isSafeInteger(leaderEpoch);
  if (!fits || !/^(0|[1-9]\d*)$/.test(name)) throw wrong("the state of a partition is none", topic, Number(name));
  return [position, end, leaderEpoch as number];
}

function readTopic(value: unknown, topic: string): TopicState {
  if (!isObject(value) || !isObject(value["partitions"]) || !isOffset(value["count"])) {
    throw wrong("the state of a topic is none", topic);
  }
  const topicId = value["topicId"];
  if (topicId !== null && typeof topicId !== "string") throw wrong("the state of a topic has no id", topic);
  const partitions = Object.entries(value["partitions"]).map(([name, one]) => [name, readPartition(one, topic, name)]);
  return { topicId, count: value["count"], partitions: Object.fromEntries(partitions) as TopicState["partitions"] };
}

/** Checks what may come from a file. @throws StateError */
export function readState(value: unknown): KafkaState {
  if (!isObject(value) || value["kafkaState"] !== 1) throw wrong("this is no state of a Kafka reader, version 1");
  const { isolation, bounded, topics } = value;
  if (typeof isolation !== "string" || typeof bounded !== "boolean" || !isObject(topics)) {
    throw wrong("the state of a Kafka reader lacks fields");
  }
  const read = Object.entries(topics).map(([topic, one]) => [topic, readTopic(one, topic)] as const);
  return { kafkaState: 1, isolation, bounded, topics: Object.fromEntries(read) };
}

function mergeTopics(topic: string, a: TopicState, b: TopicState): TopicState {
  if (a.topicId !== b.topicId) throw wrong("two states are of different topics of one name", topic);
  for (const [name, mine] of Object.entries(b.partitions)) {
    const other = a.partitions[name];
    if (other !== undefined && JSON.stringify(other) !== JSON.stringify(mine)) {
      throw wrong(`two states claim one partition, at ${other[0]} and ${mine[0]}`, topic, Number(name));
    }
  }
  // A partition that only one rank has seen yet is new to all.
  return { ...a, count: Math.min(a.count, b.count), partitions: { ...a.partitions, ...b.partitions } };
}

/**
 * One state of the states of all ranks of one run, taken at the same step; it restores any number of ranks.
 *
 * @throws StateError when they are not of one run, or two claim one partition at different places
 */
export function mergeStates(states: readonly JsonValue[]): JsonValue {
  const [first, ...rest] = states.map(readState);
  if (first === undefined) throw wrong("there are no states to merge");
  let merged = first;
  for (const state of rest) {
    if (state.isolation !== merged.isolation || state.bounded !== merged.bounded) {
      throw wrong("two states are of runs with other options");
    }
    const names = new Set([...Object.keys(merged.topics), ...Object.keys(state.topics)]);
    const topics = [...names].toSorted().map((topic) => {
      const a = merged.topics[topic];
      const b = state.topics[topic];
      if (a === undefined || b === undefined) throw wrong("only some of the states have the topic", topic);
      return [topic, mergeTopics(topic, a, b)] as const;
    });
    merged = { ...merged, topics: Object.fromEntries(topics) };
  }
  return merged as unknown as JsonValue;
}

/** Positions of a state, as `start: { offsets }` takes them. @throws StateError */
export function stateOffsets(state: JsonValue): PartitionOffsets {
  const { topics } = readState(state);
  return Object.fromEntries(
    Object.entries(topics).map(([topic, { partitions }]) => [
      topic,
      Object.fromEntries(Object.entries(partitions).map(([name, [position]]) => [name, position])),
    ]),
  );
}
