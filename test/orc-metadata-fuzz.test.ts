// ORC metadata with hostile values in their fields: everything is read, or refused by name, in bounded time and memory.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isIngestError, type Predicate } from "@ingest-ts/core";
import { Dice, memorySource } from "@ingest-ts/core/testing";
import { open } from "@ingest-ts/readers";
import { expect, test } from "vitest";
import { varint } from "./lib/orc-encoder.ts";
import { type Field, type OrcParts, putTogether, takeApart } from "./lib/orc-metadata.ts";
import { root } from "./lib/tree.ts";

const names = [
  "orc-java/codec-none",
  "orc-java/codec-zlib",
  "orc-java/root-union",
  "orc-java/calendar-hybrid",
  "orc-java/version-0.11",
  "orc-java/row-index-none",
  "orc/flat-uncompressed",
];
const files = names.map((name) => new Uint8Array(readFileSync(join(root, "test", "fixtures", `${name}.orc`))));

const hostile = [
  0n,
  1n,
  2n,
  127n,
  255n,
  65_536n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

function allFields(fields: Field[], into: { field: Field; among: Field[] }[] = []) {
  for (const field of fields) {
    into.push({ field, among: fields });
    if (Array.isArray(field.value)) allFields(field.value, into);
  }
  return into;
}

function changeNumber(value: bigint, dice: Dice): bigint {
  return dice.chance(0.4) ? value + BigInt(dice.pick([-1, 1, 2, 100])) : dice.pick(hostile);
}

/** One number among those packed into bytes, or one byte. */
function changeBytes(bytes: Uint8Array, dice: Dice): Uint8Array {
  const at = dice.below(bytes.length + 1);
  const middle = dice.chance(0.5) ? varint(dice.pick(hostile)) : [dice.below(256)];
  return Uint8Array.from([...bytes.subarray(0, at), ...middle, ...bytes.subarray(at + dice.below(3))]);
}

/** Changes some field: its value, or whether and where it is there. */
function change(fields: Field[], dice: Dice): void {
  const found = allFields(fields);
  if (found.length === 0) return;
  const { field, among } = dice.pick(found);
  const at = among.indexOf(field);
  const kind = dice.below(10);
  if (kind === 0) among.splice(at, 1);
  else if (kind === 1) among.push(field);
  else if (kind === 2) among.splice(dice.below(among.length + 1), 0, { ...field });
  else if (typeof field.value === "bigint") field.value = changeNumber(field.value, dice);
  else if (field.value instanceof Uint8Array) {
    field.value =
      field.wireType === 2 ? changeBytes(field.value, dice) : Uint8Array.from(field.value, () => dice.below(256));
  } else among.push({ number: 1 + dice.below(13), wireType: 0, value: dice.pick(hostile) });
}

function mutate(bytes: Uint8Array, dice: Dice): Uint8Array {
  const parts: OrcParts = takeApart(bytes);
  const indexes = parts.stripes.flatMap(({ streams }) =>
    streams.flatMap(({ content }) => (Array.isArray(content) ? [content] : [])),
  );
  const where = dice.below(4);
  if (where === 0 && indexes.length > 0) change(dice.pick(indexes), dice);
  const footers = parts.stripes.map(({ footer }) => footer);
  const targets = [dice.pick(footers), parts.footer, parts.postscript].filter((each) => each !== undefined);
  const target = where === 0 ? undefined : targets[where - 1];
  return putTogether(parts, (fields) => {
    if (fields !== target) return;
    for (let times = 1 + dice.below(2); times > 0; times--) change(fields, dice);
  });
}

const conditions: readonly (Predicate | undefined)[] = [
  undefined,
  ["ge", "id", 3000],
  ["isNull", "few"],
  ["eq", "i32", 7],
];

/** Answers whether reading was refused by name. */
async function isRefused(bytes: Uint8Array, where?: Predicate): Promise<boolean> {
  try {
    const options = { format: "orc", batchRows: 500, ...(where === undefined ? {} : { where }) } as const;
    const reader = await open(memorySource(bytes, "changed.orc"), options);
    let rows = 0;
    for await (const slab of reader.slabs()) rows += slab.rows;
    if (reader.rows !== undefined) expect(rows).toBe(reader.rows);
    return false;
  } catch (error) {
    if (isIngestError(error, "INGEST_FORMAT") || isIngestError(error, "INGEST_UNSUPPORTED")) return true;
    // The column of the condition may be of another name or type.
    if (where !== undefined && isIngestError(error, "INGEST_OPTIONS")) return true;
    throw error;
  }
}

const runs = Number(process.env["INGEST_ORC_RUNS"] ?? 300);
const seed = Number(process.env["INGEST_FUZZ_SEED"] ?? 1);

test("files that nothing was changed in are what they were", async () => {
  expect(files.length).toBeGreaterThan(4);
  for (const bytes of files) expect(await isRefused(putTogether(takeApart(bytes), () => {}))).toBe(false);
});

test(`${runs} files with hostile metadata are read whole or refused by name`, {
  timeout: 60_000 + runs * 1000,
}, async () => {
  const dice = new Dice(seed);
  const before = process.memoryUsage().rss;
  let [refused, most] = [0, before];
  for (let run = 0; run < runs; run++) {
    const bytes = mutate(dice.pick(files), dice);
    const started = process.cpuUsage();
    try {
      if (await isRefused(bytes, dice.pick(conditions))) refused++;
    } catch (error) {
      throw new Error(`run ${run} of seed ${seed}`, { cause: error });
    }
    const { user } = process.cpuUsage(started);
    expect(user / 1e6, `CPU seconds of run ${run} of seed ${seed}`).toBeLessThan(5);
    most = Math.max(most, process.memoryUsage().rss);
  }
  expect(refused).toBeGreaterThan(runs / 8);
  expect(refused).toBeLessThan(runs);
  expect((most - before) / 2 ** 20, "MB").toBeLessThan(600);
});
