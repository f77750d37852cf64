import {
  addWhere,
  bindPredicate,
  type BoundPredicate,
  type ColumnPath,
  type Field,
  OptionsError,
  type Predicate,
  predicateColumns,
  type Projection,
  projection,
  resolveColumn,
  type Schema,
} from "@ingest-ts/core";
import type { Skipped } from "@ingest-ts/readers";
import { probe } from "@ingest-ts/storage";
import { buildManifest, type Manifest, type SegmentBy } from "@ingest-ts/sharder";
import { type DatasetObject, openObject } from "./dataset-object.ts";
import { openGiven, urlOf } from "./given-objects.ts";
import { openListing } from "./listed-objects.ts";
import type { LoadOptions, ObjectInput } from "./options.ts";
import { mergeSchemas } from "./schemas.ts";

/** Every object known, their rows counted, nothing decoded yet. */
export interface Dataset {
  readonly manifest: Manifest;
  /** By `FragmentRef.object`. */
  readonly objects: readonly DatasetObject[];
  /** What slabs have: the columns of a batch and those that only the predicate looks at. */
  readonly readSchema: Schema;
  /** What batches have, before `ingest_valid`. */
  readonly schema: Schema;
  /** From the columns that are read to those of a batch; undefined: all. */
  readonly output: Projection | undefined;
  readonly where: BoundPredicate | undefined;
  readonly skipped: Skipped;
  close(): Promise<void>;
}

/** The parts of a data set before columns and predicate are decided. */
export interface DatasetParts {
  readonly manifest: Manifest;
  readonly objects: readonly DatasetObject[];
  readonly readSchema: Schema;
  /** What a listing passed over; none of objects that were named. */
  readonly skipped: Skipped;
  close(): Promise<void>;
}

/** To read: the columns of a batch and those that only the predicate looks at; undefined: all. */
function readColumns(
  columns: readonly ColumnPath[] | undefined,
  where: Predicate | undefined,
): readonly ColumnPath[] | undefined {
  if (columns === undefined) return undefined;
  const known = new Set(columns.map((path) => JSON.stringify(path)));
  const tested = where === undefined ? [] : predicateColumns(where);
  return [...columns, ...tested.filter((path) => !known.has(JSON.stringify(path)))];
}

function outputOf(schema: Schema, columns: readonly ColumnPath[] | undefined): Projection | undefined {
  if (columns === undefined) return undefined;
  const output = projection(
    schema,
    columns.map((path) => resolveColumn(path, schema, true).path),
  );
  const same = (a: readonly Field[], b: readonly Field[]): boolean => JSON.stringify(a) === JSON.stringify(b);
  return same(output.schema.fields, schema.fields) ? undefined : output;
}

/** Decides columns and predicate. @throws OptionsError for a column that is not there, or that cannot be compared */
export function withColumns(
  parts: DatasetParts,
  columns: readonly ColumnPath[] | undefined,
  where: Predicate | undefined,
): Dataset {
  const { readSchema } = parts;
  const output = outputOf(readSchema, columns);
  return {
    ...parts,
    schema: output?.schema ?? readSchema,
    output,
    where: where === undefined ? undefined : bindPredicate(where, readSchema),
  };
}

async function openInputs(
  inputs: readonly ObjectInput[],
  columns: readonly ColumnPath[] | undefined,
  where: Predicate | undefined,
  options: LoadOptions,
  segmentBy: SegmentBy | undefined,
): Promise<DatasetParts> {
  const given = await openGiven(inputs, columns, where, options);
  const { objects } = given;
  const close = (): Promise<void> => given.close();
  try {
    const manifest = buildManifest(
      objects.map(({ object }) => object),
      segmentBy,
    );
    const byName = new Map(objects.map((each) => [each.object.name, each]));
    const inOrder = manifest.objects.map(({ name }) => byName.get(name)).filter((each) => each !== undefined);
    const skipped = { hidden: 0, empty: 0 };
    return {
      manifest,
      objects: inOrder.map(openObject),
      readSchema: mergeSchemas(inOrder.map(({ reader }) => reader)),
      skipped,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** One file by itself has no other to be united with: its columns may even share a name. */
async function isOneFile(urls: readonly string[], signal: AbortSignal | undefined): Promise<boolean> {
  return urls.length === 1 && (await probe(urls[0] as string, { signal })) === "one";
}

/**
 * Finds out which rows there are, exactly: from the kept manifest where there is one, else by opening every object once
 * (and building the index of a row format where it has none).
 *
 * @throws OptionsError, SourceError, FormatError, UnsupportedError
 */
export async function openDataset(
  options: LoadOptions,
  where: Predicate | undefined,
  segmentBy: SegmentBy | undefined,
): Promise<Dataset> {
  const inputs = Array.isArray(options.source)
    ? (options.source as readonly ObjectInput[])
    : [options.source as ObjectInput];
  if (inputs.length === 0) throw new OptionsError("source names no object", { remedy: "Name one file or more." });
  const columns = readColumns(options.columns, where);
  const urls = inputs.filter((input) => typeof input === "string");
  try {
    const listed = urls.length === inputs.length && !(await isOneFile(urls, options.signal));
    const parts = listed
      ? await openListing(urls, columns, where, options, segmentBy)
      : await openInputs(inputs, columns, where, options, segmentBy);
    try {
      return withColumns(parts, options.columns, where);
    } catch (error) {
      await parts.close();
      throw error;
    }
  } catch (error) {
    throw inputs.length === 1 ? addWhere(error, { url: urlOf(inputs[0] as ObjectInput) }) : error;
  }
}
