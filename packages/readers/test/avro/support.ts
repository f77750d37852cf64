import { type Columns, concatRows } from "@ingest-ts/core";
import { memorySource, type PlainValue, rowsOf } from "@ingest-ts/core/testing";
import { open, type OpenOptions } from "../../src/open.ts";

/** A zigzag varint. */
export function long(value: bigint | number): number[] {
  const wide = BigInt(value);
  let rest = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n));
  const bytes: number[] = [];
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

export function string(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...long(bytes.length), ...bytes];
}

const SYNC = Array.from({ length: 16 }, (_, i) => 200 + i);

export interface Block {
  readonly rows: number;
  readonly data: readonly number[];
}

export interface ContainerOptions {
  readonly codec?: string;
  /** Extra entries of the header. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The header's map as one block with a negative count and its size. */
  readonly sized?: boolean;
}

/** An object container file of blocks that are encoded already. */
export function container(schema: unknown, blocks: readonly Block[], options: ContainerOptions = {}): Uint8Array {
  const { codec, metadata = {}, sized = false } = options;
  const entries = Object.entries({
    "avro.schema": JSON.stringify(schema),
    ...(codec === undefined ? {} : { "avro.codec": codec }),
    ...metadata,
  });
  const content = entries.flatMap(([key, value]) => [...string(key), ...string(value)]);
  const head = sized ? [...long(-entries.length), ...long(content.length)] : long(entries.length);
  const parts = [[0x4f, 0x62, 0x6a, 1], head, content, [0], SYNC];
  for (const { rows, data } of blocks) parts.push(long(rows), long(data.length), [...data], SYNC);
  return Uint8Array.from(parts.flat());
}

/** A record of the fields given by type. */
export function recordOf(fields: Readonly<Record<string, unknown>>, name: string = "Row"): unknown {
  return { type: "record", name, fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })) };
}

export async function readAll(bytes: Uint8Array, options: OpenOptions = {}): Promise<PlainValue[][]> {
  const reader = await open(memorySource(bytes, "memory:made.avro"), { format: "avro", ...options });
  const parts: Columns[] = [];
  for await (const slab of reader.slabs()) parts.push(slab);
  await reader.close();
  return parts.length === 0 ? [] : rowsOf(concatRows(parts));
}
