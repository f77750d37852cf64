// Hot kernels on a million values each, in nanoseconds of CPU time per value (or MB per CPU-second for blocks). Every
// result is checked against plain JavaScript before it is timed. Run: node bench/kernels.mjs [name part]
import { acquireKernels, loadKernels } from "@ingest-ts/kernels";
import { compress, decompress, prepareCodecs } from "@ingest-ts/kernels/codecs";

await loadKernels();
await prepareCodecs(["snappy", "lz4Raw", "zstd", "gzip"]);
const kernels = acquireKernels();
const { arena, exports: k } = kernels;
const COUNT = 1_000_000;
const wanted = process.argv[2] ?? "";

let state = 1;
function random(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
}

/** Best of nine rounds of at least 20 ms of CPU time each, in ns per call: other work on the machine only adds. */
function time(body) {
  const rounds = [];
  for (let round = 0; round < 9; round++) {
    const start = process.cpuUsage();
    let calls = 0;
    let used = 0;
    do {
      body();
      calls++;
      const { user, system } = process.cpuUsage(start);
      used = user + system;
    } while (used < 20_000);
    rounds.push((used * 1000) / calls);
  }
  return Math.min(...rounds);
}

function report(name, unit, value) {
  console.log(`${name.padEnd(44)} ${value.toFixed(value < 10 ? 2 : 0).padStart(8)} ${unit}`);
}

function perValue(name, count, body, check) {
  if (!name.includes(wanted)) return;
  body();
  if (check !== undefined && !check()) throw new Error(`${name}: wrong result`);
  report(name, "ns/value", time(body) / count);
}

function perByte(name, bytes, body, check) {
  if (!name.includes(wanted)) return;
  if (!check(body())) throw new Error(`${name}: wrong result`);
  report(name, "MB/s", (bytes * 1000) / time(body));
}

function put(typed) {
  const bytes = new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength);
  const address = arena.allocate(bytes.length);
  kernels.bytes.set(bytes, address);
  return address;
}
const int32 = (address, length) => new Int32Array(k.memory.buffer, address, length);
const int64 = (address, length) => new BigInt64Array(k.memory.buffer, address, length);

/** One bit-packed run, least significant bit first. */
function packed(values, width) {
  const groups = Math.ceil(values.length / 8);
  const header = [];
  let h = groups * 2 + 1;
  for (; h >= 128; h >>>= 7) header.push((h & 127) | 128);
  const out = new Uint8Array(header.length + 1 + groups * width);
  out.set([...header, h]);
  const base = (header.length + 1) * 8;
  values.forEach((value, i) => {
    for (let b = 0; b < width; b++) {
      const bit = base + i * width + b;
      if ((value >>> b) & 1) out[bit >> 3] |= 1 << (bit & 7);
    }
  });
  return out;
}
const same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);

