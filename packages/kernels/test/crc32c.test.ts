import { beforeAll, describe, expect, it } from "vitest";
import { acquireKernels, crc32c, crc32cByKernel, loadKernels, maskCrc32c, prepareCrc32c } from "../src/index.ts";

/** A bit at a time. */
function reference(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const noise = Uint8Array.from({ length: 700_000 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 13);

describe.each([
  ["by the kernel", crc32cByKernel],
  ["natively", crc32c],
])("CRC-32C %s", (_, crc) => {
  beforeAll(async () => {
    await loadKernels();
    await prepareCrc32c();
  });

  it.each([
    [text(""), 0],
    [text("123456789"), 0xe3069283],
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(255), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (__, i) => i), 0x46dd794e],
  ])("RFC 3720's and other known values %#", (bytes, expected) => {
    expect(crc(bytes)).toBe(expected);
  });

  it("is that of the bits at every length and start", () => {
    for (let length = 0; length < 70; length++) {
      for (let start = 0; start < 17; start++) {
        const bytes = noise.subarray(start * 100, start * 100 + length);
        expect(crc(bytes)).toBe(reference(bytes));
      }
    }
  });

  it("is that of the bits over more than one piece", () => {
    expect(crc(noise)).toBe(reference(noise));
  });
});

describe("TFRecord's mask", () => {
  it("is that of an empty record's checksums", () => {
    expect(maskCrc32c(reference(new Uint8Array(8)))).toBe(0x07980329);
    expect(maskCrc32c(0)).toBe(0xa282ead8);
  });

  it("is the same in the kernel", () => {
    const kernels = acquireKernels();
    const block = kernels.arena.allocate(100);
    try {
      kernels.bytes.set(noise.subarray(0, 100), block);
      for (const length of [0, 1, 8, 12, 100]) {
        const masked = kernels.exports.maskedCrc32c(block, length) >>> 0;
        expect(masked).toBe(maskCrc32c(reference(noise.subarray(0, length))));
      }
    } finally {
      kernels.arena.release(block);
    }
  });
});

describe("CRC-32C of sixteen at once", () => {
  beforeAll(() => loadKernels());

  it.each([0, 1, 15, 16, 17, 100, 1000])("is that of the bits for lengths from %i bytes on", (least) => {
    const lengths = Array.from({ length: 16 }, (_, i) => least + ((i * 7) % 16) * (i % 3));
    const kernels = acquireKernels();
    const block = kernels.arena.allocate(192 + 16 * 1100);
    try {
      const view = new DataView(kernels.exports.memory.buffer, block);
      lengths.forEach((length, i) => {
        // Apart by an odd number of bytes: at every alignment.
        const start = block + 192 + i * 1051;
        kernels.bytes.set(noise.subarray(i * 2000, i * 2000 + length), start);
        view.setUint32(i * 4, start, true);
        view.setUint32(64 + i * 4, length, true);
      });
      kernels.exports.crc32cMany(block, block + 64, block + 128);
      lengths.forEach((length, i) => {
        expect(view.getUint32(128 + i * 4, true)).toBe(reference(noise.subarray(i * 2000, i * 2000 + length)));
      });
    } finally {
      kernels.arena.release(block);
    }
  });
});
