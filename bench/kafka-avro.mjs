// Confluent-framed Avro of twenty fields to Arrow columns, in records per CPU-second, beside avsc. What comes out is compared
// value by value before it is timed. Run: node bench/kafka-avro.mjs [records]
import { createPayloadDecoder } from "@ingest-ts/kafka/payload";
import avsc from "avsc";

const COUNT = Number(process.argv[2] ?? 65_536);
const ID = 7;

const schema = {
  type: "record",
  name: "Event",
  fields: [
    { name: "id", type: "long" },
    { name: "user", type: "string" },
    { name: "session", type: "string" },
    { name: "at", type: { type: "long", logicalType: "timestamp-millis" } },
    { name: "country", type: { type: "enum", name: "Country", symbols: ["DE", "FR", "US", "JP", "BR"] } },
    { name: "device", type: ["null", "string"], default: null },
    { name: "score", type: "double" },
    { name: "price", type: "float" },
    { name: "quantity", type: "int" },
    { name: "discount", type: ["null", "double"], default: null },
    { name: "clicked", type: "boolean" },
    { name: "bought", type: "boolean" },
    { name: "category", type: "int" },
    { name: "item", type: "long" },
    { name: "position", type: "int" },
    { name: "query", type: "string" },
    { name: "f0", type: "float" },
    { name: "f1", type: "float" },
    { name: "f2", type: "float" },
    { name: "version", type: "int" },
  ],
};

let state = 1;
function random(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
}

function record(i) {
  return {
    id: 1_000_000_000 + i,
    user: `user-${random(100_000)}`,
    session: `${random(2 ** 30).toString(16)}-${random(2 ** 30).toString(16)}`,
    at: 1_700_000_000_000 + i * 37,
    country: ["DE", "FR", "US", "JP", "BR"][random(5)],
    device: random(3) === 0 ? null : "mobile",
    score: random(1000) / 7,
    price: Math.fround(random(10_000) / 3),
    quantity: random(20),
    discount: random(2) === 0 ? null : random(100) / 100,
    clicked: random(2) === 1,
    bought: random(10) === 1,
    category: random(500),
    item: random(2 ** 31),
    position: random(60) - 3,
    query: ["shoes", "red shoes", "a coat for the winter", ""][random(4)],
    f0: Math.fround(random(1000) / 9),
    f1: Math.fround(random(1000) / 11),
    f2: Math.fround(-random(1000) / 13),
    version: 3,
  };
}

const type = avsc.Type.forSchema(structuredClone(schema), { wrapUnions: false });
const records = Array.from({ length: COUNT }, (_, i) => record(i));
const parts = records.map((each) => Buffer.concat([Buffer.from([0, 0, 0, 0, ID]), type.toBuffer(each)]));
const offsets = new Int32Array(COUNT + 1);
parts.forEach((part, i) => (offsets[i + 1] = offsets[i] + part.length));
const data = new Uint8Array(offsets[COUNT]);
parts.forEach((part, i) => data.set(part, offsets[i]));
const base = { nullCount: 0, validity: null, children: [], dictionary: null };
const values = { ...base, type: { kind: "binary" }, length: COUNT, offsets, data };

const registry = {
  url: "http://127.0.0.1:9",
  fetch: async () => new Response(JSON.stringify({ schema: JSON.stringify(schema) }), { status: 200 }),
};
const decoder = await createPayloadDecoder({ as: "avro", registry }, "value", { values });
const decode = async () => (await decoder.decode({ values })).column;

/** Value `i` of a column as avsc gives it. */
function valueOf(column, i) {
  const { type: of, validity } = column;
  if (validity !== null && ((validity[i >> 3] >> (i & 7)) & 1) === 0) return null;
  const bytes = column.data;
  if (of.kind === "bool") return ((bytes[i >> 3] >> (i & 7)) & 1) === 1;
  if (of.kind === "utf8") return new TextDecoder().decode(bytes.subarray(column.offsets[i], column.offsets[i + 1]));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (of.kind === "float") return of.bits === 32 ? view.getFloat32(i * 4, true) : view.getFloat64(i * 8, true);
  return of.kind === "int" && of.bits === 32 ? view.getInt32(i * 4, true) : Number(view.getBigInt64(i * 8, true));
}

const column = await decode();
for (let i = 0; i < COUNT; i++) {
  for (const [k, { name }] of schema.fields.entries()) {
    const got = valueOf(column.children[k], i);
    if (!Object.is(got, records[i][name])) throw new Error(`record ${i}, ${name}: ${got}, not ${records[i][name]}`);
  }
}

/** Records per CPU-second, the best of seven rounds of half a CPU-second: other work on the machine only takes away. */
async function rate(body) {
  let best = 0;
  for (let round = 0; round < 7; round++) {
    const start = process.cpuUsage();
    let done = 0;
    let used = 0;
    do {
      await body();
      done += COUNT;
      const { user, system } = process.cpuUsage(start);
      used = user + system;
    } while (used < 500_000);
    best = Math.max(best, (done / used) * 1e6);
  }
  return best;
}

const ours = await rate(decode);
const theirs = await rate(async () => {
  for (const part of parts) type.fromBuffer(part.subarray(5));
});
const mean = data.length / COUNT;
console.log(`${COUNT} records of ${schema.fields.length} fields, ${mean.toFixed(0)} bytes each, all values compared`);
console.log(
  `ingest, to Arrow columns   ${(ours / 1e6).toFixed(2)} M records per CPU-second, ${((ours * mean) / 1e6).toFixed(0)} MB`,
);
console.log(`avsc, to objects           ${(theirs / 1e6).toFixed(2)} M records per CPU-second`);
console.log(
  JSON.stringify({
    bench: "kafka-avro",
    node: process.version,
    records: COUNT,
    oursPerCpuSecond: ours,
    avscPerCpuSecond: theirs,
  }),
);
