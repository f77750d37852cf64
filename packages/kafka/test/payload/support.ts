// Columns of keys, values and headers, made of plain arrays.
import type { Column } from "@ingest-ts/core";
import { recordSchema } from "../../src/records/schema.ts";

const encoder = new TextEncoder();

export type Value = Uint8Array | readonly number[] | string | null;

function bytesOf(value: Value): Uint8Array {
  return typeof value === "string" ? encoder.encode(value) : Uint8Array.from(value ?? []);
}

/** Text as UTF-8; null is null. */
export function binary(values: readonly Value[]): Column {
  const parts = values.map(bytesOf);
  const offsets = new Int32Array(parts.length + 1);
  const validity = new Uint8Array((parts.length + 7) >> 3);
  parts.forEach((part, i) => {
    offsets[i + 1] = (offsets[i] as number) + part.length;
    if (values[i] !== null) validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
  });
  const data = new Uint8Array(offsets[parts.length] as number);
  parts.forEach((part, i) => data.set(part, offsets[i]));
  const nullCount = values.filter((value) => value === null).length;
  const type = { kind: "binary" } as const;
  return {
    type,
    length: parts.length,
    nullCount,
    validity: nullCount === 0 ? null : validity,
    offsets,
    data,
    children: [],
    dictionary: null,
  };
}

/** The column `headers` of records, each with some names and values. */
export function headersOf(records: readonly (readonly (readonly [string, Value])[])[]): Column {
  const type = recordSchema.fields.find(({ name }) => name === "headers")?.type;
  if (type?.kind !== "map") throw new Error("headers are a map");
  const offsets = new Int32Array(records.length + 1);
  records.forEach((headers, i) => (offsets[i + 1] = (offsets[i] as number) + headers.length));
  const all = records.flat();
  const names = { ...binary(all.map(([name]) => name)), type: { kind: "utf8" } as const };
  const base = { nullCount: 0, validity: null, data: null, dictionary: null };
  const entries: Column = {
    ...base,
    type: type.child.type,
    length: all.length,
    offsets: null,
    children: [names, binary(all.map(([, value]) => value))],
  };
  return { ...base, type, length: records.length, offsets, children: [entries] };
}
