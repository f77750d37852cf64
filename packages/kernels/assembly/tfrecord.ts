// TFRecord framing and tf.train.Example in their common form, straight into column buffers: one call for many records.
//
// The common form is what every protobuf library writes: map entries with key before value, each key once a record, one
// list a feature. Anything else (and anything damaged) answers UNUSUAL with nothing committed, and the caller decodes
// that record with its general decoder, which knows all of protobuf and says what is wrong. So this file judges nothing
// but checksums.
//
// Nothing is committed before the end of a record: a column's next free place follows from its offsets at `row`, so a
// record given up half-way needs no undoing. Each length is checked against what encloses it before use.
import { maskedCrc32c } from "./crc32c";
import { LANES, crc32cMany } from "./crc32c-many";

// What a call ended with. Keep in step with src/tfrecord.ts.
const INPUT: i32 = 0; // the next record is not complete in the window
const ROWS: i32 = 1; // row limit reached
const BYTES: i32 = 2; // byte limit reached
const LARGE: i32 = 3; // the next record is for the caller
const UNUSUAL: i32 = 4; // the next record passed its checksums and is for the caller
const GROW: i32 = 5; // a column needs room before the next record
const BAD_LENGTH: i32 = 6; // checksum of the next record's length
const BAD_DATA: i32 = 7; // checksum of the next record's data

const CHECKED: i32 = 8; // inside only

// Context: 32-bit words.
const C_COLUMNS: usize = 0;
const C_COLUMN_COUNT: usize = 4;
const C_KEYS: usize = 8;
const C_KEY_COUNT: usize = 12;
const C_HASH: usize = 16;
const C_HASH_MASK: usize = 20;
const C_STRICT: usize = 24;
const C_RAW: usize = 28;
const C_ROW: usize = 32;
const C_ROW_LIMIT: usize = 36;
const C_OUT_BYTES: usize = 40;
const C_BYTE_LIMIT: usize = 44;
const C_LARGE: usize = 48;
const C_CONSUMED: usize = 52;
const C_GROW_COLUMN: usize = 56;
const C_GROW_DATA: usize = 60;
const C_GROW_NEED: usize = 64;
const C_FIRST: usize = 68;
const C_STAMP: usize = 72;

// Column: 64 bytes.
const COLUMN_BYTES: usize = 64;
const KIND: usize = 0; // 0 none, 1 bytes, 2 float, 3 int64: the field numbers of Feature's oneof
const FIXED: usize = 4; // values a row, or -1 for a list
const MISSING: usize = 8; // 0 null, 1 default, 2 not allowed
const STAMP: usize = 12; // record that last named the feature
const VALUES: usize = 16; // floats, integers, or ends of byte strings
const VALUE_CAPACITY: usize = 20; // in values
const DATA: usize = 24;
const DATA_CAPACITY: usize = 28;
const DATA_BASE: usize = 32; // bytes of the column that are not in DATA
const OFFSETS: usize = 36; // ends of lists
const VALIDITY: usize = 40; // bits, all set before the first row
const DEFAULTS: usize = 44; // values, or ends followed by bytes
const PRESENT: usize = 48; // record that last gave the feature a kind

// Key: 32 bytes.
const KEY_BYTES: usize = 32;
const K_TEXT: usize = 0;
const K_LENGTH: usize = 4;
const K_COLUMN: usize = 8; // -1: known and not wanted
const K_NEXT: usize = 12; // the key that followed this one last time

const TOO_LONG: u32 = 0xffffffff;
let position: usize = 0;

/** The rest of a length whose first byte was `first`; TOO_LONG when it does not fit 31 bits. Ends at `position`. */
function longLength(p: usize, first: u32): u32 {
  let value = first & 127;
  let shift: u32 = 7;
  while (shift < 35) {
    const b = <u32>load<u8>(p++);
    if (shift == 28 && b > 7) return TOO_LONG;
    value |= (b & 127) << shift;
    if (b < 128) {
      position = p;
      return value;
    }
    shift += 7;
  }
  return TOO_LONG;
}

