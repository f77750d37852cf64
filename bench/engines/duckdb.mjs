// @duckdb/node-api with one thread: every column of every chunk as DuckDB's vectors.
import { DuckDBInstance } from "@duckdb/node-api";
import { Checksum } from "./checksum.mjs";

let connection;

export async function read({ path }) {
  connection ??= await (await DuckDBInstance.create(":memory:", { threads: "1" })).connect();
  const result = await connection.stream(`select * from read_parquet('${path.replaceAll("'", "''")}')`);
  const chunks = [];
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    for (let i = 0; i < chunk.columnCount; i++) chunk.getColumnVector(i);
    chunks.push(chunk);
  }
  return chunks;
}

function add(total, column, vector, i) {
  if (typeof vector.getScaledValue === "function") {
    const scaled = vector.getScaledValue(i);
    return total.add(column, scaled === null ? null : Number(scaled) / 10 ** vector.type.scale);
  }
  if (typeof vector.getItemVector === "function") {
    const items = vector.getItemVector(i);
    for (let k = 0; items !== null && k < items.itemCount; k++) total.add(column, items.getItem(k));
    return undefined;
  }
  const value = vector.getItem(i);
  return total.add(
    column,
    value === null || typeof value !== "object" ? value : (value.bytes ?? value.days ?? value.micros),
  );
}

export function checksum(chunks) {
  const total = new Checksum();
  for (const chunk of chunks) {
    total.rows += chunk.rowCount;
    for (let column = 0; column < chunk.columnCount; column++) {
      const vector = chunk.getColumnVector(column);
      for (let i = 0; i < chunk.rowCount; i++) add(total, column, vector, i);
    }
  }
  return total;
}
