// Fixed-width bit-packed values, least significant bit first. Reads up to 8 bytes past the last value.

/** Values of `width` 0 to 32 bits to 32-bit integers. */
export function unpack32(src: usize, width: u32, out: usize, count: u32): void {
  if (width == 0) {
    memory.fill(out, 0, <usize>count << 2);
    return;
  }
  const mask: u64 = (<u64>1 << width) - 1;
  let o = out;
  let p = src;
  let i: u32 = 0;
  const w: u64 = width;
  if (width <= 8) {
    for (const whole = count & ~7; i < whole; i += 8) {
      const v = load<u64>(p);
      p += width;
      store<u32>(o, <u32>(v & mask));
      store<u32>(o, <u32>((v >> w) & mask), 4);
      store<u32>(o, <u32>((v >> (w * 2)) & mask), 8);
      store<u32>(o, <u32>((v >> (w * 3)) & mask), 12);
      store<u32>(o, <u32>((v >> (w * 4)) & mask), 16);
      store<u32>(o, <u32>((v >> (w * 5)) & mask), 20);
      store<u32>(o, <u32>((v >> (w * 6)) & mask), 24);
      store<u32>(o, <u32>((v >> (w * 7)) & mask), 28);
      o += 32;
    }
  }
  let bit: u64 = 0;
  for (; i < count; i++) {
    store<u32>(o, <u32>((load<u64>(p + <usize>(bit >> 3)) >> (bit & 7)) & mask));
    bit += w;
    o += 4;
  }
}

/** Values of `width` 0 to 8 bits to bytes. */
export function unpack8(src: usize, width: u32, out: usize, count: u32): void {
  const mask: u64 = (<u64>1 << width) - 1;
  let p = src;
  let i: u32 = 0;
  const w: u64 = width;
  for (; i < count; i += 8) {
    let v = load<u64>(p);
    p += width;
    let word: u64 = 0;
    for (let k: u64 = 0; k < 64; k += 8) {
      word |= (v & mask) << k;
      v >>= w;
    }
    if (i + 8 <= count) store<u64>(out + i, word);
    else {
      for (let k: u32 = i; k < count; k++) {
        store<u8>(out + k, <u8>word);
        word >>= 8;
      }
    }
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
