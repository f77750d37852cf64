import { type DataWorld, worldText } from "@ingest-ts/core";

const told = new Set<string>();

/**
 * Says on stderr who reads, `world: rank 3 of 8 (torchrun)`, when the environment told it and the caller did not: eight
 * processes that each take themselves for rank 0 of 1 look like a run that works. Each answer once per process.
 */
export function tellWorld(world: DataWorld): void {
  const text = worldText(world);
  if (world.source === "explicit" || told.has(text)) return;
  told.add(text);
  process.stderr.write(`world: ${text}\n`);
}
