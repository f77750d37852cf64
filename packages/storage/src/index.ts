import { type ByteSource, type ListOptions, openSource as openBy, type ReadOptions } from "@ingest-ts/core";
import { type Expanded, expandUrl, probeUrl } from "./list.ts";
import { schemes } from "./schemes.ts";

export { flushCache } from "./cache/shared-store.ts";
export { agreeOn, createOnce } from "./create-once.ts";
export { besideUrl } from "./beside-url.ts";
export { createSink } from "./create-sink.ts";
export type { SinkOptions } from "./sink-options.ts";
export { isMissing } from "./file-errors.ts";
export { fileSink } from "./file-sink.ts";
export type { Expanded } from "./list.ts";
export { readObject } from "./read-object.ts";
export { schemes } from "./schemes.ts";
export { type SideObjects, sideObjects } from "./side-objects.ts";
export { configureStorage, type S3Settings, type StorageSettings, storageSettings } from "./settings.ts";
export { absoluteRange, planReads, type PlannedRead, type PlanOptions } from "./plan-ranges.ts";

/** Opens a plain path or a URL. @throws SourceError when it cannot be opened, OptionsError for an unknown scheme. */
export function openSource(url: string, options: ReadOptions = {}): Promise<ByteSource> {
  return openBy(url, schemes, options);
}

/** What a path, URL or pattern stands for; see `Expanded`. @throws OptionsError, SourceError */
export function expand(input: string, options: ListOptions = {}): Promise<Expanded> {
  return expandUrl(input, schemes, options);
}

/**
 * Whether `input` names one object or, as a folder or pattern, any number of them; what is neither is taken for an
 * object that is missing. @throws OptionsError, SourceError
 */
export function probe(input: string, options: ReadOptions = {}): Promise<"one" | "many"> {
  return probeUrl(input, schemes, options);
}
