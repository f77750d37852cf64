import type { ClusterInfo, ListedOffset, OffsetQuery, Transport } from "@ingest-ts/kafka";
import { expect, test } from "vitest";
import { offsetsAt, partitionsOf } from "../../src/kafka/cluster.ts";

const NOT_LEADER = 6;

/** A cluster whose leader of partition 0 is known late: none at first, then one that is none any more, then broker 3. */
function movingCluster(): { readonly transport: Transport; readonly asked: number[] } {
  const leaders = [-1, 2, 3];
  const asked: number[] = [];
  const metadata = async (): Promise<ClusterInfo> => {
    const leader = leaders.length > 1 ? (leaders.shift() as number) : 3;
    const partition = { topic: "t", partition: 0, leader, leaderEpoch: 0, replicas: [2, 3], inSync: [2, 3] };
    const topic = { name: "t", errorCode: 0, internal: false, partitions: [partition] };
    return { clusterId: "c", controllerId: 2, brokers: [], topics: [topic] } as unknown as ClusterInfo;
  };
  const listOffsets = async (leader: number, queries: readonly OffsetQuery[]): Promise<readonly ListedOffset[]> => {
    asked.push(leader);
    return queries.map(({ topic, partition }) => {
      const errorCode = leader === 3 ? 0 : NOT_LEADER;
      return { topic, partition, errorCode, offset: 42, timestampMs: -1, leaderEpoch: 0 };
    });
  };
  return { transport: { url: "kafka://b", metadata, listOffsets } as unknown as Transport, asked };
}

test("offsets are asked of whoever leads by then", async () => {
  const { transport, asked } = movingCluster();
  const partitions = await partitionsOf(transport, ["t"]);
  const offsets = await offsetsAt(transport, partitions, "latest", "read_committed");
  expect([...offsets]).toEqual([["t/0", 42]]);
  expect(asked).toEqual([2, 3]);
});
