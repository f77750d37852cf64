import { acquireKernels, loadKernels, SLACK_BYTES } from "@ingest-ts/kernels";
import { expect, test } from "vitest";

test("blocks never overlap, are aligned and come back when released", async () => {
  await loadKernels();
  const { arena } = acquireKernels();
  const owned = new Map<number, number>();
  let seed = 1;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % n;
  };
  for (let i = 0; i < 2000; i++) {
    if (owned.size > 20 || (owned.size > 0 && random(3) === 0)) {
      const address = [...owned.keys()][random(owned.size)] as number;
      arena.release(address);
      owned.delete(address);
      continue;
    }
    const size = random(50_000);
    const address = arena.allocate(size);
    expect(address % 64).toBe(0);
    expect(address + size + SLACK_BYTES).toBeLessThanOrEqual(arena.sizeBytes);
    for (const [other, otherSize] of owned) {
      expect(address + size <= other || other + otherSize <= address).toBe(true);
    }
    owned.set(address, size);
  }
  for (const address of owned.keys()) arena.release(address);
  expect(arena.idle).toBe(true);
  const grown = arena.sizeBytes;
  arena.release(arena.allocate(grown / 2));
  expect(arena.sizeBytes).toBe(grown);
  expect(() => arena.release(64)).toThrow(/not owned/);
});
