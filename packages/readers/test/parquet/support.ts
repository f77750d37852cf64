import { readFileSync } from "node:fs";
import { type Columns, concatRows, defaultLimits, type Limits, type Schema, type Select } from "@ingest-ts/core";
import { fromRecordBatch } from "@ingest-ts/core/arrow";
import { memorySource } from "@ingest-ts/core/testing";
import { tableFromIPC } from "apache-arrow";
import { parquet } from "../../src/parquet/index.ts";

const folder = new URL("../fixtures/parquet/", import.meta.url);

/** What generate.py wrote. */
export interface Fixture {
  readonly name: string;
  readonly expected: string;
  readonly rows: number;
}

export const fixtures: readonly Fixture[] = (
  JSON.parse(readFileSync(new URL("fixtures.json", folder), "utf8")) as { fixtures: Fixture[] }
).fixtures;

export function fixtureBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`${name}.parquet`, folder)));
}

/** The Arrow data that a fixture must decode to. */
export function expectedOf(file: string): { schema: Schema; columns: Columns } {
  const table = tableFromIPC(readFileSync(new URL(file, folder)));
  const slabs = table.batches.map((batch) => fromRecordBatch(batch));
  const first = slabs[0];
  if (first === undefined) throw new Error(`${file} has no batch`);
  return { schema: first.schema, columns: slabs.length === 1 ? first : concatRows(slabs) };
}

export interface ReadOptions {
  readonly columns?: readonly (readonly string[])[];
  readonly rows?: readonly [number, number];
  readonly batchRows?: number;
  readonly batchBytes?: number;
  readonly limits?: Partial<Limits>;
  /** As from a local file: answers are written where the decoder says. */
  readonly nearby?: boolean;
}

export interface Read {
  readonly schema: Schema;
  readonly slabs: Columns[];
  /** Bytes per request. */
  readonly requests: number[];
}

export function selectOf(options: ReadOptions): Select {
  return { columns: options.columns, dictionary: "decode", limits: { ...defaultLimits, ...options.limits } };
}

/** Reads a whole file from memory; metadata and fragments go through structuredClone, as they do between threads. */
export async function readBytes(bytes: Uint8Array, options: ReadOptions = {}): Promise<Read> {
  const source = memorySource(bytes, "memory:fixture");
  const select = selectOf(options);
  const metadata = structuredClone(await parquet.readMetadata(source, select));
  await parquet.prepare(metadata);
  const schema = parquet.toSchema(metadata, select);
  const slabs: Columns[] = [];
  const requests: number[] = [];
  for (const fragment of structuredClone(parquet.plan(metadata, select))) {
    const { rows, batchRows = 65_536, batchBytes = 2 ** 26, nearby } = options;
    const decoder = parquet.decode(fragment, metadata, { select, rows, batchRows, batchBytes, nearby });
    let answer: Uint8Array[] = [];
    for (;;) {
      const { value, done } = decoder.next(answer);
      if (done === true) break;
      answer = [];
      if ("columns" in value) slabs.push(value);
      else if ("need" in value) {
        const { need, into } = value;
        answer = need.map(({ start, end }, i) => {
          const place = into?.[i];
          place?.set(bytes.subarray(start, end));
          return place?.subarray(0, end - start) ?? bytes.slice(start, end);
        });
        requests.push(answer.reduce((sum, each) => sum + each.length, 0));
      }
    }
  }
  return { schema, slabs, requests };
}

/** All slabs of one read as one. */
export function joined(slabs: readonly Columns[]): Columns {
  return slabs.length === 1 ? (slabs[0] as Columns) : concatRows(slabs);
}

/** A type with what the comparison ignores left out: names of list items, metadata. */
export function plainSchema(schema: Schema): unknown {
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip);
    if (typeof value !== "object" || value === null) return value;
    const { metadata: _, child, ...rest } = value as Record<string, unknown>;
    const plain = Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, strip(inner)]));
    return child === undefined ? plain : { ...plain, child: { ...(strip(child) as object), name: "item" } };
  };
  return strip(schema.fields);
}
