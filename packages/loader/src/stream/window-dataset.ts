import {
  columnBytes,
  type ColumnPath,
  type Columns,
  type Fragment,
  type Predicate,
  type Schema,
  type Slab,
  sliceRows,
} from "@ingest-ts/core";
import { type Dataset, withColumns } from "../dataset.ts";
import type { DatasetObject, FragmentReader } from "../dataset-object.ts";
import { SLAB_ROWS } from "../memory.ts";
import { manifestOfSeal, nameOfRange } from "./seal.ts";
import type { LoadedWindow } from "./window-source.ts";

const nothing = (): Promise<void> => Promise.resolve();

/** Rows in memory as an object of one fragment. */
function memoryObject(url: string, schema: Schema, rows: Columns): DatasetObject {
  const sizeBytes = columnBytes(rows);
  const fragment: Fragment = { url, ordinal: 0, rows: rows.rows, sizeBytes, plan: undefined };
  async function* fragmentSlabs(_: Fragment, options: Parameters<FragmentReader["fragmentSlabs"]>[1] = {}) {
    const [from, to] = options.rows ?? [0, rows.rows];
    for (let at = from; at < to; at += SLAB_ROWS) {
      options.signal?.throwIfAborted();
      const end = Math.min(to, at + SLAB_ROWS);
      const whole = at === 0 && end === rows.rows;
      yield { schema, ...(whole ? rows : sliceRows(rows, at, end)) } satisfies Slab;
    }
  }
  const reader: FragmentReader = { fragments: [fragment], fragmentSlabs, close: nothing };
  const same = (): Promise<FragmentReader> => Promise.resolve(reader);
  return {
    fragmentBytes: [sizeBytes],
    mayPass: true,
    acquire: same,
    release: nothing,
    openWhole: same,
    closeWhole: nothing,
  };
}

/** A window as a data set of one segment. @throws OptionsError for columns that are not there */
export function datasetOfWindow(
  { seal, parts }: LoadedWindow,
  schema: Schema,
  columns: readonly ColumnPath[] | undefined,
  where: Predicate | undefined,
): Dataset {
  const manifest = manifestOfSeal(seal);
  // Both are in the order of topics and partitions, and objects are in byte order of their names.
  const byName = new Map(
    seal.ranges
      .filter(({ rows }) => rows > 0)
      .map((range, i) => [nameOfRange(range), memoryObject(nameOfRange(range), schema, parts[i] as Columns)]),
  );
  const objects = manifest.objects.map(({ name }) => byName.get(name) as DatasetObject);
  const skipped = { hidden: 0, empty: 0 };
  return withColumns({ manifest, objects, readSchema: schema, skipped, close: nothing }, columns, where);
}
