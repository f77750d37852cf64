// What the tests of record batches share.
import { FormatError, IngestError, UnsupportedError } from "@ingest-ts/core";
import { expect } from "vitest";
import { type DecodedRecords, RecordsDecoder, type RecordsRequest } from "../../src/records/index.ts";
import { type TestBatch, type TestRecord } from "../lib/batches.ts";

export const topic = "events";
export const partition = 3;

export function decodeAll(bytes: Uint8Array, request: Partial<RecordsRequest> = {}): DecodedRecords[] {
  const decoder = new RecordsDecoder(bytes, { topic, partition, position: 0, ...request });
  const slabs: DecodedRecords[] = [];
  for (let slab = decoder.next(); slab !== undefined; slab = decoder.next()) slabs.push(slab);
  return slabs;
}

export function offsetsOf(slab: DecodedRecords): number[] {
  const data = slab.columns[2]?.data ?? new Uint8Array(0);
  return Array.from(new BigInt64Array(data.slice().buffer), Number);
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export function record(offset: number, more: Partial<TestRecord> = {}): TestRecord {
  return {
    offset,
    timestampMs: 1000 + offset,
    key: text(`k${offset}`),
    value: text(`v${offset}`),
    headers: [],
    ...more,
  };
}

export function batchOf(from: number, count: number, more: Partial<TestBatch> = {}): TestBatch {
  const records = Array.from({ length: count }, (_, i) => record(from + i));
  return { baseOffset: from, lastOffset: from + count - 1, records, ...more };
}

export function expectError(
  body: () => unknown,
  kind: typeof FormatError | typeof UnsupportedError = FormatError,
): IngestError {
  let caught: unknown;
  try {
    body();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(kind);
  const error = caught as IngestError;
  expect(error.where).toMatchObject({ topic, partition });
  expect(error.where.kafkaOffset).toBeTypeOf("number");
  expect(error.remedy).toBeDefined();
  return error;
}

/** A number that is not negative, already doubled for zigzag. */
export const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)]);

/** Records of a null key and one byte, by hand: the test's writer goes byte by byte. */
export function tinyRecords(count: number): Uint8Array {
  const bytes: number[] = [];
  for (let i = 0; i < count; i++) {
    const delta = varint(i * 2);
    bytes.push((delta.length + 6) * 2, 0, 0, ...delta, 1, 2, i & 255, 0);
  }
  return Uint8Array.from(bytes);
}
