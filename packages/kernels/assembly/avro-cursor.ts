// The cursor of the Avro kernels: reads the binary encoding ("Binary Encoding") front to back, every read checked against
// the end. The first fault is kept; whoever called gives up.

// What is wrong. Keep in step with `avroFaults` in src/api/avro.ts.
export const ENDS: i32 = 1;
export const NUMBER: i32 = 2;
export const INT: i32 = 3;
export const BOOLEAN: i32 = 4;
export const BRANCH: i32 = 5;
export const SYMBOL: i32 = 6;
export const LENGTH: i32 = 7;
export const ITEMS: i32 = 8;
export const FREE_ITEMS: i32 = 9;
export const DECIMAL_EMPTY: i32 = 10;
export const DECIMAL_RANGE: i32 = 11;
export const UUID: i32 = 12;
export const DURATION: i32 = 13;
export const DEPTH: i32 = 14;
export const NO_BRANCH: i32 = 15;
export const NO_SYMBOL: i32 = 16;
export const TOO_MANY: i32 = 17;
export const GROW: i32 = 18;
export const TRAILING: i32 = 19;
export const NOT_TEXT: i32 = 20;

let cursor: usize = 0;
let stop: usize = 0;
let number: i64 = 0;

let fault: i32 = 0;
let faultNode: usize = 0;
let faultValue: i64 = 0;

// @ts-ignore: decorator
@inline
export function at(): usize {
  return cursor;
}

// @ts-ignore: decorator
@inline
export function end(): usize {
  return stop;
}

// @ts-ignore: decorator
@inline
export function left(): u64 {
  return <u64>(stop - cursor);
}

// @ts-ignore: decorator
@inline
export function place(start: usize, to: usize): void {
  cursor = start;
  stop = to;
}

/** The last number read. */
// @ts-ignore: decorator
@inline
export function value(): i64 {
  return number;
}

export function faultCode(): i32 {
  return fault;
}

export function faultAt(): usize {
  return faultNode;
}

export function faultNumber(): i64 {
  return faultValue;
}

/** Gives up at program node `node`. */
export function refuse(code: i32, node: usize, what: i64): bool {
  fault = code;
  faultNode = node;
  faultValue = what;
  return false;
}

/** Numbers of two bytes and more; reads up to ten bytes, past the end if need be (SLACK), and checks afterwards. */
function readLong(node: usize): bool {
  let p = cursor;
  const word = load<u64>(p);
  const stops = ~word & 0x8080808080808080;
  let x: u64;
  if (stops != 0) {
    x = word & (stops ^ (stops - 1)) & 0x7f7f7f7f7f7f7f7f;
    x = (x & 0x007f007f007f007f) | ((x & 0x7f007f007f007f00) >> 1);
    x = (x & 0x00003fff00003fff) | ((x & 0x3fff00003fff0000) >> 2);
    x = (x & 0x000000000fffffff) | ((x & 0x0fffffff00000000) >> 4);
    p += <usize>((ctz(stops) + 1) >> 3);
  } else {
    x = word & 0x7f7f7f7f7f7f7f7f;
    x = (x & 0x007f007f007f007f) | ((x & 0x7f007f007f007f00) >> 1);
    x = (x & 0x00003fff00003fff) | ((x & 0x3fff00003fff0000) >> 2);
    x = (x & 0x000000000fffffff) | ((x & 0x0fffffff00000000) >> 4);
    const ninth = <u64>load<u8>(p, 8);
    x |= (ninth & 127) << 56;
    p += 9;
    if (ninth >= 128) {
      const tenth = <u64>load<u8>(p++);
      if (tenth > 1) return refuse(NUMBER, node, 0);
      x |= tenth << 63;
    }
  }
  if (p > stop) return refuse(NUMBER, node, 0);
  cursor = p;
  number = <i64>((x >> 1) ^ -(x & 1));
  return true;
}

/** A zigzag varint of up to 64 bits, into `value()`. */
// @ts-ignore: decorator
@inline
export function long(node: usize): bool {
  const p = cursor;
  if (p >= stop) return refuse(NUMBER, node, 0);
  const byte = <u32>load<u8>(p);
  if (byte >= 128) return readLong(node);
  cursor = p + 1;
  number = <i64>(<i32>(byte >> 1) ^ -(<i32>(byte & 1)));
  return true;
}

/** A zigzag varint of up to 32 bits. */
// @ts-ignore: decorator
@inline
export function int(node: usize): bool {
  if (!long(node)) return false;
  return number == <i64>(<i32>number) ? true : refuse(INT, node, number);
}

/** Passes `size` bytes. */
// @ts-ignore: decorator
@inline
export function take(node: usize, size: u32): bool {
  if (<u64>size > left()) return refuse(ENDS, node, <i64>size);
  cursor += size;
  return true;
}

/** The length of bytes or of a sized block, checked against what is left; into `value()`. */
// @ts-ignore: decorator
@inline
export function length(node: usize): bool {
  if (!long(node)) return false;
  return <u64>number > left() ? refuse(LENGTH, node, number) : true;
}
