// The section "Trainers" of bench/RESULTS.md, made from a record of bench/trainers.mjs:
//   node bench/trainers-report.mjs bench/record/<date>-<machine>
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "./machine.mjs";
import { writeSection } from "./sections.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const GOAL_GB_PER_SECOND = 2.5;

export const engines = {
  serve: { title: "ingest serve, ingest-client", worker: "serve" },
  "serve-again": { title: "ingest serve, ingest-client, again (A/A)", worker: "serve" },
  "row-groups": { title: "DataLoader over pyarrow row groups", worker: "row-groups" },
};

const matrix = Array.from({ length: 100 }, (_, i) => `f${i}`);

/** `bytes` and `expect.rows` are those of one pass; `runtime` is what the Python must have. */
export const benchmarks = [
  {
    name: "transport",
    why: "64 batches of 16 MiB, 16 columns of float32 in memory, over a unix socket to a client that only reads",
    runtime: "pyarrow",
    measure: "transport",
    task: { server: { batchBytes: 2 ** 24, batches: 64 } },
    expect: { rows: 16_777_216, valid: 268_435_456, sum: 1_167_090_253_824 },
    bytes: 2 ** 30,
    engines: ["serve", "serve-again"],
  },
  {
    name: "tensors/flights",
    why: "delay and distance of three million flights (ZSTD), shuffled, batches of 4,096 rows as tensors of int64",
    runtime: "torch",
    measure: "tensors",
    file: "vega-datasets/data/flights-3m.parquet",
    task: { columns: ["delay", "distance"], batchRows: 4096 },
    expect: { rows: 3_000_000, valid: 6_000_000, sum: 4_409_726_019 },
    bytes: 48_000_000,
    engines: ["serve", "serve-again", "row-groups"],
  },
  {
    name: "tensors/features",
    why: "200,000 rows of 100 float32 (Snappy, row groups of 25,000), shuffled, batches of 1,024 rows as one matrix and labels",
    runtime: "torch",
    measure: "tensors",
    file: "features-groups-snappy.parquet",
    task: { matrix, batchRows: 1024 },
    expect: { rows: 200_000, valid: 20_200_000, sum: 596104214.6421933 },
    bytes: 80_800_000,
    engines: ["serve", "serve-again", "row-groups"],
  },
];

function cellOf(lines, benchmark, engine) {
  const runs = lines.filter((line) => line.benchmark === benchmark.name && line.engine === engine);
  const measured = runs.filter(({ samples }) => samples !== undefined);
  const failure = runs.find(({ samples }) => samples === undefined);
  if (measured.length === 0) {
    return { engine, failure: failure?.absent ?? failure?.refused ?? (failure ? "wrong sums" : "not run") };
  }
  const of = (key) => median(measured.map(({ samples }) => median(samples.map((sample) => sample[key]))));
  const peakRssBytes = median(measured.map((run) => run.peakRssBytes));
  return { engine, cpuMs: of("cpuMs"), wallMs: of("wallMs"), peakRssBytes };
}

function verdictOf(benchmark, cells) {
  const of = (engine) => cells.find((cell) => cell.engine === engine);
  const [ours, again, peer] = [of("serve"), of("serve-again"), of("row-groups")];
  if (ours?.cpuMs === undefined) return "Not measured.";
  const key = benchmark.measure === "transport" ? "wallMs" : "cpuMs";
  const noise =
    again?.[key] === undefined
      ? ""
      : ` The same program differed from itself by ${((Math.max(ours[key] / again[key], again[key] / ours[key]) - 1) * 100).toFixed(0)} % (A/A pair).`;
  if (benchmark.measure === "transport") {
    const rate = benchmark.bytes / 1e6 / ours.wallMs;
    const verdict = rate >= GOAL_GB_PER_SECOND ? "reached" : "**missed**";
    return `${rate.toFixed(2)} GB/s; the goal is ≥ ${GOAL_GB_PER_SECOND} GB/s on a quiet machine: ${verdict}.${noise}`;
  }
  if (peer?.cpuMs === undefined) return `No figure of the peer.${noise}`;
  const ratio = peer.cpuMs / ours.cpuMs;
  return `Samples per CPU-second, against the DataLoader: ${ratio.toFixed(2)} ×, ${ratio >= 1 ? "more" : "**fewer**"}.${noise}`;
}

function rowOf(benchmark, { engine, failure, cpuMs, wallMs, peakRssBytes }) {
  const { title } = engines[engine];
  if (cpuMs === undefined) return `| ${title} | – | – | – | – | ${failure} |`;
  const samples = Math.round((benchmark.expect.rows / cpuMs) * 1e3).toLocaleString("en-US");
  const rate = (ms) => (benchmark.bytes / 1e6 / ms).toFixed(2);
  const memory = Math.round(peakRssBytes / 1e6).toLocaleString("en-US");
  return `| ${title} | ${samples} | ${rate(cpuMs)} | ${rate(wallMs)} | ${memory} | |`;
}

function partOf(benchmark, lines) {
  const cells = benchmark.engines.map((engine) => cellOf(lines, benchmark, engine));
  return [
    `### ${benchmark.name}`,
    "",
    `${benchmark.why[0].toUpperCase()}${benchmark.why.slice(1)}. ${verdictOf(benchmark, cells)}`,
    "",
    "| engine | samples per CPU-second | GB per CPU-second | GB/s wall | peak RSS, MB | |",
    "| --- | ---: | ---: | ---: | ---: | --- |",
    ...cells.toSorted((a, b) => (a.cpuMs ?? Infinity) - (b.cpuMs ?? Infinity)).map((cell) => rowOf(benchmark, cell)),
    "",
  ];
}

/** The section of a record. */
export function trainersSection(folder) {
  const lines = readFileSync(join(folder, "trainers.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const env = JSON.parse(readFileSync(join(folder, "trainers-environment.json"), "utf8"));
  const list = (packages) => Object.entries(packages).map(([name, version]) => `${name} ${version ?? "absent"}`);
  return [
    "## Trainers",
    "",
    "```",
    "node bench/trainers.mjs          # measures, then writes this section",
    `node bench/trainers-report.mjs bench/record/${basename(folder)}   # writes it again from the record`,
    "```",
    "",
    `${env.date.slice(0, 10)}, ${env.cpu}, ${env.cores} cores; Node ${env.node.slice(1)}, ${env.python ?? "no Python"}, ${list(env.packages).join(", ")}; tensors with ${list(env.torch).join(", ")}; commit ${env.commit}.`,
    `${Math.max(...lines.map(({ round }) => round)) + 1} rounds; medians; load average at the start ${env.loadAverage.toFixed(2)}. Processor time is the trainer's process and its server's; values are added up in a pass of their own.`,
    "",
    ...benchmarks.flatMap((benchmark) => partOf(benchmark, lines)),
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(writeSection(trainersSection(process.argv[2]), join(here, "RESULTS.md")));
}
