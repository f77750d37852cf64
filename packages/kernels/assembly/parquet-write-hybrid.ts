// RLE / bit-packing hybrid in writing (Parquet Encodings.md, RLE = 3): eight or more equal values from the start of a
// group become a run, groups of eight between are bit-packed.

// @ts-ignore: decorator
@inline
function valueAt<T>(src: usize, i: u32): u32 {
  return <u32>load<T>(src + <usize>i * sizeof<T>());
}

function writeVarint(out: usize, value: u32): usize {
  let o = out;
  let rest = value;
  for (; rest >= 0x80; rest >>= 7) store<u8>(o++, <u8>(rest | 0x80));
  store<u8>(o++, <u8>rest);
  return o;
}

/** How many values from `from` on are equal, at most up to `to`. */
// @ts-ignore: decorator
@inline
function runLength<T>(src: usize, from: u32, to: u32): u32 {
  const value = load<T>(src + <usize>from * sizeof<T>());
  let i = from + 1;
  while (i < to && load<T>(src + <usize>i * sizeof<T>()) == value) i++;
  return i - from;
}

/** Values [from, to), the last group filled up with zeros. Writes up to 8 bytes past the result. */
// @ts-ignore: decorator
@inline
function pack<T>(src: usize, from: u32, to: u32, width: u32, out: usize): usize {
  const groups = (to - from + 7) >> 3;
  let o = writeVarint(out, (groups << 1) | 1);
  const stop = o + groups * width;
  let word: u64 = 0;
  let filled: u32 = 0;
  for (let i = from; i < to; i++) {
    word |= <u64>valueAt<T>(src, i) << filled;
    filled += width;
    if (filled < 32) continue;
    store<u32>(o, <u32>word);
    o += 4;
    word >>= 32;
    filled -= 32;
  }
  store<u64>(o, word);
  // The padding of the last group, less than eight values.
  if (stop > o + 8) memory.fill(o + 8, 0, stop - o - 8);
  return stop;
}

// @ts-ignore: decorator
@inline
function encode<T>(src: usize, count: u32, width: u32, out: usize): u32 {
  let o = out;
  let i: u32 = 0;
  while (i < count) {
    const run = runLength<T>(src, i, count);
    if (run >= 8 || run == count - i) {
      o = writeVarint(o, run << 1);
      const value = valueAt<T>(src, i);
      for (let bits: u32 = 0; bits < width; bits += 8) store<u8>(o++, <u8>(value >> bits));
      i += run;
      continue;
    }
    let end = i + 8;
    while (end < count && runLength<T>(src, end, min(count, end + 8)) < 8) end += 8;
    o = pack<T>(src, i, min(end, count), width, o);
    i = end;
  }
  return <u32>(o - out);
}

export function encodeIndices(src: usize, count: u32, width: u32, out: usize): u32 {
  return encode<u32>(src, count, width, out);
}

export function encodeLevels(src: usize, count: u32, width: u32, out: usize): u32 {
  return encode<u8>(src, count, width, out);
}

/** Two tables in turn, so that equal neighbours do not wait for each other. */
export function countLevels(src: usize, count: u32, out: usize): void {
  memory.fill(out, 0, 2048);
  let i: u32 = 0;
  for (; i + 2 <= count; i += 2) {
    const even = out + (<usize>load<u8>(src + i) << 2);
    const odd = out + 1024 + (<usize>load<u8>(src + i, 1) << 2);
    store<u32>(even, load<u32>(even) + 1);
    store<u32>(odd, load<u32>(odd) + 1);
  }
  if (i < count) {
    const even = out + (<usize>load<u8>(src + i) << 2);
    store<u32>(even, load<u32>(even) + 1);
  }
  for (let level: usize = 0; level < 1024; level += 4) store<u32>(out + level, load<u32>(out + level) + load<u32>(out + 1024 + level));
}
