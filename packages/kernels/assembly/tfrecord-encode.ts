// Column buffers to framed tf.train.Examples: one call for many rows. Features come out in the order of the columns,
// lists packed, lengths minimal, so equal rows give equal bytes.
import { maskedCrc32c } from "./crc32c";

// Context: 32-bit words. Keep in step with src/tfrecord.ts.
const E_COLUMNS: usize = 0;
const E_COLUMN_COUNT: usize = 4;
const E_ROW: usize = 8; // in: the first row; out: the first row not written
const E_ROW_LIMIT: usize = 12;
const E_NEED: usize = 16; // out: bytes the next record wants when it did not fit

// Column: 48 bytes.
const COLUMN_BYTES: usize = 48;
const PREFIX: usize = 0; // the key's tag, length and text
const PREFIX_LENGTH: usize = 4;
const KIND: usize = 8; // 1 bytes, 2 float, 3 int64
const FIXED: usize = 12; // values a row, or -1 for a list
const VALUES: usize = 16; // floats, integers or bits, or ends of byte strings
const DATA: usize = 20; // where a byte string that ends at 0 would end
const OFFSETS: usize = 24; // ends of lists
const VALIDITY: usize = 28; // bits, or 0 when every row is valid
const ELEMENT: usize = 32; // of integers: see `integerAt`
const LIST_BYTES: usize = 36; // scratch: bytes of the row's list
const VALUE_BYTES: usize = 40; // scratch: bytes of its values without tag and length

// @ts-ignore: decorator
@inline
function varintBytes(value: u64): u32 {
  return (70 - <u32>clz(value | 1)) / 7;
}

// @ts-ignore: decorator
@inline
function putVarint(p: usize, value: u64): usize {
  while (value >= 128) {
    store<u8>(p++, <u8>value | 128);
    value >>= 7;
  }
  store<u8>(p++, <u8>value);
  return p;
}

// @ts-ignore: decorator
@inline
function integerAt(values: usize, element: u32, index: u32): u64 {
  const i = <usize>index;
  switch (element) {
    case 0:
      return load<u64>(values + (i << 3));
    case 1:
      return <u64>(<i64>load<i32>(values + (i << 2)));
    case 2:
      return <u64>(<i64>load<i16>(values + (i << 1)));
    case 3:
      return <u64>(<i64>load<i8>(values + i));
    case 4:
      return <u64>load<u32>(values + (i << 2));
    case 5:
      return <u64>load<u16>(values + (i << 1));
    case 6:
      return <u64>load<u8>(values + i);
    default:
      return <u64>((load<u8>(values + (i >> 3)) >> <u8>(i & 7)) & 1);
  }
}

// @ts-ignore: decorator
@inline
function firstOf(column: usize, fixed: i32, row: u32): u32 {
  return fixed < 0 ? load<u32>(<usize>load<u32>(column + OFFSETS) + (<usize>row << 2)) : row * <u32>fixed;
}

// @ts-ignore: decorator
@inline
function endOf(column: usize, fixed: i32, row: u32): u32 {
  return fixed < 0 ? load<u32>(<usize>load<u32>(column + OFFSETS) + (<usize>row << 2), 4) : (row + 1) * <u32>fixed;
}

function isNull(column: usize, row: u32): bool {
  const validity = <usize>load<u32>(column + VALIDITY);
  return validity != 0 && ((load<u8>(validity + (row >> 3)) >> <u8>(row & 7)) & 1) == 0;
}

