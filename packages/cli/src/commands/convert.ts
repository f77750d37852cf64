import { OptionsError, publicUrl } from "@ingest-ts/core";
import { open } from "@ingest-ts/readers";
import { type Command, Option } from "commander";
import { prepareFolder, refuseExisting } from "../convert/output.ts";
import { type Conversion, type Converted, convertRows } from "../convert/run.ts";
import { type TargetFormat, targetOf, targetOptions, targets } from "../convert/targets.ts";
import {
  addOpenOptions,
  columnsOption,
  type InputFlags,
  inputOf,
  noteSkipped,
  readInputFlags,
  whereOption,
} from "../input/options.ts";
import { countParser } from "../input/order-options.ts";
import { sizeParser } from "../input/sizes.ts";
import { plural, sizeText } from "../output/quantities.ts";
import { visible } from "../output/visible.ts";
import { withSignals } from "../process/signals.ts";
import { Progress } from "../progress.ts";

const examples = `
Examples:
  ingest convert flights.parquet flights.orc
  ingest convert flights/ flights.avro --codec zstd       a folder into one file
  ingest convert big.orc shards/ --to parquet --shard-rows 1000000
  ingest convert a.parquet b.parquet --sort date,-delay --group-rows 100000
  ingest convert prices.parquet prices.tfrecord --lossy
`;

const explanation = `
Reads Parquet, ORC, Avro, TFRecord and Arrow IPC; writes the first four. The
output is there when all of it is complete, never in part. The Arrow schema is
kept in the file (TFRecord: in FILE.schema.json beside it), from which ingest
gives back the same types. Dictionaries are written as their values.

--codec   parquet: none, snappy, gzip, zstd (default: snappy)
          orc: none, zlib, snappy, zstd (default: zstd)
          avro: none, deflate, snappy, zstd (default: snappy)
          tfrecord: none, gzip (default: none; gzip for .gz)
--group-rows, --group-bytes   a row group (parquet) or stripe (orc) ends at so
          many rows or bytes of Arrow data, a block (avro) at so many bytes
--sort    the first column decides before the second; nulls last, NaN above all
          numbers, text by its bytes; equal rows keep their order. All rows are
          held in memory, at most --sort-memory of them; more are refused.

A value that the format cannot hold is an error that names column and type.
--lossy changes such columns, says so on stderr, and takes the first that fits:
  uint64    as decimal(20, 0) in orc and avro, always
  float64   as the nearest float32 in tfrecord (--float64 bits is exact: it
            writes the int64 with the same bits)
  others    as text, as cat --to csv prints it (nested values as JSON)
  names     what Avro's names cannot have becomes _
A finite number beyond float32, a null in a TFRecord list and a timestamp
outside of ORC's years 1677 to 2262 stay errors.`;

interface ConvertFlags extends InputFlags {
  readonly to?: TargetFormat;
  readonly codec?: string;
  readonly level?: number;
  readonly groupRows?: number;
  readonly groupBytes?: number;
  readonly shardRows?: number;
  readonly sort?: string;
  readonly sortMemory?: number;
  readonly float64: "refuse" | "bits";
  readonly lossy?: boolean;
  readonly overwrite?: boolean;
  readonly quiet?: boolean;
}

const SORT_BYTES = 1024 ** 3;

