import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type FormatName, isIngestError } from "@ingest-ts/core";
import { Dice, memorySource } from "@ingest-ts/core/testing";
import { open } from "@ingest-ts/readers";
import { describe, expect, test } from "vitest";
import { root } from "./lib/tree.ts";

const runs = Number(process.env["INGEST_FUZZ_RUNS"] ?? 10_000);
const seed = Number(process.env["INGEST_FUZZ_SEED"] ?? 1);

function inputsOf(format: string): { name: string; bytes: Uint8Array }[] {
  const folder = join(root, "test", "fixtures", format);
  return readdirSync(folder)
    .filter((name) => name.endsWith(`.${format}`) && !/dictionary|runs/.test(name))
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(folder, name))) }));
}

/** Flips, overwrites, cuts and repeats, half of them where the structure is: in the tail of ORC, the head of Avro. */
function mutate(bytes: Uint8Array, dice: Dice, format: FormatName): Uint8Array {
  const out = bytes.slice();
  for (let i = 1 + dice.below(3); i > 0; i--) {
    const near = dice.below(Math.min(600, out.length));
    const at = dice.chance(0.5) ? dice.below(out.length) : format === "orc" ? out.length - 1 - near : near;
    const kind = dice.below(6);
    if (kind === 0) return out.slice(0, at);
    if (kind === 1) out[at] = (out[at] as number) ^ (1 << dice.below(8));
    else if (kind === 2) out[at] = dice.below(256);
    else if (kind === 3) out.fill(dice.below(2) === 0 ? 0 : 255, at, at + dice.below(9));
    else if (kind === 4) out.copyWithin(at, dice.below(out.length), dice.below(out.length));
    else out[at] = (out[at] as number) + 1;
  }
  return out;
}

/** Reads everything; answers how many rows there were, or undefined when the file was refused by name. */
async function readAll(bytes: Uint8Array, name: string, format: FormatName): Promise<number | undefined> {
  try {
    const reader = await open(memorySource(bytes, name), { format, batchRows: 128 });
    let rows = 0;
    for await (const slab of reader.slabs()) rows += slab.rows;
    if (reader.rows !== undefined) expect(rows).toBe(reader.rows);
    return rows;
  } catch (error) {
    if (isIngestError(error, "INGEST_FORMAT") || isIngestError(error, "INGEST_UNSUPPORTED")) return undefined;
    throw error;
  }
}

describe.each(["orc", "avro"] as const)("%s", (format) => {
  const inputs = inputsOf(format);

  test(`${runs} changed files are read whole or refused by name`, { timeout: 60_000 + runs * 50 }, async () => {
    const dice = new Dice(seed);
    let refused = 0;
    for (let run = 0; run < runs; run++) {
      const { name, bytes } = dice.pick(inputs);
      const started = performance.now();
      try {
        if ((await readAll(mutate(bytes, dice, format), name, format)) === undefined) refused++;
      } catch (error) {
        throw new Error(`run ${run} of seed ${seed} on ${name}`, { cause: error });
      }
      expect(performance.now() - started, `run ${run} of seed ${seed} on ${name}`).toBeLessThan(5000);
    }
    expect(refused).toBeGreaterThan(runs / 4);
  });
});
