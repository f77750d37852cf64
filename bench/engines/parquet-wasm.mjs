// parquet-wasm (arrow-rs in WebAssembly), its table handed to apache-arrow through Arrow IPC as its README shows.
import { readFile } from "node:fs/promises";
import { tableFromIPC } from "apache-arrow";
import { readParquet } from "parquet-wasm";
import { checksumOfBatches } from "./checksum.mjs";

export async function read({ path }) {
  return tableFromIPC(readParquet(await readFile(path)).intoIPCStream());
}

export function checksum(table) {
  return checksumOfBatches(table.batches);
}
