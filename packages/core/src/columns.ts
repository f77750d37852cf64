import type { DataType, Schema } from "./schema.ts";

/**
 * One column in Arrow's memory layout, as plain data that can be cloned and transferred.
 *
 * Every buffer starts at an address that its element type is aligned to. Offsets are local: offsets[0] is the first
 * value's place in `data` (or in the child) and need not be 0.
 *
 * | kinds                                        | validity | offsets        | data                           | children |
 * | -------------------------------------------- | -------- | -------------- | ------------------------------ | -------- |
 * | null                                         | –        | –              | –                              | –        |
 * | bool                                         | yes      | –              | bits, least significant first  | –        |
 * | int float decimal date time … dictionary     | yes      | –              | byteWidth × length bytes       | –        |
 * | utf8 binary                                  | yes      | Int32Array     | bytes                          | –        |
 * | largeUtf8 largeBinary                        | yes      | BigInt64Array  | bytes                          | –        |
 * | list map                                     | yes      | Int32Array     | –                              | 1        |
 * | largeList                                    | yes      | BigInt64Array  | –                              | 1        |
 * | fixedSizeList                                | yes      | –              | –                              | 1 (size × length) |
 * | struct                                       | yes      | –              | –                              | n        |
 * | sparse union                                 | –        | –              | type ids, Int8                 | n        |
 * | dense union                                  | –        | Int32Array     | type ids, Int8                 | n        |
 */
export interface Column {
  readonly type: DataType;
  readonly length: number;
  readonly nullCount: number;
  /** Bit i (least significant first) is set when value i is valid; null when nullCount is 0. */
  readonly validity: Uint8Array | null;
  /** [length + 1] (dense union: [length]). */
  readonly offsets: Int32Array | BigInt64Array | null;
  readonly data: Uint8Array | null;
  readonly children: readonly Column[];
  /** The values that indices point to; only for dictionary types. */
  readonly dictionary: Column | null;
}

/** Some rows of some columns. Every column has `rows` values. */
export interface Columns {
  readonly rows: number;
  readonly columns: readonly Column[];
}

/** Rows together with the schema they follow: what a reader yields. */
export interface Slab extends Columns {
  readonly schema: Schema;
}
