// One process of a resume test: reads its job from stdin, writes the result to stdout.
// It uses the packages as they are shipped (dist), since a new process is what is tested.
import { readFileSync, writeFileSync } from "node:fs";
import { load } from "@ingest-ts/loader";
import { open } from "@ingest-ts/readers";

const prime = 0x9e3779b1;

function mix(hash, word) {
  const mixed = Math.imul(hash ^ word, prime);
  return (mixed << 13) | (mixed >>> 19);
}

function mixFixed(column, width, hashes) {
  const { data } = column;
  const words = new Int32Array(data.slice().buffer);
  const each = width / 4;
  for (let i = 0; i < hashes.length; i++) {
    for (let w = 0; w < each; w++) hashes[i] = mix(hashes[i], words[i * each + w]);
  }
}

function mixStrings({ offsets, data }, hashes) {
  let from = Number(offsets[0]);
  for (let i = 0; i < hashes.length; i++) {
    const to = Number(offsets[i + 1]);
    let hash = mix(hashes[i], to - from);
    for (let b = from; b < to; b++) hash = mix(hash, data[b]);
    hashes[i] = hash;
    from = to;
  }
}

/** One 32-bit hash for each row, of its values alone. */
function hashRows({ rows, columns }) {
  const hashes = new Int32Array(rows).fill(1);
  for (const column of columns) {
    const { offsets, validity, data } = column;
    if (offsets !== null) mixStrings(column, hashes);
    else mixFixed(column, data.length / Math.max(1, rows), hashes);
    if (validity === null) continue;
    // What lies under a null is nobody's business, but these columns come from one file: only the null itself is added.
    for (let i = 0; i < rows; i++) if (((validity[i >> 3] >> (i & 7)) & 1) === 0) hashes[i] = mix(hashes[i], 0x6e);
  }
  return hashes;
}

async function sortedHashes(source) {
  const parts = [];
  for (const one of [source].flat()) {
    const reader = await open(one);
    for await (const slab of reader.slabs()) parts.push(hashRows(slab));
    await reader.close();
  }
  const all = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all.sort();
}

async function unbroken({ source, options, batchSize, stops, orderFile }) {
  const wanted = new Set(stops);
  const loader = await load({ source, batchSize, ...options, world: { rank: 0, worldSize: 1 } });
  const order = new Int32Array(loader.plan.rows);
  const states = {};
  let rows = 0;
  let count = 0;
  for await (const batch of loader) {
    order.set(hashRows(batch.toColumns()), rows);
    rows += batch.rows;
    if (wanted.has(++count)) states[count] = loader.stateDict();
  }
  writeFileSync(orderFile, new Uint8Array(order.buffer));
  const sorted = order.slice().sort();
  const expected = await sortedHashes(source);
  const everyRowOnce = rows === expected.length && sorted.every((hash, i) => hash === expected[i]);
  return { rows, states, everyRowOnce };
}

/** Restores every rank of a world and lays their rows side by side with the unbroken run's. */
async function compare({ source, batchSize, segmentBy }, state, order, worldSize) {
  const seen = new Uint8Array(order.length);
  for (let rank = 0; rank < worldSize; rank++) {
    // Seed, lanes, window and ends are the state's; how objects are grouped is not in it.
    const loader = await load({ source, batchSize, shuffle: { segmentBy }, world: { rank, worldSize } });
    loader.loadStateDict(state);
    let position = state.position + ((((rank - state.position) % worldSize) + worldSize) % worldSize);
    for await (const batch of loader) {
      for (const hash of hashRows(batch.toColumns())) {
        if (seen[position] !== 0) return `position ${position} came twice`;
        if (hash !== order[position]) return `position ${position} (rank ${rank}) holds another row`;
        seen[position] = 1;
        position += worldSize;
      }
    }
  }
  const missing = seen.indexOf(0, state.position);
  return missing < 0 || missing >= order.length ? null : `position ${missing} never came`;
}

async function resumed(job) {
  const { stateFile, orderFile, worldSizes } = job;
  const states = JSON.parse(readFileSync(stateFile, "utf8"));
  const bytes = readFileSync(orderFile);
  const order = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const results = [];
  for (const [index, state] of states.entries()) {
    for (const worldSize of worldSizes) {
      results.push({ index, worldSize, problem: await compare(job, state, order, worldSize) });
    }
  }
  return { results };
}

let text = "";
for await (const chunk of process.stdin) text += chunk;
const job = JSON.parse(text);
process.stdout.write(JSON.stringify(await (job.kind === "unbroken" ? unbroken(job) : resumed(job))));
