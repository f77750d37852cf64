// Runs of every kind and width that can hold the given values, chosen by dice: what no sane writer would write.
import type { Dice } from "@ingest-ts/core/testing";
import { varint, zigzag } from "./orc-encoder.ts";

/** An encoded stream and where its runs begin: [values before, bytes before]. */
export interface Runs {
  readonly bytes: number[];
  readonly starts: (readonly [values: number, bytes: number])[];
}

/** Widths by their 5-bit code. */
const widths: readonly number[] = [...Array.from({ length: 24 }, (_, i) => i + 1), 26, 28, 30, 32, 40, 48, 56, 64];

const bitsOf = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length);
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);

/** A width of at least `bits`, more often the least; `least` is the first code that may be chosen. */
function codeFor(bits: number, dice: Dice, least = 0): number {
  const first = Math.max(
    least,
    widths.findIndex((width) => width >= bits),
  );
  return dice.chance(0.7) ? first : first + dice.below(widths.length - first);
}

/** Most significant bit first, padded to bytes. */
function pack(values: readonly bigint[], width: number): number[] {
  const out: number[] = [];
  let pending = 0n;
  let bits = 0;
  for (const value of values) {
    pending = (pending << BigInt(width)) | value;
    for (bits += width; bits >= 8; bits -= 8) out.push(Number((pending >> BigInt(bits - 8)) & 255n));
    pending &= (1n << BigInt(bits)) - 1n;
  }
  if (bits > 0) out.push(Number((pending << BigInt(8 - bits)) & 255n));
  return out;
}

function bigEndian(value: bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Number((value >> BigInt(8 * (bytes - 1 - i))) & 255n));
}

function header(kind: number, code: number, count: number): number[] {
  return [(kind << 6) | (code << 1) | ((count - 1) >> 8), (count - 1) & 255];
}

interface Run {
  readonly bytes: number[];
  readonly count: number;
}

/** Makes one run of the first values; undefined when its kind cannot hold them. */
type RunMaker = (values: readonly bigint[], isSigned: boolean, dice: Dice) => Run | undefined;

const someCount = (most: number, dice: Dice): number =>
  Math.min(most, dice.pick([1, 2, 3, 4, 7, 8, 9, 64, 200, 511, 512]));

const shortRepeat: RunMaker = (values, isSigned, dice) => {
  let same = 1;
  while (same < 10 && values[same] === values[0]) same++;
  if (same < 3) return undefined;
  const count = 3 + dice.below(same - 2);
  const value = isSigned ? zigzag(values[0] as bigint) : unsigned(values[0] as bigint);
  const least = Math.max(1, Math.ceil(bitsOf(value) / 8));
  const bytes = least + (dice.chance(0.5) ? 0 : dice.below(9 - least));
  return { count, bytes: [((bytes - 1) << 3) | (count - 3), ...bigEndian(value, bytes)] };
};

const direct: RunMaker = (values, isSigned, dice) => {
  const count = someCount(values.length, dice);
  const raw = values.slice(0, count).map((value) => (isSigned ? zigzag(value) : unsigned(value)));
  const code = codeFor(Math.max(...raw.map(bitsOf)), dice);
  return { count, bytes: [...header(1, code, count), ...pack(raw, widths[code] as number)] };
};

const delta: RunMaker = (values, isSigned, dice) => {
  const [first, second] = values as [bigint, bigint | undefined];
  const start = (step: bigint): number[] => [
    ...varint(isSigned ? zigzag(first) : unsigned(first)),
    ...varint(zigzag(step)),
  ];
  if (second === undefined || dice.chance(0.1)) return { count: 1, bytes: [...header(3, 0, 1), ...start(7n)] };
  const step = second - first;
  if (BigInt.asIntN(64, step) !== step) return undefined;
  const changes: bigint[] = [];
  const most = someCount(values.length, dice);
  while (changes.length + 2 < most) {
    const at = changes.length + 2;
    const change = (values[at] as bigint) - (values[at - 1] as bigint);
    if (step < 0n ? change > 0n : change < 0n) break;
    changes.push(step < 0n ? -change : change);
  }
  const count = changes.length + 2;
  const magnitude = step < 0n ? -step : step;
  if (changes.every((change) => change === magnitude) && dice.chance(0.7)) {
    return { count, bytes: [...header(3, 0, count), ...start(step)] };
  }
  if (changes.some((change) => bitsOf(change) > 64)) return undefined;
  // Code 0 says that all steps are the same: one bit cannot be asked for.
  const code = codeFor(Math.max(0, ...changes.map(bitsOf)), dice, 1);
  return { count, bytes: [...header(3, code, count), ...start(step), ...pack(changes, widths[code] as number)] };
};

