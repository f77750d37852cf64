import type { Random } from "./random.ts";
import { Fault } from "./space.ts";

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

function zigzag(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
}

/** DELTA_BINARY_PACKED with random block shapes; deltas wrap around in `bits` bits. */
export function encodeDelta(random: Random, values: readonly bigint[], bits: 32 | 64): Uint8Array {
  const perMiniblock = random.pick([8, 32, 32, 64, 96, 256]);
  const miniblocks = random.pick([1, 2, 4, 4, 7]);
  const bytes: number[] = [
    ...varint(BigInt(perMiniblock * miniblocks)),
    ...varint(BigInt(miniblocks)),
    ...varint(BigInt(values.length)),
    ...varint(zigzag(values[0] ?? 0n)),
  ];
  const deltas = values.slice(1).map((value, i) => BigInt.asIntN(bits, value - (values[i] as bigint)));
  for (let at = 0; at < deltas.length; at += perMiniblock * miniblocks) {
    const block = deltas.slice(at, at + perMiniblock * miniblocks);
    const minimum = block.reduce((a, b) => (b < a ? b : a));
    bytes.push(...varint(zigzag(minimum)));
    const widths: number[] = [];
    const packed: number[] = [];
    for (let m = 0; m < miniblocks; m++) {
      const part = block.slice(m * perMiniblock, (m + 1) * perMiniblock);
      if (part.length === 0) {
        // Widths of miniblocks without values mean nothing.
        widths.push(random.below(256));
        continue;
      }
      const adjusted = part.map((delta) => BigInt.asUintN(bits, delta - minimum));
      const most = adjusted.reduce((a, b) => (b > a ? b : a));
      const width =
        most.toString(2).length - (most === 0n ? 1 : 0) + (random.below(4) === 0 && most < 2n ** 60n ? 1 : 0);
      widths.push(width);
      let window = 0n;
      for (let i = 0; i < perMiniblock; i++) window |= (adjusted[i] ?? 0n) << BigInt(i * width);
      for (let i = 0; i < (perMiniblock * width) / 8; i++) {
        packed.push(Number(window & 255n));
        window >>= 8n;
      }
    }
    bytes.push(...widths, ...packed);
  }
  return Uint8Array.from(bytes);
}

export interface Delta {
  readonly values: bigint[];
  readonly consumed: number;
}

/** The plain twin. */
export function decodeDelta(bytes: Uint8Array, bits: 32 | 64, count: number): Delta {
  let at = 0;
  const readVarint = (most: bigint): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (at === bytes.length) throw new Fault("TRUNCATED");
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 127) << shift;
      if (value > most || shift > 63n) throw new Fault("TRUNCATED");
      if (byte < 128) return value;
    }
  };
  const unzigzag = (value: bigint): bigint => (value >> 1n) ^ -(value & 1n);
  const u32 = 2n ** 32n - 1n;
  const u64 = 2n ** 64n - 1n;
  const block = Number(readVarint(u32));
  const miniblocks = Number(readVarint(u32));
  if (block === 0 || miniblocks === 0 || block % miniblocks !== 0) throw new Fault("CORRUPT");
  const perMiniblock = block / miniblocks;
  if (perMiniblock % 8 !== 0) throw new Fault("CORRUPT");
  const total = Number(readVarint(u32));
  if (total > 2 ** 31 - 1) throw new Fault("CORRUPT");
  let value = BigInt.asIntN(bits, unzigzag(readVarint(u64)));
  if (total !== count) throw new Fault("COUNT");
  const values: bigint[] = count > 0 ? [value] : [];
  while (values.length < count) {
    const minimum = unzigzag(readVarint(u64));
    if (miniblocks > bytes.length - at) throw new Fault("TRUNCATED");
    const widths = bytes.subarray(at, at + miniblocks);
    at += miniblocks;
    for (const width of widths) {
      if (values.length === count) break;
      if (width > 64) throw new Fault("BIT_WIDTH");
      const wanted = Math.min(perMiniblock, count - values.length);
      if (Math.ceil((wanted * width) / 8) > bytes.length - at) throw new Fault("TRUNCATED");
      for (let i = 0; i < wanted; i++) {
        let delta = 0n;
        for (let k = 0; k < width; k++) {
          const bit = i * width + k;
          if (((bytes[at + (bit >> 3)] as number) >> (bit & 7)) & 1) delta |= 1n << BigInt(k);
        }
        value = BigInt.asIntN(bits, value + minimum + delta);
        values.push(value);
      }
      at = Math.min(bytes.length, at + (perMiniblock * width) / 8);
    }
  }
  return { values, consumed: at };
}
