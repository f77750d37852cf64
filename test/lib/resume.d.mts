/** See resume.mjs. */
export interface ResumeOptions {
  readonly source: string | readonly string[];
  readonly options: object;
  readonly batchSize: number;
  readonly stops: readonly number[];
  readonly worldSizes: readonly number[];
  readonly perProcess?: number;
  readonly progress?: (done: number, all: number) => void;
}

export declare function seededStops(count: number, last: number, seed: number): number[];

export declare function checkResume(
  options: ResumeOptions,
): Promise<{ readonly failures: string[]; readonly checked: number; readonly rows: number }>;
