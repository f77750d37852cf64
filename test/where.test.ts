// Filtered reads of random files by our own writers: what pruning leaves out would not have passed. Held against the
// same condition evaluated on every row. test/python/check_where.py does the same with other writers.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import {
  bindPredicate,
  type ByteSink,
  type Columns,
  concatRows,
  type DataType,
  evaluate,
  IngestError,
  type Literal,
  type Predicate,
  type Schema,
  UnsupportedError,
} from "@ingest-ts/core";
import {
  Dice,
  flatTypes,
  memorySource,
  type PlainValue,
  randomColumns,
  randomSchema,
  rowsOf,
  valueAt,
} from "@ingest-ts/core/testing";
import { open, type OpenOptions } from "@ingest-ts/readers";
import { createAvroWriter } from "@ingest-ts/writers/avro";
import { createORCWriter } from "@ingest-ts/writers/orc";
import { createParquetWriter } from "@ingest-ts/writers/parquet";
import { describe, expect, it } from "vitest";
import { memorySink } from "./lib/memory-sink.ts";

interface Writer {
  write(batch: Columns): Promise<void>;
  finish(): Promise<unknown>;
}

type CreateWriter = (sink: ByteSink, schema: Schema, dice: Dice) => Promise<Writer>;

const formats: Readonly<Record<string, CreateWriter>> = {
  Parquet: (sink, schema, dice) =>
    createParquetWriter(sink, schema, {
      rowGroupRows: dice.pick([1, 7, 30]),
      pageBytes: dice.pick([40, 1000]),
      dictionary: dice.chance(0.5),
      dataPageVersion: dice.pick([1, 2]),
    }),
  ORC: (sink, schema, dice) =>
    createORCWriter(sink, schema, { stripeRows: dice.pick([1, 7, 30]), rowIndexStride: dice.pick([1, 5, 1000]) }),
  Avro: (sink, schema, dice) => createAvroWriter(sink, schema, { blockBytes: dice.pick([1, 200]) }),
};

/** A value of a column as a literal; undefined for what cannot be compared. */
function literalOf(type: DataType, value: PlainValue): Literal | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  const bytes = Buffer.from(value, "hex");
  switch (type.kind) {
    case "dictionary":
      return literalOf(type.value, value);
    case "interval":
      return undefined;
    case "float":
      if (value === "NaN") return "NaN";
      return type.bits === 16 ? 1 : type.bits === 32 ? bytes.readFloatLE() : bytes.readDoubleLE();
    case "utf8":
    case "largeUtf8":
      return bytes.toString();
    case "binary":
    case "largeBinary":
    case "fixedSizeBinary":
      return bytes.toString("base64");
    default: {
      const unsigned = BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
      const isUnsigned = type.kind === "int" && !type.signed;
      const digits = String(isUnsigned ? unsigned : BigInt.asIntN(bytes.length * 8, unsigned));
      if (type.kind === "decimal") return `${digits}e${-type.scale}`;
      return Number.isSafeInteger(Number(digits)) ? Number(digits) : digits;
    }
  }
}

function randomLeaf(dice: Dice, schema: Schema, rows: Columns): Predicate {
  const column = dice.below(schema.fields.length);
  const { name, type } = schema.fields[column] as Schema["fields"][number];
  const literal = (): Literal => {
    const at = dice.below(rows.rows);
    return literalOf(type, valueAt(rows.columns[column] as Columns["columns"][number], at)) ?? null;
  };
  if (dice.chance(0.15)) return ["isNull", name];
  if (dice.chance(0.25)) return ["in", name, Array.from({ length: 1 + dice.below(3) }, literal)];
  return [dice.pick(["eq", "ne", "lt", "le", "gt", "ge"] as const), name, literal()];
}

function randomPredicate(dice: Dice, schema: Schema, rows: Columns, depth: number): Predicate {
  if (depth === 0 || dice.chance(0.4)) return randomLeaf(dice, schema, rows);
  const part = (): Predicate => randomPredicate(dice, schema, rows, depth - 1);
  const kind = dice.pick(["and", "or", "not"] as const);
  return kind === "not" ? ["not", part()] : [kind, part(), part()];
}