/** Bytes of the row's map entry without its own tag and length, 0 when the feature is absent; fills the scratch words. */
function measure(column: usize, row: u32): u32 {
  if (isNull(column, row)) return 0;
  const fixed = load<i32>(column + FIXED);
  const kind = load<u32>(column + KIND);
  const first = firstOf(column, fixed, row);
  const end = endOf(column, fixed, row);
  const values = <usize>load<u32>(column + VALUES);
  let list: u32 = 0;
  if (kind == 1) {
    for (let i = first; i < end; i++) {
      const at = values + (<usize>i << 2);
      const length = load<u32>(at, 4) - load<u32>(at);
      list += 1 + varintBytes(length) + length;
    }
  } else {
    let bytes: u32 = 0;
    if (kind == 2) bytes = (end - first) << 2;
    else {
      const element = load<u32>(column + ELEMENT);
      for (let i = first; i < end; i++) bytes += varintBytes(integerAt(values, element, i));
    }
    store<u32>(column + VALUE_BYTES, bytes);
    if (end > first) list = 1 + varintBytes(bytes) + bytes;
  }
  store<u32>(column + LIST_BYTES, list);
  const value = 1 + varintBytes(list) + list;
  return load<u32>(column + PREFIX_LENGTH) + 1 + varintBytes(value) + value;
}

function put(column: usize, row: u32, p: usize): usize {
  const prefixLength = load<u32>(column + PREFIX_LENGTH);
  const kind = load<u32>(column + KIND);
  const list = load<u32>(column + LIST_BYTES);
  const value = 1 + varintBytes(list) + list;
  store<u8>(p, 0x0a);
  p = putVarint(p + 1, prefixLength + 1 + varintBytes(value) + value);
  memory.copy(p, <usize>load<u32>(column + PREFIX), prefixLength);
  p += prefixLength;
  store<u8>(p, 0x12);
  p = putVarint(p + 1, value);
  store<u8>(p, <u8>((kind << 3) | 2));
  p = putVarint(p + 1, list);
  if (list == 0) return p;
  const fixed = load<i32>(column + FIXED);
  const first = firstOf(column, fixed, row);
  const end = endOf(column, fixed, row);
  const values = <usize>load<u32>(column + VALUES);
  if (kind == 1) {
    const data = <usize>load<u32>(column + DATA);
    for (let i = first; i < end; i++) {
      const at = values + (<usize>i << 2);
      const from = load<u32>(at);
      const length = load<u32>(at, 4) - from;
      store<u8>(p, 0x0a);
      p = putVarint(p + 1, length);
      memory.copy(p, data + from, length);
      p += length;
    }
    return p;
  }
  const bytes = load<u32>(column + VALUE_BYTES);
  store<u8>(p, 0x0a);
  p = putVarint(p + 1, bytes);
  if (kind == 2) {
    memory.copy(p, values + (<usize>first << 2), bytes);
    return p + bytes;
  }
  const element = load<u32>(column + ELEMENT);
  for (let i = first; i < end; i++) p = putVarint(p, integerAt(values, element, i));
  return p;
}

/** Writes rows as records to [out, end) until the next does not fit; answers the bytes written. */
export function encodeExamples(ctx: usize, out: usize, end: usize): u32 {
  const columns = <usize>load<u32>(ctx + E_COLUMNS);
  const stop = columns + <usize>load<u32>(ctx + E_COLUMN_COUNT) * COLUMN_BYTES;
  const rowLimit = load<u32>(ctx + E_ROW_LIMIT);
  let row = load<u32>(ctx + E_ROW);
  let p = out;
  for (; row < rowLimit; row++) {
    let features: u64 = 0;
    for (let column = columns; column < stop; column += COLUMN_BYTES) {
      const entry = measure(column, row);
      if (entry != 0) features += 1 + varintBytes(entry) + entry;
    }
    const size = 1 + varintBytes(features) + features;
    store<u32>(ctx + E_NEED, size > 0xffffff00 ? 0xffffffff : <u32>size + 16);
    if (size + 16 > <u64>(end - p)) break;
    store<u64>(p, size);
    store<u32>(p, maskedCrc32c(p, 8), 8);
    const data = p + 12;
    store<u8>(data, 0x0a);
    let q = putVarint(data + 1, features);
    for (let column = columns; column < stop; column += COLUMN_BYTES) {
      if (!isNull(column, row)) q = put(column, row, q);
    }
    store<u32>(q, maskedCrc32c(data, q - data));
    p = q + 4;
  }
  store<u32>(ctx + E_ROW, row);
  return <u32>(p - out);
}
