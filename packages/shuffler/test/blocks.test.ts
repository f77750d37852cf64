import { type Columns, concatRows, keyedPermutation, sliceRows } from "@ingest-ts/core";
import { Dice, randomColumns, randomSchema, rowsOf } from "@ingest-ts/core/testing";
import { loadKernels } from "@ingest-ts/kernels";
import { Lane, LaneBlocks, type LaneRows, ShuffleMemory, type WindowPlan } from "@ingest-ts/shuffler";
import { beforeAll, expect, test } from "vitest";

const ROUNDS = Number(process.env["INGEST_FUZZ_RUNS"] ?? 250);

beforeAll(loadKernels);

/** Rows in slabs of random sizes; counts what was asked for and whether it was closed. */
class Slabs implements LaneRows {
  closed = false;
  given = 0;
  readonly #dice: Dice;
  readonly #rows: Columns;
  constructor(dice: Dice, rows: Columns) {
    this.#dice = dice;
    this.#rows = rows;
  }
  async next(): Promise<Columns | undefined> {
    await Promise.resolve();
    if (this.given === this.#rows.rows) return undefined;
    const from = this.given;
    this.given = Math.min(this.#rows.rows, from + 1 + this.#dice.below(9));
    return sliceRows(this.#rows, from, this.given);
  }
  async close(): Promise<void> {
    this.closed = true;
    await Promise.resolve();
  }
}

function planOf(rows: number, first: number, size: number, lane: number): WindowPlan {
  const windowAt = (row: number) => {
    const from = row < first ? 0 : first + Math.floor((row - first) / size) * size;
    return { from, to: Math.min(rows, from === 0 && row < first ? first : from + size) };
  };
  return {
    windowAt,
    permutation: (from) => {
      const { to } = windowAt(from);
      return keyedPermutation({ purpose: "window", seed: 7, epoch: 0, segment: 0, lane, window: from }, to - from);
    },
  };
}

/** Rows of lanes in turn, slowly. */
function expected(
  lanes: readonly unknown[][],
  plans: readonly (WindowPlan | undefined)[],
  first: number,
  end: number,
): unknown[] {
  const shuffled = lanes.map((rows, l) => {
    const plan = plans[l];
    if (plan === undefined) return rows;
    const out: unknown[] = [];
    while (out.length < rows.length) {
      const { from } = plan.windowAt(out.length);
      out.push(...Array.from(plan.permutation(from), (i) => rows[from + i]));
    }
    return out;
  });
  return Array.from({ length: end - first }, (_, i) => {
    const k = first + i;
    return shuffled[k % lanes.length]?.[Math.floor(k / lanes.length)];
  });
}

async function drain(blocks: LaneBlocks): Promise<Columns[]> {
  const out: Columns[] = [];
  for (;;) {
    const block = await blocks.next();
    if (block === undefined) return out;
    out.push(block);
  }
}

test("blocks of any lanes, windows and columns are the rows of the lanes in turn", async () => {
  for (let seed = 0; seed < ROUNDS; seed++) {
    const dice = new Dice(seed);
    // load decodes dictionaries; joined ones would outgrow their indices here.
    const schema = randomSchema(dice, { nested: ["list", "largeList", "fixedSizeList", "map", "struct", "union"] });
    const stride = 1 + dice.below(4);
    const total = dice.below(150);
    const shuffled = dice.next() < 0.8;
    const size = 1 + dice.below(40);
    const memory = new ShuffleMemory();
    const data = Array.from({ length: stride }, (_, l) => {
      return randomColumns(dice, schema, Math.floor(total / stride) + (l < total % stride ? 1 : 0));
    });
    const plans = data.map(({ rows }, l) => (shuffled ? planOf(rows, 1 + dice.below(size), size, l) : undefined));
    const first = dice.below(total + 1);
    const lanes = data.map((rows, l) => {
      const row = Math.ceil((first - l) / stride);
      const from = row >= rows.rows ? rows.rows : (plans[l]?.windowAt(row).from ?? row);
      return new Lane({ rows: new Slabs(dice, sliceRows(rows, from, rows.rows)), from, plan: plans[l], memory });
    });
    const step = 1 + dice.below(60);
    const blocks = new LaneBlocks({ lanes, first, end: total, blockEnd: (k) => k + step, shared: !shuffled, memory });
    const out = await drain(blocks);
    await blocks.close();
    const want = expected(
      data.map((rows) => rowsOf(rows)),
      plans,
      first,
      total,
    );
    const got = out.length === 0 ? [] : rowsOf(concatRows(out));
    expect(got).toEqual(want);
    // Every block stays what it was when it was delivered.
    expect(out.flatMap((block) => rowsOf(block))).toEqual(want);
  }
});

test("windows give their memory back: many windows take no more than a few", async () => {
  const memory = new ShuffleMemory();
  const column = {
    type: { kind: "float", bits: 32 },
    length: 400_000,
    nullCount: 0,
    validity: null,
    offsets: null,
  } as const;
  const rows: Columns = {
    rows: 400_000,
    columns: [{ ...column, data: new Uint8Array(1_600_000), children: [], dictionary: null }],
  };
  const lane = new Lane({ rows: new Slabs(new Dice(1), rows), from: 0, plan: planOf(400_000, 500, 2_000, 0), memory });
  const blocks = new LaneBlocks({
    lanes: [lane],
    first: 0,
    end: 400_000,
    blockEnd: (k) => k + 1_000,
    shared: false,
    memory,
  });
  const before = memory.sizeBytes;
  expect((await drain(blocks)).length).toBe(400);
  expect(memory.sizeBytes - before).toBeLessThanOrEqual(4 * 65_536);
});

test("one lane in order shares the slabs: nothing is copied", async () => {
  const dice = new Dice(3);
  const data = new Uint8Array(4_000);
  const column = {
    type: { kind: "float", bits: 32 },
    length: 1_000,
    nullCount: 0,
    validity: null,
    offsets: null,
  } as const;
  const rows = { rows: 1_000, columns: [{ ...column, data, children: [], dictionary: null }] };
  const memory = new ShuffleMemory();
  const lane = new Lane({ rows: new Slabs(dice, rows), from: 0, memory });
  const blocks = new LaneBlocks({ lanes: [lane], first: 0, end: 1_000, blockEnd: () => 1_000, shared: true, memory });
  for (const block of await drain(blocks)) expect(block.columns[0]?.data?.buffer).toBe(data.buffer);
});

test("only one window is loaded ahead, and closing waits for it", async () => {
  const dice = new Dice(5);
  const memory = new ShuffleMemory();
  const schema = { fields: [{ name: "a", type: { kind: "utf8" }, nullable: false }], metadata: {} } as const;
  const slabs = Array.from({ length: 2 }, () => new Slabs(dice, randomColumns(dice, schema, 1_000)));
  const lanes = slabs.map((rows, l) => new Lane({ rows, from: 0, plan: planOf(1_000, 50 * (l + 1), 100, l), memory }));
  const blocks = new LaneBlocks({ lanes, first: 0, end: 2_000, blockEnd: (k) => k + 40, shared: false, memory });
  await blocks.next();
  await new Promise((resolve) => setTimeout(resolve, 5));
  // Lane 0's first window has 50 rows, its next 100; lane 1's first 100. A slab has at most 9 rows.
  expect(slabs[0]?.given).toBeLessThan(150 + 9);
  expect(slabs[1]?.given).toBeLessThan(100 + 9);
  await blocks.close();
  expect(slabs.every(({ closed }) => closed)).toBe(true);
});

test("a failure of one lane is told, and nothing is left under way", async () => {
  const memory = new ShuffleMemory();
  const dice = new Dice(6);
  const schema = { fields: [{ name: "a", type: { kind: "bool" }, nullable: true }], metadata: {} } as const;
  const good = new Slabs(dice, randomColumns(dice, schema, 100));
  const bad: LaneRows = {
    next: () => Promise.reject(new Error("broken disk")),
    close: () => Promise.resolve(),
  };
  const lanes = [good, bad].map((rows, l) => new Lane({ rows, from: 0, plan: planOf(100, 10, 20, l), memory }));
  const blocks = new LaneBlocks({ lanes, first: 0, end: 200, blockEnd: (k) => k + 10, shared: false, memory });
  await expect(blocks.next()).rejects.toThrow("broken disk");
  await blocks.close();
  expect(good.closed).toBe(true);
});
