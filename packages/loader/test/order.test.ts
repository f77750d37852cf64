import { assertResumable } from "@ingest-ts/core/testing";
import { type Batch, load, type LoadOptions } from "@ingest-ts/loader";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { idsOf, MemoryReader } from "./memory-reader.ts";

const alone = { rank: 0, worldSize: 1 };
const fragmentRows = [40, 0, 13, 100, 27, 20];
const total = 200;

function reader(): MemoryReader {
  return new MemoryReader({ fragmentRows });
}

async function batches(options: Partial<LoadOptions> & { batchSize: number }, state?: unknown): Promise<Batch[]> {
  const loader = await load({ source: reader(), world: alone, ...options });
  if (state !== undefined) loader.loadStateDict(state as never);
  const out: Batch[] = [];
  for await (const batch of loader) out.push(batch);
  return out;
}

function idsOfAll(all: readonly Batch[]): number[] {
  return all.flatMap((batch) => idsOf(batch.toColumns()));
}

const sorted = (ids: number[]): number[] => [...ids].sort((a, b) => a - b);
const everyId = Array.from({ length: total }, (_, i) => i);
const small = { windowRows: 16, lanes: 4 };

test("golden: the order of seed 42", async () => {
  expect(idsOfAll(await batches({ batchSize: 10, shuffle: small, seed: 42 })).slice(0, 24)).toEqual([
    56, 109, 181, 31, 53, 103, 188, 157, 55, 110, 182, 155, 54, 104, 186, 153, 68, 105, 180, 32, 61, 108, 190, 158,
  ]);
});

test("every row once, names with their ids", async () => {
  const all = await batches({ batchSize: 7, shuffle: small });
  expect(all.map((batch) => batch.rows)).toEqual([...new Array<number>(28).fill(7), 4]);
  expect(all.map((batch) => batch.step)).toEqual([...all.keys()]);
  expect(sorted(idsOfAll(all))).toEqual(everyId);
  for (const batch of all) {
    for (const row of batch.toRecordBatch().toArray() as unknown as { id: number; name: string }[]) {
      expect(row.name).toBe(`row ${row.id}`);
    }
  }
});

test("without shuffling rows keep their order, and are not copied", async () => {
  const all = await batches({ batchSize: 9, shuffle: false });
  expect(idsOfAll(all)).toEqual(everyId);
});

test("epochs differ, seeds differ, and each has every row", async () => {
  const all = await batches({ batchSize: 50, shuffle: small, epochs: 2 });
  const first = idsOfAll(all.filter(({ epoch }) => epoch === 0));
  const second = idsOfAll(all.filter(({ epoch }) => epoch === 1));
  expect(sorted(first)).toEqual(everyId);
  expect(sorted(second)).toEqual(everyId);
  expect(second).not.toEqual(first);
  expect(idsOfAll(await batches({ batchSize: 50, shuffle: small, seed: 1 }))).not.toEqual(first);
});

test("the order does not depend on batch size, columns in use, ranks or the slabs that readers yield", async () => {
  const whole = idsOfAll(await batches({ batchSize: 200, shuffle: small }));
  for (const batchSize of [1, 3, 64, 1_000]) {
    expect(idsOfAll(await batches({ batchSize, shuffle: small }))).toEqual(whole);
  }
  const slabs = new MemoryReader({ fragmentRows, slabRows: 1_000 });
  expect(idsOfAll(await batches({ batchSize: 8, shuffle: small, source: slabs }))).toEqual(whole);
  for (const worldSize of [2, 4]) {
    const ranks = await Promise.all(
      Array.from({ length: worldSize }, (_, rank) =>
        batches({ batchSize: 5, shuffle: small, ends: "uneven", world: { rank, worldSize } }).then(idsOfAll),
      ),
    );
    const woven = everyId.map((g) => ranks[g % worldSize]?.[Math.floor(g / worldSize)]);
    expect(woven).toEqual(whole);
  }
});

