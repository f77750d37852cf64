import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { channels, type SourceOpened } from "@ingest-ts/core";

/** How often `body` opened files of a data set. */
export interface Opens {
  readonly files: number;
  /** Of the file that was opened most often. */
  readonly most: number;
}

/** Counts the opened files whose names have not one of ours (manifests and indices). */
export async function opensOf(body: () => Promise<void>): Promise<Opens> {
  const counts = new Map<string, number>();
  const note = (message: unknown): void => {
    const { url } = message as SourceOpened;
    if (!url.includes(".ingest-index") && !url.includes("_ingest-manifest") && !url.endsWith(".schema.json"))
      counts.set(url, (counts.get(url) ?? 0) + 1);
  };
  subscribe(channels.sourceOpened.name, note);
  try {
    await body();
  } finally {
    unsubscribe(channels.sourceOpened.name, note);
  }
  return { files: counts.size, most: Math.max(0, ...counts.values()) };
}
