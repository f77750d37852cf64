import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, it } from "vitest";
import { channel as silent } from "../src/channel/none.ts";
import { channels } from "../src/telemetry.ts";

it("channel names are a public contract", () => {
  expect(Object.fromEntries(Object.entries(channels).map(([key, { name }]) => [key, name]))).toEqual({
    sourceOpened: "ingest:source.opened",
    sourceRead: "ingest:source.read",
    storageRequest: "ingest:storage.request",
    storageRetry: "ingest:storage.retry",
    storageCache: "ingest:storage.cache",
    readerOpened: "ingest:reader.opened",
    fragmentRead: "ingest:fragment.read",
    kafkaFetched: "ingest:kafka.fetched",
    kafkaDecoded: "ingest:kafka.decoded",
    kafkaLag: "ingest:kafka.lag",
    kafkaGap: "ingest:kafka.gap",
    kafkaCorrupt: "ingest:kafka.corrupt",
    kafkaBuffered: "ingest:kafka.buffered",
    kafkaRebalance: "ingest:kafka.rebalance",
    kafkaCommit: "ingest:kafka.commit",
    kafkaRetry: "ingest:kafka.retry",
  });
});

it("reaches subscribers of node:diagnostics_channel", () => {
  const seen: unknown[] = [];
  const listener = (message: unknown): number => seen.push(message);
  expect(channels.sourceRead.hasSubscribers).toBe(false);
  subscribe("ingest:source.read", listener);
  expect(channels.sourceRead.hasSubscribers).toBe(true);
  const message = { url: "x", ranges: 1, requests: 1, askedBytes: 2, sizeBytes: 2, durationMs: 3 };
  channels.sourceRead.publish(message);
  unsubscribe("ingest:source.read", listener);
  expect(seen).toEqual([message]);
});

it("is silent elsewhere", () => {
  const none = silent<number>("x");
  expect([none.name, none.hasSubscribers, none.publish(1)]).toEqual(["x", false, undefined]);
});
