export { bindPredicate, type BoundColumn, type BoundPredicate, predicateColumns } from "./bind.ts";
export { evaluate } from "./evaluate.ts";
export type { Key } from "./literals.ts";
export { type ExactNumber, exactNumber, halfToNumber } from "./numbers.ts";
export { type ColumnRange, mayPass } from "./ranges.ts";
export { parseWhere } from "./parse.ts";
export { type ResolvedColumn, resolveColumn } from "./resolve.ts";
export { type ParsedInstant, parseInstant, unitNs } from "./time-text.ts";
