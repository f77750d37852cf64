import { typeName } from "@ingest-ts/core";
import type { DatasetInfo, SchemaDifference } from "@ingest-ts/readers";
import { skippedText } from "../input/options.ts";
import { visible } from "./visible.ts";

const SHOWN_DIFFERENCES = 20;
const SHOWN_FILES = 3;
const WIDTH = 80;

/** What sets the files of a data set apart, in a bounded number of lines. */
export function datasetText({ listing, differences }: DatasetInfo): string {
  const lines: string[] = [];
  const { hidden, empty } = listing.skipped;
  if (hidden + empty > 0) lines.push(skippedText(listing.skipped));
  if (differences.length > 0) lines.push("files differ:");
  for (const difference of differences.slice(0, SHOWN_DIFFERENCES)) lines.push(...differenceLines(difference));
  const more = differences.length - SHOWN_DIFFERENCES;
  if (more > 0) lines.push(`  and ${more} more differences (--json shows all)`);
  return lines.map((line) => `${visible(line)}\n`).join("");
}

/** One line where it fits, else one more for each file. */
function differenceLines({ column, kind, type, united, files }: SchemaDifference): string[] {
  const what = {
    missing: "missing, null",
    type: type === undefined || united === undefined ? "" : widened(typeName(type), typeName(united)),
    nullability: "not null here",
    order: "in another order",
  }[kind];
  const line = `  ${column}: ${what}, in ${filesText(files)}`;
  if (line.length <= WIDTH) return [line];
  const shown = files.slice(0, SHOWN_FILES).map((file) => `    ${file}`);
  const rest = files.length - SHOWN_FILES;
  const count = files.length === 1 ? "" : ` ${files.length} files:`;
  return [`  ${column}: ${what}, in${count}`, ...shown, ...(rest > 0 ? [`    and ${rest} more`] : [])];
}

/** Nested types may differ below what one line shows. */
function widened(from: string, to: string): string {
  return from === to ? `${from}, widened in its items or fields` : `${from}, widened to ${to}`;
}

function filesText(files: readonly string[]): string {
  const rest = files.length - SHOWN_FILES;
  const shown = files.slice(0, SHOWN_FILES).join(", ");
  return rest > 0 ? `${files.length} files (${shown} and ${rest} more)` : shown;
}

/** The same for programs, whole. */
export function datasetJson({ listing, formats, differences }: DatasetInfo): object {
  return { files: listing.files.length, skipped: listing.skipped, formats, differences };
}
