// ORC run-length encodings of bytes and booleans (specification v1, "Byte Run Length Encoding"), read in pieces.
//
// State, BYTE_STATE_BYTES: u32 pos, u32 end (addresses), u32 left (of the current run), u32 literal, u32 value, u32 bits,
// u32 bitsLeft, u32 done. After TRUNCATED it says how much there was, and stays good for when more has come.
import { putBits } from "./bits";
import { TRUNCATED, fail, setValid } from "./status";

// The current run, while a kernel works.
let p: usize = 0;
let stop: usize = 0;
let left: u32 = 0;
let literal: u32 = 0;
let value: u32 = 0;

function begin(state: usize): void {
  p = <usize>load<u32>(state);
  stop = <usize>load<u32>(state, 4);
  left = load<u32>(state, 8);
  literal = load<u32>(state, 12);
  value = load<u32>(state, 16);
}

function end(state: usize, done: u32): void {
  store<u32>(state, <u32>p);
  store<u32>(state, left, 8);
  store<u32>(state, literal, 12);
  store<u32>(state, value, 16);
  store<u32>(state, done, 28);
}

/** Reads the header of the next run; false when it is not there. */
function nextRun(): bool {
  if (p + 2 > stop) return false;
  const control = <i32>load<i8>(p);
  if (control >= 0) {
    left = control + 3;
    literal = 0;
    value = load<u8>(p, 1);
    p += 2;
  } else {
    left = -control;
    literal = 1;
    p += 1;
  }
  return true;
}

/** The next `count` bytes of a stream. */
export function orcBytes(state: usize, out: usize, count: u32): i32 {
  begin(state);
  let done: u32 = 0;
  while (done < count) {
    if (left == 0 && !nextRun()) break;
    let taken = min(left, count - done);
    if (literal == 0) memory.fill(out + done, <u8>value, taken);
    else {
      taken = min(taken, <u32>(stop - p));
      if (taken == 0) break;
      memory.copy(out + done, p, taken);
      p += taken;
    }
    left -= taken;
    done += taken;
  }
  end(state, done);
  return done == count ? <i32>count : fail(TRUNCATED, 0);
}

/** The bits of a byte the other way round. */
// @ts-ignore: decorator
@inline
function reversed(byte: u32): u32 {
  return <u32>(((<u64>byte * 0x80200802) & 0x0884422110) * 0x0101010101 >> 32) & 255;
}

/** The next bits of a stream (most significant first) as bits [from, to) of a bitmap. `validCount` is how many are set. */
export function orcBooleans(state: usize, out: usize, from: u32, to: u32): i32 {
  begin(state);
  // Bits of the last byte that were not taken yet, the next one lowest.
  let bits = load<u32>(state, 20);
  let bitsLeft = load<u32>(state, 24);
  let set: u32 = 0;
  let i = from;
  while (i < to) {
    if (bitsLeft == 0) {
      if (left == 0 && !nextRun()) break;
      if (literal == 0) bits = reversed(value);
      else {
        if (p >= stop) break;
        bits = reversed(load<u8>(p++));
      }
      left--;
      bitsLeft = 8;
    }
    const taken = min(bitsLeft, to - i);
    const piece = bits & ((1 << taken) - 1);
    putBits(out, i, piece, taken);
    set += popcnt(piece);
    bits >>= taken;
    bitsLeft -= taken;
    i += taken;
  }
  store<u32>(state, bits, 20);
  store<u32>(state, bitsLeft, 24);
  end(state, i - from);
  setValid(set);
  return i == to ? <i32>(to - from) : fail(TRUNCATED, 0);
}
