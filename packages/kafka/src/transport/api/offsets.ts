import type {
  CommittedOffset,
  GroupMember,
  Isolation,
  ListedOffset,
  OffsetCommit,
  OffsetQuery,
  OffsetSpec,
  PartitionError,
  TopicPartition,
} from "../types.ts";
import { byTopic, type WireReader } from "../wire.ts";
import type { Api } from "./api.ts";

/** From here on versions are flexible: compact lengths and tagged fields. */
const FLEXIBLE = 8;

function timestampOf(spec: OffsetSpec, version: number): number {
  if (spec === "latest") return -1;
  // Brokers that know no other storage have everything on their disks.
  if (spec === "earliestLocal") return version >= FLEXIBLE ? -4 : -2;
  return spec === "earliest" ? -2 : spec.timestampMs;
}

interface ListRequest {
  readonly queries: readonly OffsetQuery[];
  readonly isolation: Isolation;
}

function listed(reader: WireReader, topic: string): ListedOffset {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const timestampMs = reader.int64();
  return { topic, partition, errorCode, timestampMs, offset: reader.int64(), leaderEpoch: reader.int32() };
}

/** ListOffsets: offsets by time, the log's start and its end. */
export const listOffsetsApi: Api<ListRequest, readonly ListedOffset[]> = {
  name: "ListOffsets",
  key: 2,
  versions: [8, 5, 4],
  encode(writer, { queries, isolation }, version) {
    const level = isolation === "read_committed" ? 1 : 0;
    const topics = byTopic(queries);
    if (version >= FLEXIBLE) {
      writer
        .int8(0)
        .int32(-1)
        .int8(level)
        .uvarint(topics.length + 1);
      for (const { topic, items } of topics) {
        writer.compactString(topic).uvarint(items.length + 1);
        for (const { partition, at } of items) {
          writer.int32(partition).int32(-1).int64(timestampOf(at, version)).int8(0);
        }
        writer.int8(0);
      }
      writer.int8(0);
      return;
    }
    writer
      .int32(-1)
      .int8(level)
      .array(topics, ({ topic, items }) =>
        writer
          .string(topic)
          .array(items, ({ partition, at }) => writer.int32(partition).int32(-1).int64(timestampOf(at, version))),
      );
  },
  decode(reader, version) {
    if (version >= FLEXIBLE) {
      reader.tags();
      reader.int32();
      const topics = reader.compactArray(() => {
        const topic = reader.compactString();
        const partitions = reader.compactArray(() => {
          const one = listed(reader, topic);
          reader.tags();
          return one;
        });
        reader.tags();
        return partitions;
      });
      reader.tags();
      return topics.flat();
    }
    reader.int32();
    const topics = reader.array(() => {
      const topic = reader.string();
      return reader.array(() => listed(reader, topic));
    });
    return topics.flat();
  },
};

interface CommitRequest {
  readonly member: GroupMember;
  readonly offsets: readonly OffsetCommit[];
}

/** OffsetCommit. */
export const offsetCommitApi: Api<CommitRequest, readonly PartitionError[]> = {
  name: "OffsetCommit",
  key: 8,
  versions: [7],
  encode(writer, { member, offsets }) {
    writer
      .string(member.groupId)
      .int32(member.generation)
      .string(member.memberId)
      .string(member.instanceId)
      .array(byTopic(offsets), ({ topic, items }) =>
        writer
          .string(topic)
          .array(items, ({ partition, offset, leaderEpoch, metadata }) =>
            writer.int32(partition).int64(offset).int32(leaderEpoch).string(metadata),
          ),
      );
  },
  decode(reader) {
    reader.int32();
    const topics = reader.array(() => {
      const topic = reader.string();
      return reader.array(() => ({ topic, partition: reader.int32(), errorCode: reader.int16() }));
    });
    return topics.flat();
  },
};

interface CommittedRequest {
  readonly groupId: string;
  readonly partitions: readonly TopicPartition[] | null;
}

interface CommittedResponse {
  readonly errorCode: number;
  readonly offsets: readonly CommittedOffset[];
}

/** OffsetFetch. */
export const offsetFetchApi: Api<CommittedRequest, CommittedResponse> = {
  name: "OffsetFetch",
  key: 9,
  versions: [5],
  encode(writer, { groupId, partitions }) {
    writer.string(groupId);
    if (partitions === null) writer.int32(-1);
    else
      writer.array(byTopic(partitions), ({ topic, items }) =>
        writer.string(topic).array(items, ({ partition }) => writer.int32(partition)),
      );
  },
  decode(reader) {
    reader.int32();
    const topics = reader.array(() => {
      const topic = reader.string();
      return reader.array(() => ({
        topic,
        partition: reader.int32(),
        offset: reader.int64(),
        leaderEpoch: reader.int32(),
        metadata: reader.string(),
        errorCode: reader.int16(),
      }));
    });
    return { offsets: topics.flat(), errorCode: reader.int16() };
  },
};
