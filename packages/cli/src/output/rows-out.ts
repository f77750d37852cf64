import { type ByteSink, OptionsError, type Schema } from "@ingest-ts/core";
import { createSink } from "@ingest-ts/storage";
import { stdoutSink } from "../process/stdout-sink.ts";
import type { RowWriter } from "./row-writer.ts";

/** What `cat --to` writes. */
export const rowFormats = ["table", "jsonl", "csv", "arrow"] as const;
export type RowFormat = (typeof rowFormats)[number];

const DEFAULT_WIDTH = 80;

/** Whether bold type and the like are wanted on `stream`: NO_COLOR, FORCE_COLOR and TERM=dumb are honoured. */
function colourWanted(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  if ((env["FORCE_COLOR"] ?? "") !== "" && env["FORCE_COLOR"] !== "0") return true;
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

/** Columns of the terminal, or of COLUMNS, or 80. */
export function terminalWidth(): number {
  const fromEnvironment = Number(process.env["COLUMNS"]);
  if (process.stdout.isTTY) return process.stdout.columns;
  return Number.isSafeInteger(fromEnvironment) && fromEnvironment > 0 ? fromEnvironment : DEFAULT_WIDTH;
}

/** Where rows go, in which format: a table for people, JSON lines for everything else, unless told otherwise. */
export function chooseFormat(to: RowFormat | undefined, toFile: boolean): RowFormat {
  const terminal = !toFile && process.stdout.isTTY;
  if (to === "arrow" && terminal) {
    throw new OptionsError("Arrow data is binary and would garble the terminal", {
      remedy: "Add --output FILE, or pipe it to a program.",
    });
  }
  return to ?? (terminal ? "table" : "jsonl");
}

/** The sink for `--output`: a file or object that appears when it is complete, or standard output. */
export async function openOutput(path: string | undefined, signal?: AbortSignal): Promise<ByteSink> {
  return path === undefined || path === "-" ? stdoutSink() : createSink(path, { signal });
}

/** A writer of `format`. Formats load when they are used. */
export async function createRowWriter(format: RowFormat, sink: ByteSink, schema: Schema): Promise<RowWriter> {
  switch (format) {
    case "arrow":
      return new (await import("./arrow.ts")).ArrowWriter(sink, schema);
    case "jsonl":
      return new (await import("./jsonl.ts")).JsonLinesWriter(sink, schema);
    case "csv":
      return new (await import("./csv.ts")).CsvWriter(sink, schema);
    case "table": {
      const { TableWriter } = await import("./table.ts");
      return new TableWriter(sink, schema, {
        width: terminalWidth(),
        bold: colourWanted(process.stdout, process.env),
        onHidden: (names) => process.stderr.write(hiddenText(names)),
      });
    }
  }
}

function hiddenText(names: readonly string[]): string {
  const listed = names.length > 8 ? `${names.slice(0, 8).join(", ")}, …` : names.join(", ");
  return `ingest: ${names.length} more columns do not fit: ${listed}. Choose with --columns, or use --to jsonl.\n`;
}
