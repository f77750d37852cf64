import type { AbortedTransaction, FetchedPartition, FetchPartition, FetchRequest } from "../types.ts";
import { byTopic, type WireReader } from "../wire.ts";
import type { Api } from "./api.ts";

/** A fetch without a session, and the rack it comes from ("": any). */
export interface RackFetchRequest extends FetchRequest {
  readonly rack: string;
}

/** `errorCode` is the whole answer's. */
export interface FetchResponse {
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

function aborted(reader: WireReader): AbortedTransaction {
  return { producerId: reader.bigint(), firstOffset: reader.int64() };
}

function partition(reader: WireReader, topic: string): FetchedPartition {
  return {
    topic,
    partition: reader.int32(),
    errorCode: reader.int16(),
    highWatermark: reader.int64(),
    lastStableOffset: reader.int64(),
    logStartOffset: reader.int64(),
    aborted: reader.array(() => aborted(reader)),
    preferredReadReplica: reader.int32(),
    records: reader.bytes(),
  };
}

/** Fetch: record batches as they are stored. */
export const fetchApi: Api<RackFetchRequest, FetchResponse> = {
  name: "Fetch",
  key: 1,
  versions: [11],
  encode(writer, request) {
    writer
      .int32(-1) // no replica
      .int32(request.maxWaitMs)
      .int32(request.minBytes)
      .int32(request.maxBytes)
      .int8(request.isolation === "read_committed" ? 1 : 0)
      .int32(0) // no session
      .int32(-1)
      .array(byTopic(request.partitions), ({ topic, items }) =>
        writer.string(topic).array(items, (item: FetchPartition) =>
          writer
            .int32(item.partition)
            .int32(item.leaderEpoch)
            .int64(item.fetchOffset)
            .int64(-1) // log start offset: only replicas know one
            .int32(item.maxBytes),
        ),
      )
      .int32(0) // forgotten topics
      .string(request.rack);
  },
  decode(reader) {
    reader.int32(); // throttle time
    const errorCode = reader.int16();
    reader.int32(); // session
    const topics = reader.array(() => {
      const topic = reader.string();
      return reader.array(() => partition(reader, topic));
    });
    return { errorCode, partitions: topics.flat() };
  },
};
