import { type Column, type JsonValue, OptionsError, publicUrl, type Schema, StateError } from "@ingest-ts/core";
import type { AssignOptions, EndAt, KafkaConnection, PartitionOffsets } from "@ingest-ts/kafka";
import type { DecodedSlab, PayloadOptions, PayloadReaderOptions } from "@ingest-ts/kafka/payload";
import { agreeOn, isMissing, readObject } from "@ingest-ts/storage";
import { digestOf } from "@ingest-ts/sharder";
import { plainColumns, plainSchema } from "../serve/plain-columns.ts";
import type { KafkaLoadOptions } from "./kafka-options.ts";
import type { PartitionPlace, PartitionSpan, SlabReader, SlabStream, StreamSlab } from "./window-source.ts";

type Kafka = typeof import("@ingest-ts/kafka");
type Payload = typeof import("@ingest-ts/kafka/payload");

/** @throws OptionsError naming the package when it is not installed */
async function loadKafka(): Promise<Kafka & Payload> {
  try {
    return { ...(await import("@ingest-ts/kafka")), ...(await import("@ingest-ts/kafka/payload")) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new OptionsError("reading from Kafka needs the package @ingest-ts/kafka", {
      remedy: "Install it (npm install @ingest-ts/kafka).",
      cause,
    });
  }
}

/** What is decided once for all processes that read a stream, and kept beside its seals. */
interface Agreement {
  readonly version: 1;
  /** What the decoders say of themselves: the columns. */
  readonly key: JsonValue;
  readonly value: JsonValue;
  /** Where the first window begins. */
  readonly begin: readonly PartitionPlace[];
  /** Of the topics, where brokers tell them: offsets of another topic of the name are other records. */
  readonly topicIds?: Readonly<Record<string, string>>;
  /** Where the stream ends; null: nowhere. */
  readonly end: readonly PartitionPlace[] | null;
}

const encoder = new TextEncoder();

/** Topics of Kafka as a stream of windows. */
export class KafkaStream implements SlabStream {
  readonly url: string;
  readonly digest: string;
  readonly schema: Schema;
  readonly #kafka: Kafka & Payload;
  readonly #read: Omit<AssignOptions, "start" | "end" | "mode">;
  readonly #payload: PayloadReaderOptions;
  readonly #agreement: Agreement;

  private constructor(parts: {
    readonly kafka: Kafka & Payload;
    readonly read: Omit<AssignOptions, "start" | "end" | "mode">;
    readonly payload: PayloadReaderOptions;
    readonly schema: Schema;
    readonly agreement: Agreement;
  }) {
    const { kafka, read, payload, schema, agreement } = parts;
    const { key, value } = agreement;
    const { topics, isolation = "read_committed" } = read;
    const { expand, onPoison = "fail" } = payload;
    this.#kafka = kafka;
    this.#read = read;
    this.#payload = payload;
    this.#agreement = agreement;
    this.schema = plainSchema(schema);
    this.url = kafka.kafkaUrl(read.connection.brokers, topics.join(","));
    this.digest = digestOf(JSON.stringify({ topics, isolation, key, value, expand, onPoison }));
  }

  /**
   * Opens the topics of a URL. Where nothing is agreed on yet, it is seen what the first records hold.
   *
   * @throws OptionsError, SourceError, StateError
   */
  static async open(url: string, options: KafkaLoadOptions, signal: AbortSignal | undefined): Promise<KafkaStream> {
    const kafka = await loadKafka();
    const { brokers, topics } = kafka.parseKafkaUrl(url);
    if (topics.length === 0) {
      throw new OptionsError("the URL names no topic", { remedy: "Write kafka://host:port/topic." });
    }
    const connection: KafkaConnection = { ...options.connection, brokers };
    const sorted = [...topics].sort();
    const read = { connection, topics: sorted, isolation: options.isolation, onDataLoss: "fail", signal } as const;
    const { keyAs = "raw", valueAs = "raw", expand, onPoison } = options;
    const asked: PayloadReaderOptions = { keyAs, valueAs, expand: expand ?? isExpanded(valueAs), onPoison };
    const home = `${options.seals.replace(/\/+$/, "")}/stream.json`;
    const agreement = (await readAgreement(home)) ?? (await agree(kafka, read, asked, options, home));
    const payload = {
      ...asked,
      keyAs: resumed(kafka, keyAs, agreement.key, home),
      valueAs: resumed(kafka, valueAs, agreement.value, home),
    };
    const known = { ...read, topicIds: agreement.topicIds };
    const probe = new kafka.PayloadReader(await kafka.openKafka({ ...known, mode: "assign" }), payload);
    try {
      return new KafkaStream({ kafka, read: known, payload, schema: await probe.schema(), agreement });
    } finally {
      await probe.close();
    }
  }

  begin(): Promise<readonly PartitionPlace[]> {
    return Promise.resolve(this.#agreement.begin);
  }

  async follow(from: readonly PartitionPlace[]): Promise<SlabReader> {
    const { end } = this.#agreement;
    if (end === null) return this.#open({ start: { offsets: offsetsOf(from), otherwise: "earliest" } });
    // Partitions that are new since have no end: they are not of this stream.
    const ends = new Map(end.map((place) => [`${place.topic}/${place.partition}`, place.offset]));
    const spans = from.flatMap((place): PartitionSpan[] => {
      const endOffset = ends.get(`${place.topic}/${place.partition}`);
      return endOffset === undefined || endOffset <= place.offset ? [] : [{ ...place, endOffset }];
    });
    return this.replay(spans);
  }

  async replay(spans: readonly PartitionSpan[]): Promise<SlabReader> {
    if (spans.length === 0) return { next: () => Promise.resolve(undefined), close: () => Promise.resolve() };
    const ends = spans.map((span) => ({ ...span, offset: span.endOffset }));
    const partitions: Record<string, number[]> = {};
    for (const { topic, partition } of spans) (partitions[topic] ??= []).push(partition);
    return this.#open({
      topics: Object.keys(partitions),
      partitions,
      start: { offsets: offsetsOf(spans) },
      end: { offsets: offsetsOf(ends) },
      discoveryIntervalMs: 0,
    });
  }

  async #open(options: Partial<AssignOptions>): Promise<SlabReader> {
    const { openKafka, PayloadReader } = this.#kafka;
    const source = await openKafka({ ...this.#read, ...options, mode: "assign" });
    const reader = new PayloadReader(source, this.#payload);
    return {
      next: async () => {
        const { value } = await reader.next();
        return value === undefined ? undefined : slabOf(value);
      },
      close: () => reader.close(),
    };
  }
}

/** Values that usually are structs. */
function isExpanded(valueAs: PayloadOptions): boolean {
  return ["json", "avro", "example"].includes(typeof valueAs === "string" ? valueAs : valueAs.as);
}

async function readAgreement(home: string): Promise<Agreement | undefined> {
  try {
    return parseAgreement(await readObject(home), home);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function parseAgreement(bytes: Uint8Array, home: string): Agreement {
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Agreement>;
    if (value.version === 1 && Array.isArray(value.begin) && value.end !== undefined) return value as Agreement;
  } catch {
    // Told below.
  }
  throw new StateError("this does not say where the stream begins", {
    where: { url: publicUrl(home) },
    remedy: "Restore it, or name another folder for seals.",
  });
}

async function agree(
  kafka: Kafka & Payload,
  read: Omit<AssignOptions, "start" | "end" | "mode">,
  payload: PayloadReaderOptions,
  { start, end }: KafkaLoadOptions,
  home: string,
): Promise<Agreement> {
  const source = await kafka.openKafka({ ...read, mode: "assign", start, end });
  const reader = new kafka.PayloadReader(source, payload);
  try {
    const begin = source.positions.map(({ topic, partition, position }) => ({ topic, partition, offset: position }));
    const ends = source.positions.map(({ topic, partition, end: at }) => ({ topic, partition, offset: at }));
    await reader.schema();
    const { key = null, value = null } = reader.stateDict();
    const bounded = isBounded(end);
    const { topicIds } = source;
    const own: Agreement = {
      version: 1,
      key,
      value,
      begin,
      topicIds,
      end: bounded ? (ends as PartitionPlace[]) : null,
    };
    return parseAgreement(await agreeOn(home, encoder.encode(`${JSON.stringify(own)}\n`)), home);
  } finally {
    await reader.close();
  }
}

const isBounded = (end: EndAt | undefined): boolean => end !== undefined && end !== "none";

function resumed(kafka: Payload, asked: PayloadOptions, resolved: JsonValue, home: string): PayloadOptions {
  const as = typeof asked === "string" ? asked : asked.as;
  const before = (resolved as { readonly as?: unknown }).as;
  if (as === before) return kafka.resumedOptions(asked, resolved);
  throw new StateError(`the stream was begun with ${String(before)}, and now it is ${as}`, {
    where: { url: publicUrl(home) },
    remedy: "Read keys and values as before, or name another folder for seals.",
  });
}

function offsetsOf(places: readonly PartitionPlace[]): PartitionOffsets {
  const offsets: Record<string, Record<number, number>> = {};
  for (const { topic, partition, offset } of places) (offsets[topic] ??= {})[partition] = offset;
  return offsets;
}

function slabOf(slab: DecodedSlab): StreamSlab {
  const { topic, partition, startOffset, endOffset, schema, columns } = slab;
  const at = schema.fields.findIndex(({ name }) => name === "kafkaOffset");
  const { data } = columns.columns[at] as Column;
  const bytes = data as Uint8Array;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const rowOffsets = Float64Array.from({ length: columns.rows }, (_, i) => Number(view.getBigInt64(i * 8, true)));
  return { topic, partition, startOffset, endOffset, rows: plainColumns(columns), rowOffsets };
}
