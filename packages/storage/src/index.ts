import { type ByteSource, openSource as openBy, type ReadOptions, type SchemeTable } from "@ingest-ts/core";

export { isMissing } from "./file-errors.ts";
export { fileSink } from "./file-sink.ts";
export { absoluteRange, planReads, type PlannedRead, type PlanOptions } from "./plan-ranges.ts";

/** Every scheme that this package opens. Add a row to add a store. */
export const schemes: SchemeTable = {
  file: () => import("./file.ts"),
};

/** Opens a plain path or a URL. @throws SourceError when it cannot be opened, OptionsError for an unknown scheme. */
export function openSource(url: string, options: ReadOptions = {}): Promise<ByteSource> {
  return openBy(url, schemes, options);
}
