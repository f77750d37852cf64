// ORC integers in writing (specification v1, "Run Length Encoding", version 2): repeats and constant steps become runs of
// their own, what lies between is written in the shortest of direct, delta and patched base.

const LONGEST: u32 = 512;
/** Shorter ones stay inside their neighbours. */
const MIN_REPEAT: u32 = 3;
const MIN_STEPS: u32 = 8;
/** A repeat that ends the literals before it must be worth two headers. */
const BREAKING_REPEAT: u32 = 8;
const MAX_PATCHES: u32 = 31;
const MAX_GAP: u32 = 255;

/** Reduced values and patches of one run. */
const reduced: usize = memory.data(4096);
const patchGaps: usize = memory.data(124);
const patchBits: usize = memory.data(248);
const histogram: usize = memory.data(260);

// @ts-ignore: decorator
@inline
function at(src: usize, i: u32): i64 {
  return load<i64>(src + (<usize>i << 3));
}

// @ts-ignore: decorator
@inline
function zigzag(value: i64): u64 {
  return (<u64>value << 1) ^ <u64>(value >> 63);
}

// @ts-ignore: decorator
@inline
function bitsOf(value: u64): u32 {
  return 64 - <u32>clz<u64>(value);
}

/** The smallest storable width of at least `bits`. */
function closestWidth(bits: u32): u32 {
  if (bits <= 24) return bits == 0 ? 1 : bits;
  if (bits <= 32) return (bits + 1) & ~1;
  return bits <= 40 ? 40 : bits <= 48 ? 48 : bits <= 56 ? 56 : 64;
}

function codeOf(width: u32): u32 {
  if (width <= 24) return width - 1;
  if (width <= 32) return 24 + (width - 26) / 2;
  return width == 40 ? 28 : width == 48 ? 29 : width == 56 ? 30 : 31;
}

function putVarint(out: usize, value: u64): usize {
  let o = out;
  let rest = value;
  for (; rest >= 0x80; rest >>= 7) store<u8>(o++, <u8>(rest | 0x80));
  store<u8>(o++, <u8>rest);
  return o;
}

function varintBytes(value: u64): u32 {
  return value == 0 ? 1 : (bitsOf(value) + 6) / 7;
}

function putBigEndian(out: usize, value: u64, bytes: u32): usize {
  for (let i: u32 = 0; i < bytes; i++) store<u8>(out + i, <u8>(value >> ((bytes - 1 - i) * 8)));
  return out + bytes;
}

/** Packs u64 values, the highest bit first. */
function pack(src: usize, count: u32, width: u32, out: usize): usize {
  let o = out;
  let free: u32 = 8;
  let byte: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const value = <u64>at(src, i);
    let left = width;
    while (left > 0) {
      const take = min(left, free);
      byte |= (<u32>(value >> (left - take)) & ((1 << take) - 1)) << (free - take);
      left -= take;
      free -= take;
      if (free > 0) continue;
      store<u8>(o++, <u8>byte);
      byte = 0;
      free = 8;
    }
  }
  if (free < 8) store<u8>(o++, <u8>byte);
  return o;
}

// @ts-ignore: decorator
@inline
function header(out: usize, kind: u32, code: u32, count: u32): usize {
  const length = count - 1;
  store<u8>(out, <u8>((kind << 6) | (code << 1) | (length >> 8)));
  store<u8>(out + 1, <u8>length);
  return out + 2;
}

/** How many values from `from` on are equal, up to `to`. */
function repeats(src: usize, from: u32, to: u32): u32 {
  const value = at(src, from);
  let i = from + 1;
  while (i < to && at(src, i) == value) i++;
  return i - from;
}

// @ts-ignore: decorator
@inline
function overflows(a: i64, b: i64, difference: i64): bool {
  return ((a ^ b) & (a ^ difference)) < 0;
}

/** How many values from `from` on have the same step to the next, up to `to`. */
function steps(src: usize, from: u32, to: u32): u32 {
  if (from + 1 >= to) return to - from;
  const step = at(src, from + 1) - at(src, from);
  if (overflows(at(src, from + 1), at(src, from), step)) return 1;
  let i = from + 2;
  while (i < to) {
    const next = at(src, i) - at(src, i - 1);
    if (next != step || overflows(at(src, i), at(src, i - 1), next)) break;
    i++;
  }
  return i - from;
}

function shortRepeat(value: i64, count: u32, isSigned: bool, out: usize): usize {
  const raw = isSigned ? zigzag(value) : <u64>value;
  const bytes = max<u32>(1, (bitsOf(raw) + 7) / 8);
  store<u8>(out, <u8>(((bytes - 1) << 3) | (count - 3)));
  return putBigEndian(out + 1, raw, bytes);
}

