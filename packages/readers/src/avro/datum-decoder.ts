import { checkLimit, type Column, FormatError, type Limits, UnsupportedError } from "@ingest-ts/core";
import { avroContext, avroFaults, type Kernels } from "@ingest-ts/kernels";
import { columnOf, ColumnStates } from "./column-states.ts";
import { faultError } from "./datum-faults.ts";
import { type Blame, ProgramWriter } from "./program.ts";
import type { DatumPlan } from "./read-plan.ts";

/** Buffers of the columns grow ahead of a call by about so many bytes, and at most by so many rows. */
const STEP_BYTES = 4 * 1024 * 1024;
const STEP_ROWS = 4096;

/**
 * Reads datums of one plan into columns. Owns blocks of a kernels' arena from its making until `release`.
 */
export class DatumDecoder {
  readonly #kernels: Kernels;
  readonly #limits: Limits;
  readonly #plan: DatumPlan;
  readonly #states: ColumnStates;
  readonly #context: number;
  readonly #snapshot: number;
  readonly #program: number;
  readonly #blames: ReadonlyMap<number, Blame>;
  readonly #read: number;
  readonly #skip: number;
  readonly #stepRows: number;
  #input = 0;
  #inputBytes = 0;
  #start = 0;
  #end = 0;

  constructor(plan: DatumPlan, dictionary: "decode" | "preserve", limits: Limits, kernels: Kernels) {
    this.#kernels = kernels;
    this.#limits = limits;
    this.#plan = plan;
    const columns = plan.nodes.map((node) => columnOf(node, dictionary));
    const perRow = columns.reduce((sum, column) => sum + column.bytesPerValue, 1);
    this.#stepRows = Math.max(1, Math.min(STEP_ROWS, Math.floor(STEP_BYTES / perRow)));
    this.#states = new ColumnStates(columns, kernels);
    const writer = new ProgramWriter(columns);
    const read = writer.write(plan.plan);
    const skip = writer.write(plan.skip);
    const { address, blames } = writer.place(kernels);
    this.#program = address;
    this.#blames = blames;
    this.#read = address + read;
    this.#skip = address + skip;
    this.#snapshot = kernels.arena.allocate(this.#states.sizeBytes);
    this.#context = kernels.arena.allocate(avroContext.words * 4);
    const context = this.#words();
    context.fill(0);
    context[avroContext.states] = this.#states.address;
    context[avroContext.statesBytes] = this.#states.sizeBytes;
    context[avroContext.snapshot] = this.#snapshot;
    context[avroContext.freeLimit] = Math.min(limits.zeroLengthItems, 0xffffffff);
  }

  #words(): Uint32Array {
    return new Uint32Array(this.#kernels.exports.memory.buffer, this.#context, avroContext.words);
  }

  /** Bytes not read yet. */
  get leftBytes(): number {
    return this.#end - this.#start;
  }

  /** The bytes that come next; copied. */
  setInput(bytes: Uint8Array): void {
    if (bytes.length > this.#inputBytes || this.#input === 0) {
      if (this.#input !== 0) this.#kernels.arena.release(this.#input);
      this.#inputBytes = Math.max(bytes.length, Math.min(this.#inputBytes * 2, 1024 * 1024));
      this.#input = this.#kernels.arena.allocate(this.#inputBytes);
    }
    this.#kernels.bytes.set(bytes, this.#input);
    this.setSpan(0, bytes.length);
  }

  /** Goes on at byte `start` of the input, up to `end`. */
  setSpan(start: number, end: number): void {
    this.#start = this.#input + start;
    this.#end = this.#input + end;
  }

  /** Checks that `count` datums can lie in what is left. @throws FormatError, UnsupportedError */
  checkCount(count: number): void {
    const { leastBytes } = this.#plan;
    if (count * leastBytes > this.leftBytes) {
      throw new FormatError(`${count} items are claimed with ${this.leftBytes} bytes left`);
    }
    if (leastBytes > 0) return;
    const context = this.#words();
    const free = (context[avroContext.freeItems] as number) + count;
    checkLimit(this.#limits, "zeroLengthItems", free, "a count of items without bytes");
    context[avroContext.freeItems] = free;
  }

  /**
   * Reads up to `rows` datums, and stops behind the one that brings the bytes read to `maxBytes`.
   *
   * @returns how many datums, and the bytes that they and their defaults took
   * @throws FormatError, UnsupportedError; datums of this call are then left out
   */
  read(rows: number, maxBytes: number): { rows: number; bytes: number } {
    let done = 0;
    let bytes = 0;
    while (done < rows && (bytes < maxBytes || done === 0)) {
      const step = Math.min(rows - done, this.#stepRows);
      this.#states.makeRoom(step);
      const before = this.#start;
      const count = this.#run(this.#read, step, Math.min(maxBytes - bytes, 0x7fffffff));
      done += count;
      bytes += this.#start - before + count * this.#plan.defaultBytes;
    }
    return { rows: done, bytes };
  }

  /** Passes `rows` datums. */
  skip(rows: number): void {
    for (let done = 0; done < rows; ) done += this.#run(this.#skip, rows - done, 0x7fffffff);
  }

  /** One call of the kernel, repeated until every column has room. */
  #run(program: number, rows: number, maxBytes: number): number {
    const { exports } = this.#kernels;
    for (;;) {
      const count = exports.avroRows(this.#context, program, this.#start, this.#end, rows, maxBytes);
      const position = exports.position() >>> 0;
      if (count >= 0) {
        this.#start += position;
        return count;
      }
      const context = this.#words();
      const code = context[avroContext.fault] as number;
      const place = context[avroContext.value] as number;
      const value = (BigInt(context[avroContext.value + 1] as number) << 32n) | BigInt(place);
      if (code !== avroFaults.grow) {
        const blame = this.#blames.get(context[avroContext.node] as number) ?? { path: undefined };
        const at = this.#start + position;
        const fault = { code, value: BigInt.asIntN(64, value), at: at - this.#input, left: this.#end - at, blame };
        throw faultError(fault, this.#limits);
      }
      if (value > 0x7fffffffn) {
        throw new UnsupportedError(`a slab of ${value} bytes in one column`, {
          remedy: "Read with a smaller batchRows.",
        });
      }
      this.#states.grow(context[avroContext.growState] as number, Number(value));
    }
  }

  /** What was read so far, as columns; the decoder is empty again. @throws FormatError for a string that is not UTF-8 */
  take(): Column[] {
    return this.#states.take();
  }

  release(): void {
    const { arena } = this.#kernels;
    this.#states.release();
    for (const address of [this.#program, this.#snapshot, this.#context]) arena.release(address);
    if (this.#input !== 0) arena.release(this.#input);
  }
}
