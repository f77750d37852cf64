import { childFields, type Field } from "@ingest-ts/core";
import { open, type Reader } from "@ingest-ts/readers";
import type { Command } from "commander";
import { formatOption, type InputFlags, readInputFlags, schemaOption } from "../input/options.ts";
import { openOutput } from "../output/rows-out.ts";
import { isNested, typeText } from "../output/type-text.ts";
import { visible } from "../output/visible.ts";
import { withSignals } from "../process/signals.ts";

const examples = `
Examples:
  ingest schema flights.parquet
  ingest schema flights.parquet --json
`;

const explanation = `
Prints the Arrow type of every column, fields of nested types indented below it, and
which cannot be null. --json prints {url, format, rows, fragments, schema} on one line;
rows is null when only reading the file would tell.`;

interface SchemaFlags extends InputFlags {
  readonly json?: boolean;
}

/** Adds `ingest schema` to the program. */
export function registerSchema(program: Command): void {
  program
    .command("schema")
    .description("print the columns and their Arrow types")
    .argument("<uri>", "a path or URL of one file")
    .option("--json", "for programs")
    .addOption(schemaOption())
    .addOption(formatOption())
    .addHelpText("before", examples)
    .addHelpText("after", explanation)
    .action((uri: string, flags: SchemaFlags) => withSignals((signal) => schema(uri, flags, signal)));
}

async function schema(uri: string, flags: SchemaFlags, signal: AbortSignal): Promise<void> {
  const reader = await open(uri, await readInputFlags(flags, signal));
  try {
    const sink = await openOutput(undefined);
    await sink.write(new TextEncoder().encode(flags.json === true ? jsonText(reader) : describe(reader)));
    await sink.close();
  } finally {
    await reader.close();
  }
}

function jsonText({ url, format, rows, fragments, schema }: Reader): string {
  return `${JSON.stringify({ url, format, rows: rows ?? null, fragments: fragments.length, schema })}\n`;
}

function describe(reader: Reader): string {
  const rows = reader.rows === undefined ? "rows unknown until read" : plural(reader.rows, "row");
  const lines = reader.schema.fields.flatMap((field) => fieldLines(field, 0));
  const width = lines.reduce((most, [name]) => Math.max(most, name.length), 0);
  const text = lines.map(([name, type]) => `${name.padEnd(width)}  ${type}\n`);
  const fragments = plural(reader.fragments.length, "fragment");
  return `${visible(reader.url)}: ${reader.format}, ${rows}, ${fragments}\n${text.join("")}`;
}

function plural(count: number, what: string): string {
  return `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`;
}

function fieldLines(field: Field, level: number): [name: string, type: string][] {
  const name = `${"  ".repeat(level)}${visible(field.name) || '""'}`;
  const type = visible(`${typeText(field.type)}${field.nullable ? "" : " not null"}`);
  const below = isNested(field) ? childFields(field.type) : [];
  return [[name, type], ...below.flatMap((child) => fieldLines(child, level + 1))];
}
