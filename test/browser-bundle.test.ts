// The Parquet reader, bundled for a browser, has no module of Node left in it, and reads a file where there is none.
import { createContext, runInContext } from "node:vm";
import { type Columns, defaultLimits, type Schema } from "@ingest-ts/core";
import { rowsOf } from "@ingest-ts/core/testing";
import { createParquetWriter, type ParquetCodec } from "@ingest-ts/writers/parquet";
import { rolldown } from "rolldown";
import { beforeAll, describe, expect, it } from "vitest";
import { memorySink } from "./lib/memory-sink.ts";

const entries = ["parquet", "orc", "avro", "tfrecord"] as const;

/** A script that leaves a reader in `bundle`, and the modules that it still asks for. */
async function bundle(format: string): Promise<{ code: string; imports: readonly string[]; modules: string[] }> {
  const warnings: string[] = [];
  const build = await rolldown({
    input: `@ingest-ts/readers/${format}`,
    cwd: import.meta.dirname,
    platform: "browser",
    resolve: { conditionNames: ["ingest-source", "browser", "import", "default"] },
    // Codecs that users install themselves.
    external: ["@napi-rs/lzma", "seek-bzip"],
    onLog: (_, { message }) => warnings.push(message),
  });
  const { output } = await build.generate({ format: "iife", name: "bundle", codeSplitting: false });
  await build.close();
  const [chunk] = output;
  // Modules that are imported on demand lie in the one chunk, which then asks for itself.
  const imports = [...chunk.imports, ...chunk.dynamicImports].filter((name) => name !== chunk.fileName);
  expect(warnings.filter((message) => /node:|unresolved|resolve/i.test(message))).toEqual([]);
  return { code: chunk.code, imports, modules: chunk.moduleIds };
}

describe.each(entries)("the %s reader for a browser", (format) => {
  it("has no module of Node left", { timeout: 60_000 }, async () => {
    const { code, imports, modules } = await bundle(format);
    expect(imports.filter((name) => !["@napi-rs/lzma", "seek-bzip"].includes(name))).toEqual([]);
    expect(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*["'`](?:node:|fs|zlib|path)\b.*/.exec(code)?.[0]).toBeUndefined();
    expect(modules.filter((path) => path.includes("platform-node") || path.includes("channel/node"))).toEqual([]);
  });
});

const schema: Schema = {
  fields: [
    { name: "id", type: { kind: "int", bits: 32, signed: true }, nullable: false },
    { name: "word", type: { kind: "utf8" }, nullable: false },
  ],
  metadata: {},
};

function columns(): Columns {
  const plain = { length: 100, nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };
  const ids = new Uint8Array(Int32Array.from({ length: 100 }, (_, i) => i * i).buffer);
  const words = new TextEncoder().encode(Array.from({ length: 100 }, (_, i) => String(100 + i)).join(""));
  const offsets = Int32Array.from({ length: 101 }, (_, i) => i * 3);
  const [id, word] = schema.fields.map(({ type }) => type) as [
    Columns["columns"][0]["type"],
    Columns["columns"][0]["type"],
  ];
  return {
    rows: 100,
    columns: [
      { ...plain, type: id, data: ids },
      { ...plain, type: word, data: words, offsets },
    ],
  };
}

/** Drives the bundled reader: what a page would do with fetch. */
const driver = `(async (bytes, limits) => {
  const { parquet } = bundle;
  const select = { dictionary: "decode", limits };
  const cut = ({ start, end, suffixBytes }) =>
    suffixBytes === undefined ? bytes.slice(start, end) : bytes.slice(Math.max(0, bytes.length - suffixBytes));
  const source = {
    url: "memory:page",
    stat: async () => ({ sizeBytes: bytes.length, etag: "1" }),
    getRanges: async (ranges) => ranges.map(cut),
    close: async () => {},
  };
  const metadata = await parquet.readMetadata(source, select);
  await parquet.prepare(metadata);
  const slabs = [];
  for (const fragment of parquet.plan(metadata, select)) {
    const decoder = parquet.decode(fragment, metadata, { select, batchRows: 1000, batchBytes: 1 << 20 });
    for (let step = decoder.next([]); !step.done; ) {
      if ("need" in step.value) step = decoder.next(await source.getRanges(step.value.need));
      else {
        slabs.push(step.value);
        step = decoder.next([]);
      }
    }
  }
  return slabs;
})`;

describe("the bundled Parquet reader", () => {
  let code = "";
  beforeAll(async () => {
    ({ code } = await bundle("parquet"));
  }, 60_000);

  it.each(["none", "snappy", "gzip", "zstd"] as const satisfies ParquetCodec[])(
    "reads %s pages with nothing but what browsers have",
    async (codec) => {
      const sink = memorySink();
      const writer = await createParquetWriter(sink, schema, { codec });
      await writer.write(columns());
      await writer.finish();
      // Built-ins of the language come by themselves; of the platform only these.
      const page = createContext({ fetch, TextDecoder, TextEncoder, WebAssembly, atob, btoa, Uint8Array, performance });
      runInContext(code, page);
      const read = runInContext(driver, page) as (bytes: Uint8Array, limits: unknown) => Promise<Columns[]>;
      const slabs = await read(sink.bytes, defaultLimits);
      expect(slabs.flatMap(rowsOf)).toEqual(rowsOf(columns()));
    },
  );
});
