// Fixed-width bit-packed values, least significant bit first. Reads up to 16 bytes past the last value.
//
// The vector loops bring the bytes of each value into its lane (swizzle), shift its highest bit to the top of the lane
// (multiplication by a power of two, since lanes have no shifts of their own) and shift right by one amount for all.

/** Widest value whose bits, at any bit offset, lie within 4 bytes. */
const LANE_WIDTH: u32 = 25;
// For each width: byte order and multiplier of values 0 to 3, then of values 4 to 7.
const LANES32 = memory.data(26 * 64);
// For each width from 1 to 8: byte order and multiplier of 8 values in 16-bit lanes.
const LANES16 = memory.data(9 * 32);
let ready: bool = false;

function prepareLanes(): void {
  for (let width: u32 = 1; width <= LANE_WIDTH; width++) {
    for (let i: u32 = 0; i < 8; i++) {
      const half = i >> 2;
      // Values 4 to 7 are loaded from the byte that bit 4 × width lies in.
      const bit = i * width - ((half * 4 * width) & ~7);
      const at = LANES32 + width * 64 + half * 32 + (i & 3) * 4;
      for (let k: u32 = 0; k < 4; k++) store<u8>(at + k, (bit >> 3) + k);
      store<u32>(at, <u32>1 << (32 - width - (bit & 7)), 16);
    }
  }
  for (let width: u32 = 1; width <= 8; width++) {
    for (let i: u32 = 0; i < 8; i++) {
      const bit = i * width;
      const at = LANES16 + width * 32 + i * 2;
      store<u8>(at, bit >> 3);
      store<u8>(at, (bit >> 3) + 1, 1);
      store<u16>(at, <u16>(<u32>1 << (16 - width - (bit & 7))), 16);
    }
  }
  ready = true;
}

/** Values of `width` 0 to 32 bits to 32-bit integers. Returns the largest, unsigned. */
export function unpack32(src: usize, width: u32, out: usize, count: u32): u32 {
  if (width == 0) {
    memory.fill(out, 0, <usize>count << 2);
    return 0;
  }
  let p = src;
  let o = out;
  let done: u32 = 0;
  let largest: u32 = 0;
  if (width <= LANE_WIDTH && count >= 8) {
    if (!ready) prepareLanes();
    const lanes = LANES32 + width * 64;
    const order = v128.load(lanes);
    const factor = v128.load(lanes, 16);
    const order2 = v128.load(lanes, 32);
    const factor2 = v128.load(lanes, 48);
    const shift = 32 - width;
    const second = (width * 4) >> 3;
    let most = i32x4.splat(0);
    for (const whole = count & ~7; done < whole; done += 8) {
      const a = i32x4.shr_u(i32x4.mul(i8x16.swizzle(v128.load(p), order), factor), shift);
      const b = i32x4.shr_u(i32x4.mul(i8x16.swizzle(v128.load(p + second), order2), factor2), shift);
      v128.store(o, a);
      v128.store(o, b, 16);
      most = i32x4.max_u(most, i32x4.max_u(a, b));
      p += width;
      o += 32;
    }
    largest = max<u32>(
      max<u32>(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)),
      max<u32>(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3)),
    );
  }
  const mask: u64 = (<u64>1 << width) - 1;
  let bit: u64 = 0;
  for (; done < count; done++) {
    const value = <u32>((load<u64>(p + <usize>(bit >> 3)) >> (bit & 7)) & mask);
    store<u32>(o, value);
    largest = max<u32>(largest, value);
    bit += width;
    o += 4;
  }
  return largest;
}

/** Values of `width` 0 to 8 bits to bytes. */
export function unpack8(src: usize, width: u32, out: usize, count: u32): void {
  if (width == 0) {
    memory.fill(out, 0, count);
    return;
  }
  if (!ready) prepareLanes();
  const lanes = LANES16 + width * 32;
  const order = v128.load(lanes);
  const factor = v128.load(lanes, 16);
  const shift = 16 - width;
  let p = src;
  let done: u32 = 0;
  for (; done + 16 <= count; done += 16) {
    const a = i16x8.shr_u(i16x8.mul(i8x16.swizzle(v128.load(p), order), factor), shift);
    const b = i16x8.shr_u(i16x8.mul(i8x16.swizzle(v128.load(p + width), order), factor), shift);
    v128.store(out + done, i8x16.narrow_i16x8_u(a, b));
    p += width * 2;
  }
  const mask: u32 = (1 << width) - 1;
  for (let bit: u32 = 0; done < count; done++) {
    store<u8>(out + done, (<u32>load<u16>(p + (bit >> 3)) >> (bit & 7)) & mask);
    bit += width;
  }
}

/** One value of `width` 0 to 64 bits at bit `bit`. */
// @ts-ignore: decorator
@inline
export function bitsAt(src: usize, bit: u64, width: u32): u64 {
  if (width == 0) return 0;
  const p = src + <usize>(bit >> 3);
  const shift = bit & 7;
  let v = load<u64>(p) >> shift;
  if (<u32>shift + width > 64) v |= <u64>load<u8>(p, 8) << (64 - shift);
  return width == 64 ? v : v & ((<u64>1 << width) - 1);
}

/** How many bytes `count` values of `width` bits take. */
// @ts-ignore: decorator
@inline
export function packedBytes(count: u32, width: u32): u64 {
  return (<u64>count * width + 7) >> 3;
}
