// Makes bench/RESULTS.md from a record: node bench/report.mjs [bench/record/<date>-<machine>]   (default: the newest)
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { memoryGoalMB } from "./definitions-orc-avro.mjs";
import { benchmarks, engines, goals } from "./definitions.mjs";
import { kafkaSection, recordFile as kafkaRecord } from "./kafka-report.mjs";
import { median } from "./machine.mjs";
import { appendSection } from "./sections.mjs";
import { storageSection } from "./storage-report.mjs";
import { trainersSection } from "./trainers-report.mjs";

const here = dirname(fileURLToPath(import.meta.url));

/** Per benchmark and engine: the median over rounds of each round's median. */
function summarise(lines) {
  const cells = new Map();
  for (const { name } of benchmarks) {
    for (const engine of Object.keys(engines)) {
      const runs = lines.filter((line) => line.benchmark === name && line.engine === engine);
      if (runs.length === 0) continue;
      const measured = runs.filter((run) => run.samples !== undefined);
      const failure = runs.find((run) => run.samples === undefined);
      const of = (key) => median(measured.map((run) => median(run.samples.map((sample) => sample[key]))));
      cells.set(`${name} ${engine}`, {
        failure: failure === undefined ? undefined : (failure.absent ?? failure.refused ?? "wrong checksum"),
        ...(measured.length === 0
          ? {}
          : {
              cpuMs: of("cpuMs"),
              wallMs: of("wallMs"),
              peakRssBytes: median(measured.map((run) => run.peakRssBytes)),
              passes: measured.reduce((sum, run) => sum + run.samples.length, 0),
            }),
      });
    }
  }
  return cells;
}

const geometricMean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** How far the same program was from itself: the largest ratio of the A/A pair, less 1. */
function noiseOf(cells) {
  const ratios = benchmarks.flatMap(({ name }) => {
    const [a, b] = ["ours", "ours-again"].map((engine) => cells.get(`${name} ${engine}`)?.cpuMs);
    return a === undefined || b === undefined ? [] : [Math.max(a / b, b / a) - 1];
  });
  return ratios.length === 0 ? undefined : Math.max(...ratios);
}

function goalRows(cells, noise) {
  return goals.flatMap((goal) => {
    const names = benchmarks.filter(({ name }) => goal.benchmarks.test(name)).map(({ name }) => name);
    return ["ours", "ours-node24"].flatMap((engine) => {
      const ratios = names.map((name) => {
        const ours = cells.get(`${name} ${engine}`)?.cpuMs;
        const theirs = cells.get(`${name} ${goal.against}`)?.cpuMs;
        return ours === undefined || theirs === undefined ? undefined : theirs / ours;
      });
      if (ratios.length === 0 || ratios.includes(undefined)) return [];
      const mean = geometricMean(ratios);
      const near = noise !== undefined && Math.abs(mean / goal.atLeast - 1) <= noise;
      const verdict = near ? "within the noise" : mean >= goal.atLeast ? "reached" : "**missed**";
      const each = ratios.length === 1 ? "" : ` (${ratios.map((ratio) => ratio.toFixed(2)).join(", ")})`;
      const peer = engines[goal.against].title;
      return [
        `| ${goal.title} | ${engines[engine].title} | ${peer} | ${mean.toFixed(2)} ×${each} | ≥ ${goal.atLeast} × | ${verdict} |`,
      ];
    });
  });
}

/** Memory that reading takes above what the process had before, without the bytes in flight. */
function memoryRows(lines) {
  const runs = lines.filter(({ benchmark, peakRssBytes }) => benchmark.startsWith("stream/") && peakRssBytes > 0);
  return runs.map(({ benchmark, baseRssBytes, peakRssBytes, inFlightBytes }) => {
    const megabytes = Math.round((peakRssBytes - baseRssBytes - inFlightBytes) / 1e6);
    const flight = Math.round(inFlightBytes / 1e6);
    const verdict = megabytes <= memoryGoalMB ? "reached" : "**missed**";
    return `| ${benchmark}, memory | ${engines.ours.title} | – | ${megabytes} MB beside ${flight} MB in flight | ≤ ${memoryGoalMB} MB | ${verdict} |`;
  });
}

