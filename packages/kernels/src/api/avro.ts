/** Avro's binary encoding into column buffers, by a program of nodes. */
export interface AvroKernels {
  /**
   * Reads up to `rows` datums (at least one) of [start, stop) by the program node at `program`, and stops behind the one
   * that brings the bytes read to `maxBytes`. How many were read; `position()` says how far. −1 when a datum is at fault
   * or a column wants room: then nothing was appended and the context says why.
   */
  avroRows(context: number, program: number, start: number, stop: number, rows: number, maxBytes: number): number;

  /**
   * Reads `count` datums from number `first` on, each alone in the bytes between two of the `offsets` (uint32) behind
   * `data`, which it must fill behind the first `skip`; those whose bit of `validity` is not set are made null by
   * `nullProgram`. Items without bytes are counted for each datum alone, and strings must be UTF-8. `count`, or −1: then nothing was appended, the context says why, and `position()` is a place inside the bytes
   * of the datum at fault.
   */
  avroDatums(
    context: number,
    program: number,
    nullProgram: number,
    data: number,
    offsets: number,
    validity: number,
    first: number,
    count: number,
    skip: number,
  ): number;
}

/** Places of the 32-bit words of the context of `avroRows`. */
export const avroContext = {
  states: 0,
  statesBytes: 1,
  /** Room for a copy of the states. */
  snapshot: 2,
  /** Items so far that took no bytes, and how many there may be. */
  freeItems: 3,
  freeLimit: 4,
  fault: 5,
  node: 6,
  /** Rows before the one at fault. */
  row: 7,
  /** int64. */
  value: 8,
  growState: 10,
  words: 12,
} as const;

/** Places of the 32-bit words of a column's state. */
export const avroState = {
  data: 0,
  /** Bytes of data, or items of a list. */
  used: 1,
  room: 2,
  offsets: 3,
  /** 0 when the column has no nulls by its type. */
  validity: 4,
  length: 5,
  nulls: 6,
  /** Values there is room for. */
  capacity: 7,
  /** Bytes a value. */
  width: 8,
  words: 10,
} as const;

/** What a node of a program does; behind it stand a state (or 0) and what is said here, in 32-bit words. */
export const avroOps = {
  nothing: 0,
  skipLong: 1,
  /** bytes */
  skipFixed: 2,
  skipBytes: 3,
  /** fewest bytes of an item, item */
  skipBlocks: 4,
  /** definition */
  recurse: 5,
  /** how many, then the fields in the writer's order */
  record: 6,
  /** how many, then the writer's branches */
  union: 7,
  /** type id, state of the branch, value; the state is the union's */
  branch: 8,
  /** value, address and length of its bytes */
  default: 9,
  unresolved: 10,
  boolean: 11,
  int: 12,
  long: 13,
  /** from int 0, long 1 or float 2; to long 1, float 2 or double 3 */
  promote: 14,
  raw4: 15,
  raw8: 16,
  raw: 17,
  bytes: 18,
  /** bytes in the file, −1 when a length stands before */
  decimal: 19,
  uuid: 20,
  duration: 21,
  /** how many symbols, address of the reader's index (−1: none) of each */
  enumIndex: 22,
  /** how many symbols, address of (address, length; −1: none) of each */
  enumText: 23,
  null: 24,
  /** fewest bytes of an item, item */
  list: 25,
  nullFixed: 26,
  nullBoolean: 27,
  nullOffset: 28,
  /** how many, then what makes the fields null */
  nullRecord: 29,
  /** bytes that must be UTF-8 */
  text: 30,
} as const;

/** What is wrong with a datum, by `avroContext.fault`. */
export const avroFaults = {
  ends: 1,
  number: 2,
  int: 3,
  boolean: 4,
  branch: 5,
  symbol: 6,
  length: 7,
  items: 8,
  freeItems: 9,
  decimalEmpty: 10,
  decimalRange: 11,
  uuid: 12,
  duration: 13,
  depth: 14,
  unresolvedBranch: 15,
  unresolvedSymbol: 16,
  tooMany: 17,
  grow: 18,
  /** Bytes behind a datum that should fill its own. */
  trailing: 19,
  notText: 20,
} as const;
