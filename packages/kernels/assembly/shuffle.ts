// Rows of a shuffle: bits and strings picked by index, and values of one lane put at every `stride`-th place of a block.
// Indices are a permutation that the caller made; places fit the block that the caller laid out.
import { bitAt } from "./bits";
import { copyOver } from "./copy";
import { LENGTH, OUTPUT_FULL, OVERFLOW, fail } from "./status";

/** out bit i = bits bit indices[i], from bit 0 of `out` on; returns how many are 1. */
export function gatherBits(indices: usize, count: u32, bits: usize, out: usize): u32 {
  let ones: u32 = 0;
  for (let i: u32 = 0; i < count; i += 8) {
    const stop = min<u32>(8, count - i);
    let byte: u32 = 0;
    for (let j: u32 = 0; j < stop; j++) {
      const bit = bitAt(bits, load<u32>(indices + (<usize>(i + j) << 2)));
      byte |= bit << j;
      ones += bit;
    }
    store<u8>(out + (i >> 3), byte);
  }
  return ones;
}

/** Sets bits at, at + stride, … of `out`, which are 0, to bits [from, from + count) (0: all ones); returns the ones. */
export function weaveBits(bits: usize, from: u32, count: u32, out: usize, at: u32, stride: u32): u32 {
  let ones: u32 = 0;
  let to = at;
  for (let i: u32 = 0; i < count; i++) {
    const bit: u32 = bits == 0 ? 1 : bitAt(bits, from + i);
    const place = out + (to >> 3);
    store<u8>(place, load<u8>(place) | (bit << (to & 7)));
    ones += bit;
    to += stride;
  }
  return ones;
}

// @ts-ignore: decorator
@inline
function weave<T>(src: usize, count: u32, out: usize, stride: u32): void {
  const step = <usize>stride * sizeof<T>();
  const stop = src + <usize>count * sizeof<T>();
  let o = out;
  for (let p = src; p < stop; p += sizeof<T>()) {
    store<T>(o, load<T>(p));
    o += step;
  }
}

/** Runs of an array of (src, count, width, out), 16 bytes each: value i of a run goes to out + i × stride × width. */
export function weaveRuns(runs: usize, runCount: u32, stride: u32): void {
  const stop = runs + (<usize>runCount << 4);
  for (let run = runs; run < stop; run += 16) {
    const src = <usize>load<u32>(run);
    const count = load<u32>(run, 4);
    const width = load<u32>(run, 8);
    const out = <usize>load<u32>(run, 12);
    if (width == 4) weave<u32>(src, count, out, stride);
    else if (width == 8) weave<u64>(src, count, out, stride);
    else if (width == 1) weave<u8>(src, count, out, stride);
    else if (width == 2) weave<u16>(src, count, out, stride);
    else if (width == 16) weave<v128>(src, count, out, stride);
    else weaveWide(src, count, width, out, stride);
  }
}

function weaveWide(src: usize, count: u32, width: u32, out: usize, stride: u32): void {
  const step = <usize>stride * width;
  let o = out;
  for (let i: u32 = 0; i < count; i++) {
    memory.copy(o, src + <usize>i * width, width);
    o += step;
  }
}

/**
 * Entries (address, length) of strings [0, count) at every `stride`-th place of a table. offsets[0] stands for `bytes`;
 * LENGTH (position: values) when offsets go back or past `size` bytes.
 */
export function weaveStrings(offsets: usize, count: u32, bytes: usize, size: u32, table: usize, stride: u32): i32 {
  const base = load<i32>(offsets);
  const step = <usize>stride << 3;
  let start: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const end = <u32>(load<i32>(offsets + (<usize>(i + 1) << 2)) - base);
    if (end < start || end > size) return fail(LENGTH, i);
    store<u32>(table, <u32>(bytes + start));
    store<u32>(table, end - start, 4);
    table += step;
    start = end;
  }
  return 0;
}

/** The strings of a table end to end, offsets from 0. Returns their bytes; OUTPUT_FULL, OVERFLOW (position: values). */
export function concatStrings(table: usize, count: u32, bytes: usize, capacity: u32, offsets: usize): i32 {
  if (capacity > 0x7fffffff) return fail(OVERFLOW, 0);
  let end: u32 = 0;
  store<u32>(offsets, 0);
  for (let i: u32 = 0; i < count; i++) {
    const entry = load<u64>(table + (<usize>i << 3));
    const length = <u32>(entry >> 32);
    if (length > capacity - end) return fail(OUTPUT_FULL, i);
    copyOver(bytes + end, <usize>(entry & 0xffffffff), length);
    end += length;
    store<u32>(offsets + (<usize>(i + 1) << 2), end);
  }
  return <i32>end;
}