/** A file of random rows; undefined when the format cannot hold them. */
async function randomFile(create: CreateWriter, dice: Dice): Promise<Uint8Array | undefined> {
  const flat = Array.from({ length: 3 }, (_, i) => ({ name: `f${i}`, type: dice.pick(flatTypes), nullable: true }));
  const nested = randomSchema(dice, { columns: dice.below(3), depth: 3 });
  const schema: Schema = { fields: [...flat, ...nested.fields], metadata: {} };
  const sink = memorySink();
  try {
    const writer = await create(sink, schema, dice);
    await writer.write(randomColumns(dice, schema, 40));
    await writer.finish();
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
  return sink.bytes;
}

async function readAll(
  bytes: Uint8Array,
  options: OpenOptions = {},
): Promise<{ rows: PlainValue[][]; fragments: number }> {
  const reader = await open(memorySource(bytes), options);
  const rows: PlainValue[][] = [];
  for await (const slab of reader.slabs()) rows.push(...rowsOf(slab));
  return { rows, fragments: reader.fragments.length };
}

/** All rows in one piece; undefined when there are none. */
async function wholeFile(bytes: Uint8Array): Promise<{ schema: Schema; columns: Columns } | undefined> {
  const reader = await open(memorySource(bytes));
  const slabs: Columns[] = [];
  for await (const slab of reader.slabs()) slabs.push(slab);
  return slabs.length === 0 ? undefined : { schema: reader.schema, columns: concatRows(slabs) };
}

/** Filters one file by random conditions. @returns how many fragments were ruled out */
async function filterAtRandom(bytes: Uint8Array, dice: Dice, runs: number, name: string): Promise<number> {
  const whole = await wholeFile(bytes);
  if (whole === undefined) return 0;
  const all = await readAll(bytes);
  let pruned = 0;
  for (let run = 0; run < runs; run++) {
    const where = randomPredicate(dice, whole.schema, whole.columns, 2);
    const passes = evaluate(bindPredicate(where, whole.schema), whole.columns);
    const kept = all.rows.filter((_, row) => passes[row] === 1);
    // Some columns in another order, so that those of the condition may not be among them; small slabs.
    const positions = whole.schema.fields.map((_, i) => i).filter(() => dice.chance(0.7));
    const columns = positions.reverse().map((i) => [whole.schema.fields[i]?.name ?? ""]);
    const batchRows = dice.pick([1, 3, 17, 65_536]);
    const filtered = await readAll(bytes, { where, columns, batchRows });
    const expected = kept.map((row) => positions.map((i) => row[i] as PlainValue));
    expect(filtered.rows, `${name}, ${JSON.stringify(where)}`).toEqual(expected);
    pruned += all.fragments - filtered.fragments;
  }
  return pruned;
}

const files = Number(process.env["INGEST_FUZZ_RUNS"] ?? 60);

describe("where prunes and filters as if it only filtered", () => {
  it.each(Object.keys(formats))("%s", { timeout: 600_000 }, async (format) => {
    let written = 0;
    let pruned = 0;
    for (let seed = 0; seed < files; seed++) {
      const dice = new Dice(seed);
      const bytes = await randomFile(formats[format] as CreateWriter, dice);
      if (bytes === undefined) continue;
      written++;
      pruned += await filterAtRandom(bytes, dice, 12, `seed ${seed}`);
    }
    expect(written).toBeGreaterThan(files / 5);
    // Avro has no statistics.
    if (format !== "Avro") expect(pruned).toBeGreaterThan(files);
  });

  const conformance = new URL("../../shared/conformance/", import.meta.url);
  const absent = existsSync(conformance) ? "" : " (skipped: there is no ../shared/conformance beside this checkout)";

  it.skipIf(absent !== "").each(["parquet", "orc"])(
    `files of many writers: %s${absent}`,
    { timeout: 600_000 },
    async (format) => {
      const dice = new Dice(7);
      let read = 0;
      for (const name of readdirSync(new URL(`${format}/`, conformance))) {
        const bytes = new Uint8Array(readFileSync(new URL(`${format}/${name}`, conformance)));
        // Nested columns can only be tested for null.
        const whole = await wholeFile(bytes).catch((error: unknown) => {
          if (error instanceof IngestError) return undefined;
          throw error;
        });
        if (whole === undefined || whole.columns.rows > 20_000) continue;
        if (new Set(whole.schema.fields.map((field) => field.name)).size < whole.schema.fields.length) continue;
        await filterAtRandom(bytes, dice, Math.max(1, Math.min(20, 20_000 / whole.columns.rows)), name);
        read++;
      }
      expect(read).toBeGreaterThan(20);
    },
  );
});
