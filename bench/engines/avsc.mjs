// avsc: record objects. It brings null and deflate.
import { createReadStream } from "node:fs";
import { inflateRaw } from "node:zlib";
import avsc from "avsc";
import { Checksum } from "./checksum.mjs";

export function read({ path }) {
  return new Promise((resolve, reject) => {
    const codecs = { null: (data, done) => done(null, data), deflate: inflateRaw };
    const decoder = new avsc.streams.BlockDecoder({ codecs });
    const rows = [];
    let names = [];
    decoder.on("metadata", (type) => (names = type.fields.map(({ name }) => name)));
    decoder.on("data", (row) => rows.push(row));
    decoder.on("error", reject);
    decoder.on("end", () => resolve({ rows, names }));
    createReadStream(path, { highWaterMark: 1024 * 1024 })
      .on("error", reject)
      .pipe(decoder);
  });
}

export function checksum({ rows, names }) {
  const total = new Checksum();
  total.rows = rows.length;
  for (const row of rows) names.forEach((name, column) => total.add(column, row[name]));
  return total;
}
