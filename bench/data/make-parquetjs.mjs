// Writes a file with parquetjs-lite, for the benchmark of files that it can read: FOLDER/parquetjs-gzip.parquet.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const { ParquetSchema, ParquetWriter } = createRequire(import.meta.url)("parquetjs-lite");
const ROWS = 50_000;

export async function makeParquetjsFile(folder) {
  const path = join(folder, "parquetjs-gzip.parquet");
  if (existsSync(path)) return;
  const schema = new ParquetSchema({
    id: { type: "INT64", compression: "GZIP" },
    price: { type: "DOUBLE", compression: "GZIP" },
    name: { type: "UTF8", compression: "GZIP" },
    count: { type: "INT32", compression: "GZIP" },
  });
  const writer = await ParquetWriter.openFile(schema, path);
  for (let i = 0; i < ROWS; i++) {
    await writer.appendRow({ id: i, price: (i * 7919) % 1000, name: `n${i}`, count: i % 100 });
  }
  await writer.close();
}
