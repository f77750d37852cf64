import { createReadStream, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { FormatError, OptionsError, SourceError } from "@ingest-ts/core";
import {
  LEDGER_VERSION,
  type LedgerAttempt,
  type LedgerBatch,
  type LedgerHeader,
  type LedgerLine,
  type LedgerWindow,
} from "../format.ts";

function unreadable(path: string, cause: unknown): SourceError {
  return new SourceError(`the ledger cannot be read: ${(cause as Error).message}`, { where: { url: path }, cause });
}

/** The ledgers that paths name: files as they are, of folders every .jsonl below them, in order. */
export function ledgerFiles(paths: readonly string[]): string[] {
  const files = new Set<string>();
  for (const path of paths) {
    try {
      if (!statSync(path).isDirectory()) {
        files.add(path);
        continue;
      }
      const found = readdirSync(path, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".jsonl"));
      for (const name of found.sort()) files.add(join(path, name));
    } catch (error) {
      throw unreadable(path, error);
    }
  }
  if (files.size > 0) return [...files];
  throw new OptionsError(`no ledger in ${paths.join(", ")}`, { remedy: "Name ledgers, or folders with .jsonl files." });
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** What options allow; more is damage, and would be counted for ever. */
const MOST_LANES = 65_536;
const MOST_EPOCHS = 1_000_000;

const isEpoch = (value: unknown): boolean => isWhole(value) && value <= MOST_EPOCHS;

type Fields = { readonly [key: string]: unknown };

const batchNumbers: readonly string[] = "epoch step from to rows ms".split(" ");

function isBatch(v: Fields): boolean {
  const { batch, digest, from, to } = v;
  const whole = batchNumbers.every((name) => isWhole(v[name]));
  return whole && isEpoch(v["epoch"]) && isText(batch) && isText(digest) && (from as number) < (to as number);
}

function isAttempt(v: Fields): boolean {
  const whole = [v["rank"], v["worldSize"], v["batchSize"], v["epoch"], v["position"]].every(isWhole);
  if (!whole || (v["rank"] as number) >= (v["worldSize"] as number) || (v["batchSize"] as number) < 1) return false;
  if (!isEpoch(v["epoch"])) return false;
  return isText(v["attempt"]) && isText(v["columns"]) && isText(v["startedAt"]) && !isNaN(Date.parse(v["startedAt"]));
}

function isRange(v: unknown): boolean {
  if (!Array.isArray(v) || v.length !== 5 || !isText(v[0]) || !v.slice(1).every(isWhole)) return false;
  const [, , start, end, rows] = v as [string, number, number, number, number];
  return start <= end && rows <= end - start;
}

function isWindow(v: Fields): boolean {
  const ranges = v["ranges"];
  return isWhole(v["window"]) && Array.isArray(ranges) && ranges.every(isRange);
}

function isHeader(v: Fields): boolean {
  const print = v["fingerprint"] as Fields | null;
  const objects = v["objects"];
  const segments = v["segments"];
  if (![v["orderVersion"], v["seed"], v["lanes"], v["windowRows"], v["rows"]].every(isWhole)) return false;
  if (v["stream"] !== undefined && !isText(v["stream"])) return false;
  if (typeof print !== "object" || print === null || !isText(print["digest"]) || !isWhole(print["segments"])) {
    return false;
  }
  return (
    (v["ends"] === "drop" || v["ends"] === "pad" || v["ends"] === "uneven") &&
    (v["lanes"] as number) > 0 &&
    (v["lanes"] as number) <= MOST_LANES &&
    Array.isArray(objects) &&
    objects.every(
      (o: unknown) => Array.isArray(o) && isText(o[0]) && Array.isArray(o[3]) && (o[3] as unknown[]).every(isWhole),
    ) &&
    Array.isArray(segments) &&
    segments.every((s: unknown) => Array.isArray(s) && isText(s[0]) && isWhole(s[1]))
  );
}

function parse(text: string, path: string, number: number): LedgerLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const fields = (typeof value === "object" && value !== null ? value : {}) as Fields;
  const version = fields["ledger"];
  if (isWhole(version) && version !== LEDGER_VERSION) {
    throw new FormatError(`line ${number}: the ledger is of version ${version}, known is ${LEDGER_VERSION}`, {
      where: { url: path },
      remedy: "Use the release that wrote it.",
    });
  }
  if (isLine(fields)) return value as LedgerLine;
  throw new FormatError(`line ${number} is no line of a ledger: ${text.slice(0, 60)}`, {
    where: { url: path },
    remedy: "The file was damaged or edited; audit the others, or restore it.",
  });
}

function isLine(fields: Fields): boolean {
  if ("ledger" in fields) return isHeader(fields);
  if ("attempt" in fields) return isAttempt(fields);
  return "window" in fields ? isWindow(fields) : isBatch(fields);
}

/** Who gets which line; `number` counts from 1. */
export interface LineVisitor {
  header?(header: LedgerHeader, path: string): void;
  attempt?(attempt: LedgerAttempt, path: string, number: number): void;
  window?(window: LedgerWindow, path: string, number: number): void;
  batch?(batch: LedgerBatch, path: string, number: number): void;
}

function visit(line: LedgerLine, path: string, number: number, visitor: LineVisitor): void {
  if ("ledger" in line) visitor.header?.(line, path);
  else if ("attempt" in line) visitor.attempt?.(line, path, number);
  else if ("window" in line) visitor.window?.(line, path, number);
  else visitor.batch?.(line, path, number);
}

/**
 * Reads one ledger line by line.
 *
 * @returns whether the last line is torn: a killed process did not finish it, and it counts as not written.
 * @throws FormatError naming the line that is damaged, SourceError
 */
export async function readLedger(path: string, visitor: LineVisitor): Promise<boolean> {
  let rest = "";
  let number = 0;
  const stream = createReadStream(path, { encoding: "utf8", highWaterMark: 1 << 20 });
  try {
    for await (const piece of stream as AsyncIterable<string>) {
      const lines = `${rest}${piece}`.split("\n");
      rest = lines.pop() as string;
      for (const line of lines) {
        number++;
        const parsed = parse(line, path, number);
        if (number === 1 && !("ledger" in parsed)) {
          throw new FormatError("line 1 is not the header of a ledger", { where: { url: path } });
        }
        visit(parsed, path, number, visitor);
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith("INGEST_")) throw error;
    throw unreadable(path, error);
  }
  return rest !== "";
}