function benchmarkSection(benchmark, cells) {
  const ours = cells.get(`${benchmark.name} ours`)?.cpuMs;
  const rows = Object.keys(engines)
    .map((engine) => ({ engine, cell: cells.get(`${benchmark.name} ${engine}`) }))
    .filter(({ cell }) => cell !== undefined)
    .toSorted((a, b) => (a.cell.cpuMs ?? Number.POSITIVE_INFINITY) - (b.cell.cpuMs ?? Number.POSITIVE_INFINITY))
    .map(({ engine, cell }) => {
      const { title } = engines[engine];
      if (cell.cpuMs === undefined) return `| ${title} | – | – | – | – | ${cell.failure} |`;
      const rate = (ms) => Math.round(benchmark.arrowBytes / 1e3 / ms).toLocaleString("en-US");
      const rows = (benchmark.expect.rows / cell.cpuMs / 1e3).toPrecision(3);
      const against = ours === undefined ? "" : `${(ours / cell.cpuMs).toFixed(2)} × ingest`;
      const memory = Math.round(cell.peakRssBytes / 1e6).toLocaleString("en-US");
      return `| ${title} | ${rate(cell.cpuMs)} | ${rows} | ${rate(cell.wallMs)} | ${memory} | ${cell.failure ?? against} |`;
    });
  if (rows.length === 0) return [];
  const { rows: count } = benchmark.expect;
  return [
    `### ${benchmark.name}`,
    "",
    `${count.toLocaleString("en-US")} rows, ${(benchmark.arrowBytes / 1e6).toFixed(1)} MB as Arrow: ${benchmark.why}.`,
    "",
    "| engine | MB per CPU-second | Mrow per CPU-second | MB/s wall | peak RSS, MB | |",
    "| --- | ---: | ---: | ---: | ---: | --- |",
    ...rows,
    "",
  ];
}

function renderResults(folder) {
  const lines = readFileSync(join(folder, "results.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const env = JSON.parse(readFileSync(join(folder, "environment.json"), "utf8"));
  const cells = summarise(lines);
  const noise = noiseOf(cells);
  const rounds = Math.max(...lines.map((line) => line.round)) + 1;
  const packages = Object.entries(env.packages).map(([name, version]) => `${name} ${version ?? "absent"}`);
  return [
    "# Results, side by side",
    "",
    "```",
    "npm run bench                    # measures, then writes this file",
    `node bench/report.mjs bench/record/${basename(folder)}   # writes it again from the record`,
    "```",
    "",
    `${env.date.slice(0, 10)}, ${env.cpu}, ${env.cores} cores; Node ${env.node.slice(1)} and ${(env.node24 ?? "no Node 24").replace("v", "")}, ${env.python ?? "no Python"}, ${packages.join(", ")}; commit ${env.commit}.`,
    `${rounds} rounds; medians; load average at the start ${env.loadAverage.toFixed(2)}.${noise === undefined ? "" : ` The same program differed from itself by up to ${(noise * 100).toFixed(0)} % (A/A pair): differences below that say nothing.`} How: [METHODOLOGY.md](METHODOLOGY.md).`,
    "",
    "## Goals",
    "",
    "Processor time of the peer divided by ours, geometric mean over the files (each in brackets). More than 1 × is faster than the peer.",
    "",
    "| what | ours | peer | ratio | goal | |",
    "| --- | --- | --- | --- | --- | --- |",
    ...goalRows(cells, noise),
    ...memoryRows(lines),
    "",
    "## Every engine",
    "",
    ...benchmarks.flatMap((benchmark) => benchmarkSection(benchmark, cells)),
  ].join("\n");
}

/** @returns the text; written to `path` when given. */
export function writeResults(folder, path) {
  const text = renderResults(folder);
  if (path !== undefined) {
    const withStorage = appendSection(`${text.trimEnd()}\n`, "storage.jsonl", storageSection);
    const withTrainers = appendSection(withStorage, "trainers.jsonl", trainersSection);
    writeFileSync(path, appendSection(withTrainers, kafkaRecord, kafkaSection));
  }
  return text;
}

function newestRecord() {
  const root = join(here, "record");
  const folders = readdirSync(root)
    .map((name) => join(root, name))
    .filter((folder) => existsSync(join(folder, "results.jsonl")));
  return folders.toSorted(
    (a, b) => statSync(join(b, "results.jsonl")).mtimeMs - statSync(join(a, "results.jsonl")).mtimeMs,
  )[0];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(writeResults(process.argv[2] ?? newestRecord(), join(here, "RESULTS.md")));
}