/** Adds `ingest convert` to the program. */
export function registerConvert(program: Command): void {
  addOpenOptions(
    program
      .command("convert")
      .description("write rows in another format, codec, layout or order")
      .argument("<uris...>", "files, folders or patterns to read, and last the file to write")
      .addOption(new Option("--to <format>", "what to write").choices(targets.map(({ format }) => format)))
      .option("--codec <name>", "how to compress")
      .addOption(new Option("--level <n>", "of the codec").argParser(countParser("--level", 0)))
      .addOption(new Option("--group-rows <n>", "rows of a group").argParser(countParser("--group-rows")))
      .addOption(new Option("--group-bytes <size>", "bytes of a group").argParser(sizeParser("--group-bytes")))
      .addOption(
        new Option("--shard-rows <n>", "files of n rows in a folder, the output").argParser(
          countParser("--shard-rows"),
        ),
      )
      .option("--sort <names>", "rows in the order of these columns; -name: descending")
      .addOption(new Option("--sort-memory <size>", "(default: 1GiB)").argParser(sizeParser("--sort-memory")))
      .addOption(new Option("--float64 <how>", "float64 in tfrecord").choices(["refuse", "bits"]).default("refuse"))
      .option("--lossy", "change what the format cannot hold, see below")
      .option("--overwrite", "replace the file that is there")
      .option("-q, --quiet", "no progress, no summary")
      .addOption(columnsOption())
      .addOption(whereOption()),
  )
    .addHelpText("before", examples)
    .addHelpText("after", explanation)
    .action((uris: string[], flags: ConvertFlags) => withSignals((signal) => convert(uris, flags, signal)));
}

async function convert(uris: readonly string[], flags: ConvertFlags, signal: AbortSignal): Promise<void> {
  const inputs = uris.slice(0, -1);
  const output = uris.at(-1) ?? "";
  if (inputs.length === 0) {
    throw new OptionsError("convert wants what to read and what to write", {
      remedy: "For example: ingest convert flights.parquet flights.orc",
    });
  }
  const shown = publicUrl(output);
  if (output === "-") {
    throw new OptionsError("convert writes files, not standard output", {
      remedy: "Name a file; ingest cat --to arrow writes a stream.",
    });
  }
  const target = targetOf(flags.to, output);
  const { codec, level, groupRows, groupBytes, float64, shardRows } = flags;
  const options = targetOptions(target, { codec, level, groupRows, groupBytes, float64 }, output);
  const inputOptions = await readInputFlags(flags, signal);
  if (shardRows === undefined && /[/\\]$/.test(output)) {
    throw new OptionsError("the output is a folder", {
      where: { url: shown },
      remedy: "Name a file, or say --shard-rows N.",
    });
  }
  const progress = new Progress({ stream: process.stderr, quiet: flags.quiet });
  const startedAt = performance.now();
  const passed = (): number => performance.now() - startedAt;
  const reader = await open(inputOf(inputs), inputOptions);
  let removeFolder = async (): Promise<void> => {};
  try {
    noteSkipped(reader);
    if (shardRows !== undefined) removeFolder = await prepareFolder(output);
    else if (flags.overwrite !== true) {
      await refuseExisting(output);
      if (target.beside !== undefined) await refuseExisting(`${output}${target.beside.suffix}`);
    }
    const conversion: Conversion = {
      target,
      options,
      shardRows,
      urlOf: (shard) => (shardRows === undefined ? output : shardUrl(output, shard, target.extensions[0] as string)),
      lossy: flags.lossy === true,
      sort: flags.sort,
      sortBytes: flags.sortMemory ?? SORT_BYTES,
      signal,
      onLossy: (changes) => {
        for (const change of changes) process.stderr.write(`ingest: lossy: ${visible(change)}\n`);
      },
      onHeld: (rows) => progress.update({ label: `${visible(shown)}: reading to sort`, rows, elapsedMs: passed() }),
      onRows: (rows) => progress.update({ label: visible(shown), rows, elapsedMs: passed() }),
    };
    const done = await convertRows(reader, conversion);
    progress.line(summary(done, visible(shown)));
  } catch (error) {
    progress.clear();
    await removeFolder();
    throw error;
  } finally {
    await reader.close();
  }
}

function shardUrl(folder: string, shard: number, extension: string): string {
  return `${folder.replace(/\/+$/, "")}/part-${String(shard).padStart(5, "0")}${extension}`;
}

function summary({ rows, files, sizeBytes }: Converted, shown: string): string {
  const where = files === 1 ? shown : `${plural(files, "file")} in ${shown}`;
  return `${where}: ${plural(rows, "row")}, ${sizeText(sizeBytes)}`;
}
