// LZO1X (the stream format as described in Linux Documentation/staging/lzo.rst), read. Copies run in 16-byte steps: up to
// 16 bytes past the result, within SLACK, are overwritten.
import { CORRUPT, OUTPUT_FULL, TRUNCATED, fail, setPosition } from "./status";
import { copyMatch } from "./match";

/** No length comes near it; sums of 255-bytes stop here. */
const MOST: u32 = 0x7fffff00;

let lengthEnd: usize = 0;

/** `base` + 255 for every zero byte + the byte behind them; lengthEnd is 0 when input ends or the length passes MOST. */
function extendLength(p: usize, stop: usize, base: u32): u32 {
  let length = base;
  while (p < stop) {
    const byte: u32 = load<u8>(p++);
    if (byte != 0) {
      lengthEnd = p;
      return length + byte;
    }
    length += 255;
    if (length > MOST) break;
  }
  lengthEnd = 0;
  return length;
}

/** The low bits of an instruction as a length, extended when they are 0; `next` is where its operand would begin. */
// @ts-ignore: decorator
@inline
function lengthOf(bits: u32, most: u32, next: usize, stop: usize): u32 {
  lengthEnd = next;
  return bits != 0 ? bits : extendLength(next, stop, most);
}

/**
 * One LZO1X stream with its end marker. Returns the size of the result, at most `capacity`; TRUNCATED, CORRUPT,
 * OUTPUT_FULL.
 */
export function lzoDecompress(src: usize, srcLength: u32, out: usize, capacity: u32): i32 {
  if (capacity > 0x7fffffff) return fail(OUTPUT_FULL, 0);
  const stop = src + srcLength;
  const outStop = out + capacity;
  let p = src;
  let d = out;
  // How many literals came last: what instructions below 16 mean depends on it. 4 is a run of 4 or more.
  let state: u32 = 0;
  let literals: u32 = 0;
  if (srcLength > 0 && load<u8>(p) > 17) {
    literals = <u32>load<u8>(p++) - 17;
    state = min<u32>(literals, 4);
  }
  while (p <= stop) {
    const at = p;
    if (literals > 0) {
      if (literals > <u32>(stop - p)) return fail(TRUNCATED, at - src);
      if (literals > <u32>(outStop - d)) return fail(OUTPUT_FULL, at - src);
      if (literals <= 16) v128.store(d, v128.load(p));
      else memory.copy(d, p, literals);
      d += literals;
      p += literals;
    }
    if (p >= stop) return fail(TRUNCATED, at - src);
    const code: u32 = load<u8>(p++);
    let length: u32;
    let distance: u32;
    if (code < 16 && state == 0) {
      literals = 3 + lengthOf(code, 15, p, stop);
      if (lengthEnd == 0) return fail(TRUNCATED, at - src);
      p = lengthEnd;
      state = 4;
      continue;
    }
    if (code < 16 || code >= 64) {
      if (p >= stop) return fail(TRUNCATED, at - src);
      const high: u32 = load<u8>(p++);
      if (code < 16) {
        length = state == 4 ? 3 : 2;
        distance = (high << 2) + (code >> 2) + (state == 4 ? 2049 : 1);
      } else {
        length = code >= 128 ? 5 + ((code >> 5) & 3) : 3 + ((code >> 5) & 1);
        distance = (high << 3) + ((code >> 2) & 7) + 1;
      }
      state = code & 3;
    } else {
      length = 2 + (code < 32 ? lengthOf(code & 7, 7, p, stop) : lengthOf(code & 31, 31, p, stop));
      p = lengthEnd;
      if (p == 0 || stop - p < 2) return fail(TRUNCATED, at - src);
      const word: u32 = load<u16>(p);
      p += 2;
      state = word & 3;
      distance = (word >> 2) + 1;
      if (code < 32) {
        distance += 16383 + ((code & 8) << 11);
        if (distance == 16384) {
          // The end marker is one form of it only; whatever follows belongs to nothing.
          if (code != 17 || state != 0 || p != stop) return fail(CORRUPT, at - src);
          setPosition(srcLength);
          return <i32>(d - out);
        }
      }
    }
    if (distance > <u32>(d - out)) return fail(CORRUPT, at - src);
    if (length > <u32>(outStop - d)) return fail(OUTPUT_FULL, at - src);
    copyMatch(d, distance, length);
    d += length;
    literals = state;
  }
  return fail(TRUNCATED, srcLength);
}
