// Serves record batches that lie in memory, so that only the road to the client is measured:
//   node memory-server.mjs '{"socket": PATH, "batchBytes": n, "batches": n}'   prints {"address"} when it listens
// There are 16 columns of float32; value i of column c of batch b is (7 (b mod 8) + 3 c + i) mod 1024.
import { toArrowSchema } from "@ingest-ts/core/arrow";
import { memorySource } from "@ingest-ts/core/testing";
import { serve } from "@ingest-ts/loader/serve";

const COLUMNS = 16;
/** Batches that differ: more than the processor's caches hold. */
const BLOCKS = 8;
const { socket, batchBytes, batches } = JSON.parse(process.argv[2]);
const rows = batchBytes / (4 * COLUMNS);
const type = { kind: "float", bits: 32 };
const schema = {
  fields: Array.from({ length: COLUMNS }, (_, c) => ({ name: `c${c}`, type, nullable: false })),
  metadata: {},
};

function columnOf(block, c) {
  const values = new Float32Array(rows);
  for (let i = 0; i < rows; i++) values[i] = (7 * block + 3 * c + i) % 1024;
  const data = new Uint8Array(values.buffer);
  return { type, length: rows, nullCount: 0, validity: null, offsets: null, data, children: [], dictionary: null };
}

const blocks = Array.from({ length: BLOCKS }, (_, block) => ({
  rows,
  columns: schema.fields.map((_field, c) => columnOf(block, c)),
}));

const url = "memory.parquet";
const reader = {
  url,
  format: "parquet",
  source: memorySource(new TextEncoder().encode(JSON.stringify({ batchBytes, batches })), url),
  schema,
  arrowSchema: toArrowSchema(schema),
  rows: rows * batches,
  fragments: Array.from({ length: batches }, (_, ordinal) => ({
    url,
    ordinal,
    rows,
    sizeBytes: batchBytes,
    plan: null,
  })),
  async *fragmentSlabs({ ordinal }) {
    yield { schema, ...blocks[ordinal % BLOCKS] };
  },
  buildIndex: () => Promise.resolve(undefined),
  close: () => Promise.resolve(),
};

const options = { source: reader, batchSize: rows, shuffle: false, epochs: Number.POSITIVE_INFINITY };
const server = await serve({ ...options, address: { socket } }, "0.0.0");
console.log(JSON.stringify({ address: server.address }));
