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
import { byTopic } from "../wire.ts";
import type { Api } from "./api.ts";

function timestampOf(spec: OffsetSpec): number {
  if (spec === "earliest") return -2;
  return spec === "latest" ? -1 : spec.timestampMs;
}

interface ListRequest {
  readonly queries: readonly OffsetQuery[];
  readonly isolation: Isolation;
}

/** ListOffsets: offsets by time, the log's start and its end. */
export const listOffsetsApi: Api<ListRequest, readonly ListedOffset[]> = {
  name: "ListOffsets",
  key: 2,
  versions: [5, 4],
  encode(writer, { queries, isolation }) {
    writer
      .int32(-1)
      .int8(isolation === "read_committed" ? 1 : 0)
      .array(byTopic(queries), ({ topic, items }) =>
        writer
          .string(topic)
          .array(items, ({ partition, at }) => writer.int32(partition).int32(-1).int64(timestampOf(at))),
      );
  },
  decode(reader) {
    reader.int32();
    const topics = reader.array(() => {
      const topic = reader.string();
      return reader.array(() => {
        const partition = reader.int32();
        const errorCode = reader.int16();
        const timestampMs = reader.int64();
        return { topic, partition, errorCode, timestampMs, offset: reader.int64(), leaderEpoch: reader.int32() };
      });
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
