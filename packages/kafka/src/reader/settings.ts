import { setMaxListeners } from "node:events";
import { defaultLimits, OptionsError } from "@ingest-ts/core";
import { isTopicName } from "../connection.ts";
import { DEFAULT_RETRY_MS } from "../transport/retry.ts";
import type { KafkaOptions } from "./types.ts";

const MiB = 1024 * 1024;

/** What both modes share, with defaults. */
export interface Settings {
  /** Sorted. */
  readonly topics: readonly string[];
  readonly isolation: "read_committed" | "read_uncommitted";
  readonly onDataLoss: "fail" | "earliest" | "latest";
  readonly onRemoved: "allow" | "fail";
  readonly bytesInFlight: number;
  readonly partitionBytes: number;
  readonly slabRows: number;
  readonly slabBytes: number;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly batchBytes: number;
  readonly discoveryIntervalMs: number;
  readonly retryTimeoutMs: number;
}

function number(name: string, value: number | undefined, otherwise: number, least: number): number {
  const chosen = value ?? otherwise;
  if (Number.isSafeInteger(chosen) && chosen >= least && chosen <= 0x7fffffff) return chosen;
  throw new OptionsError(`${name} is ${chosen}`, { remedy: `Give a whole number from ${least} on, below 2^31.` });
}

/** A number of milliseconds, bytes or rows among the options. @throws OptionsError */
export { number as wholeNumber };

/** @throws OptionsError */
export function settingsOf(options: KafkaOptions): Settings {
  const topics = [...new Set(options.topics)].toSorted();
  if (topics.length === 0) throw new OptionsError("no topics are given", { remedy: "Name one at least." });
  for (const topic of topics) {
    if (!isTopicName(topic)) throw new OptionsError(`"${topic}" is no topic's name`, { remedy: "Correct it." });
  }
  return {
    topics,
    isolation: options.isolation ?? "read_committed",
    onDataLoss: options.onDataLoss ?? "fail",
    onRemoved: options.onRemoved ?? "allow",
    bytesInFlight: number("bytesInFlight", options.bytesInFlight, 64 * MiB, 1),
    partitionBytes: number("partitionBytes", options.partitionBytes, 4 * MiB, 1),
    slabRows: number("slabRows", options.slabRows, 65_536, 1),
    slabBytes: number("slabBytes", options.slabBytes, 16 * MiB, 1),
    maxWaitMs: number("maxWaitMs", options.maxWaitMs, 500, 0),
    minBytes: number("minBytes", options.minBytes, 1, 0),
    batchBytes: number("batchBytes", options.batchBytes, defaultLimits.pageBytes, 1),
    discoveryIntervalMs: number("discoveryIntervalMs", options.discoveryIntervalMs, 300_000, 0),
    retryTimeoutMs: options.connection.retryTimeoutMs ?? DEFAULT_RETRY_MS,
  };
}

/**
 * A reader's own signal, which fires with the caller's too. Every request under way listens to it: Node takes more than ten
 * listeners for a leak.
 */
export function readerSignal(control: AbortController, given: AbortSignal | undefined): AbortSignal {
  const signal = given === undefined ? control.signal : AbortSignal.any([control.signal, given]);
  setMaxListeners(0, signal);
  return signal;
}