function sameText(a: usize, b: usize, length: u32): bool {
  while (length >= 8) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
    length -= 8;
  }
  // Both are readable for eight bytes past their end.
  return length == 0 || (load<u64>(a) ^ load<u64>(b)) << (64 - (<u64>length << 3)) == 0;
}

/** FNV-1a. Keep in step with src/tfrecord.ts. */
function hashOf(p: usize, length: u32): u32 {
  let h: u32 = 0x811c9dc5;
  for (let i: u32 = 0; i < length; i++) h = (h ^ <u32>load<u8>(p + i)) * 0x01000193;
  return h;
}

/** Number of the key, or -1. */
function findKey(ctx: usize, text: usize, length: u32): i32 {
  const mask = load<u32>(ctx + C_HASH_MASK);
  const table = <usize>load<u32>(ctx + C_HASH);
  const keys = <usize>load<u32>(ctx + C_KEYS);
  let slot = hashOf(text, length) & mask;
  let key = load<i32>(table + (<usize>slot << 2)) - 1;
  while (key >= 0) {
    const entry = keys + <usize>key * KEY_BYTES;
    if (load<u32>(entry + K_LENGTH) == length && sameText(<usize>load<u32>(entry + K_TEXT), text, length)) return key;
    slot = (slot + 1) & mask;
    key = load<i32>(table + (<usize>slot << 2)) - 1;
  }
  return -1;
}

function grow(ctx: usize, column: usize, data: i32, need: u64): i32 {
  store<i32>(ctx + C_GROW_COLUMN, <i32>((column - <usize>load<u32>(ctx + C_COLUMNS)) / COLUMN_BYTES));
  store<i32>(ctx + C_GROW_DATA, data);
  store<u32>(ctx + C_GROW_NEED, need > 0xffffffff ? 0xffffffff : <u32>need);
  return GROW;
}

/** Copies a value; reads and writes up to 15 bytes past it. */
// @ts-ignore: decorator
@inline
function copyShort(to: usize, from: usize, length: u32): void {
  if (length <= 64) {
    let i: u32 = 0;
    do {
      v128.store(to + i, v128.load(from + i));
      i += 16;
    } while (i < length);
  } else {
    memory.copy(to, from, length);
  }
}

/** Varints of [p, end) as int64 from `out` on; answers how many, or -1 when the last one is cut or one is too long. */
export function varints(p: usize, end: usize, out: usize): i32 {
  const start = out;
  while (p < end) {
    const word = load<u64>(p);
    const stops = ~word & 0x8080808080808080;
    if (stops & 128) {
      store<u64>(out, word & 127);
      p += 1;
    } else if (stops != 0) {
      let x = word & (stops ^ (stops - 1)) & 0x7f7f7f7f7f7f7f7f;
      x = (x & 0x007f007f007f007f) | ((x & 0x7f007f007f007f00) >> 1);
      x = (x & 0x00003fff00003fff) | ((x & 0x3fff00003fff0000) >> 2);
      x = (x & 0x000000000fffffff) | ((x & 0x0fffffff00000000) >> 4);
      store<u64>(out, x);
      p += <usize>((ctz(stops) + 1) >> 3);
    } else {
      let x = word & 0x7f7f7f7f7f7f7f7f;
      x = (x & 0x007f007f007f007f) | ((x & 0x7f007f007f007f00) >> 1);
      x = (x & 0x00003fff00003fff) | ((x & 0x3fff00003fff0000) >> 2);
      x = (x & 0x000000000fffffff) | ((x & 0x0fffffff00000000) >> 4);
      const ninth = <u64>load<u8>(p, 8);
      x |= (ninth & 127) << 56;
      p += 9;
      if (ninth >= 128) {
        const tenth = <u64>load<u8>(p++);
        if (tenth >= 128) return -1;
        x |= tenth << 63;
      }
      store<u64>(out, x);
    }
    out += 8;
  }
  return p == end ? <i32>((out - start) >> 3) : -1;
}

/** How many values stand before row `row`. */
// @ts-ignore: decorator
@inline
function startOf(column: usize, fixed: i32, row: u32): u32 {
  return fixed < 0 ? load<u32>(<usize>load<u32>(column + OFFSETS) + (<usize>row << 2)) : row * <u32>fixed;
}

