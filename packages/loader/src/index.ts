export { Batch } from "./batch.ts";
export { type ImportedIndex, importDaliIndex } from "./dali-index.ts";
export { buildIndexFile } from "./index-store.ts";
export { indexDataset, type IndexReport } from "./manifest/keep.ts";
export { load } from "./load.ts";
export type { Loader, LoadPlan } from "./loader.ts";
export type { Matrix, MatrixConstructor } from "./matrix.ts";
export type { LoadOptions, ObjectInput, ShuffleOptions } from "./options.ts";
export { planRun, type RankPlan, type RunPlan } from "./plan.ts";
