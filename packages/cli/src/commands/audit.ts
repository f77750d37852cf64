import { OptionsError } from "@ingest-ts/core";
import {
  type AuditReport,
  auditLedgers,
  type EpochReport,
  type Finding,
  type FindingKind,
  type PartitionOffsets,
} from "@ingest-ts/loader/ledger";
import { type Command, Option } from "commander";
import { count, plural } from "../output/quantities.ts";
import { openOutput } from "../output/rows-out.ts";
import { visible } from "../output/visible.ts";
import { exitCodes } from "../process/exit-codes.ts";

const examples = `
Examples:
  ingest audit ledgers/
  ingest audit rank-0.jsonl rank-1.jsonl --json
`;

const explanation = `
Ledgers are what load({ ledger }) wrote: of all ranks and restarts of one run,
also with other numbers of ranks. Batches consumed after the place where a later
start went on are rolled back, not doubled. Exit 0: every row of every epoch was
consumed once. Exit 1 with the files and rows (from the first, to the one behind
the last) that were
  lost       not consumed, though the run went on behind them
  unreached  not consumed, because the run stopped before them
  dropped    left out by ends: "drop"
  doubled    consumed more than once
  differ     read again with another content
Of a stream the windows are told together, with the offsets that they cover; a
finding names rows from the first of the window's range of offsets. Ledgers of
different data, orders or seeds are refused (2), damaged lines too (3).`;

interface AuditFlags {
  readonly json?: boolean;
  readonly limit?: number;
}

/** Adds `ingest audit` to the program. */
export function registerAudit(program: Command): void {
  program
    .command("audit")
    .description("prove from ledgers that every row was consumed once, or say which were not")
    .argument("<ledgers...>", "files, or folders with .jsonl files")
    .option("--json", "for programs")
    .addOption(new Option("--limit <n>", "name at most n ranges of rows a finding").argParser(parseLimit))
    .addHelpText("before", examples)
    .addHelpText("after", explanation)
    .action(audit);
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(limit)) return limit;
  throw new OptionsError(`--limit is "${text}"`, { remedy: "It must be a whole number, 0 or more." });
}

async function audit(ledgers: readonly string[], flags: AuditFlags): Promise<void> {
  const report = await auditLedgers(ledgers, { rangeLimit: flags.limit });
  const sink = await openOutput(undefined);
  const text = flags.json === true ? `${JSON.stringify(report)}\n` : describe(report);
  await sink.write(new TextEncoder().encode(text));
  await sink.close();
  if (!report.ok) process.exitCode = exitCodes.checkFailed;
}

const words: Readonly<Record<FindingKind, string>> = {
  lost: "lost",
  doubled: "consumed more than once",
  dropped: 'dropped at the end (ends: "drop")',
  unreached: "not reached: the run stopped before them",
  differ: "read again with another content",
};

function describe(report: AuditReport): string {
  const lines = report.partitions === undefined ? describeEpochs(report) : describeWindows(report, report.partitions);
  const worlds = report.worldSizes.join(", then ");
  lines.push(`from ${plural(report.ledgers, "ledger")}, ${plural(report.attempts, "start")}, ranks: ${worlds}`);
  if (report.tornLines > 0) lines.push(`${report.tornLines} ended in a line that was not finished; it does not count`);
  return `${lines.join("\n")}\n`;
}

function onceOf(onceRows: number, rows: number): string {
  return onceRows === rows ? plural(rows, "row") : `${count(onceRows)} of ${plural(rows, "row")}`;
}

function describeEpochs({ epochs, findings }: AuditReport): string[] {
  const lines: string[] = [];
  for (const { epoch, rows, onceRows, paddedRows, paddedWith, rolledBackRows } of epochs) {
    const name = epochs.length > 1 ? `epoch ${epoch}: ` : "";
    lines.push(`${name}${onceOf(onceRows, rows)}, each once`, ...describeRolledBack(rolledBackRows));
    if (paddedWith !== undefined) {
      const { file, from } = paddedWith;
      lines.push(`  ${count(paddedRows)} padded: copies of ${visible(file)} row ${from}, with ingest_valid false`);
    }
    for (const finding of findings) if (finding.epoch === epoch) lines.push(...describeFinding(finding));
  }
  return lines;
}

function describeRolledBack(rows: number): string[] {
  return rows > 0 ? [`  ${count(rows)} rolled back, and consumed again`] : [];
}

/** A stream has a window every few seconds: those that are as they should be are told together. */
function describeWindows({ epochs, findings }: AuditReport, partitions: readonly PartitionOffsets[]): string[] {
  const sum = (of: (epoch: EpochReport) => number): number => epochs.reduce((total, epoch) => total + of(epoch), 0);
  const [rows, onceRows, paddedRows] = [sum((e) => e.rows), sum((e) => e.onceRows), sum((e) => e.paddedRows)];
  const lines = [`${onceOf(onceRows, rows)} in ${plural(epochs.length, "window")}, each once`];
  lines.push(...describeRolledBack(sum((e) => e.rolledBackRows)));
  if (paddedRows > 0) lines.push(`  ${count(paddedRows)} padded: copies with ingest_valid false`);
  for (const { topic, partition, startOffset, endOffset, rows: held } of partitions) {
    const offsets = `offsets [${startOffset}, ${endOffset})`;
    lines.push(`  ${visible(topic)}, partition ${partition}: ${offsets}, ${plural(held, "row")}`);
  }
  for (const epoch of new Set(findings.map((finding) => finding.epoch))) {
    const window = epochs.find((each) => each.epoch === epoch) as EpochReport;
    lines.push(`window ${epoch}: ${onceOf(window.onceRows, window.rows)}, each once`);
    for (const finding of findings) if (finding.epoch === epoch) lines.push(...describeFinding(finding));
  }
  return lines;
}

function describeFinding({ kind, rows, ranges, more }: Finding): string[] {
  const lines = [`  ${count(rows)} ${words[kind]}:`];
  for (const { file, from, to } of ranges) lines.push(`    ${visible(file)} rows [${from}, ${to})`);
  if (more > 0) lines.push(`    and ${plural(more, "range")} more`);
  return lines;
}
