// Avro datums as they come from Kafka, behind Confluent's five bytes: records of 20 fields, in millions a CPU-second, by how
// many one call decodes. Every value is checked before anything is timed, and so is that a bad one is told of.
// Run: node bench/avro-datums.mjs [records]
import { CONFLUENT_ID_HEADER_BYTES, createDatumReader } from "@ingest-ts/readers/avro/datum";

const COUNT = Number(process.argv[2] ?? 200_000);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

let state = 1;
function random(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
}

function long(value) {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const out = [];
  for (; rest >= 128n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  return [...out, Number(rest)];
}

function text(value) {
  const bytes = encoder.encode(value);
  return [...long(bytes.length), ...bytes];
}

const double = (value) => [...new Uint8Array(Float64Array.of(value).buffer)];
const kinds = {
  long: { count: 5, type: "long", make: () => random(2 ** 30) * 1000, bytes: long },
  int: { count: 3, type: "int", make: () => random(1000), bytes: long },
  double: { count: 4, type: "double", make: () => random(1e9) / 7, bytes: double },
  string: { count: 4, type: "string", make: () => `value-${random(1e6)}`, bytes: text },
  maybe: {
    count: 2,
    type: ["null", "string"],
    make: () => (random(3) === 0 ? null : `city ${random(100)}`),
    bytes: (value) => (value === null ? [0] : [2, ...text(value)]),
  },
  boolean: { count: 1, type: "boolean", make: () => random(2) === 1, bytes: (value) => [value ? 1 : 0] },
  enum: {
    count: 1,
    type: { type: "enum", name: "Color", symbols: ["RED", "GREEN", "BLUE"] },
    make: () => ["RED", "GREEN", "BLUE"][random(3)],
    bytes: (value) => long(["RED", "GREEN", "BLUE"].indexOf(value)),
  },
};
const fields = Object.entries(kinds).flatMap(([name, kind]) =>
  Array.from({ length: kind.count }, (_, i) => ({ name: `${name}${i}`, ...kind })),
);
const schema = JSON.stringify({
  type: "record",
  name: "Row",
  fields: fields.map(({ name, type }) => ({ name, type })),
});

const rows = Array.from({ length: COUNT }, () => fields.map(({ make }) => make()));
const parts = rows.map((row) => Uint8Array.from([0, 0, 0, 0, 7, ...row.flatMap((value, i) => fields[i].bytes(value))]));
const offsets = new Int32Array(COUNT + 1);
parts.forEach((part, i) => (offsets[i + 1] = offsets[i] + part.length));
const data = new Uint8Array(offsets[COUNT]);
parts.forEach((part, i) => data.set(part, offsets[i]));

function values(from, to) {
  const none = { nullCount: 0, validity: null, children: [], dictionary: null };
  return { type: { kind: "binary" }, length: to - from, offsets: offsets.subarray(from, to + 1), data, ...none };
}

/** Value `i` of a column in plain JavaScript. */
function valueAt({ type, data: bytes, offsets: ends, validity }, i) {
  if (validity !== null && ((validity[i >> 3] >> (i & 7)) & 1) === 0) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (type.kind === "utf8") return decoder.decode(bytes.subarray(ends[i], ends[i + 1]));
  if (type.kind === "bool") return ((bytes[i >> 3] >> (i & 7)) & 1) === 1;
  if (type.kind === "float") return view.getFloat64(i * 8, true);
  return type.bits === 64 ? Number(view.getBigInt64(i * 8, true)) : view.getInt32(i * 4, true);
}

const reader = await createDatumReader(schema);
const options = { headerBytes: CONFLUENT_ID_HEADER_BYTES };
const { column, poison } = reader.decode(values(0, COUNT), options);
if (poison.length > 0) throw poison[0].error;
rows.forEach((row, i) =>
  row.forEach((value, k) => {
    const got = valueAt(column.children[k], i);
    if (!Object.is(got, value)) throw new Error(`row ${i}, ${fields[k].name}: ${got} instead of ${value}`);
  }),
);
const cut = { ...values(0, 2), offsets: Int32Array.of(0, offsets[1] - 1, offsets[2]) };
if (reader.decode(cut, options).poison.length !== 2) throw new Error("a cut value was not told of");
console.log(
  `${COUNT} records of ${fields.length} fields, ${(data.length / COUNT).toFixed(0)} bytes each: all values right`,
);

for (const perCall of [500, 5000, COUNT]) {
  let best = 0;
  for (let round = 0; round < 5; round++) {
    const start = process.cpuUsage();
    for (let from = 0; from < COUNT; from += perCall)
      reader.decode(values(from, Math.min(COUNT, from + perCall)), options);
    const { user, system } = process.cpuUsage(start);
    best = Math.max(best, COUNT / (user + system));
  }
  console.log(`${perCall} a call: ${best.toFixed(2)} million records a CPU-second`);
}
