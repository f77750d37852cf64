import { type Columns, isIngestError, type Schema } from "@ingest-ts/core";
import { Dice, flatTypes, memorySource, randomColumns, randomSchema, rowsOf } from "@ingest-ts/core/testing";
import { describe, expect, it } from "vitest";
import { open } from "../src/index.ts";
import { testFormat } from "../src/testing/index.ts";
import { arrowBytes } from "./arrow-bytes.ts";

const flat: Schema = { fields: flatTypes.map((type, i) => ({ name: `c${i}`, type, nullable: true })), metadata: {} };
const nested: Schema = randomSchema(new Dice(5), { columns: 8 });

describe("Arrow stream of flat types", () =>
  testFormat(it, { format: "arrow", bytes: () => arrowBytes(randomColumns(new Dice(1), flat, 250), flat) }));
describe("Arrow stream of nested types", () =>
  testFormat(it, { format: "arrow", bytes: () => arrowBytes(randomColumns(new Dice(2), nested, 250), nested) }));
describe("Arrow file", () =>
  testFormat(it, { format: "arrow", bytes: () => arrowBytes(randomColumns(new Dice(3), flat, 250), flat, "file") }));

async function readRows(bytes: Uint8Array): Promise<unknown[][]> {
  const reader = await open(memorySource(bytes), { limits: { bytesInFlight: 2 ** 24 } });
  const rows: unknown[][] = [];
  for await (const slab of reader.slabs()) rows.push(...rowsOf(slab));
  return rows;
}

describe("what was written comes back", () => {
  it("random schemas and values, unions and dictionaries among them", async () => {
    for (let seed = 0; seed < 60; seed++) {
      const dice = new Dice(seed);
      const schema = randomSchema(dice, {
        nested: ["list", "largeList", "fixedSizeList", "map", "struct", "union"],
      });
      const columns: Columns = randomColumns(dice, schema, dice.below(200));
      const kind = seed % 2 === 0 ? "stream" : "file";
      expect(await readRows(arrowBytes(columns, schema, kind)), `seed ${seed}`).toEqual(rowsOf(columns));
    }
  });
});

describe("broken input", () => {
  const schema = randomSchema(new Dice(9), { columns: 6 });
  const columns = randomColumns(new Dice(9), schema, 60);
  for (const kind of ["stream", "file"] as const) {
    // Files hold one dictionary per column, and ours here would change from batch to batch.
    const bytes = arrowBytes(columns, schema, kind, kind === "file" ? 60 : 30);
    it(`every truncation of a ${kind} is an error`, async () => {
      for (let length = 1; length < bytes.length; length += length < 400 ? 1 : 37) {
        const cut = bytes.slice(0, length);
        await expect(readRows(cut), `${length} of ${bytes.length}`).rejects.toSatisfy((error) => isIngestError(error));
      }
    });

    it(`a changed ${kind} gives an error of ours or as many rows`, async () => {
      const runs = Number(process.env["INGEST_FUZZ_RUNS"] ?? 500);
      const dice = new Dice(17);
      let refused = 0;
      for (let run = 0; run < runs; run++) {
        const changed = bytes.slice();
        for (let i = 0; i <= dice.below(3); i++) {
          changed[dice.below(changed.length)] = dice.pick([0, 1, 0x7f, 0x80, 0xff, dice.below(256)]);
        }
        try {
          const rows = await readRows(changed);
          // Lengths are not checksummed, but both batches must agree with themselves.
          expect(rows.length, `run ${run}`).toBeLessThanOrEqual(1_000_000);
        } catch (error) {
          if (!isIngestError(error)) throw error;
          refused++;
        }
      }
      expect(refused).toBeGreaterThan(runs / 20);
    });
  }

  it("names what it does not read", async () => {
    const stream = arrowBytes(columns, schema);
    const withoutEnd = stream.slice(0, -8);
    await expect(readRows(withoutEnd)).rejects.toThrow("no end marker");
    const withMore = new Uint8Array(stream.length + 8);
    withMore.set(stream);
    await expect(readRows(withMore)).rejects.toThrow("8 bytes follow the end");
  });
});
