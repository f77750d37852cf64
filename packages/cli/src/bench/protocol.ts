import type { ErrorCode, FormatName, Schema } from "@ingest-ts/core";
import type { MeasureName, Measurement, MissingMeasure } from "./report.ts";
import type { StepProgress } from "./step.ts";

/** Which rows of which files: the first rows of the files in order. */
export interface SourceSpec {
  readonly paths: readonly string[];
  readonly maxRows: number;
  readonly maxArrowBytes: number;
}

/** Reads the source once: what the other jobs compare with. */
export interface SourceTask {
  readonly job: "source";
  readonly source: SourceSpec;
  /** Columns of the projected read; the first two when undefined. */
  readonly projected: readonly string[] | undefined;
}

export interface SourceFacts {
  readonly schema: Schema;
  readonly rows: number;
  readonly arrowBytes: number;
  readonly projected: readonly string[];
  readonly projectedArrowBytes: number;
  readonly digest: string;
  /** Whether the files hold more rows than were taken. */
  readonly more: boolean;
}

export interface WriteTask {
  readonly job: "write";
  readonly source: SourceSpec;
  readonly facts: SourceFacts;
  readonly format: FormatName;
  readonly codec: string;
  readonly path: string;
  readonly budgetMs: number;
  readonly maxPasses: number;
}

/** What the shuffle is measured on: the whole file, or one of the first rows. */
interface ShuffledFile {
  readonly path: string;
  readonly rows: number;
}

export interface WriteFacts {
  readonly sizeBytes: number;
  readonly write: Measurement;
  readonly shuffled: ShuffledFile;
}

export interface ReadTask {
  readonly job: "read";
  readonly facts: SourceFacts;
  readonly format: FormatName;
  readonly path: string;
  readonly shuffled: ShuffledFile;
  readonly batchRows: number;
  readonly seed: number;
  /** For the check and all measures together. */
  readonly budgetMs: number;
  readonly maxPasses: number;
}

export interface ReadFacts {
  readonly digest: string;
  readonly rows: number;
  /** Only when the digests are equal. */
  readonly measurements: Readonly<Partial<Record<MeasureName, Measurement>>>;
  readonly missing: readonly MissingMeasure[];
}

export type Task = SourceTask | WriteTask | ReadTask;

/** What each job answers. */
export interface TaskResults {
  readonly source: SourceFacts;
  readonly write: WriteFacts;
  readonly read: ReadFacts;
}

/** From a worker to its parent. */
export type WorkerMessage =
  | { readonly kind: "progress"; readonly progress: StepProgress }
  | { readonly kind: "done"; readonly result: TaskResults[Task["job"]] }
  | { readonly kind: "failed"; readonly error: WorkerError };

/** An error as it crosses the process border. */
export interface WorkerError {
  readonly code: ErrorCode | undefined;
  readonly what: string;
  readonly message: string;
  readonly stack: string | undefined;
}
