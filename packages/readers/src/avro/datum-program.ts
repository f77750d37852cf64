import { type IngestError, type Limits, UnsupportedError } from "@ingest-ts/core";
import { avroContext, avroFaults, type Kernels } from "@ingest-ts/kernels";
import { type ColumnState, ColumnStates } from "./column-states.ts";
import { faultError } from "./datum-faults.ts";
import { type Blame, ProgramWriter } from "./program.ts";

/** Buffers of the columns grow ahead of a call by about so many bytes, and at most by so many rows. */
const STEP_BYTES = 4 * 1024 * 1024;
const STEP_ROWS = 4096;

/** Why a call of the kernel appended nothing: a datum at fault, or a column that wants room. */
export interface Refusal {
  readonly code: number;
  /** Datums before the one at fault. */
  readonly row: number;
  readonly value: bigint;
  /** The state that wants room. */
  readonly state: number;
  readonly blame: Blame;
}

/**
 * A program of the Avro kernels with its columns and its context. Owns blocks of a kernels' arena from its making until
 * `release`.
 */
export class DatumProgram {
  readonly states: ColumnStates;
  /** Rows that a call should read, so that its columns grow in good steps. */
  readonly stepRows: number;
  readonly context: number;
  /** Addresses of the nodes that `write` answered. */
  readonly entries: readonly number[];
  readonly #kernels: Kernels;
  readonly #limits: Limits;
  readonly #snapshot: number;
  readonly #program: number;
  readonly #blames: ReadonlyMap<number, Blame>;

  constructor(
    columns: readonly ColumnState[],
    limits: Limits,
    kernels: Kernels,
    write: (writer: ProgramWriter) => readonly number[],
  ) {
    this.#kernels = kernels;
    this.#limits = limits;
    const perRow = columns.reduce((sum, column) => sum + column.bytesPerValue, 1);
    this.stepRows = Math.max(1, Math.min(STEP_ROWS, Math.floor(STEP_BYTES / perRow)));
    this.states = new ColumnStates(columns, kernels);
    const writer = new ProgramWriter(columns);
    const offsets = write(writer);
    const { address, blames } = writer.place(kernels);
    this.#program = address;
    this.#blames = blames;
    this.entries = offsets.map((offset) => address + offset);
    this.#snapshot = kernels.arena.allocate(this.states.sizeBytes);
    this.context = kernels.arena.allocate(avroContext.words * 4);
    const context = this.words();
    context.fill(0);
    context[avroContext.states] = this.states.address;
    context[avroContext.statesBytes] = this.states.sizeBytes;
    context[avroContext.snapshot] = this.#snapshot;
    context[avroContext.freeLimit] = Math.min(limits.zeroLengthItems, 0xffffffff);
  }

  /** The context; stale after the next allocation. */
  words(): Uint32Array {
    return new Uint32Array(this.#kernels.exports.memory.buffer, this.context, avroContext.words);
  }

  /** What the last call left behind when it answered −1. */
  refusal(): Refusal {
    const words = this.words();
    const low = BigInt(words[avroContext.value] as number);
    return {
      code: words[avroContext.fault] as number,
      row: words[avroContext.row] as number,
      value: BigInt.asIntN(64, (BigInt(words[avroContext.value + 1] as number) << 32n) | low),
      state: words[avroContext.growState] as number,
      blame: this.#blames.get(words[avroContext.node] as number) ?? { path: undefined },
    };
  }

  /** The error of a datum at fault; `at` are bytes from the start of its data, `left` those behind. */
  error({ code, value, blame }: Refusal, at: number, left: number): IngestError {
    return faultError({ code, value, at, left, blame }, this.#limits);
  }

  /** Makes the room that a column wants. @throws UnsupportedError when a column grows too large */
  grow({ value, state }: Refusal): void {
    if (value > 0x7fffffffn) {
      throw new UnsupportedError(`a slab of ${value} bytes in one column`, {
        remedy: "Read with a smaller batchRows.",
      });
    }
    this.states.grow(state, Number(value));
  }

  release(): void {
    const { arena } = this.#kernels;
    this.states.release();
    for (const address of [this.#program, this.#snapshot, this.context]) arena.release(address);
  }
}

/** Whether a column wants room, and no datum is at fault. */
export function wantsRoom({ code }: Refusal): boolean {
  return code === avroFaults.grow;
}
