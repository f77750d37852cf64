// What a reader handed over, held against the reference client record by record.
import { createHash } from "node:crypto";
import { type Column, getBit } from "@ingest-ts/core";
import { expect } from "vitest";
import type { KafkaReader, KafkaSlab } from "../../src/reader/types.ts";
import type { KafkaHelper } from "./kafka-helper.ts";

function hexAt({ validity, offsets, data }: Column, i: number): string {
  if (validity !== null && !getBit(validity, i)) return "-";
  const ends = offsets as Int32Array;
  return Buffer.from((data as Uint8Array).subarray(ends[i], ends[i + 1])).toString("hex");
}

/** Offsets of the rows of a slab. */
function offsetsOf({ columns }: KafkaSlab): number[] {
  const { data } = columns.columns[2] as Column;
  const bytes = data as Uint8Array;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: columns.rows }, (_, i) => Number(view.getBigInt64(i * 8, true)));
}

/** Slabs by partition, as lines "offset:key:value" of hex (the form of `KafkaHelper.digest`). */
export class Collected {
  readonly #lines = new Map<number, string[]>();
  readonly #next = new Map<number, number>();
  rows = 0;

  /** Every slab begins where the partition's last one ended, and its rows and gaps cover its offsets, each once. */
  add(slab: KafkaSlab): void {
    const { partition, startOffset, endOffset, columns, gaps } = slab;
    const next = this.#next.get(partition);
    if (next !== undefined) expect(startOffset, `partition ${partition}`).toBe(next);
    this.#next.set(partition, endOffset);
    const offsets = offsetsOf(slab);
    const covered = gaps.reduce((sum, { start, end }) => sum + end - start, offsets.length);
    expect(covered, `partition ${partition}, [${startOffset}, ${endOffset})`).toBe(endOffset - startOffset);
    const lines = this.#lines.get(partition) ?? [];
    this.#lines.set(partition, lines);
    const [keys, values] = columns.columns.slice(4, 6) as [Column, Column];
    offsets.forEach((offset, i) => lines.push(`${offset}:${hexAt(keys, i)}:${hexAt(values, i)}`));
    this.rows += offsets.length;
  }

  lines(partition: number): readonly string[] {
    return this.#lines.get(partition) ?? [];
  }

  /**
   * Each partition holds exactly what the reference client reads of it: up to `end`, or to the end that the leader tells it.
   * A broker that was frozen tells an old one as long as it takes itself for the leader.
   */
  async expectAll(helper: KafkaHelper, topic: string, partitions = 1, end?: number): Promise<void> {
    const upTo = end === undefined ? {} : { to: end };
    for (let partition = 0; partition < partitions; partition++) {
      const lines = this.lines(partition);
      const hash = createHash("sha256");
      for (const line of lines) hash.update(`${line}\n`);
      const found = { records: lines.length, sha256: hash.digest("hex") };
      expect(found, `partition ${partition}`).toEqual(await helper.digest(topic, { partition, ...upTo }));
    }
  }
}

/** Reads until the end, or until `rows` rows are there. */
export async function collect(
  reader: KafkaReader,
  rows: number = Number.POSITIVE_INFINITY,
  into: Collected = new Collected(),
): Promise<Collected> {
  while (into.rows < rows) {
    const step = await reader.next();
    if (step.done === true) break;
    into.add(step.value);
  }
  return into;
}

/** The error that `work` ends with, within `limitMs`. */
export async function failureOf(work: Promise<unknown>, limitMs: number): Promise<Error> {
  const started = performance.now();
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  expect(performance.now() - started, String(error)).toBeLessThan(limitMs);
  return error as Error;
}
