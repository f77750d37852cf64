// The side-by-side benchmarks as data: input, what it must hold, who runs it, and why it is here. A run fails when an
// engine's checksum (engines/checksum.mjs) is not the one given here, so that nobody is fast by skipping work.

import * as orcAvro from "./definitions-orc-avro.mjs";

/** How each engine is started; `goal` engines are compared with ours in the report. */
export const engines = {
  ours: { title: "ingest, Node 20", runtime: "node", module: "ours" },
  "ours-again": { title: "ingest again (A/A)", runtime: "node", module: "ours" },
  "ours-node24": { title: "ingest, Node 24", runtime: "node24", module: "ours" },
  hyparquet: { title: "hyparquet", runtime: "node", module: "hyparquet", rounds: 3 },
  "parquet-wasm": { title: "parquet-wasm → Arrow JS", runtime: "node", module: "parquet-wasm" },
  "duckdb-node": { title: "@duckdb/node-api, 1 thread", runtime: "node", module: "duckdb" },
  "parquetjs-lite": { title: "parquetjs-lite", runtime: "node", module: "parquetjs-lite", rounds: 3 },
  pyarrow: { title: "pyarrow", runtime: "python", module: "pyarrow" },
  polars: { title: "polars", runtime: "python", module: "polars" },
  duckdb: { title: "DuckDB (Python)", runtime: "python", module: "duckdb" },
  tensorflow: { title: "tf.data", runtime: "python", module: "tensorflow", rounds: 3 },
  ...orcAvro.engines,
};

const parquetEngines = [
  "ours",
  "ours-again",
  "ours-node24",
  "hyparquet",
  "parquet-wasm",
  "duckdb-node",
  "parquetjs-lite",
  "pyarrow",
  "polars",
  "duckdb",
];
const exampleEngines = ["ours", "ours-again", "ours-node24", "tensorflow"];
const shuffleEngines = ["ours", "ours-again", "ours-node24", "pyarrow"];

const feature = (dtype, shape = []) => ({ kind: "fixedLen", dtype, shape });

export const benchmarks = [
  {
    name: "parquet/lineitem-snappy",
    why: "mixed columns: integers, decimals, dates, dictionary and plain strings",
    file: "lineitem-snappy.parquet",
    measure: "read",
    expect: { rows: 1_000_000, valid: 16_000_000, sum: 1457723688532.8198 },
    arrowBytes: 168_788_948,
    engines: parquetEngines,
  },
  {
    name: "parquet/criteo-snappy",
    why: "nullable integers and nullable short strings, of few and of many different values",
    file: "criteo-snappy.parquet",
    measure: "read",
    expect: { rows: 500_000, valid: 16_706_349, sum: 652799015451 },
    arrowBytes: 171_316_324,
    engines: parquetEngines,
  },
  {
    name: "parquet/features-snappy",
    why: "many float columns",
    file: "features-snappy.parquet",
    measure: "read",
    expect: { rows: 200_000, valid: 20_200_000, sum: 596104214.6421933 },
    arrowBytes: 80_800_000,
    engines: parquetEngines,
  },
  {
    name: "parquet/tokens-zstd",
    why: "lists of integers, ZSTD",
    file: "tokens-zstd.parquet",
    measure: "read",
    expect: { rows: 20_000, valid: 40_960_000, sum: 263216393047 },
    arrowBytes: 163_920_000,
    engines: parquetEngines,
  },
  {
    name: "parquet/images-none",
    why: "large values that should not be copied twice",
    file: "images-none.parquet",
    measure: "read",
    expect: { rows: 3_000, valid: 6_000, sum: 46388527594 },
    arrowBytes: 181_228_033,
    engines: parquetEngines,
  },
  {
    name: "parquetjs/plain-gzip",
    why: "a file that parquetjs-lite can read: it wrote it",
    file: "parquetjs-gzip.parquet",
    measure: "read",
    expect: { rows: 50_000, valid: 200_000, sum: 1539567520 },
    arrowBytes: 1_488_890,
    engines: ["ours", "parquetjs-lite", "hyparquet"],
  },
  {
    name: "tfrecord/features",
    why: "short records of one packed float list and one integer",
    file: "features.tfrecord",
    measure: "read",
    options: {
      schema: { recordType: "example", features: { x: feature("float32", [100]), label: feature("int64") } },
      batchRows: 1024,
    },
    expect: { rows: 200_000, valid: 20_200_000, sum: 11804201.011507034 },
    arrowBytes: 81_600_000,
    engines: exampleEngines,
  },
  {
    name: "tfrecord/images",
    why: "long records: checksums and copies",
    file: "images.tfrecord",
    measure: "read",
    options: {
      schema: { recordType: "example", features: { image: feature("bytes"), label: feature("int64") } },
      batchRows: 32,
    },
    expect: { rows: 3_000, valid: 6_000, sum: 46388527594 },
    arrowBytes: 181_228_033,
    engines: exampleEngines,
  },
  {
    name: "shuffle/features",
    why: "shuffled batches of 256 rows as record batches, from row groups of 25,000 rows; ours with its defaults (8 lanes, windows of 16,384 rows), pyarrow with windows of 65,536 rows permuted, then sliced",
    file: "features-groups-snappy.parquet",
    measure: "shuffle",
    options: { batchRows: 256, seed: 7 },
    engineOptions: { pyarrow: { windowRows: 65_536 } },
    expect: { rows: 200_000, valid: 20_200_000, sum: 596104214.6421933 },
    arrowBytes: 80_800_000,
    engines: shuffleEngines,
  },
  {
    name: "shuffle/features-one-lane",
    why: "the same with the window and the one lane that the pyarrow lines have",
    file: "features-groups-snappy.parquet",
    measure: "shuffle",
    options: { batchRows: 256, seed: 7, windowRows: 65_536, lanes: 1 },
    expect: { rows: 200_000, valid: 20_200_000, sum: 596104214.6421933 },
    arrowBytes: 80_800_000,
    engines: shuffleEngines,
  },
  {
    name: "shuffle/features-one-group",
    why: "the defaults on a file of one row group, which all 8 lanes have to read: how not to write files",
    file: "features-snappy.parquet",
    measure: "shuffle",
    rounds: 1,
    options: { batchRows: 256, seed: 7 },
    engineOptions: { pyarrow: { windowRows: 65_536 } },
    expect: { rows: 200_000, valid: 20_200_000, sum: 596104214.6421933 },
    arrowBytes: 80_800_000,
    engines: ["ours", "pyarrow"],
  },
  ...orcAvro.benchmarks,
];

/** What must hold, per CPU-second: the geometric mean over `benchmarks` of ours against `against`, at least `atLeast`. */
export const goals = [
  { title: "Parquet, five files", benchmarks: /^parquet\//, against: "pyarrow", atLeast: 1.8 },
  { title: "Parquet, five files", benchmarks: /^parquet\//, against: "parquet-wasm", atLeast: 4 },
  ...orcAvro.goals,
  { title: "TFRecord, features", benchmarks: /^tfrecord\/features$/, against: "tensorflow", atLeast: 4 },
  { title: "TFRecord, images", benchmarks: /^tfrecord\/images$/, against: "tensorflow", atLeast: 1.5 },
  { title: "shuffled batches", benchmarks: /^shuffle\/features$/, against: "pyarrow", atLeast: 0.7 },
  { title: "shuffled batches, one lane", benchmarks: /^shuffle\/features-one-lane$/, against: "pyarrow", atLeast: 0.7 },
];
