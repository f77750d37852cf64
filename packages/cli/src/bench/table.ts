import { visible } from "../output/visible.ts";
import { type BenchReport, type MeasureName, measureNames, type ReportCheck, type ReportResult } from "./report.ts";

const WIDTH = 80;

const titles: Readonly<Record<MeasureName, string>> = {
  write: "write",
  "read-full": "full read",
  "read-projected": "projected",
  "shuffled-batches": "shuffled",
};

type Paint = (text: string) => string;

/** The report for people: at most 80 columns, `paint` for what must not be missed. */
export function formatTable(report: BenchReport, paint: { readonly bad: Paint; readonly dim: Paint }): string {
  const { data, settings } = report;
  const lines = [
    ...wrap(
      `${visible(data.name)}: ${count(data.rows)} rows × ${data.columns.length} columns, ${megabytes(data.arrowBytes)} MB as Arrow${data.limit === undefined ? "" : ` (${data.limit})`}`,
    ),
    ...wrap(
      `projected = ${data.projectedColumns.map(visible).join(", ")} (${megabytes(data.projectedArrowBytes)} MB) · shuffled = batches of ${count(settings.batchRows)} rows, seed ${settings.seed}`,
    ),
    "",
    ...speedLines(report, paint),
    "",
    ...costLines(report),
    "",
    ...checkLines(report, paint),
    ...wrap(
      `Node ${report.environment.node}, ${report.environment.cores} cores, ${report.environment.cpu}; zstd: ${report.environment.zstd}; ${report.seconds.toFixed(1)} s in all`,
    ).map(paint.dim),
  ];
  return `${lines.join("\n")}\n`;
}

type Find = (check: ReportCheck, measure: string, unit: ReportResult["unit"]) => ReportResult | undefined;

function finder(report: BenchReport): Find {
  return ({ format, codec }, measure, unit) =>
    report.results.find(
      (result) =>
        result.format === format && result.codec === codec && result.measure === measure && result.unit === unit,
    );
}

const KEY_WIDTHS = [9, 8] as const;

function key(check: ReportCheck): string {
  return check.format.padEnd(KEY_WIDTHS[0]) + check.codec.padEnd(KEY_WIDTHS[1]);
}

/** Sizes and rates: what a user waits for. */
function speedLines(report: BenchReport, paint: { readonly bad: Paint }): string[] {
  const find = finder(report);
  const head = [
    `${"".padEnd(17)}${"size".padStart(6)}${measureNames.map((name) => titles[name].padStart(14)).join("")}`,
    `${"format".padEnd(9)}${"codec".padEnd(8)}${"MB".padStart(6)}${measureNames.map(() => "MB/s  Mrow/s".padStart(14)).join("")}`,
  ];
  const rows = report.checks.flatMap((check) => {
    if (check.error !== undefined || !check.equal) return wrap(`${key(check)}${whyNot(check)}`, 17).map(paint.bad);
    const size = find(check, "encoded-size", "bytes")?.value;
    const rates = measureNames.map((name) => {
      const bytes = find(check, name, "MB/s");
      const perSecond = find(check, name, "rows/s");
      const part = bytes?.rows !== undefined && bytes.rows < report.data.rows;
      const mark = part ? "+" : bytes?.warmUpPasses === 0 ? "*" : " ";
      return `${figure(bytes?.value).padStart(6)}${figure(perSecond === undefined ? undefined : perSecond.value / 1e6).padStart(7)}${mark}`;
    });
    const gaps = (check.missing ?? []).flatMap(({ measure, error }) =>
      wrap(`  ${titles[measure]}: ${visible(error)}`, 4),
    );
    const row = `${key(check)}${figure(size === undefined ? undefined : size / 1e6).padStart(6)}${rates.join("")}`;
    return [row.trimEnd(), ...gaps];
  });
  return [...head, ...rows, ...footnotes(report)];
}

function footnotes(report: BenchReport): string[] {
  const parts = new Set(report.results.flatMap(({ rows }) => (rows === undefined ? [] : [rows])));
  parts.delete(report.data.rows);
  const cold = report.results.some((result) => result.warmUpPasses === 0);
  return [
    ...(cold ? ["* one pass only, without warm-up: the time did not allow for more"] : []),
    ...[...parts].map((rows) => `+ measured on a file of the first ${count(rows)} rows`),
  ];
}

function whyNot(check: ReportCheck): string {
  return check.error === undefined
    ? `MISMATCH: the rows that came back are not the source's (${check.digest ?? "no digest"})`
    : visible(check.error);
}

/** What it costs: processor time of one pass and the highest memory. */
function costLines(report: BenchReport): string[] {
  const find = finder(report);
  const head = [
    `${"".padEnd(17)}${"CPU-seconds of one pass".padEnd(32)}${"peak RSS, MB"}`,
    `${"format".padEnd(9)}${"codec".padEnd(8)}${["write", "full", "proj.", "shuff."].map((title) => title.padEnd(8)).join("")}${["write", "full", "proj.", "shuff."].map((title) => title.padEnd(8)).join("")}`.trimEnd(),
  ];
  const rows = report.checks
    .filter((check) => check.equal)
    .map((check) => {
      const seconds = measureNames.map((name) => {
        const cpu = find(check, `${name}-cpu`, "s");
        return `${figure(cpu?.value)}${cpu?.rows !== undefined && cpu.rows < report.data.rows ? "+" : ""}`.padEnd(8);
      });
      const memory = measureNames.map((name) => {
        const bytes = find(check, `${name}-peak-rss`, "bytes")?.value;
        return (bytes === undefined ? "–" : String(Math.round(bytes / 1e6))).padEnd(8);
      });
      return `${key(check)}${seconds.join("")}${memory.join("")}`.trimEnd();
    });
  return rows.length === 0 ? [] : [...head, ...rows];
}

function checkLines(report: BenchReport, paint: { readonly bad: Paint }): string[] {
  const unequal = report.checks.filter((check) => check.failure !== "unsupported" && !check.equal);
  const short = report.data.digest.slice(0, 16);
  if (unequal.length > 0) {
    return wrap(`rows: ${unequal.map(({ format, codec }) => `${format} ${codec}`).join(", ")} failed the check`).map(
      paint.bad,
    );
  }
  const equal = report.checks.filter((check) => check.equal).length;
  return [`rows: all ${equal} give back the same rows in the same order (digest ${short}…)`];
}

/** Three significant digits: more would be noise. */
function figure(value: number | undefined): string {
  if (value === undefined) return "–";
  if (value >= 99.95) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(value >= 9.995 ? 1 : 2);
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function megabytes(bytes: number): string {
  return figure(bytes / 1e6);
}

/** Words in lines of at most 80 characters, continued below `indent`. */
function wrap(text: string, indent = 2): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/(?<=\S) /)) {
    if (line !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = " ".repeat(indent) + word;
    } else line = line === "" ? word : `${line} ${word}`;
    while (line.length > WIDTH) {
      lines.push(line.slice(0, WIDTH));
      line = " ".repeat(indent) + line.slice(WIDTH);
    }
  }
  return line === "" ? lines : [...lines, line];
}
