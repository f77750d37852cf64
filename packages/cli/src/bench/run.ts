import { basename } from "node:path";
import { isIngestError, publicUrl, typeText } from "@ingest-ts/core";
import { listDataset } from "@ingest-ts/readers";
import { openSource } from "@ingest-ts/storage";
import type { Progress } from "../progress.ts";
import { findFormat } from "./definitions.ts";
import { readEnvironment } from "./environment.ts";
import type { SourceFacts, SourceSpec } from "./protocol.ts";
import { type BenchReport, buildReport, type DataDescription, type Outcome } from "./report.ts";
import type { Report } from "./step.ts";
import { runTask } from "./task.ts";
import { TempFolder } from "./temp-folder.ts";

export interface BenchJob {
  readonly format: string;
  readonly codec: string;
}

export interface BenchOptions {
  readonly version: string;
  /** Shown in the table. */
  readonly name: string;
  readonly source: SourceSpec;
  /** Why the source has the limits it has; shown when they cut it. */
  readonly limitText: string;
  readonly jobs: readonly BenchJob[];
  readonly projected: readonly string[] | undefined;
  readonly batchRows: number;
  readonly seed: number;
  readonly quick: boolean;
  /** Every measure runs once; beyond that, passes are repeated until this much time is gone. */
  readonly budgetMs: number;
  readonly maxPasses: number;
}

export interface BenchContext {
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Of a job's time, what its writing may take. */
const WRITE_SHARE = 0.35;

/** Measures every job, one after another. Its temporary files are gone when it settles, however it does. */
export async function runBench(options: BenchOptions, context: BenchContext): Promise<BenchReport> {
  const start = performance.now();
  const created = new Date();
  const environment = await readEnvironment(options.version);
  const files = await filesOf(options.source.paths);
  const folder = new TempFolder();
  const remove = (): void => folder.remove();
  process.once("exit", remove);
  try {
    const clock = new Clock(start, options);
    const facts = await readSource(options, context, clock);
    const largest = options.jobs.map(({ format }) =>
      findFormat(format).estimateBytes(facts.schema, facts.rows, facts.arrowBytes),
    );
    await folder.requireSpace(Math.max(...largest));
    const outcomes: Outcome[] = [];
    for (const [i, job] of options.jobs.entries()) {
      clock.jobBegins(i);
      outcomes.push(await runJob(job, { options, context, facts, folder, clock }));
    }
    const data = describe(options, facts, files);
    const { seed, batchRows, quick } = options;
    const seconds = (performance.now() - start) / 1000;
    return buildReport({ environment, data, settings: { seed, batchRows, quick }, outcomes, created, seconds });
  } finally {
    context.progress.clear();
    process.removeListener("exit", remove);
    folder.remove();
  }
}

/** Shares the time among the jobs that are left, by weight, and guesses when all is done. */
class Clock {
  readonly #start: number;
  readonly #budgetMs: number;
  readonly #weights: readonly number[];
  #job = 0;
  #jobStart = 0;

  constructor(start: number, options: BenchOptions) {
    this.#start = start;
    this.#budgetMs = options.budgetMs;
    this.#weights = options.jobs.map(({ format, codec }) => findFormat(format).weight(codec));
  }

  jobBegins(index: number): void {
    this.#job = index;
    this.#jobStart = performance.now();
  }

  /** What the running job may still use. */
  get jobLeftMs(): number {
    const leftMs = this.#budgetMs - (this.#jobStart - this.#start);
    const leftWeight = this.#weights.slice(this.#job).reduce((sum, weight) => sum + weight, 0);
    const shareMs = (leftMs * (this.#weights[this.#job] ?? 1)) / leftWeight;
    return Math.max(0, shareMs - (performance.now() - this.#jobStart));
  }

  /** By the budget, which jobs use up; undefined once it is gone, since slow passes run to their end. */
  get etaMs(): number | undefined {
    const left = this.#budgetMs - (performance.now() - this.#start);
    return left > 0 ? left : undefined;
  }
}

interface JobContext {
  readonly options: BenchOptions;
  readonly context: BenchContext;
  readonly facts: SourceFacts;
  readonly folder: TempFolder;
  readonly clock: Clock;
}

async function filesOf(paths: readonly string[]): Promise<DataDescription["files"]> {
  const [only = ""] = paths;
  // Over HTTP nothing is listed.
  if (paths.length === 1 && /^https?:/i.test(only)) {
    const source = await openSource(only);
    const { sizeBytes } = await source.stat();
    await source.close();
    return [{ name: basename(publicUrl(only)), sizeBytes }];
  }
  const { files } = await listDataset(paths);
  return files.map(({ name, sizeBytes }) => ({ name: basename(name), sizeBytes }));
}

async function readSource(options: BenchOptions, context: BenchContext, clock: Clock): Promise<SourceFacts> {
  const { progress, signal } = context;
  const report: Report = ({ step, ...rest }) =>
    progress.update({ label: `${options.name}: ${step}`, ...rest, etaMs: clock.etaMs });
  return runTask({ job: "source", source: options.source, projected: options.projected }, { signal, report });
}

/** One format × codec. An error becomes its outcome, so that the others go on. */
async function runJob(job: BenchJob, parts: JobContext): Promise<Outcome> {
  const { options, context, facts, folder, clock } = parts;
  const format = findFormat(job.format);
  const path = folder.file(`${job.format}-${job.codec}${format.extension}`);
  const report: Report = ({ step, ...rest }) =>
    context.progress.update({ label: `${job.format} ${job.codec}: ${step}`, ...rest, etaMs: clock.etaMs });
  const shared = { facts, format: format.name, path, maxPasses: options.maxPasses };
  const taskContext = { signal: context.signal, report };
  let outcome: Outcome = { ...job, measurements: {} };
  try {
    const written = await runTask(
      { ...shared, job: "write", source: options.source, codec: job.codec, budgetMs: clock.jobLeftMs * WRITE_SHARE },
      taskContext,
    );
    outcome = { ...outcome, sizeBytes: written.sizeBytes, measurements: { write: written.write } };
    const { batchRows, seed } = options;
    const read = await runTask(
      { ...shared, job: "read", shuffled: written.shuffled, batchRows, seed, budgetMs: clock.jobLeftMs },
      taskContext,
    );
    const equal = read.digest === facts.digest;
    const measurements = equal ? { ...outcome.measurements, ...read.measurements } : {};
    return { ...outcome, equal, digest: read.digest, rows: read.rows, measurements, missing: read.missing };
  } catch (error) {
    if (context.signal.aborted) throw error;
    return { ...outcome, measurements: {}, ...failureOf(error) };
  } finally {
    folder.empty();
  }
}

function failureOf(error: unknown): Pick<Outcome, "error" | "failure"> {
  const message = error instanceof Error ? error.message : String(error);
  if (isIngestError(error))
    return { error: message, failure: error.code === "INGEST_UNSUPPORTED" ? "unsupported" : "error" };
  return { error: `a defect of ours: ${message}`, failure: "defect" };
}

function describe(options: BenchOptions, facts: SourceFacts, files: DataDescription["files"]): DataDescription {
  return {
    name: options.name,
    files,
    rows: facts.rows,
    columns: facts.schema.fields.map(({ name, type }) => ({ name, type: typeText(type) })),
    arrowBytes: facts.arrowBytes,
    projectedColumns: facts.projected,
    projectedArrowBytes: facts.projectedArrowBytes,
    digest: facts.digest,
    ...(facts.more ? { limit: options.limitText } : {}),
  };
}