/** Ends the row's values at `count` past `start`; UNUSUAL when a fixed shape wants another number. */
// @ts-ignore: decorator
@inline
function endRow(column: usize, fixed: i32, row: u32, start: u32, count: u32): i32 {
  if (fixed < 0) {
    store<u32>(<usize>load<u32>(column + OFFSETS) + (<usize>row << 2), start + count, 4);
    return INPUT;
  }
  return count == <u32>fixed ? INPUT : UNUSUAL;
}

/** FloatList in [p, end). */
function floatList(ctx: usize, column: usize, row: u32, p: usize, end: usize): i32 {
  const fixed = load<i32>(column + FIXED);
  const start = startOf(column, fixed, row);
  const need = <u64>start + <u64>((end - p) >> 2);
  if (need > <u64>load<u32>(column + VALUE_CAPACITY)) return grow(ctx, column, 0, need);
  let out = <usize>load<u32>(column + VALUES) + (<usize>start << 2);
  const first = out;
  while (p < end) {
    const tag = load<u8>(p++);
    if (tag == 0x0a) {
      let length: u32 = load<u8>(p++);
      if (length >= 128) {
        length = longLength(p, length);
        if (length == TOO_LONG) return UNUSUAL;
        p = position;
      }
      if (p > end || length > <u32>(end - p) || (length & 3) != 0) return UNUSUAL;
      if (length == 4) store<u32>(out, load<u32>(p));
      else memory.copy(out, p, length);
      out += length;
      p += length;
    } else if (tag == 0x0d) {
      if (p + 4 > end) return UNUSUAL;
      store<u32>(out, load<u32>(p));
      out += 4;
      p += 4;
    } else return UNUSUAL;
  }
  store<u32>(ctx + C_OUT_BYTES, load<u32>(ctx + C_OUT_BYTES) + <u32>(out - first));
  return endRow(column, fixed, row, start, <u32>((out - first) >> 2));
}

/** Int64List in [p, end). */
function int64List(ctx: usize, column: usize, row: u32, p: usize, end: usize): i32 {
  const fixed = load<i32>(column + FIXED);
  const start = startOf(column, fixed, row);
  const need = <u64>start + <u64>(end - p);
  if (need > <u64>load<u32>(column + VALUE_CAPACITY)) return grow(ctx, column, 0, need);
  let out = <usize>load<u32>(column + VALUES) + (<usize>start << 3);
  const first = out;
  while (p < end) {
    const tag = load<u8>(p++);
    let stop: usize;
    if (tag == 0x0a) {
      let length: u32 = load<u8>(p++);
      if (length >= 128) {
        length = longLength(p, length);
        if (length == TOO_LONG) return UNUSUAL;
        p = position;
      }
      if (p > end || length > <u32>(end - p)) return UNUSUAL;
      stop = p + length;
    } else if (tag == 0x08) {
      stop = p + 1;
      while (stop < end && load<u8>(stop - 1) >= 128) stop++;
      if (stop > end) return UNUSUAL;
    } else return UNUSUAL;
    const count = varints(p, stop, out);
    if (count < 0) return UNUSUAL;
    out += <usize>count << 3;
    p = stop;
  }
  store<u32>(ctx + C_OUT_BYTES, load<u32>(ctx + C_OUT_BYTES) + <u32>(out - first));
  return endRow(column, fixed, row, start, <u32>((out - first) >> 3));
}

/** Appends one byte string as value `index`, which must have room; GROW when its bytes have none. */
// @ts-ignore: decorator
@inline
function appendBytes(ctx: usize, column: usize, index: u32, p: usize, length: u32): i32 {
  const ends = <usize>load<u32>(column + VALUES) + (<usize>index << 2);
  const at = load<u32>(ends);
  const place = at - load<u32>(column + DATA_BASE);
  const need = <u64>place + <u64>length;
  if (need > <u64>load<u32>(column + DATA_CAPACITY)) return grow(ctx, column, 1, need);
  copyShort(<usize>load<u32>(column + DATA) + place, p, length);
  store<u32>(ends, at + length, 4);
  return INPUT;
}

