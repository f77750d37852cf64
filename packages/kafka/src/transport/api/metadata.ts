import type { BrokerInfo, ClusterInfo, PartitionInfo, TopicInfo } from "../types.ts";
import type { WireReader } from "../wire.ts";
import type { Api } from "./api.ts";

/** From here on versions are flexible: compact lengths and tagged fields. */
const FLEXIBLE = 12;

function topicIdOf(reader: WireReader): string | null {
  const hex = reader.uuid();
  return /^0*$/.test(hex) ? null : hex;
}

function broker(reader: WireReader, flexible: boolean): BrokerInfo {
  const id = reader.int32();
  const host = flexible ? reader.compactString() : reader.string();
  const port = reader.int32();
  const rack = flexible ? reader.compactNullableString() : reader.nullableString();
  if (flexible) reader.tags();
  return { id, host, port, rack };
}

function ids(reader: WireReader, flexible: boolean): number[] {
  return flexible ? reader.compactArray(() => reader.int32()) : reader.array(() => reader.int32());
}

function partition(reader: WireReader, topic: string, flexible: boolean): PartitionInfo {
  reader.int16(); // its error: a leader of -1 says the same
  const index = reader.int32();
  const leader = reader.int32();
  const leaderEpoch = reader.int32();
  const replicas = ids(reader, flexible);
  const inSync = ids(reader, flexible);
  ids(reader, flexible); // offline
  if (flexible) reader.tags();
  return { topic, partition: index, leader, leaderEpoch, replicas, inSync };
}

function topic(reader: WireReader, flexible: boolean): TopicInfo {
  const errorCode = reader.int16();
  const name = flexible ? reader.compactString() : reader.string();
  const topicId = flexible ? topicIdOf(reader) : null;
  const internal = reader.bool();
  const read = (): PartitionInfo => partition(reader, name, flexible);
  const partitions = flexible ? reader.compactArray(read) : reader.array(read);
  if (flexible) {
    reader.int32(); // authorized operations
    reader.tags();
  }
  return { name, topicId, internal, partitions: partitions.toSorted((a, b) => a.partition - b.partition), errorCode };
}

/** Metadata: brokers, topics, leaders. */
export const metadataApi: Api<readonly string[] | "all", ClusterInfo> = {
  name: "Metadata",
  key: 3,
  versions: [12, 7],
  encode(writer, topics, version) {
    if (version >= FLEXIBLE) {
      writer.int8(0); // tagged fields of the header
      if (topics === "all") writer.uvarint(0);
      else {
        writer.uvarint(topics.length + 1);
        for (const name of topics) writer.raw(new Uint8Array(16)).compactString(name).int8(0);
      }
      writer.bool(false).bool(false).int8(0);
      return;
    }
    if (topics === "all") writer.int32(-1);
    else writer.array(topics, (name) => writer.string(name));
    writer.bool(false); // never creates a topic
  },
  decode(reader, version) {
    const flexible = version >= FLEXIBLE;
    if (flexible) reader.tags();
    reader.int32(); // throttle time
    const readBroker = (): BrokerInfo => broker(reader, flexible);
    const brokers = flexible ? reader.compactArray(readBroker) : reader.array(readBroker);
    const clusterId = flexible ? reader.compactNullableString() : reader.nullableString();
    const controllerId = reader.int32();
    const readTopic = (): TopicInfo => topic(reader, flexible);
    const topics = flexible ? reader.compactArray(readTopic) : reader.array(readTopic);
    if (flexible) reader.tags();
    return { clusterId, controllerId, brokers, topics };
  },
};
