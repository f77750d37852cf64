// The section "Object storage" of bench/RESULTS.md, made from a record of bench/storage.mjs:
//   node bench/storage-report.mjs bench/record/<date>-<machine>
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "./machine.mjs";
import { writeSection } from "./sections.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const TITLE = "## Object storage";
const GOAL = 0.9;

export const engines = {
  ours: { title: "ingest, `s3://`", worker: "ours", runtime: "node" },
  "ours-again": { title: "ingest, `s3://`, again (A/A)", worker: "ours", runtime: "node" },
  "ours-http": { title: "ingest, `http://`, a signed URL", worker: "ours-http", runtime: "node" },
  "bare-get": { title: "bare undici GET of a signed URL", worker: "bare-get", runtime: "node" },
  sdk: { title: "AWS SDK for JavaScript, as it comes", worker: "sdk", runtime: "node" },
  pyarrow: { title: "pyarrow.fs.S3FileSystem", worker: "pyarrow", runtime: "python" },
  s3torchconnector: { title: "s3torchconnector's client (AWS CRT)", worker: "s3torchconnector", runtime: "python" },
};

function summarise(lines) {
  return Object.keys(engines).map((engine) => {
    const runs = lines.filter((line) => line.engine === engine);
    const measured = runs.filter(({ samples }) => samples !== undefined);
    const failure = runs.find(({ samples }) => samples === undefined);
    if (measured.length === 0) {
      return { engine, failure: failure?.absent ?? failure?.refused ?? (failure ? "wrong bytes" : "not run") };
    }
    const of = (key) => median(measured.map(({ samples }) => median(samples.map((sample) => sample[key]))));
    const { sizeBytes } = measured[0];
    const cpuSeconds = of("cpuMs") / 1e3 / (sizeBytes / 1e9);
    const peak = median(measured.map(({ peakRssBytes }) => peakRssBytes));
    return { engine, cpuSeconds, mbPerSecond: sizeBytes / 1e3 / of("wallMs"), peakRssBytes: peak };
  });
}

/** The section of a record. */
export function storageSection(folder) {
  const lines = readFileSync(join(folder, "storage.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const env = JSON.parse(readFileSync(join(folder, "storage-environment.json"), "utf8"));
  const cells = summarise(lines);
  const cpuOf = (engine) => cells.find((cell) => cell.engine === engine)?.cpuSeconds;
  const [ours, again, bare] = [cpuOf("ours"), cpuOf("ours-again"), cpuOf("bare-get")];
  const noise = ours === undefined || again === undefined ? undefined : Math.max(ours / again, again / ours) - 1;
  const reached = bare === undefined || ours === undefined ? undefined : bare / ours;
  const verdict =
    reached === undefined
      ? "not measured"
      : `${reached.toFixed(2)} × the bare GET; the goal is ≥ ${GOAL} ×: ${reached >= GOAL ? "reached" : "**missed**"}`;
  const rows = cells
    .toSorted((a, b) => (a.cpuSeconds ?? Infinity) - (b.cpuSeconds ?? Infinity))
    .map(({ engine, failure, cpuSeconds, mbPerSecond, peakRssBytes }) =>
      cpuSeconds === undefined
        ? `| ${engines[engine].title} | – | – | – | ${failure} |`
        : `| ${engines[engine].title} | ${cpuSeconds.toFixed(2)} | ${Math.round(mbPerSecond)} | ${Math.round(peakRssBytes / 1e6)} | ${bare === undefined ? "" : `${(bare / cpuSeconds).toFixed(2)} × the bare GET`} |`,
    );
  const [{ server, sizeBytes }] = lines;
  const packages = Object.entries(env.packages).map(([name, version]) => `${name} ${version ?? "absent"}`);
  return [
    TITLE,
    "",
    "```",
    "node bench/storage.mjs           # measures, then writes this section",
    `node bench/storage-report.mjs bench/record/${basename(folder)}   # writes it again from the record`,
    "```",
    "",
    `${env.date.slice(0, 10)}, ${env.cpu}, ${env.cores} cores; Node ${env.node.slice(1)}, ${env.python ?? "no Python"}, ${packages.join(", ")}; commit ${env.commit}.`,
    `One object of ${Math.round(sizeBytes / 1e6)} MB in ranges of 8 MiB, eight at a time, from ${server} over HTTP on the same machine; ${Math.max(...lines.map(({ round }) => round)) + 1} rounds; medians; load average at the start ${env.loadAverage.toFixed(2)}.`,
    `Bytes checked by SHA-256 before and after.${noise === undefined ? "" : ` The same program differed from itself by ${(noise * 100).toFixed(0)} % (A/A pair).`} Processor time is the reader's, not the server's.`,
    "",
    `Goal: ${verdict}.`,
    "",
    "| reader | CPU-seconds per GB | MB/s wall | peak RSS, MB | |",
    "| --- | ---: | ---: | ---: | --- |",
    ...rows,
    "",
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(writeSection(storageSection(process.argv[2]), join(here, "RESULTS.md")));
}
