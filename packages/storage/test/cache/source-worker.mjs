// Reads random ranges of one object through a shared cache until it is killed; the bytes have to be the object's.
// Arguments: URL, folder, limit in bytes, seed, size of the object. Prints "wrong …" for a wrong byte, "done N" now and then.
import { configureStorage, openSource } from "../../dist/index.js";

const [url, cacheDir, cacheBytes, seed, size] = process.argv.slice(2);
configureStorage({ cacheDir, cacheBytes: Number(cacheBytes) });
let state = Number(seed);
const dice = (below) => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state % below;
};
/** Byte i of the object, as the test made it. */
const byteAt = (i) => ((i >>> 16) * 31 + (i >>> 8) * 7 + i) & 0xff;

const source = await openSource(url);
for (let round = 1; ; round++) {
  const start = dice(Number(size) - 300_000);
  const end = start + 1 + dice(300_000);
  const [bytes] = await source.getRanges([{ start, end }]);
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === byteAt(start + i)) continue;
    process.stdout.write(`wrong byte ${start + i}\n`);
    break;
  }
  if (round % 5 === 0) process.stdout.write(`done ${round}\n`);
}
