import { openAssign } from "./assign.ts";
import { openGroup } from "./group.ts";
import type { KafkaOptions, KafkaReader } from "./types.ts";

/**
 * Opens connections, learns partitions and freezes ends; nothing is fetched, and no group is joined, before the first
 * `next()`.
 *
 * @throws OptionsError, SourceError
 */
export function openKafka(options: KafkaOptions): Promise<KafkaReader> {
  return options.mode === "assign" ? openAssign(options) : openGroup(options);
}
