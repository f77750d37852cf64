// What python/tests/test_order.py compares with, through the built packages:
//   node orders.mjs serve OPTIONS   serves as `ingest serve` does, with segments: one folder is one
//   node orders.mjs load OPTIONS FILE   writes the batches of load() into FILE as an Arrow stream, their places as JSON
// OPTIONS is the JSON of what `serve` and `load` take, without segmentBy.
import { writeFile } from "node:fs/promises";
import { load } from "@ingest-ts/loader";
import { serve } from "@ingest-ts/loader/serve";
import { RecordBatchStreamWriter } from "apache-arrow";

const [task, json, file] = process.argv.slice(2);
const given = JSON.parse(json);
const segmentBy = (name) => name.split("/")[0];
const shuffle = given.shuffle === false ? false : { segmentBy, ...given.shuffle };

async function write() {
  const loader = await load({ ...given, shuffle });
  const writer = new RecordBatchStreamWriter();
  const places = [];
  for await (const batch of loader) {
    const { epoch, step, positions, state } = batch;
    writer.write(batch.toRecordBatch());
    places.push({ epoch, step, positions, state });
  }
  await writeFile(file, await writer.finish().toUint8Array());
  console.log(JSON.stringify(places));
}

async function listen() {
  const server = await serve({ ...given, shuffle }, "0.0.0");
  console.log(JSON.stringify({ address: server.address }));
  process.once("SIGTERM", () => void server.drain());
}

await (task === "serve" ? listen() : write());
