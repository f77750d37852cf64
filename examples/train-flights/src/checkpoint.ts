import { open, readFile, rename } from "node:fs/promises";
import type { StateDict } from "@ingest-ts/core";

/** Model and place in the data, saved together: neither is worth anything without the other. */
export interface Checkpoint {
  readonly steps: number;
  readonly weights: readonly number[];
  readonly data: StateDict;
}

/** A process that dies here leaves the old checkpoint or the new one, never a part of one. */
export async function saveCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const unfinished = `${path}.${process.pid}.tmp`;
  const file = await open(unfinished, "w");
  try {
    await file.writeFile(JSON.stringify(checkpoint));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}

/** undefined when there is none yet. */
export async function readCheckpoint(path: string): Promise<Checkpoint | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Checkpoint;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