function constantSteps(src: usize, from: u32, count: u32, isSigned: bool, out: usize): usize {
  const first = at(src, from);
  let o = header(out, 3, 0, count);
  o = putVarint(o, isSigned ? zigzag(first) : <u64>first);
  return putVarint(o, zigzag(at(src, from + 1) - first));
}

/** Bytes of a delta run, or 0 when the values go up and down or their steps overflow; leaves the width behind. */
let deltaWidth: u32 = 0;
function deltaSize(src: usize, from: u32, count: u32, isSigned: bool): u32 {
  if (count < 3) return 0;
  const first = at(src, from);
  const base = at(src, from + 1) - first;
  if (overflows(at(src, from + 1), first, base)) return 0;
  let largest: u64 = 0;
  for (let i = from + 2; i < from + count; i++) {
    const step = at(src, i) - at(src, i - 1);
    if (overflows(at(src, i), at(src, i - 1), step)) return 0;
    // The sign of all steps is that of the first one, whose 0 counts as positive.
    if (base < 0 ? step > 0 : step < 0) return 0;
    largest = max<u64>(largest, step < 0 ? <u64>-step : <u64>step);
  }
  // The code of one bit stands for a constant step here.
  deltaWidth = max<u32>(2, closestWidth(bitsOf(largest)));
  const head = 2 + varintBytes(isSigned ? zigzag(first) : <u64>first) + varintBytes(zigzag(base));
  return head + (deltaWidth * (count - 2) + 7) / 8;
}

function delta(src: usize, from: u32, count: u32, isSigned: bool, out: usize): usize {
  const first = at(src, from);
  let o = header(out, 3, codeOf(deltaWidth), count);
  o = putVarint(o, isSigned ? zigzag(first) : <u64>first);
  o = putVarint(o, zigzag(at(src, from + 1) - first));
  for (let i: u32 = 2; i < count; i++) {
    const step = at(src, from + i) - at(src, from + i - 1);
    store<u64>(reduced + (<usize>(i - 2) << 3), step < 0 ? <u64>-step : <u64>step);
  }
  return pack(reduced, count - 2, deltaWidth, o);
}

let directWidth: u32 = 0;
function directSize(src: usize, from: u32, count: u32, isSigned: bool): u32 {
  let all: u64 = 0;
  for (let i = from; i < from + count; i++) all |= isSigned ? zigzag(at(src, i)) : <u64>at(src, i);
  directWidth = closestWidth(bitsOf(all));
  return 2 + (directWidth * count + 7) / 8;
}

function direct(src: usize, from: u32, count: u32, isSigned: bool, out: usize): usize {
  const o = header(out, 1, codeOf(directWidth), count);
  if (!isSigned) return pack(src + (<usize>from << 3), count, directWidth, o);
  for (let i: u32 = 0; i < count; i++) store<u64>(reduced + (<usize>i << 3), zigzag(at(src, from + i)));
  return pack(reduced, count, directWidth, o);
}

/** Bytes of a patched-base run with these numbers, or 0 when it cannot be; leaves them behind. */
let patchBase: i64 = 0;
let baseBytes: u32 = 0;
let valueWidth: u32 = 0;
let patchWidth: u32 = 0;
let gapWidth: u32 = 0;
let patchCount: u32 = 0;
function patchedSize(src: usize, from: u32, count: u32): u32 {
  let least = at(src, from);
  let greatest = least;
  for (let i = from + 1; i < from + count; i++) {
    least = min<i64>(least, at(src, i));
    greatest = max<i64>(greatest, at(src, i));
  }
  if (overflows(greatest, least, greatest - least) || least == i64.MIN_VALUE) return 0;
  const widest = bitsOf(<u64>(greatest - least));
  // How many values have each number of bits.
  memory.fill(histogram, 0, 65 * 4);
  for (let i = from; i < from + count; i++) {
    const slot = histogram + (<usize>bitsOf(<u64>(at(src, i) - least)) << 2);
    store<u32>(slot, load<u32>(slot) + 1);
  }
  // As few as five in a hundred stick out, and no more than have a place in the patch list.
  const most = min<u32>(MAX_PATCHES - 2, count / 20);
  let above: u32 = 0;
  let bits = widest;
  while (bits > 0 && above + load<u32>(histogram + (<usize>bits << 2)) <= most) {
    above += load<u32>(histogram + (<usize>bits << 2));
    bits--;
  }
  valueWidth = closestWidth(bits);
  if (valueWidth >= widest) return 0;
  patchWidth = closestWidth(widest - valueWidth);
  if (patchWidth + valueWidth > 64 || patchWidth > 56) return 0;
  patchBase = least;
  const magnitude = least < 0 ? <u64>-least : <u64>least;
  // One bit for the sign.
  baseBytes = bitsOf(magnitude) / 8 + 1;
  if (baseBytes > 8) return 0;
  if (!findPatches(src, from, count)) return 0;
  if (patchWidth + gapWidth > 64) return 0;
  const entry = closestWidth(patchWidth + gapWidth);
  return 4 + baseBytes + (valueWidth * count + 7) / 8 + (entry * patchCount + 7) / 8;
}

