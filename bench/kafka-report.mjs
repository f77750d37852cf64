// The section "Kafka" of bench/RESULTS.md, made from a record of bench/kafka.mjs:
//   node bench/kafka-report.mjs bench/record/<date>-<machine>
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeSection } from "./sections.mjs";

const here = dirname(fileURLToPath(import.meta.url));
export const recordFile = "kafka.json";
const titles = { ingest: "ingest", kafkajs: "kafkajs", platformatic: "@platformatic/kafka", kcat: "kcat" };
const sizes = { 100: "100 B", 1000: "1 KB", 1000000: "1 MB" };
const AVRO_GOAL = 1e6;
/** Times kafkajs. */
const goals = { 100: 5, 1000: 2 };

const same = (row, { size, codec, mode }) => row.size === size && row.codec === codec && row.mode === mode;

/** How often ingest has the rate of `row`; undefined without both. */
function timesOf(results, row) {
  const ours = results.find((each) => each.engine === "ingest" && same(each, row));
  if (ours?.perCpuSecond === undefined || row.perCpuSecond === undefined) return undefined;
  return ours.perCpuSecond / row.perCpuSecond;
}

function goalRows(results) {
  return results
    .filter(({ engine, size }) => engine === "kafkajs" && goals[size] !== undefined)
    .map((row) => {
      const times = timesOf(results, row);
      const verdict = times === undefined ? "not measured" : times >= goals[row.size] ? "reached" : "**missed**";
      return `| ${sizes[row.size]}, ${row.codec}, ${row.mode} | ${times?.toFixed(2) ?? "–"} × | ≥ ${goals[row.size]} × | ${verdict} |`;
    });
}

function rowOf(results, row) {
  const head = `| ${sizes[row.size]} | ${row.codec} | ${titles[row.engine]} |`;
  if (row.perCpuSecond === undefined) return `${head} – | – | – | – | ${row.wrong ?? row.refused} |`;
  const rate = (value) => ((value * row.size) / 1e6).toFixed(0);
  const count = Math.round(row.perCpuSecond).toLocaleString("en-US");
  const times = row.engine === "ingest" ? "" : `ingest: ${timesOf(results, row)?.toFixed(2) ?? "–"} ×`;
  return `${head} ${count} | ${rate(row.perCpuSecond)} | ${rate(row.perSecond)} | ${row.peakMb === 0 ? "–" : row.peakMb} | ${times} |`;
}

function tableOf(results, mode) {
  return [
    "| value | codec | engine | records per CPU-second | MB per CPU-second | MB/s wall | peak RSS, MB | |",
    "| --- | --- | --- | ---: | ---: | ---: | ---: | --- |",
    ...results.filter((row) => row.mode === mode).map((row) => rowOf(results, row)),
    "",
  ];
}

function avroLines(avro) {
  if (avro === undefined) return [];
  const millions = (rate) => `${(rate / 1e6).toFixed(2)} M`;
  const verdict = avro.oursPerCpuSecond >= AVRO_GOAL ? "reached" : "**missed**";
  return [
    `Confluent-framed Avro of twenty fields to Arrow columns (\`bench/kafka-avro.mjs\`): ${millions(avro.oursPerCpuSecond)} records per CPU-second; the goal is ≥ 1 M: ${verdict}. avsc, to objects: ${millions(avro.avscPerCpuSecond)}.`,
    "",
  ];
}

/** The section of a record. */
export function kafkaSection(folder) {
  const { environment: env, rounds, results, avro } = JSON.parse(readFileSync(join(folder, recordFile), "utf8"));
  return [
    "## Kafka",
    "",
    "```",
    "node bench/kafka.mjs             # measures, then writes this section",
    `node bench/kafka-report.mjs bench/record/${basename(folder)}   # writes it again from the record`,
    "```",
    "",
    `${env.date.slice(0, 10)}, ${env.cpu}, ${env.cores} cores; Node ${env.node.slice(1)}; commit ${env.commit}. One broker on the same machine; ${rounds} rounds without a codec, one with; medians; load average at the start ${env.loadAverage.toFixed(2)}.`,
    "Processor time is the reader's. Records checked by a sum of SHA-256 over a small topic, by number and bytes in what is timed.",
    "",
    "| against kafkajs | ingest | goal | |",
    "| --- | ---: | --- | --- |",
    ...goalRows(results),
    "",
    ...avroLines(avro),
    "### Bytes only",
    "",
    ...tableOf(results, "bytes"),
    "### To Arrow columns",
    "",
    ...tableOf(results, "arrow"),
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(writeSection(kafkaSection(process.argv[2]), join(here, "RESULTS.md")));
}
