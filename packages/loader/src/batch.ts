import { type ColumnPath, type Columns, type Schema, sliceRows, type StateDict } from "@ingest-ts/core";
import type { RecordBatch } from "apache-arrow";
import { BlockMatrix, type Matrix, type MatrixConstructor, type MatrixPlan, matrixPlan } from "./matrix.ts";
import type { RecordBatchMaker } from "./record-batches.ts";

/** What all batches of a loader share: schema, and what was prepared for the current block. */
export class BatchContext {
  readonly schema: Schema;
  readonly records: RecordBatchMaker;
  readonly #plans = new Map<string, MatrixPlan>();
  /** By block and plan; a block's numbers go when the block does. */
  readonly #numbers = new WeakMap<Columns, Map<MatrixPlan, BlockMatrix>>();

  constructor(schema: Schema, records: RecordBatchMaker) {
    this.schema = schema;
    this.records = records;
  }

  #planOf(columns: readonly ColumnPath[]): MatrixPlan {
    const key = JSON.stringify(columns);
    let plan = this.#plans.get(key);
    if (plan === undefined) {
      plan = matrixPlan(columns, this.schema);
      this.#plans.set(key, plan);
    }
    return plan;
  }

  numbersOf(block: Columns, columns: readonly ColumnPath[]): BlockMatrix {
    const plan = this.#planOf(columns);
    let plans = this.#numbers.get(block);
    if (plans === undefined) this.#numbers.set(block, (plans = new Map()));
    let numbers = plans.get(plan);
    if (numbers === undefined) plans.set(plan, (numbers = new BlockMatrix(block, plan)));
    return numbers;
  }
}

/** Where a batch's rows are and what is known of them. */
export interface BatchParts {
  readonly context: BatchContext;
  readonly block: Columns;
  readonly from: number;
  readonly to: number;
  readonly epoch: number;
  readonly step: number;
  readonly positions: readonly [number, number];
  readonly state: StateDict;
}

/**
 * One batch: a part of a block, light until its rows are asked for. Its buffers are never written again, so it may be
 * kept; a kept batch keeps its block.
 */
export class Batch {
  readonly epoch: number;
  /** 0-based within the epoch: the position before the batch by the positions of one step of all ranks. */
  readonly step: number;
  /** [from, to) of the epoch, those of all ranks in this step: rank r of D has those that are r modulo D. */
  readonly positions: readonly [number, number];
  readonly rows: number;
  readonly #parts: BatchParts;

  constructor(parts: BatchParts) {
    this.#parts = parts;
    this.epoch = parts.epoch;
    this.step = parts.step;
    this.positions = parts.positions;
    this.rows = parts.to - parts.from;
  }

  /** The place after this batch. */
  get state(): StateDict {
    return this.#parts.state;
  }

  get schema(): Schema {
    return this.#parts.context.schema;
  }

  /** The columns as plain typed arrays, sharing the block's buffers. */
  toColumns(): Columns {
    const { block, from, to } = this.#parts;
    return sliceRows(block, from, to);
  }

  /** The rows as an Arrow record batch, sharing the block's buffers. */
  toRecordBatch(): RecordBatch {
    const { context, block, from, to } = this.#parts;
    return context.records.make(block, from, to);
  }

  /**
   * Columns of numbers (integers, floats, booleans, fixed-size lists of them) as one new row-major matrix [rows, width].
   * null is NaN; numbers are rounded to what `Type` holds.
   *
   * @throws OptionsError for a column that does not exist or holds no numbers.
   */
  toMatrix(columns: readonly ColumnPath[], Type?: Float32ArrayConstructor): Float32Array;
  toMatrix(columns: readonly ColumnPath[], Type: Float64ArrayConstructor): Float64Array;
  toMatrix(columns: readonly ColumnPath[], Type: MatrixConstructor = Float32Array): Matrix {
    const { context, block, from, to } = this.#parts;
    return context.numbersOf(block, columns).rows(from, to, Type);
  }
}
