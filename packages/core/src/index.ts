export { copyBits, countBits, getBit } from "./bits.ts";
export type { Column, Columns, Slab } from "./columns.ts";
export {
  addWhere,
  type ErrorCode,
  type ErrorDetail,
  FormatError,
  IngestError,
  isIngestError,
  OptionsError,
  publicUrl,
  SourceError,
  type SourceErrorDetail,
  type SourceReason,
  StateError,
  type StoreRequest,
  UnsupportedError,
  type Where,
  withWhere,
} from "./errors.ts";
export type {
  ByteSpan,
  Decoder,
  DecodeOptions,
  Format,
  FormatName,
  Fragment,
  IndexedFragment,
  Need,
  Passed,
  ObjectIndex,
  Select,
} from "./format.ts";
export { checkLimit, defaultLimits, type Limits } from "./limits.ts";
export { mapSome } from "./map-some.ts";
export { compareNames } from "./names.ts";
export { openSource, schemeFor, schemeOf } from "./open-source.ts";
export {
  bindPredicate,
  type BoundColumn,
  type BoundPredicate,
  type ColumnRange,
  evaluate,
  type ExactNumber,
  exactNumber,
  halfToNumber,
  type Key,
  mayPass,
  type ParsedInstant,
  parseInstant,
  parseWhere,
  predicateColumns,
  type ResolvedColumn,
  resolveColumn,
  unitNs,
} from "./predicate/index.ts";
export { type Projection, projectColumns, projection } from "./project.ts";
export type { ColumnPath, ComparisonOperator, Literal, Predicate } from "./predicate/types.ts";
export {
  byteWidthOf,
  childFields,
  type DataType,
  type Field,
  type Schema,
  type TimeUnit,
  type TypeKind,
} from "./schema.ts";
export type {
  ByteRange,
  ByteSource,
  ListedObject,
  ListOptions,
  ObjectLister,
  ObjectStat,
  Probed,
  RangeOptions,
  ReadOptions,
  Scheme,
  SchemeTable,
  SourceOpener,
} from "./source.ts";
export type { JsonValue, Stage, StateDict } from "./stage.ts";
export type { ByteSink } from "./sink.ts";
export {
  columnBytes,
  concatColumns,
  concatRows,
  emptyColumn,
  type Layout,
  layoutOf,
  sliceColumn,
  sliceRows,
  takeColumn,
  takeRows,
} from "./ops/index.ts";
export { keyedPermutation, keyedRandom, type OrderKey, purposes, seedWords, Xoshiro128 } from "./random.ts";
export { typeName, typeText } from "./type-text.ts";
export { explainWorld, type FamilyReport, type FamilyUse, type WorldReport, worldText } from "./world-report.ts";
export { type DataWorld, type Environment, resolveWorld, type World, worldFromEnv, type WorldSource } from "./world.ts";
export {
  type Channel,
  channels,
  type FragmentRead,
  type KafkaBuffered,
  type KafkaCommit,
  type KafkaCorrupt,
  type KafkaDecoded,
  type KafkaFetched,
  type KafkaGap,
  type KafkaLag,
  type KafkaRebalance,
  type KafkaRetry,
  type ReaderOpened,
  type SourceOpened,
  type SourceRead,
  type StorageCache,
  type StorageRequest,
  type StorageRetry,
} from "./telemetry.ts";
