// ORC and Avro beside the readers that people use, and what reading costs in memory; part of definitions.mjs.

/** More engines; see definitions.mjs. */
export const engines = {
  "pyarrow-orc": { title: "pyarrow.orc (Apache C++)", runtime: "python", module: "pyarrow-orc" },
  avsc: { title: "avsc, row objects", runtime: "node", module: "avsc", rounds: 3 },
  fastavro: { title: "fastavro, row objects", runtime: "python", module: "fastavro", rounds: 3 },
};

const ours = ["ours", "ours-again", "ours-node24"];
const orcEngines = [...ours, "pyarrow-orc"];

const criteo = { rows: 500_000, valid: 16_706_349, sum: 652799015451 };
const features = { rows: 200_000, valid: 20_200_000, sum: 596104214.6421933 };
const lineitem = { rows: 1_000_000, valid: 16_000_000, sum: 1457723688532.8198 };

const stream = (format, file, expect, arrowBytes) => ({
  name: `stream/${format}`,
  why: "batches that are dropped as they come: what reading takes in memory",
  file,
  measure: "stream",
  rounds: 1,
  expect,
  arrowBytes,
  engines: ["ours"],
});

export const benchmarks = [
  {
    name: "orc/lineitem-zlib",
    why: "mixed columns: integers, decimals, dates, dictionary and direct strings",
    file: "lineitem-zlib.orc",
    measure: "read",
    expect: lineitem,
    arrowBytes: 168_788_948,
    engines: orcEngines,
  },
  {
    name: "orc/criteo-snappy",
    why: "nullable integers and nullable short strings, of few and of many different values",
    file: "criteo-snappy.orc",
    measure: "read",
    expect: criteo,
    arrowBytes: 171_316_324,
    engines: orcEngines,
  },
  {
    name: "orc/features-zstd",
    why: "many float columns",
    file: "features-zstd.orc",
    measure: "read",
    expect: features,
    arrowBytes: 80_800_000,
    engines: orcEngines,
  },
  {
    name: "avro/criteo-null",
    why: "nullable integers and short strings in blocks of 16 KB, not compressed",
    file: "criteo-null.avro",
    measure: "read",
    expect: criteo,
    arrowBytes: 171_316_324,
    engines: [...ours, "polars", "avsc", "fastavro"],
  },
  {
    name: "avro/criteo-snappy",
    why: "the same, snappy with its checksums (avsc brings no snappy)",
    file: "criteo-snappy.avro",
    measure: "read",
    expect: criteo,
    arrowBytes: 171_316_324,
    engines: [...ours, "polars", "fastavro"],
  },
  {
    name: "avro/features-deflate",
    why: "records of a hundred floats and an integer, deflate",
    file: "features-deflate.avro",
    measure: "read",
    expect: features,
    arrowBytes: 80_800_000,
    engines: [...ours, "polars", "avsc", "fastavro"],
  },
  stream("parquet", "lineitem-snappy.parquet", lineitem, 168_788_948),
  stream("orc", "lineitem-zlib.orc", lineitem, 168_788_948),
  stream("avro", "criteo-snappy.avro", criteo, 171_316_324),
];

/** Most that reading takes in memory beside the bytes in flight. */
export const memoryGoalMB = 150;

export const goals = [
  { title: "ORC, full read", benchmarks: /^orc\//, against: "pyarrow-orc", atLeast: 1.2 },
  { title: "Avro, full read", benchmarks: /^avro\//, against: "polars", atLeast: 2 },
  { title: "Avro, full read", benchmarks: /^avro\/(criteo-null|features)/, against: "avsc", atLeast: 5 },
];
