/** Castagnoli CRC-32C inside the arena. Results are signed: `>>> 0`. */
interface Crc32cKernels {
  /** Going on from `previous` (0 to begin). */
  crc32c(previous: number, src: number, srcLength: number): number;
  maskedCrc32c(src: number, srcLength: number): number;
  /** CRCs (u32) of sixteen byte strings: `starts` and `lengths` are sixteen u32 each. */
  crc32cMany(starts: number, lengths: number, crcs: number): void;
}

/** TFRecord framing with tf.train.Example, both ways. Contexts and columns are laid out as below. */
export interface TFRecordKernels extends Crc32cKernels {
  /** Decodes the complete records of [src, end); answers one of `recordStops`. */
  decodeRecords(context: number, src: number, end: number): number;
  /**
   * Varints of [src, end) as int64 from `out` on, which has room for one a byte; how many, or −1 when the last is cut or
   * one is longer than 10 bytes.
   */
  varints(src: number, end: number, out: number): number;
  /** Writes rows as records to [out, end) until the next does not fit; the bytes written. */
  encodeExamples(context: number, out: number, end: number): number;
}

/** What ended a call of `decodeRecords`. All but the last two leave the next record whole, with nothing committed. */
export const recordStops = {
  /** The next record is not complete in the window. */
  input: 0,
  rows: 1,
  bytes: 2,
  /** The next record is longer than the context's limit for kernels; its data are not checked yet. */
  large: 3,
  /** The next record is not in the common form, or damaged; its checksums are right. */
  unusual: 4,
  /** A column needs room: see `growColumn`. */
  grow: 5,
  badLength: 6,
  badData: 7,
} as const;

/** Places of the 32-bit words of the context of `decodeRecords`. */
export const decodeContext = {
  columns: 0,
  columnCount: 1,
  keys: 2,
  keyCount: 3,
  hash: 4,
  /** Slots − 1, a power of two less one; a slot is a key's number + 1, or 0. */
  hashMask: 5,
  /** 1: a key that is not in the table makes its record unusual; 0: it is skipped. */
  strict: 6,
  /** 1: each record is one byte string of column 0. */
  raw: 7,
  row: 8,
  rowLimit: 9,
  /** Bytes of values decoded so far. */
  outBytes: 10,
  byteLimit: 11,
  /** Records of so many bytes are left to the caller. */
  large: 12,
  consumed: 13,
  growColumn: 14,
  /** 1: `growNeed` are bytes of data; 0: values. */
  growData: 15,
  growNeed: 16,
  /** The key that began the last record, −1 at first. */
  firstKey: 17,
  stamp: 18,
  words: 19,
} as const;

/** Places of the 32-bit words of a column of `decodeRecords`. */
export const decodeColumn = {
  /** 0 none, 1 bytes, 2 float, 3 int64. */
  kind: 0,
  /** Values a row, or −1 for a list. */
  fixed: 1,
  /** 0 null, 1 default, 2 makes the record unusual. */
  missing: 2,
  stamp: 3,
  /** Floats, integers, or ends of byte strings (int32, capacity + 1 of them, the first 0). */
  values: 4,
  valueCapacity: 5,
  data: 6,
  dataCapacity: 7,
  /** Bytes of the column's strings that are not in `data`. */
  dataBase: 8,
  /** Ends of lists (int32, rows + 1 of them, the first 0). */
  offsets: 9,
  /** Bits, all set before the first row. */
  validity: 10,
  /** Values, or (fixed + 1) ends followed by bytes. */
  defaults: 11,
  present: 12,
  words: 16,
} as const;

/** Places of the 32-bit words of a key of `decodeRecords`. */
export const decodeKey = {
  text: 0,
  length: 1,
  /** −1: known and not wanted. */
  column: 2,
  /** The key that followed this one in the last record, −1 at first. */
  next: 3,
  words: 8,
} as const;

/** Places of the 32-bit words of the context of `encodeExamples`. */
export const encodeContext = {
  columns: 0,
  columnCount: 1,
  /** In: the first row; out: the first one not written. */
  row: 2,
  rowLimit: 3,
  /** Out: bytes that the next record wants. */
  need: 4,
  words: 5,
} as const;

/** Places of the 32-bit words of a column of `encodeExamples`. */
export const encodeColumn = {
  /** The key as it stands in a map entry: tag, length, text. */
  prefix: 0,
  prefixLength: 1,
  /** 1 bytes, 2 float, 3 int64. */
  kind: 2,
  /** Values a row, or −1 for a list. */
  fixed: 3,
  values: 4,
  /** Where a byte string that ends at 0 would end. */
  data: 5,
  offsets: 6,
  /** 0: all valid. */
  validity: 7,
  element: 8,
  words: 12,
} as const;

/** How integers lie in memory, for `encodeColumn.element`. */
export const integerElements = {
  int64: 0,
  int32: 1,
  int16: 2,
  int8: 3,
  uint32: 4,
  uint16: 5,
  uint8: 6,
  bits: 7,
} as const;

/** FNV-1a over a key's bytes, the hash of the decoder's key table. */
export function keyHash(text: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of text) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
