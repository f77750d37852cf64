import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { type ByteSink, FormatError, type JsonValue, SourceError, StateError } from "@ingest-ts/core";
import { agreeOn, createSink, expand, isMissing, type SinkOptions } from "@ingest-ts/storage";
import { readFileText } from "../../input/read-text.ts";
import { COLUMNS_NAME, entriesFolder, entryName, startOfEntry } from "./shard-name.ts";

/** What is noted about a shard once it is visible. */
export interface ShardEntry {
  readonly version: 1;
  readonly topic: string;
  readonly partition: number;
  /** Of the topic, where brokers tell it: offsets of another one are other records. */
  readonly topicId?: string | undefined;
  readonly startOffset: number;
  /** Exclusive: where the next shard begins. */
  readonly endOffset: number;
  readonly rows: number;
  readonly sizeBytes: number;
  /** Below the output folder. */
  readonly name: string;
}

/** How keys and values are read, as the first records decided it: the same in all shards. */
export interface ShardColumns {
  readonly version: 1;
  /** What a payload decoder says of itself. */
  readonly key: JsonValue;
  readonly value: JsonValue;
}

/** The folder (or prefix of a bucket) that shards and the entries about them are written to. */
export class ShardStore {
  readonly #folder: string;
  readonly #isLocal: boolean;

  constructor(folder: string) {
    this.#folder = folder.replace(/\/+$/, "");
    this.#isLocal = !/^[a-z][a-z0-9+.-]+:/i.test(folder);
  }

  urlOf(name: string): string {
    return `${this.#folder}/${name}`;
  }

  /** A sink for a name below the folder. @throws SourceError when it cannot be written */
  async sink(name: string, options: SinkOptions = {}): Promise<ByteSink> {
    const url = this.urlOf(name);
    if (this.#isLocal) await mkdir(dirname(url), { recursive: true });
    return createSink(url, options);
  }

  /** What the shards that are there hold. @throws SourceError, FormatError */
  async columns(): Promise<ShardColumns | undefined> {
    const url = this.urlOf(COLUMNS_NAME);
    let text: string;
    try {
      text = await readFileText(url);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    try {
      const columns = JSON.parse(text) as Partial<ShardColumns>;
      if (columns.version === 1 && columns.key !== undefined && columns.value !== undefined) {
        return columns as ShardColumns;
      }
    } catch {
      // Told below.
    }
    throw new FormatError("this does not say how keys and values are read", {
      where: { url },
      remedy: "Restore it, or name another output folder.",
    });
  }

  /**
   * Decides what shards hold, unless it is decided.
   *
   * @throws SourceError when another consumer decided otherwise in this moment
   */
  async decide(columns: Omit<ShardColumns, "version">): Promise<void> {
    const own = `${JSON.stringify({ version: 1, ...columns })}\n`;
    const url = this.urlOf(COLUMNS_NAME);
    const agreed = await agreeOn(url, new TextEncoder().encode(own));
    if (new TextDecoder().decode(agreed) === own) return;
    throw new SourceError("another consumer saw other columns in its first records", {
      where: { url },
      remedy: "Start again: it is read then. Or declare the schema.",
      retryable: true,
    });
  }

  /** Writes a whole text. @throws SourceError when it cannot be written */
  async put(name: string, text: string): Promise<void> {
    const sink = await this.sink(name);
    try {
      await sink.write(new TextEncoder().encode(text));
      await sink.close();
    } catch (error) {
      await sink.abort();
      throw error;
    }
  }

  /** Notes a shard; the note replaces an earlier one of the same start. */
  note(entry: ShardEntry): Promise<void> {
    return this.put(entryName(entry.topic, entry.partition, entry.startOffset), `${JSON.stringify(entry)}\n`);
  }

  /**
   * What was noted of a partition last: a consumer without a group goes on from its end.
   *
   * @throws StateError for a note that is not of this partition, FormatError for one that is no note
   */
  async last(topic: string, partition: number): Promise<ShardEntry | undefined> {
    const expanded = await expand(this.urlOf(entriesFolder(topic, partition)));
    if (expanded.kind !== "folder") return undefined;
    let newest: { readonly start: number; readonly url: string } | undefined;
    for (const { path, url } of expanded.objects) {
      const start = startOfEntry(path);
      if (start !== undefined && (newest === undefined || start > newest.start)) newest = { start, url };
    }
    if (newest === undefined) return undefined;
    const entry = parseEntry(await readFileText(newest.url), newest.url);
    if (entry.topic === topic && entry.partition === partition && entry.startOffset === newest.start) return entry;
    throw new StateError(`the note is of ${entry.topic}, partition ${entry.partition}, from ${entry.startOffset}`, {
      where: { url: newest.url },
      remedy: "Name another output folder: this one holds other shards.",
    });
  }
}

function parseEntry(text: string, url: string): ShardEntry {
  const wrong = (cause?: unknown): FormatError =>
    new FormatError("this is no note about a shard", {
      where: { url },
      remedy: "Remove it: the shard before it is then the last one, and what follows is read again.",
      cause,
    });
  let entry: Partial<ShardEntry>;
  try {
    entry = JSON.parse(text) as Partial<ShardEntry>;
  } catch (error) {
    throw wrong(error);
  }
  const { version, startOffset, endOffset } = entry;
  if (version !== 1 || !Number.isSafeInteger(startOffset) || !Number.isSafeInteger(endOffset)) throw wrong();
  if ((endOffset as number) <= (startOffset as number)) throw wrong();
  return entry as ShardEntry;
}