/** BytesList in [p, end). */
function bytesList(ctx: usize, column: usize, row: u32, p: usize, end: usize): i32 {
  const fixed = load<i32>(column + FIXED);
  const start = startOf(column, fixed, row);
  const need = <u64>start + <u64>((end - p) >> 1);
  if (need > <u64>load<u32>(column + VALUE_CAPACITY)) return grow(ctx, column, 0, need);
  store<u32>(ctx + C_OUT_BYTES, load<u32>(ctx + C_OUT_BYTES) + <u32>(end - p));
  let count: u32 = 0;
  while (p < end) {
    if (load<u8>(p++) != 0x0a) return UNUSUAL;
    let length: u32 = load<u8>(p++);
    if (length >= 128) {
      length = longLength(p, length);
      if (length == TOO_LONG) return UNUSUAL;
      p = position;
    }
    if (p > end || length > <u32>(end - p)) return UNUSUAL;
    if (appendBytes(ctx, column, start + count, p, length) != INPUT) return GROW;
    count++;
    p += length;
  }
  return endRow(column, fixed, row, start, count);
}

/** Feature in [p, end), not empty. */
// @ts-ignore: decorator
@inline
function featureValue(ctx: usize, column: usize, row: u32, p: usize, end: usize): i32 {
  const kind = load<u32>(column + KIND);
  if (kind == 0 || <u32>load<u8>(p++) != ((kind << 3) | 2)) return UNUSUAL;
  let length: u32 = load<u8>(p++);
  if (length >= 128) {
    length = longLength(p, length);
    if (length == TOO_LONG) return UNUSUAL;
    p = position;
  }
  if (p > end || length != <u32>(end - p)) return UNUSUAL;
  if (kind == 2) return floatList(ctx, column, row, p, end);
  if (kind == 3) return int64List(ctx, column, row, p, end);
  return bytesList(ctx, column, row, p, end);
}

/** The row of a column whose feature is absent or of no kind. */
function missingValue(ctx: usize, column: usize, row: u32): i32 {
  const missing = load<u32>(column + MISSING);
  if (missing == 2) return UNUSUAL;
  if (missing == 0) {
    const at = <usize>load<u32>(column + VALIDITY) + (row >> 3);
    store<u8>(at, load<u8>(at) & ~(<u8>1 << <u8>(row & 7)));
  }
  const fixed = load<i32>(column + FIXED);
  if (fixed < 0) {
    const offsets = <usize>load<u32>(column + OFFSETS) + (<usize>row << 2);
    store<u32>(offsets, load<u32>(offsets), 4);
    return INPUT;
  }
  const kind = load<u32>(column + KIND);
  if (kind == 0) return INPUT;
  const start = row * <u32>fixed;
  const need = <u64>start + <u64>fixed;
  if (need > <u64>load<u32>(column + VALUE_CAPACITY)) return grow(ctx, column, 0, need);
  const defaults = <usize>load<u32>(column + DEFAULTS);
  if (kind == 1) {
    const text = defaults + (<usize>(fixed + 1) << 2);
    for (let i: u32 = 0; i < <u32>fixed; i++) {
      const from = missing == 0 ? 0 : load<u32>(defaults + (<usize>i << 2));
      const to = missing == 0 ? 0 : load<u32>(defaults + (<usize>i << 2), 4);
      if (appendBytes(ctx, column, start + i, text + from, to - from) != INPUT) return GROW;
    }
    return INPUT;
  }
  const shift: usize = kind == 2 ? 2 : 3;
  const out = <usize>load<u32>(column + VALUES) + (<usize>start << shift);
  if (missing == 0) memory.fill(out, 0, <usize>fixed << shift);
  else memory.copy(out, defaults, <usize>fixed << shift);
  store<u32>(ctx + C_OUT_BYTES, load<u32>(ctx + C_OUT_BYTES) + (<u32>fixed << <u32>shift));
  return INPUT;
}

