export { fromArrowField, fromArrowSchema, fromArrowType } from "./from-arrow.ts";
export { fromRecordBatch, toArrowData, toRecordBatch } from "./record-batch.ts";
export { toArrowField, toArrowSchema, toArrowType } from "./types.ts";
