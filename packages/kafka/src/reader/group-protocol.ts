// What members of a consumer group tell each other, in version 0, which later ones only add to:
// https://kafka.apache.org/protocol#protocol_consumer_protocol (subscriptions and assignments of the classic protocol).
import type { TopicPartition } from "../transport/types.ts";
import { byTopic, WireReader, WireWriter } from "../transport/wire.ts";

/** Known by these names to other clients too; the group chooses one that all members have. */
export type Assignor = "roundrobin" | "range";

/** In the order preferred. */
export const assignors: readonly Assignor[] = ["roundrobin", "range"];

/** A subscription to topics. */
export function encodeSubscription(topics: readonly string[]): Uint8Array {
  const writer = new WireWriter().int16(0);
  writer.array(topics, (topic) => writer.string(topic));
  return writer.bytes(null).finish();
}

/** Topics of a subscription, of any version. */
export function decodeSubscription(bytes: Uint8Array): readonly string[] {
  const reader = new WireReader(bytes);
  reader.int16();
  return reader.array(() => reader.string());
}

/** The partitions of one member. */
export function encodeAssignment(partitions: readonly TopicPartition[]): Uint8Array {
  const writer = new WireWriter().int16(0);
  writer.array(byTopic(partitions), ({ topic, items }) =>
    writer.string(topic).array(items, ({ partition }) => writer.int32(partition)),
  );
  return writer.bytes(null).finish();
}

/** A member without partitions may get no bytes at all. */
export function decodeAssignment(bytes: Uint8Array): readonly TopicPartition[] {
  if (bytes.length === 0) return [];
  const reader = new WireReader(bytes);
  reader.int16();
  const topics = reader.array(() => {
    const topic = reader.string();
    return reader.array(() => ({ topic, partition: reader.int32() }));
  });
  return topics.flat();
}

/** A member as its leader sees it. */
export interface Subscriber {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly topics: readonly string[];
}

/** Static members keep their place however often they come back. */
function ordered(members: readonly Subscriber[]): Subscriber[] {
  const key = ({ memberId, instanceId }: Subscriber): string => instanceId ?? memberId;
  return members.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/**
 * Deals partitions to members: "roundrobin" one by one over all topics, "range" in runs topic by topic. Each partition of a
 * topic goes to exactly one of the members that subscribe to it.
 *
 * @param partitions by topic, then partition
 */
export function assign(
  assignor: Assignor,
  members: readonly Subscriber[],
  partitions: readonly TopicPartition[],
): ReadonlyMap<string, readonly TopicPartition[]> {
  const given = new Map<string, TopicPartition[]>(members.map(({ memberId }) => [memberId, []]));
  const inOrder = ordered(members);
  let turn = 0;
  for (const { topic, items } of byTopic(partitions)) {
    const takers = inOrder.filter(({ topics }) => topics.includes(topic));
    if (takers.length === 0) continue;
    for (const [i, item] of items.entries()) {
      const at = assignor === "range" ? Math.floor((i * takers.length) / items.length) : turn++ % takers.length;
      const taker = takers[at];
      if (taker !== undefined) given.get(taker.memberId)?.push({ topic: item.topic, partition: item.partition });
    }
  }
  return given;
}
