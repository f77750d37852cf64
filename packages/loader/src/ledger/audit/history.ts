import { FormatError, StateError } from "@ingest-ts/core";
import { buildManifest, fingerprintOf, type Manifest } from "@ingest-ts/sharder";
import { type LedgerAttempt, type LedgerBatch, type LedgerHeader, runMembers } from "../format.ts";
import { readLedger } from "./lines.ts";
import { LedgerWindows } from "./windows.ts";

/** From `timeMs` on, what was consumed at or after (epoch, position) before that time is undone. */
interface Cut {
  readonly timeMs: number;
  readonly epoch: number;
  readonly position: number;
}

/** Clocks of two machines differ a little; who still consumes later than this after a restart is a second writer. */
const CLOCK_TOLERANCE_MS = 1_000;

/** One attempt, with what later attempts undid of it. */
export interface Attempt extends LedgerAttempt {
  readonly timeMs: number;
  readonly path: string;
  readonly cuts: Cut[];
}

/** All that the heads of the ledgers say. */
export interface History {
  readonly header: LedgerHeader;
  /** The rows of an epoch. @throws StateError when they are a window that no ledger tells of */
  readonly manifestOf: (epoch: number) => Manifest;
  /** Of a stream. */
  readonly windows: LedgerWindows | undefined;
  readonly files: readonly string[];
  /** By their names. */
  readonly attempts: ReadonlyMap<string, Attempt>;
  readonly tornLines: number;
}

function manifestOf(header: LedgerHeader, path: string): Manifest {
  const keys = new Map<string, string>();
  let at = 0;
  for (const [key, count] of header.segments) {
    for (const [name] of header.objects.slice(at, at + count)) keys.set(name, key);
    at += count;
  }
  const objects = header.objects.map(([name, sizeBytes, digest, fragmentRows]) => ({
    name,
    sizeBytes,
    digest,
    fragmentRows,
  }));
  const manifest = buildManifest(objects, (name) => keys.get(name) ?? "");
  if (fingerprintOf(manifest).digest === header.fingerprint.digest && manifest.rows === header.rows) return manifest;
  throw new FormatError("line 1: the header's objects do not have its fingerprint", { where: { url: path } });
}

/** The header of both; data with segments appended is the same data. @throws StateError naming what differs. */
function agree(a: { header: LedgerHeader; path: string }, b: { header: LedgerHeader; path: string }): LedgerHeader {
  const remedy = "Audit the ledgers of one run at a time.";
  for (const name of runMembers) {
    if (a.header[name] === b.header[name]) continue;
    const what = `${a.path} has ${name} ${a.header[name]}, ${b.path} has ${b.header[name]}`;
    throw new StateError(`the ledgers are of different runs: ${what}`, { remedy });
  }
  const [short, long] = a.header.fingerprint.segments <= b.header.fingerprint.segments ? [a, b] : [b, a];
  const same =
    short.header.fingerprint.segments === long.header.fingerprint.segments
      ? short.header.fingerprint.digest
      : fingerprintOf(manifestOf(long.header, long.path), short.header.fingerprint.segments).digest;
  const expected =
    short.header.fingerprint.segments === long.header.fingerprint.segments
      ? long.header.fingerprint.digest
      : short.header.fingerprint.digest;
  if (same === expected) return long.header;
  throw new StateError(`the ledgers are of different data sets: ${a.path} and ${b.path}`, { remedy });
}

function before(a: Cut, epoch: number, position: number): boolean {
  return a.epoch < epoch || (a.epoch === epoch && a.position <= position);
}

/** An attempt undoes its own rank's, and whatever ranks of other worlds consumed: all restore one global state. */
function addCuts(attempts: readonly Attempt[]): void {
  for (const [i, later] of attempts.entries()) {
    for (const earlier of attempts.slice(0, i)) {
      if (earlier.worldSize === later.worldSize && earlier.rank !== later.rank) continue;
      earlier.cuts.push({ timeMs: later.timeMs, epoch: later.epoch, position: later.position });
    }
  }
}

/** From which place on a batch consumed at `timeMs` was undone. */
export function undoneFrom(attempt: Attempt, timeMs: number): Cut | undefined {
  let first: Cut | undefined;
  for (const cut of attempt.cuts) {
    if (cut.timeMs + CLOCK_TOLERANCE_MS < timeMs) continue;
    if (first === undefined || before(cut, first.epoch, first.position)) first = cut;
  }
  return first;
}

/** When a batch was consumed. */
export function timeOf(attempt: Attempt, batch: LedgerBatch): number {
  return attempt.timeMs + batch.ms;
}

/** Reads the headers and attempts of all files. @throws StateError, FormatError, SourceError */
export async function readHistory(files: readonly string[]): Promise<History> {
  let first: { header: LedgerHeader; path: string } | undefined;
  const attempts: Attempt[] = [];
  const windows = new LedgerWindows();
  let tornLines = 0;
  for (const file of files) {
    const torn = await readLedger(file, {
      header: (header, path) => {
        first = { header: first === undefined ? header : agree(first, { header, path }), path };
      },
      window: (window, path) => windows.add(window, path),
      attempt: (attempt, path, line) => {
        const { rank, worldSize } = attempt;
        if ((first?.header.lanes ?? 0) % worldSize !== 0) {
          throw new FormatError(`line ${line}: rank ${rank} of ${worldSize}, a world that does not divide the lanes`, {
            where: { url: path },
          });
        }
        attempts.push({ ...attempt, timeMs: Date.parse(attempt.startedAt), path, cuts: [] });
      },
    });
    if (torn) tornLines++;
  }
  if (first === undefined) throw new FormatError("no ledger has a header", { where: { url: files[0] } });
  attempts.sort((a, b) => a.timeMs - b.timeMs);
  addCuts(attempts);
  const manifest = manifestOf(first.header, first.path);
  const byName = new Map(attempts.map((attempt) => [attempt.attempt, attempt]));
  const { header } = first;
  const ofStream =
    header.stream === undefined
      ? { windows: undefined, manifestOf: () => manifest }
      : { windows, manifestOf: (epoch: number) => windows.manifest(epoch) };
  return { header, ...ofStream, files, attempts: byName, tornLines };
}
