import type { ByteSink, Column, Columns, DataType, Schema } from "@ingest-ts/core";
import { createParquetWriter, type ParquetWriterOptions } from "@ingest-ts/writers/parquet";

/** Keeps what is written, and what became of it. */
export class MemorySink implements ByteSink {
  readonly parts: Uint8Array[] = [];
  state: "open" | "closed" | "aborted" = "open";
  /** The write call that fails, counted from 0. */
  failAt = Infinity;

  async write(bytes: Uint8Array): Promise<void> {
    await Promise.resolve();
    if (this.parts.length === this.failAt) throw new Error("disk full");
    this.parts.push(bytes.slice());
  }

  async close(): Promise<void> {
    await Promise.resolve();
    this.state = "closed";
  }

  async abort(): Promise<void> {
    await Promise.resolve();
    this.state = "aborted";
    this.parts.length = 0;
  }

  bytes(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.parts));
  }
}

export async function writeAll(
  schema: Schema,
  batches: readonly Columns[],
  options?: ParquetWriterOptions,
): Promise<Uint8Array> {
  const sink = new MemorySink();
  const writer = await createParquetWriter(sink, schema, options);
  for (const batch of batches) await writer.write(batch);
  await writer.finish();
  return sink.bytes();
}

export function schemaOf(type: DataType, nullable = true, name = "x"): Schema {
  return { fields: [{ name, type, nullable }], metadata: {} };
}

/** A column of fixed-width values; undefined ones are null. */
export function fixedColumn(type: DataType, values: ArrayBufferView, valid?: readonly boolean[]): Column {
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const length = (values as unknown as { length: number }).length;
  return { ...column(type, length, valid), data };
}

export function textColumn(values: readonly (string | Uint8Array)[], type: DataType = { kind: "utf8" }): Column {
  const encoded = values.map((value) => (typeof value === "string" ? new TextEncoder().encode(value) : value));
  const offsets = new Int32Array(values.length + 1);
  encoded.forEach((value, i) => {
    offsets[i + 1] = (offsets[i] as number) + value.length;
  });
  return { ...column(type, values.length), offsets, data: Uint8Array.from(Buffer.concat(encoded)) };
}

export function column(type: DataType, length: number, valid?: readonly boolean[]): Column {
  const nullCount = valid?.filter((flag) => !flag).length ?? 0;
  const validity = new Uint8Array((length + 7) >> 3);
  valid?.forEach((flag, i) => {
    if (flag) validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
  });
  return {
    type,
    length,
    nullCount,
    validity: nullCount > 0 ? validity : null,
    offsets: null,
    data: null,
    children: [],
    dictionary: null,
  };
}

export function rowsOf(...columns: readonly Column[]): Columns {
  return { rows: columns[0]?.length ?? 0, columns };
}
