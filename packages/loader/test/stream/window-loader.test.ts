import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StateDict, StateError } from "@ingest-ts/core";
import { prepareShuffle } from "@ingest-ts/shuffler";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { settingsOf } from "../../src/options.ts";
import { SealStore } from "../../src/stream/seal-store.ts";
import { datasetOfWindow } from "../../src/stream/window-dataset.ts";
import { WindowLoader } from "../../src/stream/window-loader.ts";
import { type SlabStream, WindowSource, type WindowSize } from "../../src/stream/window-source.ts";
import { FakeStream, filled } from "./fake-stream.ts";

let folder: string;
beforeAll(() => prepareShuffle());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ingest-windows-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const size: WindowSize = { rows: 40, ageMs: 60_000, sizeBytes: 1e9 };

interface Who {
  readonly rank?: number;
  readonly worldSize?: number;
  readonly ends?: "drop" | "pad" | "uneven";
  readonly seals?: string;
  readonly batchSize?: number;
}

function loaderOf(stream: SlabStream, who: Who = {}, window = size): WindowLoader {
  const { rank = 0, worldSize = 1, ends, batchSize = 5, seals = folder } = who;
  const windows = new WindowSource(stream, new SealStore(seals, stream.digest), window);
  const settings = settingsOf(
    { source: [], batchSize, epochs: Infinity, seed: 3, ends, world: { rank, worldSize } },
    {},
  );
  return new WindowLoader({
    windows: {
      digest: stream.digest,
      seal: (k) => windows.seal(k),
      load: (k) => windows.load(k),
      close: () => windows.close(),
    },
    settings,
    schema: stream.schema,
    datasetOf: (loaded) => datasetOfWindow(loaded, stream.schema, undefined, undefined),
  });
}

interface Seen {
  readonly window: number;
  readonly step: number;
  readonly ids: readonly number[];
  readonly state: StateDict;
}

async function read(loader: WindowLoader, most = Number.POSITIVE_INFINITY): Promise<Seen[]> {
  const seen: Seen[] = [];
  while (seen.length < most) {
    const { value } = await loader.next();
    if (value === undefined) break;
    const batch = value.toRecordBatch();
    const valid = batch.getChild("ingest_valid");
    const all = Array.from(batch.getChild("id") ?? [], Number);
    const ids = all.filter((_, i) => valid === null || valid.get(i) === true);
    seen.push({ window: value.epoch, step: value.step, ids, state: value.state });
  }
  await loader.close();
  return seen;
}

const plain = (seen: readonly Seen[]): object[] => seen.map(({ window, step, ids }) => ({ window, step, ids }));
const idsOf = (seen: readonly Seen[]): number[] => seen.flatMap(({ ids }) => ids).sort((a, b) => a - b);
const topic = (): FakeStream => new FakeStream([filled(0, 61), filled(1, 33, (o) => o % 5 === 2), filled(2, 0)]);
const everyId = (stream: FakeStream): number[] =>
  stream.partitions.flatMap(({ partition, offsets }) => offsets.map((offset) => partition * 1_000_000 + offset));

describe("windows", () => {
  test("hold every row once, shuffled, and are the same again from their seals", async () => {
    const first = await read(loaderOf(topic()));
    expect(idsOf(first)).toEqual(everyId(topic()));
    expect(first[0]?.ids).not.toEqual([...(first[0]?.ids ?? [])].sort((a, b) => a - b));
    const again = topic();
    expect(plain(await read(loaderOf(again)))).toEqual(plain(first));
    expect([again.followed, again.replayed]).toEqual([0, 3]);
  });

  test("are cut at exactly as many rows as asked for", async () => {
    const seen = await read(loaderOf(topic()));
    const rows = [0, 1, 2].map((k) => seen.filter(({ window }) => window === k).flatMap(({ ids }) => ids).length);
    expect(rows).toEqual([40, 40, everyId(topic()).length - 80]);
  });

  test("close by time while a partition is silent, and nothing waits for it", async () => {
    const stream = new FakeStream([filled(0, 13), filled(1, 0)], { bounded: false });
    const loader = loaderOf(stream, {}, { ...size, ageMs: 30 });
    const seen = await readSome(loader, 3);
    expect(seen.flatMap(({ ids }) => ids).sort((a, b) => a - b)).toEqual(everyId(stream));
    stream.grow(1, 2);
    const { value } = await loader.next();
    expect([value?.epoch, value?.rows]).toEqual([1, 2]);
    await loader.close();
  });

  test("close by bytes", async () => {
    const seen = await read(loaderOf(topic(), {}, { ...size, sizeBytes: 100 }));
    expect(seen.filter(({ window }) => window === 0).flatMap(({ ids }) => ids)).toHaveLength(13);
    expect(idsOf(seen)).toEqual(everyId(topic()));
  });

  async function readSome(loader: WindowLoader, count: number) {
    const ids: { ids: number[] }[] = [];
    for (let i = 0; i < count; i++) {
      const { value } = await loader.next();
      ids.push({ ids: Array.from(value?.toRecordBatch().getChild("id") ?? [], Number) });
    }
    return ids;
  }
});

