// node dist/by-month.js DATA FOLDER: the rows of DATA as FOLDER/month=1/flights.parquet, …: one folder per month of `date`.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Slab, takeRows } from "@ingest-ts/core";
import { open } from "@ingest-ts/readers";
import { fileSink } from "@ingest-ts/storage";
import { createParquetWriter } from "@ingest-ts/writers/parquet";

/** Small enough that each of 8 ranks finds fragments of its own. */
const ROW_GROUP_ROWS = 131_072;

type Writer = Awaited<ReturnType<typeof createParquetWriter>>;

/** The month of every row, from 1. */
function monthsOf({ schema, columns, rows }: Slab): Uint8Array {
  const date = columns[schema.fields.findIndex(({ name }) => name === "date")];
  if (date?.type.kind !== "timestamp" || date.type.unit !== "us" || date.nullCount > 0 || date.data === null) {
    throw new TypeError("the column date has to hold microseconds, and no nulls");
  }
  const micros = new BigInt64Array(date.data.buffer, date.data.byteOffset, rows);
  return Uint8Array.from(micros, (each) => new Date(Number(each / 1000n)).getUTCMonth() + 1);
}

/** Streams `source` into the folders; rows keep their order. @returns rows of each month */
async function splitByMonth(source: string, folder: string): Promise<Map<number, number>> {
  const reader = await open(source);
  const writers = new Map<number, Writer>();
  const writerOf = async (month: number): Promise<Writer> => {
    const path = join(folder, `month=${month}`);
    await mkdir(path, { recursive: true });
    const sink = await fileSink(join(path, "flights.parquet"));
    const writer = await createParquetWriter(sink, reader.schema, { codec: "zstd", rowGroupRows: ROW_GROUP_ROWS });
    writers.set(month, writer);
    return writer;
  };
  try {
    for await (const slab of reader.slabs()) {
      const months = monthsOf(slab);
      for (const month of new Set(months)) {
        const indices = Int32Array.from(months.keys()).filter((row) => months[row] === month);
        await (writers.get(month) ?? (await writerOf(month))).write(takeRows(slab, indices));
      }
    }
    const counts = new Map<number, number>();
    for (const [month, writer] of [...writers].sort(([a], [b]) => a - b)) {
      counts.set(month, (await writer.finish()).rows);
    }
    return counts;
  } finally {
    // Those that were not finished leave nothing behind.
    for (const writer of writers.values()) await writer.abort();
    await reader.close();
  }
}

const [source, folder] = process.argv.slice(2);
if (source === undefined || folder === undefined) {
  process.stderr.write("usage: node dist/by-month.js DATA FOLDER\n");
  process.exitCode = 2;
} else {
  for (const [month, rows] of await splitByMonth(source, folder))
    process.stdout.write(`month=${month}: ${rows} rows\n`);
}
