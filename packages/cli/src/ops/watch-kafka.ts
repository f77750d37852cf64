import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { channels } from "@ingest-ts/core";
import type { ConsumerMetrics } from "./metrics.ts";

/** The part of a channel that says its name and what comes. */
interface Named<T> {
  readonly name: string;
  publish(message: T): void;
}

/** Counts in `metrics` what readers of Kafka tell on their channels. @returns what ends it */
export function watchKafka(metrics: ConsumerMetrics): () => void {
  const ends: (() => void)[] = [];
  const on = <T>(channel: Named<T>, tell: (message: T) => void): void => {
    const listener = (message: unknown): void => tell(message as T);
    subscribe(channel.name, listener);
    ends.push(() => unsubscribe(channel.name, listener));
  };
  on(channels.kafkaFetched, ({ sizeBytes }) => metrics.fetched(sizeBytes));
  on(channels.kafkaGap, ({ cause, start, end }) => {
    // Records that were left out are counted as records.
    if (cause !== "skipped" && cause !== "deadLettered") metrics.gap(cause, end - start);
  });
  on(channels.kafkaLag, ({ topic, partition, lagRecords, lagMs }) =>
    metrics.lag(topic, partition, lagRecords, lagMs === undefined ? undefined : lagMs / 1000),
  );
  on(channels.kafkaCorrupt, () => metrics.corrupt());
  on(channels.kafkaBuffered, ({ sizeBytes }) => metrics.buffered(sizeBytes));
  on(channels.kafkaRebalance, ({ partitions, cause }) => metrics.assigned(partitions, cause === "joined"));
  on(channels.kafkaCommit, ({ outcome }) => metrics.commit(outcome));
  on(channels.kafkaRetry, ({ request }) => metrics.retry(request));
  return () => {
    for (const end of ends) end();
  };
}
