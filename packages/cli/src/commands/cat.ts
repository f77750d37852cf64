import { OptionsError, type Slab, sliceRows } from "@ingest-ts/core";
import { open, type OpenOptions, type Reader } from "@ingest-ts/readers";
import { type Command, Option } from "commander";
import {
  addOpenOptions,
  columnsOption,
  type InputFlags,
  inputOf,
  noteSkipped,
  readInputFlags,
  whereOption,
  foldersHelp,
} from "../input/options.ts";
import { addKafkaOptions, secretsHelp } from "../kafka/kafka-options.ts";
import { addPayloadOptions, payloadsHelp } from "../kafka/payload-options.ts";
import { addPlaceOptions } from "../kafka/places.ts";
import { isKafkaUri, openTopic, type TopicFlags, type TopicRows } from "../kafka/topic-rows.ts";
import { chooseFormat, createRowWriter, openOutput, type RowFormat, rowFormats } from "../output/rows-out.ts";
import type { RowWriter } from "../output/row-writer.ts";
import { breathe, withSignals } from "../process/signals.ts";

const examples = `
Examples:
  ingest cat flights.parquet --limit 10
  ingest cat flights.parquet --columns date,origin --where "delay > 60"
  ingest cat events.tfrecord --schema features.json --to csv > events.csv
  ingest cat flights.parquet --to arrow --output flights.arrow
  ingest cat flights/ --where "month = 2" --limit 5     a folder with month=1/ …
  ingest cat kafka://localhost:9092/flights --value-as json --from 2026-11-29
`;

const explanation = `
--to: a table on a terminal, otherwise JSON lines.
  jsonl  integers are bare digits at full precision; decimals, times (ISO 8601,
         without Z where there is no time zone), NaN and infinities are strings;
         binary is base64; maps are [[key, value], …]
  csv    RFC 4180; null is an empty field, an empty string ""; nested values are
         JSON
  table  fitted to the terminal; control characters are shown as escapes
  arrow  an Arrow IPC stream
In --where, text stands in single quotes and times are ISO 8601; column names
that are not plain words stand in double quotes; = != < <= > >= in, not in, is
null, and, or, not. Rows for which a condition is unknown (a comparison with
null) are left out. A column name with dots in it wins over the path it spells.
--output writes a temporary name and renames it: the file is there when it is
complete.
${foldersHelp}
Topics of Kafka are read up to their end as it is at the start: topic,
partition, kafkaOffset, timestamp, key, value, headers.`;

interface CatFlags extends InputFlags, TopicFlags {
  readonly limit?: number;
  readonly to?: RowFormat;
  readonly output?: string;
}

/** Adds `ingest cat` to the program. */
export function registerCat(program: Command): void {
  const command = addOpenOptions(
    program
      .command("cat")
      .description("print rows as a table, JSON lines, CSV or Arrow")
      .argument("<uri...>", "files, folders or patterns (*, ?, [a-z], {a,b}, **), or topics of Kafka")
      .addOption(columnsOption())
      .addOption(whereOption())
      .addOption(new Option("-n, --limit <n>", "at most n rows").argParser(parseLimit))
      .addOption(new Option("--to <format>", "how to print").choices(rowFormats))
      .option("-o, --output <file>", "write there instead of standard output"),
  )
    .addHelpText("before", examples)
    .addHelpText("after", explanation + payloadsHelp + secretsHelp);
  addKafkaOptions(addPayloadOptions(addPlaceOptions(command))).action((uris: string[], flags: CatFlags) =>
    withSignals((signal) => cat(uris, flags, signal)),
  );
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(limit)) return limit;
  throw new OptionsError(`--limit is "${text}"`, { remedy: "It must be a whole number, 0 or more." });
}

async function cat(uris: readonly string[], flags: CatFlags, signal: AbortSignal): Promise<void> {
  const format = chooseFormat(flags.to, flags.output !== undefined && flags.output !== "-");
  const options = await readInputFlags(flags, signal);
  // Few rows wanted: few rows decoded.
  const batchRows = flags.limit === undefined ? undefined : Math.max(1, Math.min(flags.limit, 65_536));
  const reader = await openRows(uris, flags, { ...options, batchRows });
  try {
    const sink = await openOutput(flags.output, signal);
    let writer: RowWriter | undefined;
    try {
      writer = await createRowWriter(format, sink, reader.schema);
      await copyRows(reader.slabs({ signal }), writer, flags.limit ?? Infinity);
      signal.throwIfAborted();
      await writer.finish();
      await sink.close();
    } catch (error) {
      await writer?.cut?.();
      await sink.abort();
      throw error;
    }
  } finally {
    await reader.close();
  }
}

async function openRows(uris: readonly string[], flags: CatFlags, options: OpenOptions): Promise<Reader | TopicRows> {
  const [first = ""] = uris;
  if (!uris.some(isKafkaUri)) {
    if (flags.from !== undefined || flags.until !== undefined) {
      throw new OptionsError("--from and --until are of topics of Kafka", { remedy: "Leave them out." });
    }
    const reader = await open(inputOf(uris), options);
    noteSkipped(reader);
    return reader;
  }
  if (uris.length > 1) {
    throw new OptionsError("topics of Kafka are read by themselves", {
      remedy: "Name one URL; it may have several topics: kafka://host:port/a,b.",
    });
  }
  return openTopic(first, flags, options);
}

/** At most `limit` rows. Ends the source as soon as they are there. */
async function copyRows(slabs: AsyncGenerator<Slab, void>, writer: RowWriter, limit: number): Promise<void> {
  let left = limit;
  if (left === 0) return;
  for await (const slab of slabs) {
    const rows = Math.min(left, slab.rows);
    await writer.write(rows === slab.rows ? slab : { ...slab, ...sliceRows(slab, 0, rows) });
    left -= rows;
    if (left === 0) return;
    await breathe();
  }
}
