import type { Random } from "./random.ts";
import { Fault } from "./space.ts";

const U64 = (1n << 64n) - 1n;
const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
const unzigzag = (value: bigint): bigint => (value >> 1n) ^ -(value & 1n);

/** Widths by their 5-bit code. */
const widths: readonly number[] = [...Array.from({ length: 24 }, (_, i) => i + 1), 26, 28, 30, 32, 40, 48, 56, 64];

function closest(bits: number): number {
  return widths.find((width) => width >= bits) as number;
}

/** Most significant bit first, padded to bytes. */
function pack(values: readonly bigint[], width: number): number[] {
  let all = 1n;
  for (const value of values) all = (all << BigInt(width)) | (value & ((1n << BigInt(width)) - 1n));
  const pad = (8 - ((values.length * width) % 8)) % 8;
  const hex = (all << BigInt(pad)).toString(2).slice(1);
  return Array.from({ length: hex.length / 8 }, (_, i) => Number.parseInt(hex.slice(i * 8, i * 8 + 8), 2));
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value & U64;
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const lengths = [1, 2, 3, 5, 10, 100, 511, 512];

/** One run of RLE version 2 of any kind, with any fields. */
function runV2(random: Random): number[] {
  const kind = random.below(4);
  const code = random.below(32);
  const width = widths[code] as number;
  const count = random.pick(lengths);
  const head = (upper: number): number[] => [(upper << 6) | (code << 1) | ((count - 1) >> 8), (count - 1) & 255];
  if (kind === 0) {
    const bytes = 1 + random.below(8);
    return [((bytes - 1) << 3) | random.below(8), ...random.bytes(bytes)];
  }
  if (kind === 1)
    return [
      ...head(1),
      ...pack(
        Array.from({ length: count }, () => random.bits(width)),
        width,
      ),
    ];
  if (kind === 3) {
    const size = random.pick([3, 20, 64]);
    const start = [...head(3), ...varint(random.bits(size)), ...varint(random.bits(size))];
    const packed = Math.max(0, count - 2);
    return code === 0
      ? start
      : [
          ...start,
          ...pack(
            Array.from({ length: packed }, () => random.bits(width)),
            width,
          ),
        ];
  }
  return patched(random, code, count, head(2));
}

function patched(random: Random, code: number, count: number, head: readonly number[]): number[] {
  const width = widths[code] as number;
  const baseBytes = 1 + random.below(8);
  const patchCode = random.below(random.pick([24, 31]));
  const patchWidth = widths[patchCode] as number;
  const gapWidth = 1 + random.below(8);
  if (patchWidth + gapWidth > 64) return patched(random, code, count, head);
  const patches: bigint[] = [];
  for (let at = 0; patches.length < 31; ) {
    // A gap of 255 without a patch bridges a long distance.
    const bridges = gapWidth === 8 && random.below(3) === 0;
    const gap = bridges ? 255 : random.below(2 ** gapWidth);
    at += gap;
    if (at >= count || width === 64) break;
    patches.push((BigInt(gap) << BigInt(patchWidth)) | (bridges ? 0n : random.bits(patchWidth)));
  }
  const entryWidth = closest(patchWidth + gapWidth);
  return [
    ...head,
    ((baseBytes - 1) << 5) | patchCode,
    ((gapWidth - 1) << 5) | patches.length,
    ...random.bytes(baseBytes),
    ...pack(
      Array.from({ length: count }, () => random.bits(width)),
      width,
    ),
    ...pack(patches, entryWidth),
  ];
}

function runV1(random: Random): number[] {
  if (random.below(2) === 0)
    return [random.below(128), random.below(256), ...varint(random.bits(random.pick([7, 64])))];
  const count = 1 + random.below(128);
  return [256 - count, ...Array.from({ length: count }, () => varint(random.bits(random.pick([7, 30, 64])))).flat()];
}

export function randomRuns(random: Random, version: 1 | 2, runs: number): Uint8Array {
  return Uint8Array.from(Array.from({ length: runs }, () => (version === 1 ? runV1(random) : runV2(random))).flat());
}

/** The plain twin of both versions: one run a call. */
export class RunReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Bytes read so far: where the next run begins. */
  get position(): number {
    return this.#at;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Fault("TRUNCATED");
    return byte;
  }

  #big(count: number): bigint {
    let value = 0n;
    for (let i = 0; i < count; i++) value = (value << 8n) | BigInt(this.#byte());
    return value;
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      if (shift === 63n && byte > 1) throw new Fault("TRUNCATED");
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new Fault("TRUNCATED");
  }

  #packed(count: number, width: number): bigint[] {
    const size = Math.ceil((count * width) / 8);
    const all = this.#big(size);
    const mask = (1n << BigInt(width)) - 1n;
    return Array.from({ length: count }, (_, i) => (all >> BigInt(size * 8 - (i + 1) * width)) & mask);
  }

  runV1(isSigned: boolean): bigint[] {
    const value = (): bigint => (isSigned ? unzigzag(this.#varint()) : this.#varint());
    const control = this.#byte();
    if (control >= 128) return Array.from({ length: 256 - control }, () => signed(value()));
    const step = BigInt.asIntN(8, BigInt(this.#byte()));
    const base = value();
    return Array.from({ length: control + 3 }, (_, i) => signed(base + step * BigInt(i)));
  }

  runV2(isSigned: boolean): bigint[] {
    const first = this.#byte();
    if (first >> 6 === 0) {
      const raw = this.#big(((first >> 3) & 7) + 1);
      return Array.from({ length: (first & 7) + 3 }, () => signed(isSigned ? unzigzag(raw) : raw));
    }
    const code = (first >> 1) & 31;
    const count = (((first & 1) << 8) | this.#byte()) + 1;
    if (first >> 6 === 1) {
      return this.#packed(count, widths[code] as number).map((raw) => signed(isSigned ? unzigzag(raw) : raw));
    }
    return first >> 6 === 2 ? this.#patched(code, count) : this.#delta(code, count, isSigned);
  }

  #delta(code: number, count: number, isSigned: boolean): bigint[] {
    const raw = this.#varint();
    const step = unzigzag(this.#varint());
    const values = [signed(isSigned ? unzigzag(raw) : raw)];
    const last = (): bigint => values[values.length - 1] as bigint;
    if (code === 0) {
      while (values.length < count) values.push(signed(last() + step));
      return values;
    }
    const changes = this.#packed(Math.max(0, count - 2), widths[code] as number);
    if (count > 1) values.push(signed(last() + step));
    for (const change of changes) values.push(signed(step < 0n ? last() - change : last() + change));
    return values;
  }

  #patched(code: number, count: number): bigint[] {
    const width = widths[code] as number;
    const third = this.#byte();
    const fourth = this.#byte();
    const patchWidth = widths[third & 31] as number;
    const gapWidth = (fourth >> 5) + 1;
    if (patchWidth + gapWidth > 64) throw new Fault("BIT_WIDTH");
    const baseBytes = (third >> 5) + 1;
    const raw = this.#big(baseBytes);
    const sign = 1n << BigInt(baseBytes * 8 - 1);
    const base = raw & sign ? -(raw - sign) : raw;
    const values = this.#packed(count, width);
    let index = 0;
    for (const entry of this.#packed(fourth & 31, closest(patchWidth + gapWidth))) {
      const patch = entry & ((1n << BigInt(patchWidth)) - 1n);
      index += Number((entry >> BigInt(patchWidth)) & ((1n << BigInt(gapWidth)) - 1n));
      if (patch === 0n) continue;
      if (index >= count) throw new Fault("LENGTH");
      if (width >= 64) throw new Fault("BIT_WIDTH");
      values[index] = (values[index] as bigint) | ((patch << BigInt(width)) & U64);
    }
    return values.map((value) => signed(value + base));
  }
}
