// Answers filtered reads for check_where.py through the built packages. One JSON job per line on stdin, {file, where},
// where in words; one JSON answer per line on stdout: {rows: values of the column "id" that pass, read: fragments that
// the reader did not rule out, fetched: bytes} or {error}.
import { createInterface } from "node:readline";
import { parseWhere } from "@ingest-ts/core";
import { open } from "@ingest-ts/readers";
import { openSource } from "@ingest-ts/storage";

/** The object's bytes, counted as they are read. */
function counted(source) {
  const counter = {
    url: source.url,
    fetched: 0,
    stat: (options) => source.stat(options),
    getRanges: async (ranges, options) => {
      const answers = await source.getRanges(ranges, options);
      for (const bytes of answers) counter.fetched += bytes.length;
      return answers;
    },
    close: () => source.close(),
  };
  return counter;
}

async function answer({ file, where }) {
  const source = counted(await openSource(file));
  try {
    const reader = await open(source, { where: parseWhere(where), columns: ["id"] });
    source.fetched = 0;
    const rows = [];
    for await (const { columns } of reader.slabs()) {
      const [{ data, length }] = columns;
      for (const id of new Int32Array(data.buffer, data.byteOffset, length)) rows.push(id);
    }
    return { rows, read: reader.fragments.length, fetched: source.fetched };
  } finally {
    await source.close();
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let out;
  try {
    out = await answer(JSON.parse(line));
  } catch (error) {
    out = { error: `${error.name}: ${error.message}` };
  }
  process.stdout.write(`${JSON.stringify(out)}\n`);
}