/** One Example in [p, end) as row `row`. */
function example(ctx: usize, row: u32, p: usize, end: usize): i32 {
  const columns = <usize>load<u32>(ctx + C_COLUMNS);
  const columnCount = load<u32>(ctx + C_COLUMN_COUNT);
  const keys = <usize>load<u32>(ctx + C_KEYS);
  const stamp = load<u32>(ctx + C_STAMP) + 1;
  store<u32>(ctx + C_STAMP, stamp);
  let present: u32 = 0;
  let guessAt: usize = ctx + C_FIRST;
  while (p < end) {
    if (load<u8>(p++) != 0x0a) return UNUSUAL;
    let length: u32 = load<u8>(p++);
    if (length >= 128) {
      length = longLength(p, length);
      if (length == TOO_LONG) return UNUSUAL;
      p = position;
    }
    if (p > end || length > <u32>(end - p)) return UNUSUAL;
    const featuresEnd = p + length;
    while (p < featuresEnd) {
      if (load<u8>(p++) != 0x0a) return UNUSUAL;
      length = load<u8>(p++);
      if (length >= 128) {
        length = longLength(p, length);
        if (length == TOO_LONG) return UNUSUAL;
        p = position;
      }
      if (p > featuresEnd || length > <u32>(featuresEnd - p)) return UNUSUAL;
      const entryEnd = p + length;
      if (load<u8>(p++) != 0x0a) return UNUSUAL;
      let keyLength: u32 = load<u8>(p++);
      if (keyLength >= 128) {
        keyLength = longLength(p, keyLength);
        if (keyLength == TOO_LONG) return UNUSUAL;
        p = position;
      }
      if (p > entryEnd || keyLength > <u32>(entryEnd - p)) return UNUSUAL;
      const text = p;
      p += keyLength;
      if (load<u8>(p++) != 0x12) return UNUSUAL;
      length = load<u8>(p++);
      if (length >= 128) {
        length = longLength(p, length);
        if (length == TOO_LONG) return UNUSUAL;
        p = position;
      }
      if (p > entryEnd || length != <u32>(entryEnd - p)) return UNUSUAL;
      // Most writers keep one order of features, so the key that followed last time is tried first.
      let key = load<i32>(guessAt);
      let entry = keys + <usize>key * KEY_BYTES;
      if (
        key < 0 ||
        load<u32>(entry + K_LENGTH) != keyLength ||
        !sameText(<usize>load<u32>(entry + K_TEXT), text, keyLength)
      ) {
        key = findKey(ctx, text, keyLength);
        if (key < 0) {
          if (load<u32>(ctx + C_STRICT) != 0) return UNUSUAL;
          p = entryEnd;
          continue;
        }
        store<i32>(guessAt, key);
        entry = keys + <usize>key * KEY_BYTES;
      }
      guessAt = entry + K_NEXT;
      const columnIndex = load<i32>(entry + K_COLUMN);
      if (columnIndex >= 0) {
        const column = columns + <usize>columnIndex * COLUMN_BYTES;
        if (load<u32>(column + STAMP) == stamp) return UNUSUAL;
        store<u32>(column + STAMP, stamp);
        if (p < entryEnd) {
          const status = featureValue(ctx, column, row, p, entryEnd);
          if (status != INPUT) return status;
          store<u32>(column + PRESENT, stamp);
          present++;
        }
      }
      p = entryEnd;
    }
  }
  if (present == columnCount) return INPUT;
  for (let i: u32 = 0; i < columnCount; i++) {
    const column = columns + <usize>i * COLUMN_BYTES;
    if (load<u32>(column + PRESENT) == stamp) continue;
    const status = missingValue(ctx, column, row);
    if (status != INPUT) return status;
  }
  return INPUT;
}

/** A record as it is, the only value of the only column. */
function rawRecord(ctx: usize, row: u32, p: usize, length: u32): i32 {
  const column = <usize>load<u32>(ctx + C_COLUMNS);
  const need = <u64>row + 1;
  if (need > <u64>load<u32>(column + VALUE_CAPACITY)) return grow(ctx, column, 0, need);
  store<u32>(ctx + C_OUT_BYTES, load<u32>(ctx + C_OUT_BYTES) + length + 4);
  return appendBytes(ctx, column, row, p, length);
}

