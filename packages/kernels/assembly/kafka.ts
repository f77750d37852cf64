// Records of a Kafka batch (magic 2) in their common form, straight into columns: no headers, no null value, keys all null
// or none, an offset for every record. Anything else, and anything damaged, answers UNUSUAL with nothing said: the caller
// decodes that batch with its general decoder, which knows all of it and says what is wrong.
import { copyOver } from "./copy";
import { unzigzag } from "./varint";

const UNUSUAL: i32 = -1;

// Context: 64-bit words. Keep in step with src/api/kafka.ts.
const C_COUNT: usize = 0;
const C_BASE_OFFSET: usize = 8;
const C_BASE_TIMESTAMP: usize = 16;
const C_APPEND_TIME: usize = 24;
const C_KEY_BASE: usize = 32;
const C_VALUE_BASE: usize = 40;
const C_OFFSETS: usize = 48;
const C_TIMESTAMPS: usize = 56;
const C_KEY_ENDS: usize = 64;
const C_VALUE_ENDS: usize = 72;
const C_KEYS: usize = 80;
const C_VALUES: usize = 88;
const C_NULL_KEYS: usize = 96;

const MAX_SAFE: i64 = 0x1fffffffffffff;
/** Of which the general decoder reads differences: their zigzag form is to be exact too. */
const MAX_DELTA: i64 = 0xfffffffffffff;
/** More than any length that is true; of a varint that is cut off or too long. */
const WRONG: i64 = i64.MAX_VALUE;

let cursor: usize = 0;

/** Of two bytes to eight; 56 bits are more than an exact integer needs. Reads past the end if need be: see SLACK. */
function longVarint(): i64 {
  const word = load<u64>(cursor);
  const stops = ~word & 0x8080808080808080;
  if (stops == 0) return WRONG;
  let x = word & (stops ^ (stops - 1)) & 0x7f7f7f7f7f7f7f7f;
  x = (x & 0x007f007f007f007f) | ((x & 0x7f007f007f007f00) >> 1);
  x = (x & 0x00003fff00003fff) | ((x & 0x3fff00003fff0000) >> 2);
  x = (x & 0x000000000fffffff) | ((x & 0x0fffffff00000000) >> 4);
  cursor += <usize>((ctz(stops) + 1) >> 3);
  return unzigzag(x);
}

/** Whoever reads last compares `cursor` with the end. */
// @ts-ignore: decorator
@inline
function varint(): i64 {
  const byte = <u32>load<u8>(cursor);
  if (byte >= 128) return longVarint();
  cursor++;
  return <i64>(<i32>(byte >> 1) ^ -(<i32>(byte & 1)));
}

/**
 * Decodes the records of [src, end): their number, which the context says; or UNUSUAL. Outputs have room for so many values,
 * keys and values for `end - src` bytes each, all with SLACK behind them.
 */
export function kafkaRecords(context: usize, src: usize, end: usize): i32 {
  const count = <u32>load<u64>(context, C_COUNT);
  const baseTimestamp = load<i64>(context, C_BASE_TIMESTAMP);
  const appendTime = load<u64>(context, C_APPEND_TIME) != 0;
  const keyShift = <u32>load<u64>(context, C_KEY_BASE) - <u32>load<u64>(context, C_KEYS);
  const valueShift = <u32>load<u64>(context, C_VALUE_BASE) - <u32>load<u64>(context, C_VALUES);
  let offset = load<i64>(context, C_BASE_OFFSET);
  let offsets = <usize>load<u64>(context, C_OFFSETS);
  let timestamps = <usize>load<u64>(context, C_TIMESTAMPS);
  let keyEnds = <usize>load<u64>(context, C_KEY_ENDS);
  let valueEnds = <usize>load<u64>(context, C_VALUE_ENDS);
  let key = <usize>load<u64>(context, C_KEYS);
  let value = <usize>load<u64>(context, C_VALUES);
  let nullKeys: u32 = 0;
  cursor = src;
  for (let i: u32 = 0; i < count; i++) {
    if (cursor >= end) return UNUSUAL;
    const length = varint();
    if (length < 1 || cursor > end || length > <i64>(end - cursor)) return UNUSUAL;
    const stop = cursor + <usize>length;
    cursor++; // attributes, of which none are defined
    const delta = varint();
    const timestamp = appendTime ? baseTimestamp : baseTimestamp + delta;
    if (delta < -MAX_DELTA || delta > MAX_DELTA || timestamp < -MAX_SAFE || timestamp > MAX_SAFE) return UNUSUAL;
    if (timestamp == -1 || varint() != <i64>i || cursor > stop) return UNUSUAL;
    const keyLength = varint();
    if (keyLength < -1 || cursor > stop || keyLength > <i64>(stop - cursor)) return UNUSUAL;
    if (keyLength < 0) nullKeys++;
    else {
      copyOver(key, cursor, <u32>keyLength);
      key += <usize>keyLength;
      cursor += <usize>keyLength;
    }
    const valueLength = varint();
    if (valueLength < 0 || cursor > stop || valueLength > <i64>(stop - cursor)) return UNUSUAL;
    copyOver(value, cursor, <u32>valueLength);
    value += <usize>valueLength;
    cursor += <usize>valueLength;
    // The number of headers, and nothing behind it.
    if (cursor + 1 != stop || load<u8>(cursor) != 0) return UNUSUAL;
    cursor = stop;
    store<i64>(offsets, offset++);
    store<i64>(timestamps, timestamp);
    store<u32>(keyEnds, <u32>key + keyShift);
    store<u32>(valueEnds, <u32>value + valueShift);
    offsets += 8;
    timestamps += 8;
    keyEnds += 4;
    valueEnds += 4;
  }
  if (cursor != end || (nullKeys != 0 && nullKeys != count)) return UNUSUAL;
  store<u64>(context, nullKeys, C_NULL_KEYS);
  return <i32>count;
}
