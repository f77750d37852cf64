import { type Column, copyBits, type IngestError, type Limits, UnsupportedError } from "@ingest-ts/core";
import type { Kernels } from "@ingest-ts/kernels";
import { type ColumnState, columnOf, type RowShape } from "./column-states.ts";
import { DatumProgram, type Refusal, wantsRoom } from "./datum-program.ts";
import type { DatumPlan } from "./read-plan.ts";

/** Datums are copied into the arena by about so many bytes at a time. */
const CHUNK_BYTES = 8 * 1024 * 1024;
/** Calls begin with so many datums while columns have no room yet: they grow from small to large, and little is read twice. */
const FIRST_STEP = 64;

/** A value that is no datum of its schema. */
export interface DatumFault {
  /** Within the values given. */
  readonly index: number;
  readonly error: IngestError;
}

interface DatumsRead {
  readonly column: Column;
  /** By rising index. */
  readonly faults: readonly DatumFault[];
  readonly shapes: readonly RowShape[] | undefined;
}

interface Chunk {
  /** Number of its first value among all. */
  readonly start: number;
  readonly count: number;
  readonly data: number;
  readonly offsets: number;
  readonly validity: number;
}

/** Where value `i` of a column of text or bytes begins. */
function offsetOf({ offsets }: Column, i: number): number {
  return Number(offsets?.[i] ?? 0);
}

/**
 * Reads many datums that each have bytes of their own: one call of the kernel for thousands. Owns blocks of a kernels'
 * arena from its making until `release`.
 */
export class DatumBatch {
  readonly #kernels: Kernels;
  readonly #limits: Limits;
  readonly #program: DatumProgram;
  readonly #blocks: number[] = [];
  readonly #faults: DatumFault[] = [];