describe("ranks", () => {
  test("more than partitions get equal steps, and together every row once", async () => {
    const worldSize = 8;
    const ranks = await Promise.all(
      Array.from({ length: worldSize }, (_, rank) =>
        read(loaderOf(topic(), { rank, worldSize, ends: "pad", batchSize: 2 })),
      ),
    );
    const steps = ranks.map((seen) => seen.map(({ window, step }) => `${window}:${step}`));
    for (const own of steps) expect(own).toEqual(steps[0]);
    expect(idsOf(ranks.flat())).toEqual(everyId(topic()));
  });

  test("that fill windows at once agree on one seal each", async () => {
    const sources = [new FakeStream(topic().partitions, { run: 3 }), new FakeStream(topic().partitions, { run: 11 })];
    const seen = await Promise.all(sources.map((stream) => read(loaderOf(stream))));
    expect(plain(seen[0] as Seen[])).toEqual(plain(seen[1] as Seen[]));
    expect(idsOf(seen[0] as Seen[])).toEqual(everyId(topic()));
  });
});

describe("resuming", () => {
  test("anywhere gives the batches of an unbroken run", async () => {
    const whole = await read(loaderOf(topic()));
    for (let stop = 0; stop <= whole.length; stop++) {
      const loader = loaderOf(topic());
      const state = whole[stop - 1]?.state;
      if (state !== undefined) loader.loadStateDict(JSON.parse(JSON.stringify(state)) as StateDict);
      expect(plain(await read(loader))).toEqual(plain(whole.slice(stop)));
    }
  });

  test("between sealing and the first batch loses nothing", async () => {
    const stream = topic();
    const source = new WindowSource(stream, new SealStore(folder, stream.digest), size);
    expect((await source.load(0))?.seal.rows).toBe(40);
    await source.close();
    expect(idsOf(await read(loaderOf(topic())))).toEqual(everyId(topic()));
  });

  test("on another number of ranks goes on at the same positions", async () => {
    const worldSize = 2;
    const two = await Promise.all([0, 1].map((rank) => read(loaderOf(topic(), { rank, worldSize, ends: "pad" }), 3)));
    const state = two[0]?.at(-1)?.state as StateDict;
    expect(two[1]?.at(-1)?.state).toEqual(state);
    const four = await Promise.all(
      [0, 1, 2, 3].map(async (rank) => {
        const loader = loaderOf(topic(), { rank, worldSize: 4, ends: "pad" });
        loader.loadStateDict(state);
        return read(loader);
      }),
    );
    expect(idsOf([...two.flat(), ...four.flat()])).toEqual(everyId(topic()));
  });

  test("property: any stops, windows and runs", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(90), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 9 }),
        async (ends, rows, run, every) => {
          const seals = mkdtempSync(join(folder, "seals-"));
          const make = () =>
            new FakeStream(
              ends.map((end, i) => filled(i, end, (o) => (o * 7 + i) % 11 === 0)),
              { run },
            );
          const window = { ...size, rows };
          const seen: Seen[] = [];
          for (;;) {
            const loader = loaderOf(make(), { seals }, window);
            const state = seen.at(-1)?.state;
            if (state !== undefined) loader.loadStateDict(state);
            const more = await read(loader, every);
            seen.push(...more);
            if (more.length < every) break;
          }
          expect(idsOf(seen)).toEqual(everyId(make()));
          const unbroken = await read(loaderOf(make(), { seals }, window));
          expect(plain(unbroken)).toEqual(plain(seen));
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe("what does not fit is refused", () => {
  test("a state of another stream", async () => {
    const [first] = await read(loaderOf(topic()), 1);
    const other = Object.assign(topic(), { digest: "other" });
    expect(() => loaderOf(other).loadStateDict(first?.state as StateDict)).toThrow(/another stream/);
    const { stream: _, ...files } = (first as Seen).state;
    expect(() => loaderOf(topic()).loadStateDict(files)).toThrow(StateError);
  });

  test("seals of other options", async () => {
    await read(loaderOf(topic()), 1);
    const other = Object.assign(topic(), { digest: "other" });
    await expect(read(loaderOf(other))).rejects.toThrow(/sealed with other options/);
  });

  test("a state whose window holds other offsets, or is gone", async () => {
    const seen = await read(loaderOf(topic()), 10);
    const state = seen.at(-1)?.state as StateDict;
    const elsewhere = mkdtempSync(join(folder, "seals-"));
    await read(loaderOf(topic(), { seals: elsewhere }, { ...size, rows: 13 }));
    const loader = loaderOf(topic(), { seals: elsewhere });
    loader.loadStateDict(state);
    await expect(loader.next()).rejects.toThrow(/holds other offsets/);
    const nowhere = loaderOf(topic(), { seals: mkdtempSync(join(folder, "seals-")) });
    nowhere.loadStateDict(state);
    await expect(nowhere.next()).rejects.toThrow(/is not sealed/);
  });

  test("records that were removed since", async () => {
    await read(loaderOf(topic()));
    const stream = topic();
    stream.partitions[0]?.offsets.splice(3, 1);
    await expect(read(loaderOf(stream))).rejects.toThrow(/hold \d+ rows; sealed were/);
  });

  test("a seal that is broken", async () => {
    await read(loaderOf(topic()));
    const path = join(folder, "seal", readdirSync(join(folder, "seal"))[0] as string);
    for (const text of ["{", "{}", '{"version":2}']) {
      writeFileSync(path, text);
      await expect(read(loaderOf(topic()))).rejects.toThrow(/no JSON|no seal of version 1/);
    }
  });
});
