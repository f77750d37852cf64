import type { Random } from "./random.ts";
import { Fault } from "./space.ts";

/** The plain twin of the kernel. */
export function lzoTwin(bytes: Uint8Array, capacity: number): number[] {
  const out: number[] = [];
  let at = 0;
  const byte = (): number => {
    if (at >= bytes.length) throw new Fault("TRUNCATED");
    return bytes[at++] as number;
  };
  const extended = (bits: number, most: number): number => {
    if (bits !== 0) return bits;
    for (let length = most; ; length += 255) {
      const more = byte();
      if (more !== 0) return length + more;
    }
  };
  const literals = (length: number): void => {
    if (length > bytes.length - at) throw new Fault("TRUNCATED");
    if (length > capacity - out.length) throw new Fault("OUTPUT_FULL");
    out.push(...bytes.subarray(at, (at += length)));
  };
  const copy = (distance: number, length: number): void => {
    if (distance > out.length) throw new Fault("CORRUPT");
    if (length > capacity - out.length) throw new Fault("OUTPUT_FULL");
    for (let k = 0; k < length; k++) out.push(out[out.length - distance] as number);
  };
  let last = 0;
  if (bytes.length > 0 && (bytes[0] as number) > 17) {
    last = byte() - 17;
    literals(last);
    last = Math.min(last, 4);
  }
  for (;;) {
    const code = byte();
    if (code < 16 && last === 0) {
      literals(3 + extended(code, 15));
      last = 4;
      continue;
    }
    if (code < 16) {
      const high = byte();
      copy(high * 4 + (code >> 2) + (last === 4 ? 2049 : 1), last === 4 ? 3 : 2);
      last = code & 3;
    } else if (code >= 64) {
      const high = byte();
      copy(high * 8 + ((code >> 2) & 7) + 1, code >= 128 ? 5 + ((code >> 5) & 3) : 3 + ((code >> 5) & 1));
      last = code & 3;
    } else {
      const length = 2 + (code >= 32 ? extended(code & 31, 31) : extended(code & 7, 7));
      const word = byte() + byte() * 256;
      last = word & 3;
      if (code >= 32) copy((word >> 2) + 1, length);
      else if ((code & 8) === 0 && word >> 2 === 0) {
        if (code !== 17 || word !== 0 || at !== bytes.length) throw new Fault("CORRUPT");
        return out;
      } else copy(16384 + (code & 8) * 2048 + (word >> 2), length);
    }
    literals(last);
  }
}

/** `value` as the bytes behind a length field whose bits are 0. */
function tail(value: number): number[] {
  const zeros = Math.floor((value - 1) / 255);
  return [...Array<number>(zeros).fill(0), value - zeros * 255];
}

/** The low bits and what follows them for a length above its least. */
function field(value: number, most: number): [bits: number, more: number[]] {
  return value >= 1 && value <= most ? [value, []] : [0, tail(value - most)];
}

/** A stream of random instructions of every kind, with its end marker. */
export function lzoInstructions(random: Random): Uint8Array {
  const out: number[] = [];
  let size = 0;
  let last = 0;
  const literals = (n: number): void => {
    out.push(...random.bytes(n));
    size += n;
    last = Math.min(n, 4);
  };
  if (random.below(3) > 0) {
    const first = random.pick([1, 3, 4, 17, 238]);
    out.push(17 + first);
    literals(first);
  }
  for (let parts = random.below(14); parts > 0; parts--) {
    const far = (most: number): number => Math.min(size, 1 + random.below(random.pick([1, 4, 20, most])));
    const few = random.below(4);
    const kind = size === 0 ? 5 : random.below(6);
    if (kind === 5 || size < 2) {
      if (last !== 0) continue;
      const long = size === 0 && random.below(8) === 0 ? 20_000 : 900;
      const run = random.pick([4, 5, 17, 18, 19, 273, 274, long]);
      const [bits, more] = field(run - 3, 15);
      out.push(bits, ...more);
      literals(run);
      continue;
    }
    if (kind === 0) {
      if (last === 0 || (last === 4 && size < 2049)) continue;
      const distance = last === 4 ? Math.min(size, 2049 + random.below(1024)) - 2049 : far(1024) - 1;
      out.push(((distance & 3) << 2) | few, distance >> 2);
      size += last === 4 ? 3 : 2;
    } else if (kind <= 2) {
      const distance = far(2048) - 1;
      const length = random.below(6);
      const head = length < 2 ? 64 | (length << 5) : 128 | ((length - 2) << 5);
      out.push(head | ((distance & 7) << 2) | few, distance >> 3);
      size += length + 3;
    } else {
      const isFar = kind === 4 && size > 16385;
      const distance = isFar ? Math.min(size, 16385 + random.below(32_767)) - 16384 : far(16384) - 1;
      const length = random.pick([1, 2, 5, 7, 8, 31, 32, 286, 287, 600]);
      const [bits, more] = field(length, isFar ? 7 : 31);
      const high = isFar ? (distance >> 14) << 3 : 0;
      const word = ((distance & 16383) << 2) | few;
      out.push((isFar ? 16 : 32) | high | bits, ...more, word & 255, word >> 8);
      size += length + 2;
    }
    literals(few);
    last = few;
  }
  return Uint8Array.from([...out, 17, 0, 0]);
}
