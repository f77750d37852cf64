/** How far a step of a worker is. */
export interface StepProgress {
  /** For people, for example "full read". */
  readonly step: string;
  readonly rows: number;
  /** Arrow bytes of those rows, when they are known. */
  readonly bytes?: number;
  /** Since the step's work began. */
  readonly elapsedMs: number;
}

/** Tells the parent how far a step is; cheap enough for every batch. */
export type Report = (progress: StepProgress) => void;

/** Reports the rows of one step as they are counted. */
export function stepReporter(report: Report, step: string, bytesPerRow?: number): (rows: number) => void {
  const start = performance.now();
  return (rows) => {
    const bytes = bytesPerRow === undefined ? {} : { bytes: rows * bytesPerRow };
    report({ step, rows, ...bytes, elapsedMs: performance.now() - start });
  };
}
