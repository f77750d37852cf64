import { checkLimit, type Column, FormatError, type Limits } from "@ingest-ts/core";
import { avroContext, type Kernels } from "@ingest-ts/kernels";
import { columnOf } from "./column-states.ts";
import { DatumProgram, wantsRoom } from "./datum-program.ts";
import type { DatumPlan } from "./read-plan.ts";

/**
 * Reads datums of one plan that lie end to end into columns. Owns blocks of a kernels' arena from its making until
 * `release`.
 */
export class DatumDecoder {
  readonly #kernels: Kernels;
  readonly #limits: Limits;
  readonly #plan: DatumPlan;
  readonly #program: DatumProgram;
  readonly #read: number;
  readonly #skip: number;
  #input = 0;
  #inputBytes = 0;
  #start = 0;
  #end = 0;

  constructor(plan: DatumPlan, dictionary: "decode" | "preserve", limits: Limits, kernels: Kernels) {
    this.#kernels = kernels;
    this.#limits = limits;
    this.#plan = plan;
    const columns = plan.nodes.map((node) => columnOf(node, dictionary));
    this.#program = new DatumProgram(columns, limits, kernels, (writer) => [
      writer.write(plan.plan),
      writer.write(plan.skip),
    ]);
    [this.#read, this.#skip] = this.#program.entries as [number, number];
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
    const context = this.#program.words();
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
      const step = Math.min(rows - done, this.#program.stepRows);
      this.#program.states.makeRoom(step);
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
      const count = exports.avroRows(this.#program.context, program, this.#start, this.#end, rows, maxBytes);
      const position = exports.position() >>> 0;
      if (count >= 0) {
        this.#start += position;
        return count;
      }
      const refusal = this.#program.refusal();
      const at = this.#start + position;
      if (!wantsRoom(refusal)) throw this.#program.error(refusal, at - this.#input, this.#end - at);
      this.#program.grow(refusal);
    }
  }

  /** What was read so far, as columns; the decoder is empty again. @throws FormatError for a string that is not UTF-8 */
  take(): Column[] {
    return this.#program.states.take();
  }

  release(): void {
    this.#program.release();
    if (this.#input !== 0) this.#kernels.arena.release(this.#input);
  }
}
