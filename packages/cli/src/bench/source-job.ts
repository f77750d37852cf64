import { type Columns, OptionsError, type Schema, type Slab, sliceRows } from "@ingest-ts/core";
import { open } from "@ingest-ts/readers";
import { inputOf } from "../input/options.ts";
import { arrowBytes } from "./arrow-bytes.ts";
import { TableDigest } from "./digest.ts";
import type { SourceFacts, SourceSpec, SourceTask } from "./protocol.ts";
import { type Report, stepReporter } from "./step.ts";

/** Reads the source once: its schema, size and digest, which every format is held against. */
export async function runSourceTask(task: SourceTask, report: Report): Promise<SourceFacts> {
  const count = stepReporter(report, "reading the source");
  let schema: Schema | undefined;
  let digest: TableDigest | undefined;
  let rows = 0;
  const bytes: number[] = [];
  const end = { more: false };
  for await (const slab of sourceSlabs(task.source, end)) {
    schema ??= slab.schema;
    digest ??= new TableDigest(schema);
    digest.add(slab);
    slab.columns.forEach((column, i) => {
      bytes[i] = (bytes[i] ?? 0) + arrowBytes({ rows: slab.rows, columns: [column] });
    });
    rows += slab.rows;
    count(rows);
  }
  if (schema === undefined || digest === undefined || rows === 0) {
    throw new OptionsError(`there are no rows in ${task.source.paths.join(", ")}`);
  }
  const projected = projectedColumns(schema, task.projected);
  const ofColumn = (name: string): number => bytes[fieldIndex(schema, name)] ?? 0;
  return {
    schema,
    rows,
    arrowBytes: Math.round(bytes.reduce((sum, n) => sum + n, 0)),
    projected,
    projectedArrowBytes: Math.round(projected.reduce((sum, name) => sum + ofColumn(name), 0)),
    digest: digest.finish(),
    more: end.more,
  };
}

function fieldIndex(schema: Schema, name: string): number {
  return schema.fields.findIndex((field) => field.name === name);
}

function projectedColumns(schema: Schema, asked: readonly string[] | undefined): readonly string[] {
  for (const name of asked ?? []) {
    if (fieldIndex(schema, name) >= 0) continue;
    throw new OptionsError(`--columns: there is no column "${name}"`, {
      remedy: `Choose from: ${schema.fields.map((field) => field.name).join(", ")}.`,
    });
  }
  return asked ?? schema.fields.slice(0, 2).map((field) => field.name);
}

/**
 * The rows of a source, in order, up to its limits. `end.more` tells afterwards whether rows were left.
 *
 * @throws OptionsError when the files cannot be united.
 */
export async function* sourceSlabs(source: SourceSpec, end: { more: boolean }): AsyncGenerator<Slab> {
  let rowsLeft = source.maxRows;
  let bytesLeft = source.maxArrowBytes;
  const reader = await open(inputOf(source.paths));
  try {
    const { schema } = reader;
    for await (const slab of reader.slabs()) {
      const taken = takeWithin(slab, rowsLeft, bytesLeft);
      rowsLeft -= taken.rows;
      bytesLeft -= arrowBytes(taken);
      if (taken.rows > 0) yield { ...taken, schema };
      if (taken.rows === slab.rows) continue;
      end.more = true;
      return;
    }
  } finally {
    await reader.close();
  }
}

function takeWithin(slab: Columns, rowsLeft: number, bytesLeft: number): Columns {
  const bytes = arrowBytes(slab);
  const rowsOfBytes = bytes <= bytesLeft ? slab.rows : Math.floor((slab.rows * bytesLeft) / bytes);
  const rows = Math.min(slab.rows, rowsLeft, rowsOfBytes);
  return rows === slab.rows ? slab : sliceRows(slab, 0, rows);
}