const out4 = arena.allocate(COUNT * 4);
const out8 = arena.allocate(COUNT * 8);
for (const width of [1, 3, 7, 10, 13, 17, 20, 27]) {
  const values = Int32Array.from({ length: COUNT }, () => random(2 ** width));
  const bytes = packed(values, width);
  const src = put(bytes);
  perValue(
    `rleIndices packed, width ${width}`,
    COUNT,
    () => k.rleIndices(src, bytes.length, width, 2 ** width - 1 + (width > 1), out4, COUNT),
    () => width === 1 || same(int32(out4, COUNT), values),
  );
  arena.release(src);
}
{
  const runs = [];
  for (let i = 0; i < COUNT; i += 50) runs.push(100, random(200));
  const src = put(Uint8Array.from(runs));
  perValue("rleIndices runs of 50", COUNT, () => k.rleIndices(src, runs.length, 8, 200, out4, COUNT));
  arena.release(src);
}
{
  const levels = Uint8Array.from({ length: COUNT }, () => (random(10) > 0 ? 1 : 0));
  const bytes = packed(levels, 1);
  const src = put(bytes);
  perValue("rleBits packed", COUNT, () => k.rleBits(src, bytes.length, out4, 0, COUNT));
  perValue("rleLevels packed, width 1", COUNT, () => k.rleLevels(src, bytes.length, 1, 1, out4, COUNT));
  const two = packed(levels, 2);
  const src2 = put(two);
  perValue("rleLevels packed, width 2", COUNT, () => k.rleLevels(src2, two.length, 2, 3, out4, COUNT));
  const src3 = put(levels);
  perValue("levelsToValidity", COUNT, () => k.levelsToValidity(src3, COUNT, 1, out4, 0));
  const dense = levels.filter((level) => level === 1).length;
  const values = put(new Float64Array(COUNT));
  k.levelsToValidity(src3, COUNT, 1, out4, 0);
  const bits = put(kernels.bytes.slice(out4, out4 + COUNT / 8));
  perValue("spread4, 90 % valid", COUNT, () => k.spread4(bits, 0, COUNT, values, dense, out8));
  perValue("spread8, 90 % valid", COUNT, () => k.spread8(bits, 0, COUNT, values, dense, out8));
  const all = put(new Uint8Array(COUNT / 8).fill(255));
  perValue("spread8, all valid", COUNT, () => k.spread8(all, 0, COUNT, values, COUNT, out8));
  for (const address of [src, src2, src3, values, bits, all]) arena.release(address);
}
{
  const indices = put(Int32Array.from({ length: COUNT }, () => random(1000)));
  const dictionary = put(new Float64Array(1000));
  perValue("gather4", COUNT, () => k.gather4(indices, COUNT, dictionary, out4));
  perValue("gather8", COUNT, () => k.gather8(indices, COUNT, dictionary, out8));
  const entries = Array.from({ length: 1000 }, () => "x".repeat(6 + random(11)));
  const page = Buffer.concat(
    entries.flatMap((entry) => [Buffer.from(Uint32Array.of(entry.length).buffer), Buffer.from(entry)]),
  );
  const src = put(page);
  const table = arena.allocate(8000);
  k.plainStringTable(src, page.length, 1000, table);
  const size = k.gatheredBytes(indices, COUNT, table);
  const bytes = arena.allocate(size);
  perValue(
    "gatherStrings 6–16 bytes",
    COUNT,
    () => k.gatherStrings(indices, COUNT, table, 0, 0, COUNT, bytes, 0, size, out4 - 0),
    () => size === int32(indices, COUNT).reduce((sum, index) => sum + entries[index].length, 0),
  );
  for (const address of [indices, dictionary, src, table, bytes]) arena.release(address);
}
{
  const entries = Array.from({ length: COUNT }, () => 10 + random(34));
  const page = new Uint8Array(entries.reduce((a, b) => a + b + 4, 0));
  const view = new DataView(page.buffer);
  let at = 0;
  for (const length of entries) {
    view.setUint32(at, length, true);
    page.fill(97, at + 4, at + 4 + length);
    at += 4 + length;
  }
  const src = put(page);
  const size = page.length - COUNT * 4;
  const bytes = arena.allocate(size);
  const offsets = arena.allocate(COUNT * 4 + 4);
  k.plainStrings(src, page.length, COUNT, 0, 0, COUNT, bytes, 0, size, offsets);
  perValue(
    "plainStrings 10–43 bytes",
    COUNT,
    () => k.plainStrings(src, page.length, COUNT, 0, 0, COUNT, bytes, 0, size, offsets),
    () => int32(offsets, COUNT + 1)[COUNT] === size,
  );
  perValue("validateUtf8, ASCII 10–43 bytes", COUNT, () => k.validateUtf8(bytes, offsets, COUNT));
  const text = Buffer.from("Größe 漢字 ça va naïve 😀 ".repeat(400_000));
  const utf8 = put(text);
  const whole = put(Int32Array.of(0, text.length));
  perByte(
    "validateUtf8, mixed text",
    text.length,
    () => k.validateUtf8(utf8, whole, 1),
    (answer) => answer === 0,
  );
  for (const address of [src, bytes, offsets, utf8, whole]) arena.release(address);
}
{
  const bytes = new Uint8Array(COUNT * 8).map(() => random(256));
  const src = put(bytes);
  perValue("byteStreamSplit 4", COUNT, () => k.byteStreamSplit(src, COUNT * 4, 4, out4, COUNT));
  perValue("byteStreamSplit 8", COUNT, () => k.byteStreamSplit(src, COUNT * 8, 8, out8, COUNT));
  const out16 = arena.allocate(COUNT * 16);
  perValue("decimalFixed 7 → 16 bytes", COUNT, () => k.decimalFixed(src, 7, out16, 16, COUNT));
  // Delta: blocks of 128 values, 4 miniblocks, width 9.
  const blocks = Math.floor(COUNT / 128);
  const total = blocks * 128 + 1;
  const head = [128, 1, 4];
  let n = total;
  for (; n >= 128; n >>>= 7) head.push((n & 127) | 128);
  head.push(n, 0);
  const delta = new Uint8Array(head.length + blocks * (5 + 144));
  delta.set(head);
  for (let b = 0; b < blocks; b++) {
    const start = head.length + b * 149;
    delta.set([1, 9, 9, 9, 9], start);
    for (let i = 5; i < 149; i++) delta[start + i] = random(256);
  }
  const stream = put(delta);
  const wide = arena.allocate(total * 8);
  perValue("deltaBinaryPacked32, width 9", total, () => k.deltaBinaryPacked32(stream, delta.length, wide, total));
  perValue(
    "deltaBinaryPacked64, width 9",
    total,
    () => k.deltaBinaryPacked64(stream, delta.length, wide, total),
    () => int64(wide, 1)[0] === 0n,
  );
  for (const address of [src, out16, stream, wide]) arena.release(address);
}
{
  // Records as a table of orders has them: keys that grow, prices, words.
  const words = ["deposits", "furiously", "quickly ", "regular", "packages", "ideas", "blithely", "final", "express"];
  const lines = [];
  for (let i = 0; lines.length < 40_000; i++)
    lines.push(
      `${i >> 2}|${random(200_000)}|${(random(10_000_000) / 100).toFixed(2)}|`,
      words[random(9)],
      words[random(9)],
    );
  const text = new TextEncoder().encode(lines.join(" ")).slice(0, 1 << 20);
  const equal = (bytes) => Buffer.compare(bytes, text) === 0;
  for (const codec of ["snappy", "lz4Raw", "zstd", "gzip"]) {
    const block = compress(codec, text);
    perByte(
      `${codec} read (ratio ${(text.length / block.length).toFixed(1)})`,
      text.length,
      () => decompress(codec, block, text.length, 1 << 28),
      equal,
    );
    perByte(
      `${codec} write`,
      text.length,
      () => compress(codec, text),
      (bytes) => equal(decompress(codec, bytes, text.length, 1 << 28)),
    );
  }
  const src = put(text);
  perByte(
    "crc32 kernel",
    text.length,
    () => k.crc32(src, text.length, 0),
    (crc) => crc !== 0,
  );
  const block = compress("snappy", text);
  const packedAt = put(block);
  const out = arena.allocate(text.length);
  perByte(
    "snappyDecompress inside the arena",
    text.length,
    () => k.snappyDecompress(packedAt, block.length, out, text.length),
    (size) => size === text.length,
  );
}
