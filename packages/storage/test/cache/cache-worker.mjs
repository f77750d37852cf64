// Reads and fills a shared cache until it is killed; every block has to be what was stored under its label.
// Arguments: folder, limit in bytes, seed. Prints "wrong …" for a wrong byte, and "done N" from time to time.
import { Buffer } from "node:buffer";
import { BlockStore } from "../../dist/cache/block-store.js";

const [folder, limit, seed] = process.argv.slice(2);
const store = new BlockStore(folder, Number(limit));
let state = Number(seed);
const dice = (below) => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state % below;
};
const contentOf = (n) => Buffer.alloc(100_000 + n * 1000, n + 1);

let hits = 0;
for (let round = 1; ; round++) {
  const n = dice(12);
  const found = await store.get(`block ${n}`);
  if (found === undefined) await store.put(`block ${n}`, contentOf(n));
  else if (contentOf(n).equals(found)) hits++;
  else process.stdout.write(`wrong ${n}\n`);
  if (round % 50 === 0) process.stdout.write(`done ${hits}\n`);
  if (round % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
}