describe("resume", () => {
  const cases: [string, Partial<LoadOptions> & { batchSize: number }][] = [
    ["shuffled", { batchSize: 11, shuffle: small, epochs: 2 }],
    ["in order", { batchSize: 16, shuffle: false, epochs: 2 }],
    ["segments", { batchSize: 13, shuffle: { ...small, segmentBy: "object" } }],
    ["one lane", { batchSize: 7, shuffle: { windowRows: 30, lanes: 1 } }],
    ["windows of one row", { batchSize: 32, shuffle: { windowRows: 1, lanes: 8 } }],
    ["padded", { batchSize: 11, shuffle: small, epochs: 2, ends: "pad" }],
    ["dropped", { batchSize: 11, shuffle: small, epochs: 2, ends: "drop" }],
    ["filtered", { batchSize: 11, shuffle: small, where: ["lt", "id", 77] }],
    ["one rank of several", { batchSize: 7, shuffle: small, epochs: 2, world: { rank: 1, worldSize: 2 } }],
    [
      "the last rank, uneven",
      { batchSize: 7, shuffle: small, epochs: 2, ends: "uneven", world: { rank: 3, worldSize: 4 } },
    ],
    ["the last rank, padded", { batchSize: 33, shuffle: small, ends: "pad", world: { rank: 3, worldSize: 4 } }],
  ];
  test.each(cases)("%s: at every batch", async (_, options) => {
    await assertResumable(
      () => {
        const parts = [
          new MemoryReader({ name: "data/b", fragmentRows: [60, 40], firstId: 100 }),
          new MemoryReader({ name: "data/a", fragmentRows: [33, 0, 67] }),
        ];
        return load({ source: parts, world: alone, ...options });
      },
      {
        describe: (batch) => [batch.epoch, batch.step, batch.rows, batch.toRecordBatch().toArray().map(String)],
        assertEqual: (actual, expected, what) => expect(actual, what).toEqual(expected),
      },
    );
  });

  test("any stop, any numbers of ranks before and after: the union is the unbroken run", async () => {
    const whole = idsOfAll(await batches({ batchSize: 200, shuffle: small, seed: 3 }));
    const worlds = [1, 2, 4];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...worlds),
        fc.constantFrom(...worlds),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        fc.nat(),
        async (before, after, firstSize, thenSize, somewhere) => {
          const steps = somewhere % Math.ceil(total / (before * firstSize));
          const got = new Map<number, number>();
          const states: string[] = [];
          for (let rank = 0; rank < before; rank++) {
            const world = { rank, worldSize: before };
            const loader = await load({
              source: reader(),
              batchSize: firstSize,
              shuffle: small,
              seed: 3,
              ends: "uneven",
              world,
            });
            for (let s = 0; s < steps; s++) {
              const { value } = await loader.next();
              idsOf((value as Batch).toColumns()).forEach((id, i) => got.set((s * firstSize + i) * before + rank, id));
            }
            states.push(JSON.stringify(loader.stateDict()));
            await loader.close();
          }
          expect(new Set(states).size).toBe(1);
          const position = steps * firstSize * before;
          for (let rank = 0; rank < after; rank++) {
            const world = { rank, worldSize: after };
            const loader = await load({ source: reader(), batchSize: thenSize, world });
            loader.loadStateDict(JSON.parse(states[0] as string) as never);
            // This rank's positions from there on.
            let g = position + ((((rank - position) % after) + after) % after);
            for await (const batch of loader) {
              for (const id of idsOf(batch.toColumns())) {
                expect(got.has(g)).toBe(false);
                got.set(g, id);
                g += after;
              }
            }
          }
          expect(everyId.map((g) => got.get(g))).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("nothing before the window of the place is read", async () => {
    const source = new MemoryReader({ fragmentRows: [1_000, 1_000], slabRows: 50 });
    const options = { batchSize: 10, shuffle: { windowRows: 100, lanes: 2 }, world: alone };
    const first = await load({ source, ...options });
    const states = [];
    for await (const batch of first) states.push(batch.state);
    const again = new MemoryReader({ fragmentRows: [1_000, 1_000], slabRows: 50 });
    const second = await load({ source: again, ...options });
    // 1,500 rows are consumed, 750 of each lane: windows of lane 0 begin at 50 and every 100, of lane 1 at every 100.
    second.loadStateDict(states[149] as never);
    await second.next();
    expect(again.reads.map((read) => read.split(":")[1]).sort()).toEqual(["700-1000", "750-1000"]);
    await second.close();
  });

  test("a loader that is closed or ends leaves nothing open", async () => {
    const source = reader();
    const loader = await load({ source, batchSize: 10, shuffle: small, world: alone });
    for await (const batch of loader) if (batch.step === 3) break;
    expect(source.open).toBe(0);
    expect(await loader.next()).toEqual({ done: true, value: undefined });
    // A reader that was given is the caller's to close.
    expect(source.closed).toBe(0);
  });
});
