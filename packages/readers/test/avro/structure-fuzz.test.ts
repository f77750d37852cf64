// Avro files whose header, schema and block heads are well-formed and lie: schemas changed node by node, counts and sizes
// with their sync markers in place, schemas to read with that fit more or less.
import { readFileSync } from "node:fs";
import { isIngestError } from "@ingest-ts/core";
import { Dice } from "@ingest-ts/core/testing";
import { describe, expect, test } from "vitest";
import { Cursor } from "../../src/avro/cursor.ts";
import { createDatumReader, schemaFingerprint } from "../../src/avro/datum.ts";
import { outcomeOf } from "../outcome.ts";
import { type Block, container, long } from "./support.ts";

const RUNS = Math.ceil(Number(process.env["INGEST_FUZZ_RUNS"] ?? 10_000) / 10);
const SEED = Number(process.env["INGEST_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const TIMEOUT_MS = Math.max(120_000, RUNS * 50);

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface Original {
  readonly name: string;
  readonly schema: Json;
  readonly blocks: readonly Block[];
}

/** The schema and the blocks of a fixture that is not compressed. */
function original(name: string): Original {
  const bytes = new Uint8Array(readFileSync(new URL(`../../../../test/fixtures/avro/${name}.avro`, import.meta.url)));
  const cursor = new Cursor(bytes, 4);
  const entries = new Map<string, string>();
  const text = (): string => {
    const length = cursor.length();
    const start = cursor.take(length);
    return new TextDecoder().decode(bytes.subarray(start, start + length));
  };
  for (let count = cursor.count(); count !== 0; count = cursor.count()) {
    for (let i = 0; i < count; i++) entries.set(text(), text());
  }
  cursor.take(16);
  const blocks: Block[] = [];
  while (cursor.leftBytes > 0 && blocks.length < 2) {
    const rows = cursor.count();
    const size = cursor.length();
    const start = cursor.take(size);
    blocks.push({ rows, data: [...bytes.subarray(start, start + size)] });
    cursor.take(16);
  }
  return { name, schema: JSON.parse(entries.get("avro.schema") as string) as Json, blocks };
}

const originals = ["flat-null", "flat-required", "nested", "root-union"].map(original);

const kinds = [
  "null",
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "bytes",
  "string",
  "record",
  "enum",
  "fixed",
  "array",
  "map",
];
const logicalTypes = [
  "decimal",
  "uuid",
  "date",
  "time-millis",
  "time-micros",
  "duration",
  "timestamp-nanos",
  "big-decimal",
  "?",
];

/** All containers of a tree with the key of each child. */
function places(json: Json, found: [Json[] | Record<string, Json>, string | number][] = []): typeof found {
  if (Array.isArray(json)) json.forEach((item, i) => (found.push([json, i]), places(item, found)));
  else if (typeof json === "object" && json !== null) {
    for (const [key, value] of Object.entries(json)) {
      found.push([json, key]);
      places(value, found);
    }
  }
  return found;
}

function anyJson(dice: Dice): Json {
  return dice.pick<Json>([
    null,
    true,
    0,
    -1,
    1.5,
    2 ** 31,
    2 ** 53,
    "",
    "Row",
    "null",
    {},
    [],
    ["null", "long"],
    dice.pick(kinds),
    { type: "array", items: dice.pick(kinds) },
    { type: "map", values: "long" },
    { type: "fixed", name: `F${dice.below(3)}`, size: dice.pick([0, 1, 16, 2 ** 20, 2 ** 40, -1]) },
    {
      type: "bytes",
      logicalType: dice.pick(logicalTypes),
      precision: dice.pick([0, 1, 38, 76, 77, 1e9]),
      scale: dice.below(5),
    },
    { type: "enum", name: `E${dice.below(3)}`, symbols: ["A", "B"] },
  ]);
}

function changeSchema(schema: Json, dice: Dice): Json {
  const copy = structuredClone(schema);
  for (let i = dice.below(3); i >= 0; i--) {
    const all = places(copy);
    if (all.length === 0) return anyJson(dice);
    const [parent, key] = dice.pick(all);
    const holder = parent as Record<string | number, Json>;
    const kind = dice.below(6);
    if (kind === 0) holder[key] = anyJson(dice);
    else if (kind === 1) holder[key] = structuredClone(dice.pick(all)[0] as Json);
    else if (kind === 2 && Array.isArray(parent)) parent.splice(key as number, 1);
    else if (kind === 2) delete holder[key];
    else if (kind === 3 && Array.isArray(parent))
      parent.splice(dice.below(parent.length), 0, structuredClone(holder[key] as Json));
    else if (kind === 4)
      holder[dice.pick(["type", "logicalType", "size", "default", "aliases", "items", "namespace"])] = anyJson(dice);
    else holder[key] = dice.pick(kinds);
  }
  return copy;
}

function changeBlocks(blocks: readonly Block[], dice: Dice): Block[] {
  return blocks.map(({ rows, data }) => {
    if (dice.chance(0.6)) return { rows, data };
    const bytes = [...data];
    const place = dice.below(bytes.length);
    if (dice.chance(0.5))
      bytes.splice(place, dice.below(4), ...long(dice.pick([0, -1, 1, 63, -64, 2 ** 31, 2n ** 62n, -(2n ** 62n)])));
    return { rows: dice.pick([rows, rows, rows + 1, rows - 1, 0, 2 ** 31, 2 ** 40]), data: bytes };
  });
}

function textOf(schema: Json): string {
  return JSON.stringify(schema) ?? "null";
}

describe(`seed ${SEED}`, () => {
  test(`${RUNS} files with changed headers give typed errors or rows`, { timeout: TIMEOUT_MS }, async () => {
    const counts = { error: 0, rows: 0 };
    for (let run = 0; run < RUNS; run++) {
      const dice = new Dice(SEED + run);
      const { name, schema, blocks } = dice.pick(originals);
      const written = dice.chance(0.7) ? changeSchema(schema, dice) : schema;
      const read = dice.chance(0.4) ? textOf(changeSchema(schema, dice)) : undefined;
      const bytes = container(written, changeBlocks(blocks, dice), {
        sized: dice.chance(0.2),
        metadata: dice.chance(0.2) ? { "": "", "avro.x": "\u0000", __proto__: "x" } : {},
      });
      const dictionary = dice.pick(["decode", "preserve"] as const);
      try {
        const outcome = await outcomeOf(bytes, "avro", {
          dictionary,
          batchRows: dice.pick([7, 1000]),
          ...(read === undefined ? {} : { schema: read }),
        });
        counts[outcome === "error" ? "error" : "rows"]++;
      } catch (error) {
        throw new Error(`seed ${SEED + run} on ${name}`, { cause: error });
      }
    }
    expect(process.memoryUsage().rss).toBeLessThan(2 ** 31);
    // Of a few files all may end alike.
    if (RUNS < 200) return;
    expect(counts.error).toBeGreaterThan(RUNS / 4);
    expect(counts.rows).toBeGreaterThan(RUNS / 50);
  });

  test("datums of any bytes and schema are values or poison, never both, and nothing else", {
    timeout: TIMEOUT_MS,
  }, async () => {
    for (let run = 0; run < RUNS; run++) {
      const dice = new Dice(SEED + run);
      const { schema, blocks } = dice.pick(originals);
      const data = Uint8Array.from(blocks[0]?.data ?? []).subarray(0, 3000);
      const cuts = Array.from({ length: 20 }, () => dice.below(data.length + 1)).sort((a, b) => a - b);
      const offsets = Int32Array.of(0, ...cuts, data.length);
      try {
        const text = textOf(dice.chance(0.7) ? changeSchema(schema, dice) : schema);
        schemaFingerprint(text);
        const reader = await createDatumReader(text, {
          limits: { recordBytes: 2 ** 22, zeroLengthItems: 1000 },
        });
        const common = { length: 21, nullCount: 0, validity: null, children: [], dictionary: null };
        const { column, poison } = reader.decode({ type: { kind: "binary" }, offsets, data, ...common });
        expect(column.length).toBe(21);
        expect(poison.every(({ index }, i) => index > (poison[i - 1]?.index ?? -1))).toBe(true);
        for (const { error } of poison) expect(isIngestError(error), `seed ${SEED + run}`).toBe(true);
      } catch (error) {
        if (!isIngestError(error)) throw new Error(`seed ${SEED + run}`, { cause: error });
      }
    }
  });
});
