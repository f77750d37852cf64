import type { Environment } from "./environment.ts";

/** What is timed of one format × codec. */
export type MeasureName = "write" | "read-full" | "read-projected" | "shuffled-batches";

/** In the order of the table. */
export const measureNames: readonly MeasureName[] = ["write", "read-full", "read-projected", "shuffled-batches"];

/** One pass over all rows. */
export interface Sample {
  readonly wallMs: number;
  /** User and system time of all threads of the process. */
  readonly cpuMs: number;
}

/** The passes of one measure. */
export interface Measurement {
  /** In the order measured. */
  readonly samples: readonly Sample[];
  /** Passes before them that do not count; 0 when the time allowed for one pass only. */
  readonly warmUpPasses: number;
  /** Highest resident memory of the process while measuring. */
  readonly peakRssBytes: number;
  /** Arrow bytes that one pass moves. */
  readonly arrowBytes: number;
  readonly rows: number;
}

/** A measure that this format × codec could not be put through, and why. */
export interface MissingMeasure {
  readonly measure: MeasureName;
  readonly error: string;
}

/** Everything that one format × codec gave. */
export interface Outcome {
  readonly format: string;
  readonly codec: string;
  readonly sizeBytes?: number;
  /** Rows that came back, in order, cast to the source's schema. */
  readonly digest?: string;
  readonly rows?: number;
  readonly equal?: boolean;
  /** Why there are no figures. */
  readonly error?: string;
  /** "unsupported": the format cannot hold the rows; the others are failures. */
  readonly failure?: "unsupported" | "error" | "defect";
  readonly measurements: Readonly<Partial<Record<MeasureName, Measurement>>>;
  readonly missing?: readonly MissingMeasure[];
}

export interface DataDescription {
  readonly name: string;
  readonly files: readonly { readonly name: string; readonly sizeBytes: number }[];
  readonly rows: number;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Of all columns: the MB of write, full read and shuffled batches. */
  readonly arrowBytes: number;
  readonly projectedColumns: readonly string[];
  /** Of the projected columns: the MB of the projected read. */
  readonly projectedArrowBytes: number;
  readonly digest: string;
  /** Set when only the first rows of the files were taken. */
  readonly limit?: string;
}

export interface Settings {
  readonly seed: number;
  readonly batchRows: number;
  readonly quick: boolean;
}

/** One figure. `measure` is a name of `MeasureName`, or one followed by "-cpu" or "-peak-rss", or "encoded-size". */
export interface ReportResult {
  readonly format: string;
  readonly codec: string;
  readonly measure: string;
  /** The median of `passes`. */
  readonly value: number;
  readonly unit: "bytes" | "MB/s" | "rows/s" | "s";
  /** Rows of one pass. */
  readonly rows?: number;
  readonly passes?: number;
  readonly warmUpPasses?: number;
  readonly samples?: readonly number[];
}

export interface ReportCheck {
  readonly format: string;
  readonly codec: string;
  readonly equal: boolean;
  readonly rows?: number;
  readonly digest?: string;
  readonly error?: string;
  readonly failure?: "unsupported" | "error" | "defect";
  readonly missing?: readonly MissingMeasure[];
}

/** What `bench-report.json` holds. */
export interface BenchReport {
  readonly version: 1;
  readonly created: string;
  readonly seconds: number;
  readonly environment: Environment;
  readonly data: DataDescription;
  readonly settings: Settings;
  readonly checks: readonly ReportCheck[];
  readonly results: readonly ReportResult[];
}

/** The middle value; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}

/** The report of a run: every figure of every outcome. */
export function buildReport(parts: {
  readonly environment: Environment;
  readonly data: DataDescription;
  readonly settings: Settings;
  readonly outcomes: readonly Outcome[];
  readonly created: Date;
  readonly seconds: number;
}): BenchReport {
  const { environment, data, settings, outcomes } = parts;
  return {
    version: 1,
    created: parts.created.toISOString(),
    seconds: round(parts.seconds),
    environment,
    data,
    settings,
    checks: outcomes.map(({ format, codec, equal, rows, digest, error, failure, missing }) => ({
      format,
      codec,
      equal: equal ?? false,
      ...(rows === undefined ? {} : { rows }),
      ...(digest === undefined ? {} : { digest }),
      ...(error === undefined ? {} : { error }),
      ...(failure === undefined ? {} : { failure }),
      ...(missing === undefined || missing.length === 0 ? {} : { missing }),
    })),
    results: outcomes.flatMap(resultsOf),
  };
}

function resultsOf(outcome: Outcome): ReportResult[] {
  const { format, codec, sizeBytes } = outcome;
  const results: ReportResult[] = [];
  if (sizeBytes !== undefined)
    results.push({ format, codec, measure: "encoded-size", value: sizeBytes, unit: "bytes" });
  for (const name of measureNames) {
    const measurement = outcome.measurements[name];
    if (measurement !== undefined) results.push(...figuresOf(format, codec, name, measurement));
  }
  return results;
}

function figuresOf(format: string, codec: string, name: MeasureName, measurement: Measurement): ReportResult[] {
  const { samples, warmUpPasses, rows, arrowBytes, peakRssBytes } = measurement;
  const passes = samples.length;
  const perSecond = (amount: number, unit: "MB/s" | "rows/s"): ReportResult => {
    const rates = samples.map(({ wallMs }) => round((amount / wallMs) * 1000));
    return {
      format,
      codec,
      measure: name,
      value: round(median(rates)),
      unit,
      rows,
      passes,
      warmUpPasses,
      samples: rates,
    };
  };
  const cpu = samples.map(({ cpuMs }) => round(cpuMs / 1000));
  return [
    perSecond(rows, "rows/s"),
    perSecond(arrowBytes / 1e6, "MB/s"),
    {
      format,
      codec,
      measure: `${name}-cpu`,
      value: round(median(cpu)),
      unit: "s",
      rows,
      passes,
      warmUpPasses,
      samples: cpu,
    },
    { format, codec, measure: `${name}-peak-rss`, value: peakRssBytes, unit: "bytes" },
  ];
}

/** Four significant digits and no more than a thousandth: what a wall clock can tell. */
function round(value: number): number {
  if (Math.abs(value) >= 1000) return Math.round(value);
  return Math.round(value * 1000) / 1000;
}