  constructor(plan: DatumPlan, dictionary: "decode" | "preserve", limits: Limits, kernels: Kernels) {
    this.#kernels = kernels;
    this.#limits = limits;
    const [node] = plan.nodes as [DatumPlan["nodes"][0]];
    const root: ColumnState = columnOf(node, dictionary, "", true);
    this.#program = new DatumProgram([root], limits, kernels, (writer) => [
      writer.write(plan.plan),
      writer.writeNull(root),
      // Never run: it holds the definitions of recursive types that are passed.
      writer.write(plan.skip),
    ]);
  }

  /**
   * One value for each of `values` (text or bytes), `headerBytes` of each passed. Nulls and faults are null. `shapes` are
   * those of an earlier batch of the plan.
   *
   * @throws UnsupportedError when all together are too much for one column
   */
  read(values: Column, headerBytes: number, shapes: readonly RowShape[] | undefined): DatumsRead {
    const { states } = this.#program;
    if (shapes !== undefined) states.reserve(values.length, shapes);
    this.#readAll(values, headerBytes, shapes !== undefined);
    const newShapes = values.length === 0 ? shapes : states.shapes(values.length);
    const [column] = states.take() as [Column];
    return { column, faults: this.#faults, shapes: newShapes };
  }

  #readAll(values: Column, headerBytes: number, hasRoom: boolean): void {
    for (let start = 0; start < values.length; ) {
      let end = start + 1;
      const from = offsetOf(values, start);
      while (end < values.length && offsetOf(values, end + 1) - from <= CHUNK_BYTES) end++;
      const sizeBytes = offsetOf(values, end) - from;
      const isTooLarge = sizeBytes > this.#limits.recordBytes;
      if (isTooLarge) {
        this.#fault(
          start,
          new UnsupportedError(
            `a value of ${sizeBytes} bytes is over limits.recordBytes = ${this.#limits.recordBytes}`,
            {
              remedy: "If the data are to be trusted, raise limits.recordBytes.",
            },
          ),
        );
      }
      this.#readChunk(this.#place(values, start, end, isTooLarge), headerBytes, hasRoom);
      start = end;
    }
  }

  /** Copies values [start, end) into the arena; all null when they are `isLeftOut`. */
  #place(values: Column, start: number, end: number, isLeftOut: boolean): Chunk {
    const count = end - start;
    const from = offsetOf(values, start);
    const bytes = isLeftOut
      ? new Uint8Array(0)
      : (values.data?.subarray(from, offsetOf(values, end)) ?? new Uint8Array(0));
    const bits =
      values.validity === null || isLeftOut
        ? new Uint8Array((count + 7) >> 3).fill(isLeftOut ? 0 : 255)
        : copyBits(values.validity, start, count);
    this.#releaseBlocks();
    const allocate = (sizeBytes: number): number => {
      const address = this.#kernels.arena.allocate(sizeBytes);
      this.#blocks.push(address);
      return address;
    };
    const data = allocate(bytes.length);
    const offsets = allocate((count + 1) * 4);
    const validity = allocate(bits.length);
    this.#kernels.bytes.set(bytes, data);
    this.#kernels.bytes.set(bits, validity);
    const words = new Uint32Array(this.#kernels.exports.memory.buffer, offsets, count + 1);
    if (!isLeftOut) for (let i = 0; i <= count; i++) words[i] = offsetOf(values, start + i) - from;
    return { start, count, data, offsets, validity };
  }

  #readChunk(chunk: Chunk, headerBytes: number, hasRoom: boolean): void {
    const { exports } = this.#kernels;
    const { context, states, stepRows } = this.#program;
    const [read, readNull] = this.#program.entries as [number, number];
    const { data, offsets, validity } = chunk;
    let step = hasRoom ? stepRows : Math.min(FIRST_STEP, stepRows);
    for (let at = 0; at < chunk.count; ) {
      const count = Math.min(step, chunk.count - at);
      states.makeRoom(count);
      const done = exports.avroDatums(context, read, readNull, data, offsets, validity, at, count, headerBytes);
      if (done >= 0) {
        at += count;
        step = Math.min(step * 2, stepRows);
        continue;
      }
      step = this.#refused(chunk, at, count);
    }
  }

  /** Nothing of a call for `count` datums from `at` on was kept. @returns how many the next call should be for */
  #refused(chunk: Chunk, at: number, count: number): number {
    const refusal = this.#program.refusal();
    const { row } = refusal;
    if (!wantsRoom(refusal)) {
      this.#refuse(chunk, at + row, this.#error(refusal, chunk, at + row));
      return row + 1;
    }
    const { recordBytes } = this.#limits;
    if (this.#program.states.wantedBytes(refusal.state, Number(refusal.value)) <= recordBytes) {
      this.#program.grow(refusal);
      return count;
    }
    // Those before it are read first: then the growth is its own.
    if (row > 0) return row;
    const what = `a value that takes more than limits.recordBytes = ${recordBytes} in one column`;
    const error = new UnsupportedError(what, { remedy: "If the data are to be trusted, raise limits.recordBytes." });
    this.#refuse(chunk, at, error);
    return count;
  }

  #error(refusal: Refusal, { offsets }: Chunk, n: number): IngestError {
    const at = this.#kernels.exports.position() >>> 0;
    const words = new Uint32Array(this.#kernels.exports.memory.buffer, offsets + n * 4, 2);
    const size = (words[1] as number) - (words[0] as number);
    return this.#program.error(refusal, at, size - at);
  }

  /** Value `n` of the chunk becomes null. */
  #refuse({ start, validity }: Chunk, n: number, error: IngestError): void {
    const { bytes } = this.#kernels;
    const at = validity + (n >> 3);
    bytes[at] = (bytes[at] as number) & ~(1 << (n & 7));
    this.#fault(start + n, error);
  }

  #fault(index: number, error: IngestError): void {
    this.#faults.push({ index, error });
  }

  #releaseBlocks(): void {
    for (const address of this.#blocks.splice(0)) this.#kernels.arena.release(address);
  }

  release(): void {
    this.#releaseBlocks();
    this.#program.release();
  }
}
