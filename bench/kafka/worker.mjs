// One engine reads one topic once, in a process of its own: node worker.mjs '{"engine":…}'. Prints one line of JSON.
// Before that it reads the topic `warm` in the same way, so that the engine's code is compiled when the clock starts.
//
// "bytes": every record's value is looked at for its length. "arrow": columns offset, timestamp, key and value of all
// records, in Arrow's layout. "check": the sum of the hashes of all records, for comparing engines; not timed.
import { createHash } from "node:crypto";

const { engine, mode, brokers, topic, count, warm } = JSON.parse(process.argv[2]);

/** Adds up the first six bytes of SHA-256 of each record: in any order the same. */
class Sum {
  total = 0n;
  add(partition, offset, value) {
    const hash = createHash("sha256").update(`${partition}:${offset}:`).update(value).digest();
    this.total += BigInt(hash.readUIntBE(0, 6));
  }
}

/** Columns of records that come one by one, each array grown by doubling. */
class Columns {
  rows = 0;
  #offsets = new BigInt64Array(1024);
  #timestamps = new BigInt64Array(1024);
  #bytes = [
    { ends: new Int32Array(1025), data: Buffer.allocUnsafe(65536) },
    { ends: new Int32Array(1025), data: Buffer.allocUnsafe(65536) },
  ];

  add(offset, timestamp, key, value) {
    const row = this.rows++;
    if (row === this.#offsets.length) this.#grow();
    this.#offsets[row] = offset;
    this.#timestamps[row] = timestamp;
    this.#put(0, row, key);
    this.#put(1, row, value);
  }

  #put(which, row, bytes) {
    const column = this.#bytes[which];
    const at = column.ends[row];
    const end = at + bytes.length;
    if (end > column.data.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, column.data.length * 2));
      column.data.copy(larger, 0, 0, at);
      column.data = larger;
    }
    bytes.copy(column.data, at);
    column.ends[row + 1] = end;
  }

  #grow() {
    const twice = (array, extra, Type) => {
      const larger = new Type((array.length - extra) * 2 + extra);
      larger.set(array);
      return larger;
    };
    this.#offsets = twice(this.#offsets, 0, BigInt64Array);
    this.#timestamps = twice(this.#timestamps, 0, BigInt64Array);
    for (const column of this.#bytes) column.ends = twice(column.ends, 1, Int32Array);
  }
}

/** Columns end at so many rows or bytes, as ours do. */
const SLAB_ROWS = 65_536;
const SLAB_BYTES = 16 * 1024 * 1024;

let records = 0;
let bytes = 0;
const sum = new Sum();
let columns = new Columns();
let slabBytes = 0;

function take(partition, offset, timestamp, key, value) {
  records++;
  bytes += value.length;
  if (mode === "check") sum.add(partition, offset, value);
  else if (mode === "arrow") {
    columns.add(BigInt(offset), BigInt(timestamp), key, value);
    slabBytes += value.length;
    if (columns.rows === SLAB_ROWS || slabBytes >= SLAB_BYTES) {
      columns = new Columns();
      slabBytes = 0;
    }
  }
}

/** The clock starts when the engine is connected as far as it can be before it reads. */
let clock;
const start = () => (clock = { cpu: process.cpuUsage(), wall: performance.now() });
let measured;
function stop() {
  const { user, system } = process.cpuUsage(clock.cpu);
  measured = { cpuSeconds: (user + system) / 1e6, wallSeconds: (performance.now() - clock.wall) / 1000 };
}

/** For the others; ingest reads with its defaults, which are the same. kafkajs is slower with 1 MiB or 8 MiB of a partition. */
const FETCH = { maxBytes: 16 * 1024 * 1024, partitionBytes: 4 * 1024 * 1024, maxWaitMs: 500 };
/** @platformatic/kafka asks for all partitions at once; with more it takes several times the CPU time. */
const PLATFORMATIC_BYTES = 1024 * 1024;

let groups = 0;
const group = () => `${engine}-${process.pid}-${Date.now()}-${groups++}`;

const engines = {
  async ingest(topic) {
    const { openKafka } = await import("@ingest-ts/kafka");
    const reader = await openKafka({
      mode: "assign",
      connection: { brokers },
      topics: [topic],
      end: "latest",
    });
    start();
    for await (const { partition, columns: slab } of reader) {
      records += slab.rows;
      const [, , offsets, , , values] = slab.columns;
      bytes += values.offsets[slab.rows] - values.offsets[0];
      if (mode !== "check") continue;
      const view = new DataView(offsets.data.buffer, offsets.data.byteOffset);
      for (let i = 0; i < slab.rows; i++) {
        const value = values.data.subarray(values.offsets[i], values.offsets[i + 1]);
        sum.add(partition, view.getBigInt64(i * 8, true), value);
      }
    }
    stop();
    await reader.close();
  },

  async kafkajs(topic, count) {
    const { default: kafkajs } = await import("kafkajs");
    const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = kafkajs;
    await useOurCodecs(CompressionTypes, CompressionCodecs);
    const kafka = new Kafka({ brokers, logLevel: logLevel.ERROR });
    const consumer = kafka.consumer({
      groupId: group(),
      maxBytesPerPartition: FETCH.partitionBytes,
      maxBytes: FETCH.maxBytes,
      maxWaitTimeInMs: FETCH.maxWaitMs,
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    start();
    await new Promise((resolve, reject) => {
      consumer
        .run({
          autoCommit: false,
          partitionsConsumedConcurrently: 1,
          eachBatch: async ({ batch }) => {
            for (const { offset, timestamp, key, value } of batch.messages)
              take(batch.partition, offset, timestamp, key, value);
            if (records >= count) {
              stop();
              resolve();
            }
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
  },

  async platformatic(topic, count) {
    const { Consumer } = await import("@platformatic/kafka");
    const consumer = new Consumer({
      clientId: "bench",
      groupId: group(),
      bootstrapBrokers: brokers,
    });
    start();
    const stream = await consumer.consume({
      topics: [topic],
      mode: "earliest",
      autocommit: false,
      maxBytes: PLATFORMATIC_BYTES,
      maxWaitTime: FETCH.maxWaitMs,
      highWaterMark: 1024,
    });
    for await (const { partition, offset, timestamp, key, value } of stream) {
      take(partition, offset, timestamp, key, value);
      if (records >= count) break;
    }
    stop();
    await new Promise((resolve) => consumer.close(true, resolve));
  },
};

/** kafkajs brings gzip alone; it gets the decompressors that ingest has. */
async function useOurCodecs(types, codecs) {
  const { prepareCodecs } = await import("@ingest-ts/kernels/codecs");
  const { inflateRecords } = await import("../../packages/kafka/dist/records/inflate.js");
  await prepareCodecs(["snappy", "lz4Raw", "zstd"], "read");
  const numbers = [types.Snappy, types.LZ4, types.ZSTD];
  for (const number of numbers) {
    codecs[number] = () => ({
      decompress: async (bytes) => Buffer.from(inflateRecords(number, bytes, 2 ** 28, {})),
    });
  }
}

if (warm !== undefined) {
  await engines[engine](warm.topic, warm.count);
  records = 0;
  bytes = 0;
  columns = new Columns();
  slabBytes = 0;
}
await engines[engine](topic, count);
const { maxRSS } = process.resourceUsage();
console.log(JSON.stringify({ records, bytes, sum: String(sum.total), ...measured, peakMb: Math.round(maxRSS / 1024) }));
process.exit(0);
