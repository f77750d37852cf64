import {
  bindPredicate,
  type Columns,
  evaluate,
  OptionsError,
  projectColumns,
  projection,
  resolveColumn,
  type Schema,
  type Slab,
  takeRows,
} from "@ingest-ts/core";
import type { Isolation, Transport } from "@ingest-ts/kafka";
import type { PayloadReader } from "@ingest-ts/kafka/payload";
import type { OpenOptions } from "@ingest-ts/readers";
import { asOffsets, offsetsAt, type OffsetTable, partitionsOf } from "./cluster.ts";
import { connectionOf, type KafkaFlags } from "./kafka-options.ts";
import { openRecords } from "./open-records.ts";
import { type PayloadFlags, payloadOptionsOf } from "./payload-options.ts";
import type { Place } from "./places.ts";

/** What commander hands over for topics read like files. */
export interface TopicFlags extends KafkaFlags, PayloadFlags {
  readonly from?: Place;
  readonly until?: Place;
}

/** Rows of a topic: what a command needs of a file's reader. */
export interface TopicRows {
  readonly schema: Schema;
  slabs(): AsyncGenerator<Slab, void>;
  close(): Promise<void>;
}

/** Whether `uri` names topics of Kafka. */
export function isKafkaUri(uri: string): boolean {
  return /^kafka:/i.test(uri);
}

/**
 * Opens what topics hold, and hold still, from `--from` (default earliest) until `--until` (default: the end as it is now).
 *
 * @throws OptionsError, SourceError
 */
export async function openTopic(
  uri: string,
  flags: TopicFlags,
  { columns, where, signal }: OpenOptions,
): Promise<TopicRows> {
  const { openTransport, parseKafkaUrl } = await import("@ingest-ts/kafka");
  const { brokers, topics } = parseKafkaUrl(uri);
  if (topics.length === 0) {
    throw new OptionsError("the URL names no topic", { remedy: "Write kafka://host:port/topic." });
  }
  const connection = await connectionOf(brokers, flags, process.env);
  const { from = "earliest", until = "latest" } = flags;
  if (until === "earliest") throw new OptionsError("--until earliest ends before it begins", { remedy: "Use latest." });
  const isolation = flags.isolation ?? "read_committed";
  const transport = openTransport(connection);
  let reader: PayloadReader;
  try {
    const payloads = await payloadOptionsOf(flags, process.env, transport);
    const span = await spanOf(transport, topics, from, until, isolation);
    reader = await openRecords({ mode: "assign", connection, topics, isolation, signal, ...span }, payloads);
  } catch (error) {
    await transport.close();
    throw error;
  }
  const close = async (): Promise<void> => {
    await reader.close();
    await transport.close();
  };
  try {
    const schema = await reader.schema();
    const bound = where === undefined ? undefined : bindPredicate(where, schema);
    const output =
      columns === undefined
        ? undefined
        : projection(
            schema,
            columns.map((path) => resolveColumn(path, schema, true).path),
          );
    const keep = (rows: Columns): Columns => {
      const handed = output === undefined ? rows : projectColumns(rows, output);
      if (bound === undefined) return handed;
      const mask = evaluate(bound, rows);
      const passing = Int32Array.from(mask.keys()).filter((i) => mask[i] === 1);
      return passing.length === rows.rows ? handed : takeRows(handed, passing);
    };
    const outputSchema = output?.schema ?? schema;
    async function* slabs(): AsyncGenerator<Slab, void> {
      for await (const slab of reader) {
        signal?.throwIfAborted();
        const { rows, columns: kept } = keep(slab.columns);
        if (rows > 0) yield { schema: outputSchema, rows, columns: kept };
      }
    }
    return { schema: outputSchema, slabs, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Where reading begins and ends: within what the log holds. @throws OptionsError for an offset that no partition has */
async function spanOf(
  transport: Transport,
  topics: readonly string[],
  from: Place,
  until: Place,
  isolation: Isolation,
): Promise<{ readonly start: PartitionSpan; readonly end: PartitionSpan }> {
  const partitions = await partitionsOf(transport, topics);
  const [starts, ends, first, last] = (await Promise.all(
    ([from, until, "earliest", "latest"] as const).map((place) => offsetsAt(transport, partitions, place, isolation)),
  )) as [OffsetTable, OffsetTable, OffsetTable, OffsetTable];
  for (const [name, place] of Object.entries({ from, until })) checkPlace(`--${name}`, place, first, last);
  const within = (table: OffsetTable): PartitionSpan => {
    const places = [...table].map(([key, offset]) => {
      return [key, Math.min(Math.max(offset, first.get(key) ?? 0), last.get(key) ?? 0)] as const;
    });
    return asOffsets(partitions, new Map(places));
  };
  return { start: within(starts), end: within(ends) };
}

type PartitionSpan = ReturnType<typeof asOffsets>;

/** Partitions are of different lengths, so that an offset may lie outside of some; outside of all it is a mistake. */
function checkPlace(option: string, place: Place, first: OffsetTable, last: OffsetTable): void {
  if (typeof place !== "object" || !("offset" in place)) return;
  const { offset } = place;
  const keys = [...first.keys()];
  if (keys.some((key) => offset >= (first.get(key) ?? 0) && offset <= (last.get(key) ?? 0))) return;
  const spans = keys.map((key) => `${first.get(key)} to ${last.get(key)}`);
  const shown = [...new Set(spans)].slice(0, 4).join(", ");
  throw new OptionsError(`${option} is ${offset}, and no partition has it: they go from ${shown}`, {
    remedy: "Name an offset that is there, a time, earliest or latest.",
  });
}
