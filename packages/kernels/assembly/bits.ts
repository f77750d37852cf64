// Bitmaps, least significant bit first. Writers keep the bits below the first one they were asked for and clear the
// bits above the last one in its byte, so bitmaps are filled from low to high.
import { COUNT, TRUNCATED, fail, setValid } from "./status";

/** The 8 bits from bit `index` on; reads one byte past them. */
// @ts-ignore: decorator
@inline
export function byteAt(bits: usize, index: u32): u32 {
  return (<u32>load<u16>(bits + (index >> 3)) >> (index & 7)) & 255;
}

// @ts-ignore: decorator
@inline
export function bitAt(bits: usize, index: u32): u32 {
  return (<u32>load<u8>(bits + (index >> 3)) >> (index & 7)) & 1;
}

/** Stores the low `count` (1 to 8) bits of `value` at bit `index`. */
// @ts-ignore: decorator
@inline
export function putBits(out: usize, index: u32, value: u32, count: u32): void {
  const at = out + (index >> 3);
  const shift = index & 7;
  const merged = (<u32>load<u8>(at) & ((1 << shift) - 1)) | ((value & ((1 << count) - 1)) << shift);
  store<u8>(at, merged);
  if (shift + count > 8) store<u8>(at, merged >> 8, 1);
}

/** Sets or clears bits [index, index + count). */
export function fillBits(out: usize, index: u32, count: u32, value: u32): void {
  const head: u32 = (8 - (index & 7)) & 7;
  const first = head < count ? head : count;
  const pattern: u32 = value ? 255 : 0;
  if (first > 0) putBits(out, index, pattern, first);
  const bytes: u32 = (count - first) >> 3;
  memory.fill(out + ((index + first) >> 3), <u8>pattern, bytes);
  const done: u32 = first + (bytes << 3);
  if (done < count) putBits(out, index + done, pattern, count - done);
}

/** Copies bits; the caller has checked that both ends exist. */
export function moveBits(src: usize, srcIndex: u32, out: usize, index: u32, count: u32): void {
  let done: u32 = (8 - (index & 7)) & 7;
  if (done > count) done = count;
  if (done > 0) putBits(out, index, byteAt(src, srcIndex), done);
  let target = out + ((index + done) >> 3);
  let from = srcIndex + done;
  const shift: u64 = from & 7;
  if (shift == 0) {
    const bytes = (count - done) >> 3;
    memory.copy(target, src + (from >> 3), bytes);
    target += bytes;
    done += bytes << 3;
  } else {
    let p = src + (from >> 3);
    while (done + 64 <= count) {
      store<u64>(target, (load<u64>(p) >> shift) | (<u64>load<u8>(p, 8) << (64 - shift)));
      p += 8;
      target += 8;
      done += 64;
    }
  }
  from = srcIndex + done;
  while (done + 8 <= count) {
    store<u8>(target++, byteAt(src, from));
    from += 8;
    done += 8;
  }
  if (done < count) putBits(out, index + done, byteAt(src, from), count - done);
}

export function countBits(bits: usize, index: u32, count: u32): u32 {
  let total: u32 = 0;
  let done: u32 = 0;
  const head: u32 = (8 - (index & 7)) & 7;
  if (head > 0) {
    done = head < count ? head : count;
    total += popcnt(byteAt(bits, index) & ((1 << done) - 1));
  }
  let p = bits + ((index + done) >> 3);
  for (; done + 64 <= count; done += 64) {
    total += <u32>popcnt(load<u64>(p));
    p += 8;
  }
  for (; done + 8 <= count; done += 8) total += popcnt(<u32>load<u8>(p++));
  if (done < count) total += popcnt(<u32>load<u8>(p) & ((1 << (count - done)) - 1));
  return total;
}

export function copyBits(src: usize, srcLength: u32, srcIndex: u32, out: usize, index: u32, count: u32): i32 {
  const available = <u64>srcLength * 8;
  if (<u64>srcIndex + count > available) return fail(TRUNCATED, srcLength);
  moveBits(src, srcIndex, out, index, count);
  return <i32>count;
}

/** Dense bits to slots: slot i takes the next bit when it is valid, else 0. */
export function spreadBits(
  validity: usize,
  validityIndex: u32,
  count: u32,
  src: usize,
  srcIndex: u32,
  srcCount: u32,
  out: usize,
  index: u32,
): i32 {
  const valid = countBits(validity, validityIndex, count);
  setValid(valid);
  if (valid != srcCount) return fail(COUNT, valid);
  let from = srcIndex;
  for (let i: u32 = 0; i < count; i += 8) {
    const width = min<u32>(8, count - i);
    const mask = byteAt(validity, validityIndex + i) & ((1 << width) - 1);
    let source = byteAt(src, from);
    from += popcnt(mask);
    let value = source;
    if (mask != 255) {
      value = 0;
      let rest = mask;
      while (rest != 0) {
        const low = rest & (0 - rest);
        if (source & 1) value |= low;
        source >>= 1;
        rest ^= low;
      }
    }
    putBits(out, index + i, value, width);
  }
  return <i32>valid;
}
