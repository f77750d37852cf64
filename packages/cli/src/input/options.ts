import { type ColumnPath, type FormatName, OptionsError, parseWhere, type Predicate } from "@ingest-ts/core";
import type { OpenOptions, Reader, Skipped } from "@ingest-ts/readers";
import { type Command, Option } from "commander";
import { readFileText } from "./read-text.ts";

/** What commander hands over for the options that every reading command shares. */
export interface InputFlags {
  readonly columns?: readonly ColumnPath[];
  readonly where?: string;
  readonly format?: FormatName;
  readonly schema?: string;
  readonly timestampUnit?: "us";
  readonly int96?: "utc" | "naive";
  readonly positionalNames?: readonly string[];
  readonly partitions?: boolean;
  readonly strictSchema?: boolean;
}

const formatNames: readonly FormatName[] = ["parquet", "orc", "avro", "tfrecord", "arrow"];

/** `a,b.c` as paths; a comma or dot inside double quotes belongs to the name. Repeating the option adds columns. */
export function collectColumns(text: string, earlier: readonly ColumnPath[] = []): readonly ColumnPath[] {
  const paths: ColumnPath[] = [];
  for (const item of splitOutsideQuotes(text, ",")) {
    const trimmed = item.trim();
    if (trimmed === "") continue;
    paths.push(trimmed.includes('"') ? splitOutsideQuotes(trimmed, ".").map(unquote) : trimmed);
  }
  return [...earlier, ...paths];
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts = [""];
  let quoted = false;
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    if (character === separator && !quoted) parts.push("");
    else parts[parts.length - 1] += character;
  }
  if (quoted) throw new OptionsError(`a quote is not closed in the columns ${text}`, { remedy: "Close it." });
  return parts;
}

function unquote(part: string): string {
  return part.length >= 2 && part.startsWith('"') && part.endsWith('"')
    ? part.slice(1, -1).replaceAll('""', '"')
    : part;
}

/** --columns, as paths for `open`. */
export const columnsOption = (): Option =>
  new Option("-c, --columns <names>", "only these columns, separated by commas, a.b for fields; may repeat").argParser(
    (text: string, earlier: readonly ColumnPath[] | undefined) => collectColumns(text, earlier),
  );

/** --where, as it is written; see `readInputFlags`. */
export const whereOption = (): Option =>
  new Option("-w, --where <condition>", "only rows that fit, as in \"delay > 60 and origin in ('LAX', 'SFO')\"");

/** --format, one of those that are read. */
export const formatOption = (): Option =>
  new Option("--format <name>", "the input's format, instead of recognising it").choices(formatNames);

/** --schema, the path of a JSON file. It stays text: integers past 2^53 are exact in it. */
export const schemaOption = (): Option =>
  new Option("--schema <file>", "what to read as: features of TFRecord, or a reader's schema of Avro (JSON)");

/** --timestamp-unit: how timestamps of Parquet are read. */
export const timestampUnitOption = (): Option =>
  new Option("--timestamp-unit <unit>", "Parquet's timestamps in microseconds, rounded down").choices(["us"]);

/** --int96: what Parquet's INT96 timestamps are. */
export const int96Option = (): Option =>
  new Option("--int96 <meaning>", "Parquet's INT96 timestamps are instants, or of no zone").choices(["utc", "naive"]);

/** --positional-names, for files of old Hive. */
const positionalNamesOption = (): Option =>
  new Option("--positional-names <names>", "what columns called _col0, _col1 … in ORC files of old Hive are").argParser(
    (text: string) => collectColumns(text).map((path) => (typeof path === "string" ? path : path.join("."))),
  );

/** --no-partitions: folders called name=value make no columns. */
export const partitionsOption = (): Option => new Option("--no-partitions", "folders called name=value are no columns");

/** --strict-schema: no widening, no missing columns. */
const strictSchemaOption = (): Option => new Option("--strict-schema", "refuse files whose schemas differ in any way");

/** The options that say how data is read, in every command that takes data sets. */
export function addDataOptions(command: Command): Command {
  const options = [schemaOption, timestampUnitOption, int96Option, formatOption, partitionsOption, strictSchemaOption];
  for (const option of options) command.addOption(option());
  return command;
}

/** The same of commands that `open` files, which may be old Hive's. */
export function addOpenOptions(command: Command): Command {
  return addDataOptions(command).addOption(positionalNamesOption());
}

/** How the files of a folder become one data set; for help texts. */
export const foldersHelp = `\
Files of a folder are taken in byte order of their names; those that begin with
_ or . and empty ones are passed over. Columns go by name: types are widened
where every value stays what it is, and missing columns are null. Folders called
name=value are columns.`;

/** What is opened: one path by itself, several as one data set. */
export function inputOf(uris: readonly string[]): string | readonly string[] {
  const [only] = uris;
  return only !== undefined && uris.length === 1 ? only : uris;
}

/** Tells on stderr which files of a data set were passed over. */
export function noteSkipped({ dataset }: Reader): void {
  if (dataset !== undefined) noteSkippedFiles(dataset.listing.skipped);
}

/** The same of a listing. */
export function noteSkippedFiles(skipped: Skipped): void {
  if (skipped.hidden + skipped.empty > 0) process.stderr.write(`ingest: ${skippedText(skipped)}\n`);
}

/** For example "passed over: 2 names that begin with _ or ., 1 empty file". */
export function skippedText({ hidden, empty }: Skipped): string {
  const parts: string[] = [];
  if (hidden > 0) parts.push(`${hidden} ${hidden === 1 ? "name that begins" : "names that begin"} with _ or .`);
  if (empty > 0) parts.push(`${empty} empty ${empty === 1 ? "file" : "files"}`);
  return `passed over: ${parts.join(", ")}`;
}

async function readDeclaredSchema(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const text = await readFileText(path);
  try {
    JSON.parse(text);
    return text;
  } catch (cause) {
    throw new OptionsError(`the schema is not JSON: ${(cause as Error).message}`, {
      where: { url: path },
      remedy: 'Write it like {"features": {"x": {"kind": "fixedLen", "dtype": "int64"}}}, or as an Avro schema.',
      cause,
    });
  }
}

/** The condition of --where. @throws OptionsError that shows the place. */
function readWhere(text: string | undefined): Predicate | undefined {
  return text === undefined ? undefined : parseWhere(text);
}

/** Options of `open` from the command line's. Everything that needs no file is checked first. */
export async function readInputFlags(flags: InputFlags, signal?: AbortSignal): Promise<OpenOptions> {
  const where = readWhere(flags.where);
  const schema = await readDeclaredSchema(flags.schema);
  return {
    columns: flags.columns,
    where,
    format: flags.format,
    schema,
    timestampUnit: flags.timestampUnit,
    int96: flags.int96,
    positionalNames: flags.positionalNames,
    partitions: flags.partitions === false ? "none" : "hive",
    strictSchema: flags.strictSchema,
    signal,
  };
}