/** Checks one record; INPUT when it is not complete. */
function checkOne(p: usize, end: usize, large: u64): i32 {
  if (<u32>(end - p) < 16) return INPUT;
  if (maskedCrc32c(p, 8) != load<u32>(p, 8)) return BAD_LENGTH;
  const length = load<u64>(p);
  if (length >= large) return LARGE;
  if (length > <u64>(end - p - 16)) return INPUT;
  const data = p + 12;
  return maskedCrc32c(data, <usize>length) == load<u32>(data + <usize>length) ? CHECKED : BAD_DATA;
}

/** Where the data of sixteen records start, their lengths and checksums. */
const STARTS: usize = memory.data(64, 16);
const LENGTHS: usize = memory.data(64, 16);
const CHECKSUMS: usize = memory.data(64, 16);

/** Data that go into checking sixteen at once pay from so many bytes on. */
const LEAST_TOGETHER: u32 = 32;

/**
 * Checks both checksums of the next sixteen records at once and answers where the first one begins that is wrong, or that
 * could not be checked so: `p` itself when there are not sixteen of some size.
 */
function checkAhead(p: usize, end: usize, large: u64): usize {
  let at = p;
  let shortest: u32 = 0xffffffff;
  for (let i: usize = 0; i < LANES; i++) {
    if (<u32>(end - at) < 16) return p;
    const length = load<u64>(at);
    if (length >= large || length > <u64>(end - at - 16) || maskedCrc32c(at, 8) != load<u32>(at, 8)) return p;
    store<u32>(STARTS + (i << 2), <u32>(at + 12));
    store<u32>(LENGTHS + (i << 2), <u32>length);
    shortest = min(shortest, <u32>length);
    at += <usize>length + 16;
  }
  if (shortest < LEAST_TOGETHER) return p;
  crc32cMany(STARTS, LENGTHS, CHECKSUMS);
  for (let i: usize = 0; i < LANES; i++) {
    const start = <usize>load<u32>(STARTS + (i << 2));
    const masked = rotr<u32>(load<u32>(CHECKSUMS + (i << 2)), 15) + 0xa282ead8;
    if (masked != load<u32>(start + <usize>load<u32>(LENGTHS + (i << 2)))) return start - 12;
  }
  return at;
}

/**
 * Decodes the records of [src, end) that are complete, checking both checksums of each, until something stops it; says
 * what, and leaves rows, bytes consumed and places in the context.
 */
export function decodeRecords(ctx: usize, src: usize, end: usize): i32 {
  const rowLimit = load<u32>(ctx + C_ROW_LIMIT);
  const byteLimit = load<u32>(ctx + C_BYTE_LIMIT);
  const large = <u64>load<u32>(ctx + C_LARGE);
  const raw = load<u32>(ctx + C_RAW) != 0;
  let row = load<u32>(ctx + C_ROW);
  let p = src;
  let checked = src;
  let status = INPUT;
  for (;;) {
    if (row >= rowLimit) {
      status = ROWS;
      break;
    }
    const outBytes = load<u32>(ctx + C_OUT_BYTES);
    if (outBytes >= byteLimit) {
      status = BYTES;
      break;
    }
    if (p >= checked) checked = checkAhead(p, end, large);
    if (p >= checked) {
      status = checkOne(p, end, large);
      if (status != CHECKED) break;
    }
    const length = load<u64>(p);
    const data = p + 12;
    const dataEnd = data + <usize>length;
    status = raw ? rawRecord(ctx, row, data, <u32>length) : example(ctx, row, data, dataEnd);
    if (status != INPUT) {
      // What a given-up record counted is taken back.
      store<u32>(ctx + C_OUT_BYTES, outBytes);
      break;
    }
    row++;
    p = dataEnd + 4;
  }
  store<u32>(ctx + C_ROW, row);
  store<u32>(ctx + C_CONSUMED, <u32>(p - src));
  return status;
}
