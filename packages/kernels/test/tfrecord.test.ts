import { beforeAll, describe, expect, it } from "vitest";
import { acquireKernels, keyHash, loadKernels } from "../src/index.ts";

function encode(value: bigint): number[] {
  let rest = BigInt.asUintN(64, value);
  const out: number[] = [];
  for (; rest >= 128n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  out.push(Number(rest));
  return out;
}

/** What the kernel makes of varints: the numbers, or undefined. */
function varints(bytes: readonly number[]): bigint[] | undefined {
  const kernels = acquireKernels();
  const src = kernels.arena.allocate(bytes.length);
  const out = kernels.arena.allocate(bytes.length * 8 + 8);
  try {
    // What follows the values must not matter.
    kernels.bytes.fill(0x85, src, src + bytes.length + 16);
    kernels.bytes.set(bytes, src);
    const count = kernels.exports.varints(src, src + bytes.length, out);
    return count < 0 ? undefined : Array.from(new BigInt64Array(kernels.exports.memory.buffer, out, count));
  } finally {
    kernels.arena.release(out);
    kernels.arena.release(src);
  }
}

describe("varints", () => {
  beforeAll(() => loadKernels());

  it("of every length are read", () => {
    const values: bigint[] = [];
    for (let bits = 0n; bits < 64n; bits++) {
      for (const value of [1n << bits, (1n << bits) - 1n, (1n << bits) | 1n]) {
        values.push(BigInt.asIntN(64, value), BigInt.asIntN(64, -value));
      }
    }
    expect(varints(values.flatMap(encode))).toEqual(values);
    for (const value of values) expect(varints(encode(value))).toEqual([value]);
  });

  it("that are longer than they need are read", () => {
    expect(varints([0x81, 0x80, 0x00])).toEqual([1n]);
    expect(varints([0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00])).toEqual([1n]);
    // Bits past the 64th are dropped, as protocol buffers do.
    expect(varints([...Array.from({ length: 9 }, () => 0xff), 0x7f])).toEqual([-1n]);
  });

  it("that are cut or too long are refused", () => {
    for (let length = 1; length < 12; length++) expect(varints(Array.from({ length }, () => 0x80))).toBeUndefined();
    expect(varints([1, 2, 0x80])).toBeUndefined();
    expect(varints([...Array.from({ length: 10 }, () => 0x80), 0])).toBeUndefined();
    expect(varints([])).toEqual([]);
  });
});

describe("the hash of names", () => {
  it("is FNV-1a", () => {
    expect(keyHash(new TextEncoder().encode(""))).toBe(0x811c9dc5);
    expect(keyHash(new TextEncoder().encode("foobar"))).toBe(0xbf9cf968);
  });
});
