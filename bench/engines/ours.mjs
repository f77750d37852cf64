// This project, from its built packages.
import { open } from "@ingest-ts/readers";
import { Checksum, checksumOfBatches } from "./checksum.mjs";

export async function read({ path, schema }) {
  const reader = await open(path, schema === undefined ? {} : { schema });
  const batches = [];
  try {
    for await (const batch of reader) batches.push(batch);
  } finally {
    await reader.close();
  }
  return batches;
}

export const checksum = checksumOfBatches;

/** All batches, dropped as they come, so that what is left is what reading takes in memory. */
export async function stream({ path, schema }, check) {
  const reader = await open(path, schema === undefined ? {} : { schema });
  const total = new Checksum();
  for await (const batch of reader) {
    if (check) {
      const found = checksumOfBatches([batch]);
      total.valid += found.valid;
      total.sum += found.sum;
    }
    total.rows += batch.numRows;
  }
  // Row formats are read in windows of some MiB; others fetch the columns of a fragment.
  const fetched = reader.fragments.map(({ rows, sizeBytes }) => (rows === undefined ? 0 : sizeBytes));
  total.inFlightBytes = Math.max(0, ...fetched);
  await reader.close();
  return total;
}

/** One epoch of shuffled batches. Batches are dropped at once, so the checksum is taken on the way, when asked for. */
export async function shuffle({ path, batchRows, seed, windowRows, lanes, recordBatches = true }, check) {
  const shuffled = { ...(windowRows === undefined ? {} : { windowRows }), ...(lanes === undefined ? {} : { lanes }) };
  const { load } = await import("@ingest-ts/loader");
  const loader = await load({
    source: path,
    batchSize: batchRows,
    shuffle: shuffled,
    seed,
    epochs: 1,
    world: { rank: 0, worldSize: 1 },
  });
  const total = new Checksum();
  for await (const batch of loader) {
    if (check) {
      const found = checksumOfBatches([batch.toRecordBatch()]);
      total.valid += found.valid;
      total.sum += found.sum;
    } else if (recordBatches) batch.toRecordBatch();
    total.rows += batch.rows;
  }
  return total;
}
