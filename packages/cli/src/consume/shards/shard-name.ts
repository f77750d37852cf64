/** Digits of an offset in a name: names in byte order are then in the order of offsets. */
const OFFSET_DIGITS = 20;

/** The folder of the entries about shards. Data sets pass over names that begin with `_`. */
const ENTRIES = "_shards";

/** How keys and values are read; one for all topics. */
export const COLUMNS_NAME: string = `${ENTRIES}/columns.json`;

/** An offset in so many digits that any has room. */
export function digits(offset: number): string {
  return String(offset).padStart(OFFSET_DIGITS, "0");
}

/** A shard is named by where it begins: whoever begins there again replaces it. */
export function shardName(topic: string, partition: number, startOffset: number, extension: string): string {
  return `${topic}/${partition}/${digits(startOffset)}${extension}`;
}

/** The folder of the entries of one partition. */
export function entriesFolder(topic: string, partition: number): string {
  return `${ENTRIES}/${topic}/${partition}`;
}

/** The entry about the shard that begins there. */
export function entryName(topic: string, partition: number, startOffset: number): string {
  return `${entriesFolder(topic, partition)}/${digits(startOffset)}.json`;
}

/** Where the shard begins whose entry has this file name; undefined for other names. */
export function startOfEntry(name: string): number | undefined {
  const match = /^(\d{20})\.json$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}