/** The list of patches; a distance over 255 takes entries without a patch. */
function findPatches(src: usize, from: u32, count: u32): bool {
  let last: u32 = 0;
  let widestGap: u32 = 0;
  patchCount = 0;
  for (let i: u32 = 0; i < count; i++) {
    const value = <u64>(at(src, from + i) - patchBase);
    const high = value >> valueWidth;
    if (high == 0) continue;
    let gap = i - last;
    while (gap > MAX_GAP) {
      if (patchCount == MAX_PATCHES) return false;
      store<u32>(patchGaps + (patchCount << 2), MAX_GAP);
      store<u64>(patchBits + (patchCount++ << 3), 0);
      widestGap = MAX_GAP;
      gap -= MAX_GAP;
    }
    if (patchCount == MAX_PATCHES) return false;
    store<u32>(patchGaps + (patchCount << 2), gap);
    store<u64>(patchBits + (patchCount++ << 3), high);
    widestGap = max<u32>(widestGap, gap);
    last = i;
  }
  gapWidth = max<u32>(1, bitsOf(widestGap));
  return patchCount > 0;
}

function patched(src: usize, from: u32, count: u32, out: usize): usize {
  let o = header(out, 2, codeOf(valueWidth), count);
  store<u8>(o++, <u8>(((baseBytes - 1) << 5) | codeOf(patchWidth)));
  store<u8>(o++, <u8>(((gapWidth - 1) << 5) | patchCount));
  const sign: u64 = patchBase < 0 ? <u64>1 << (<u64>baseBytes * 8 - 1) : 0;
  o = putBigEndian(o, (patchBase < 0 ? <u64>-patchBase : <u64>patchBase) | sign, baseBytes);
  const mask: u64 = (<u64>1 << valueWidth) - 1;
  for (let i: u32 = 0; i < count; i++) {
    store<u64>(reduced + (<usize>i << 3), <u64>(at(src, from + i) - patchBase) & mask);
  }
  o = pack(reduced, count, valueWidth, o);
  for (let i: u32 = 0; i < patchCount; i++) {
    const entry = (<u64>load<u32>(patchGaps + (i << 2)) << patchWidth) | load<u64>(patchBits + (i << 3));
    store<u64>(reduced + (<usize>i << 3), entry);
  }
  return pack(reduced, patchCount, closestWidth(patchWidth + gapWidth), o);
}

/** Where the literals from `from` on end: at a run worth its own header, or at the longest run. */
function literalEnd(src: usize, from: u32, count: u32): u32 {
  const stop = min(count, from + LONGEST);
  let i = from + 1;
  while (i < stop) {
    const same = repeats(src, i, min(count, i + BREAKING_REPEAT));
    if (same >= BREAKING_REPEAT) return i;
    i += same;
  }
  return stop;
}

function literals(src: usize, from: u32, count: u32, isSigned: bool, out: usize): usize {
  const plain = directSize(src, from, count, isSigned);
  const byDelta = deltaSize(src, from, count, isSigned);
  // Patches pay when few values are much wider than the others; a try is not free.
  const byPatches = directWidth > 4 && count >= 20 ? patchedSize(src, from, count) : 0;
  if (byDelta > 0 && byDelta <= plain && (byPatches == 0 || byDelta <= byPatches)) {
    return delta(src, from, count, isSigned, out);
  }
  if (byPatches > 0 && byPatches < plain) return patched(src, from, count, out);
  return direct(src, from, count, isSigned, out);
}

/** `count` int64 values; unsigned ones are not negative unless their 64 bits are meant. Returns bytes written. */
export function orcWriteIntegers(src: usize, count: u32, isSigned: bool, out: usize): u32 {
  let o = out;
  let i: u32 = 0;
  while (i < count) {
    const same = repeats(src, i, min(count, i + LONGEST));
    if (same >= MIN_REPEAT) {
      o = same <= 10 ? shortRepeat(at(src, i), same, isSigned, o) : constantSteps(src, i, same, isSigned, o);
      i += same;
      continue;
    }
    const even = steps(src, i, min(count, i + LONGEST));
    if (even >= MIN_STEPS) {
      o = constantSteps(src, i, even, isSigned, o);
      i += even;
      continue;
    }
    const end = literalEnd(src, i, count);
    o = literals(src, i, end - i, isSigned, o);
    i = end;
  }
  return <u32>(o - out);
}