const patchedBase: RunMaker = (values, _isSigned, dice) => {
  const some = values.slice(0, someCount(values.length, dice));
  const base = some.reduce((a, b) => (b < a ? b : a)) - BigInt(dice.below(3));
  const baseBits = bitsOf(base < 0n ? -base : base) + 1;
  if (baseBits > 64) return undefined;
  const rests = some.map((value) => value - base);
  const most = Math.max(...rests.map(bitsOf));
  if (most > 63) return undefined;
  const width = dice.pick(widths.filter((each) => each <= Math.max(1, most)));
  const gapWidth = 1 + dice.below(8);
  const outliers = rests.map((rest, i) => ({ i, patch: rest >> BigInt(width) })).filter(({ patch }) => patch > 0n);
  const patchCode = codeFor(Math.max(1, ...outliers.map(({ patch }) => bitsOf(patch))), dice);
  const patchWidth = widths[patchCode] as number;
  if (patchWidth + gapWidth > 64 || patchWidth + width > 64) return undefined;
  const entries: bigint[] = [];
  let last = 0;
  for (const { i, patch } of outliers) {
    let gap = i - last;
    // A gap of 255 without a patch bridges what one entry cannot hold.
    for (; gap > 255 && gapWidth === 8; gap -= 255) entries.push(255n << BigInt(patchWidth));
    if (gap >= 2 ** gapWidth) return undefined;
    entries.push((BigInt(gap) << BigInt(patchWidth)) | patch);
    last = i;
  }
  if (entries.length > 31) return undefined;
  const least = Math.ceil(baseBits / 8);
  const baseBytes = least + (dice.chance(0.6) ? 0 : dice.below(9 - least));
  const sign = 1n << BigInt(8 * baseBytes - 1);
  const entryWidth = widths.find((each) => each >= patchWidth + gapWidth) as number;
  const mask = (1n << BigInt(width)) - 1n;
  return {
    count: some.length,
    bytes: [
      ...header(2, widths.indexOf(width), some.length),
      ((baseBytes - 1) << 5) | patchCode,
      ((gapWidth - 1) << 5) | entries.length,
      ...bigEndian(base < 0n ? sign | -base : base, baseBytes),
      ...pack(
        rests.map((rest) => rest & mask),
        width,
      ),
      ...pack(entries, entryWidth),
    ],
  };
};

const makers: readonly RunMaker[] = [shortRepeat, direct, delta, patchedBase];

const steady: RunMaker = (values, isSigned, dice) => {
  const step = values.length < 3 ? 1000n : (values[1] as bigint) - (values[0] as bigint);
  if (step < -128n || step > 127n) return undefined;
  let count = 1;
  const most = Math.min(values.length, 3 + dice.below(128));
  while (count < most && (values[count] as bigint) - (values[count - 1] as bigint) === step) count++;
  if (count < 3) return undefined;
  const first = values[0] as bigint;
  return { count, bytes: [count - 3, Number(step & 255n), ...varint(isSigned ? zigzag(first) : unsigned(first))] };
};

const literals: RunMaker = (values, isSigned, dice) => {
  const count = Math.min(128, someCount(values.length, dice));
  const part = values.slice(0, count);
  return {
    count,
    bytes: [256 - count, ...part.flatMap((value) => varint(isSigned ? zigzag(value) : unsigned(value)))],
  };
};

/** Integers by runs of any kind of a version of RLE. */
export function integerRuns(values: readonly bigint[], version: 1 | 2, isSigned: boolean, dice: Dice): Runs {
  const out: Runs = { bytes: [], starts: [] };
  for (let at = 0; at < values.length; ) {
    const rest = values.slice(at, at + 512);
    const run =
      version === 2
        ? (dice.pick(makers)(rest, isSigned, dice) ?? direct(rest, isSigned, dice))
        : (dice.pick([steady, literals])(rest, isSigned, dice) ?? literals(rest, isSigned, dice));
    const { count, bytes } = run as Run;
    out.starts.push([at, out.bytes.length]);
    out.bytes.push(...bytes);
    at += count;
  }
  return out;
}

/** Bytes by runs of any length. */
export function byteRuns(values: readonly number[], dice: Dice): Runs {
  const out: Runs = { bytes: [], starts: [] };
  for (let at = 0; at < values.length; ) {
    let same = 1;
    const most = 3 + dice.below(128);
    while (same < most && at + same < values.length && values[at + same] === values[at]) same++;
    out.starts.push([at, out.bytes.length]);
    if (same >= 3 && dice.chance(0.8)) {
      out.bytes.push(same - 3, values[at] as number);
      at += same;
    } else {
      const part = values.slice(at, at + 1 + dice.below(128));
      out.bytes.push(256 - part.length, ...part);
      at += part.length;
    }
  }
  return out;
}

/** Booleans, most significant bit first; the bits behind the last are anything. */
export function bitRuns(values: readonly boolean[], dice: Dice): Runs {
  const bytes: number[] = [];
  for (let at = 0; at < values.length; at += 8) {
    let byte = 0;
    for (let k = 0; k < 8; k++) if (values[at + k] ?? dice.chance(0.5)) byte |= 128 >> k;
    bytes.push(byte);
  }
  return byteRuns(bytes, dice);
}
