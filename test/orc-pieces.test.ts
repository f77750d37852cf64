// A stripe that does not fit into limits.bytesInFlight is read in pieces, all of its columns side by side.
import { type ByteSource, type Columns, concatRows, type Schema } from "@ingest-ts/core";
import { Dice, memorySource, rowsOf } from "@ingest-ts/core/testing";
import { open } from "@ingest-ts/readers";
import { createORCWriter } from "@ingest-ts/writers/orc";
import { expect, test } from "vitest";
import { memorySink } from "./lib/memory-sink.ts";

const rows = 60_000;
const names = ["a", "b", "c"];
const schema: Schema = {
  fields: names.map((name) => ({ name, type: { kind: "int", bits: 64, signed: true }, nullable: false })),
  metadata: {},
};

async function oneStripe(codec: "none" | "zstd"): Promise<Uint8Array> {
  const dice = new Dice(1);
  const plain = { length: rows, nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };
  const columns: Columns = {
    rows,
    columns: schema.fields.map(({ type }) => {
      const values = BigInt64Array.from({ length: rows }, () => BigInt(dice.below(2 ** 32)) * 0x9e3779b97fn);
      return { ...plain, type, data: new Uint8Array(values.buffer) };
    }),
  };
  const sink = memorySink();
  const writer = await createORCWriter(sink, schema, { stripeRows: rows, codec });
  await writer.write(columns);
  await writer.finish();
  return sink.bytes;
}

/** A source that keeps the sizes of what is asked for at once. */
function sized(bytes: Uint8Array, sizes: number[]): ByteSource {
  const source = memorySource(bytes, "memory://one.orc");
  return {
    url: source.url,
    stat: (options) => source.stat(options),
    close: () => source.close(),
    async getRanges(ranges, options) {
      const answers = await source.getRanges(ranges, options);
      sizes.push(answers.reduce((sum, answer) => sum + answer.length, 0));
      return answers;
    },
  };
}

test.each(["none", "zstd"] as const)("%s", async (codec) => {
  const bytes = await oneStripe(codec);
  const read = async (bytesInFlight: number): Promise<{ rows: unknown; sizes: number[] }> => {
    const sizes: number[] = [];
    const reader = await open(sized(bytes, sizes), { format: "orc", limits: { bytesInFlight } });
    expect(reader.fragments).toHaveLength(1);
    const slabs: Columns[] = [];
    sizes.length = 0;
    for await (const slab of reader.slabs()) slabs.push(slab);
    return { rows: rowsOf(concatRows(slabs)), sizes };
  };
  const whole = await read(1 << 28);
  // The stripe's footer and its columns.
  expect(whole.sizes).toHaveLength(2);
  const limit = 600 * 1024;
  const pieces = await read(limit);
  expect(Math.max(...pieces.sizes)).toBeLessThanOrEqual(limit);
  expect(pieces.sizes.length).toBeGreaterThan(3);
  // Columns are asked for together: not one request for each piece of each of them.
  expect(pieces.sizes.length).toBeLessThan((3 * bytes.length) / limit + 8);
  expect(JSON.stringify(pieces.rows) === JSON.stringify(whole.rows)).toBe(true);
});
