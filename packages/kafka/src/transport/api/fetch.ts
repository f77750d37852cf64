import { SourceError } from "@ingest-ts/core";
import type { AbortedTransaction, FetchedPartition, FetchPartition, FetchRequest } from "../types.ts";
import { byTopic, type WireReader, type WireWriter } from "../wire.ts";
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

/** From here on topics are named by id, and versions are flexible: compact lengths and tagged fields. */
const BY_ID = 13;

function aborted(reader: WireReader): AbortedTransaction {
  return { producerId: reader.bigint(), firstOffset: reader.int64() };
}

function abortedById(reader: WireReader): AbortedTransaction {
  const one = aborted(reader);
  reader.tags();
  return one;
}

function partition(reader: WireReader, topic: string, byId: boolean): FetchedPartition {
  const answer = {
    topic,
    partition: reader.int32(),
    errorCode: reader.int16(),
    highWatermark: reader.int64(),
    lastStableOffset: reader.int64(),
    logStartOffset: reader.int64(),
    aborted: byId ? reader.compactArray(() => abortedById(reader)) : reader.array(() => aborted(reader)),
    preferredReadReplica: reader.int32(),
    records: byId ? reader.compactBytes() : reader.bytes(),
  };
  if (byId) reader.tags();
  return answer;
}

function writeHead(writer: WireWriter, request: RackFetchRequest): void {
  writer
    .int32(-1) // no replica
    .int32(request.maxWaitMs)
    .int32(request.minBytes)
    .int32(request.maxBytes)
    .int8(request.isolation === "read_committed" ? 1 : 0)
    .int32(0) // no session
    .int32(-1);
}

function writeById(writer: WireWriter, request: RackFetchRequest): void {
  writer.int8(0); // tagged fields of the header
  writeHead(writer, request);
  writer.compactArray(byTopic(request.partitions), ({ items }) =>
    writer
      .uuid(items[0]?.topicId ?? "")
      .compactArray(items, (item: FetchPartition) =>
        writer
          .int32(item.partition)
          .int32(item.leaderEpoch)
          .int64(item.fetchOffset)
          .int32(-1) // last fetched epoch: only replicas tell it
          .int64(-1) // log start offset: the same
          .int32(item.maxBytes)
          .int8(0),
      )
      .int8(0),
  );
  writer.uvarint(1).compactString(request.rack).int8(0); // no forgotten topics
}

function writeByName(writer: WireWriter, request: RackFetchRequest): void {
  writeHead(writer, request);
  writer
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
}

function nameOf(id: string, request: RackFetchRequest): string {
  const topic = request.partitions.find(({ topicId }) => topicId === id)?.topic;
  if (topic !== undefined) return topic;
  throw new SourceError(`a broker answers for topic ${id}, which was not asked for`, {
    reason: "Corrupt",
    retryable: true,
  });
}

/** Fetch: record batches as they are stored. */
export const fetchApi: Api<RackFetchRequest, FetchResponse> = {
  name: "Fetch",
  key: 1,
  versions: [BY_ID, 11],
  accepts: ({ partitions }, version) => version < BY_ID || partitions.every(({ topicId }) => topicId !== null),
  encode(writer, request, version) {
    if (version >= BY_ID) writeById(writer, request);
    else writeByName(writer, request);
  },
  decode(reader, version, request) {
    const byId = version >= BY_ID;
    if (byId) reader.tags();
    reader.int32(); // throttle time
    const errorCode = reader.int16();
    reader.int32(); // session
    const topic = (): FetchedPartition[] => {
      const name = byId ? nameOf(reader.uuid(), request) : reader.string();
      const partitions = byId
        ? reader.compactArray(() => partition(reader, name, true))
        : reader.array(() => partition(reader, name, false));
      if (byId) reader.tags();
      return partitions;
    };
    const topics = byId ? reader.compactArray(topic) : reader.array(topic);
    if (byId) reader.tags();
    return { errorCode, partitions: topics.flat() };
  },
};
