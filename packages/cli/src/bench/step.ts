/** Tells the parent how far a step is; cheap enough for every batch. */
export type Report = (step: string, rows: number, elapsedMs: number) => void;
