import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type Columns, type Schema, SourceError, StateError } from "@ingest-ts/core";
import { digestOf, type Fingerprint, fingerprintOf, type Manifest, ORDER_VERSION } from "@ingest-ts/sharder";
import type { OrderSettings } from "../options.ts";
import type { Seal } from "../stream/seal.ts";
import { digestRows } from "./digest.ts";
import {
  describeManifest,
  describeSeal,
  LEDGER_VERSION,
  type LedgerBatch,
  type LedgerHeader,
  runMembers,
} from "./format.ts";

const PIECE_BYTES = 64 * 1024;

/** What is consumed, and of what. */
export interface LedgerRun {
  /** Empty for a stream. */
  readonly manifest: Manifest;
  readonly order: OrderSettings;
  /** Digest of the predicate; null without one. */
  readonly where: string | null;
  /** The digest of a stream. */
  readonly stream?: string;
}

/** Who consumes, and from where on. */
export interface LedgerStart {
  readonly rank: number;
  readonly worldSize: number;
  readonly batchSize: number;
  readonly epoch: number;
  readonly position: number;
  /** Of the batches. */
  readonly schema: Schema;
}

/** One batch as the ledger sees it. */
export type LedgerEntry = Omit<LedgerBatch, "batch" | "ms">;

/**
 * What rows [start, stop) of a block look like in the ledger, as a batch of their own; positions [from, to) are those of
 * the whole step.
 */
export function ledgerEntry(
  block: Columns,
  place: { readonly epoch: number; readonly step: number; readonly from: number; readonly to: number },
  start = 0,
  stop: number = block.rows,
): LedgerEntry {
  const { epoch, step, from, to } = place;
  return { epoch, step, from, to, rows: stop - start, digest: digestRows(block, start, stop) };
}

function unwritable(path: string, cause: unknown): SourceError {
  return new SourceError(`the ledger cannot be written: ${(cause as Error).message}`, {
    where: { url: path },
    remedy: "Name a file ending in .jsonl or a folder that can be written.",
    cause,
  });
}

/** The first line of a run's ledgers, as an object. */
export function headerOf({ manifest, order, where, stream }: LedgerRun): LedgerHeader {
  const { seed, lanes, windowRows, ends } = order;
  const fingerprint: Fingerprint = fingerprintOf(manifest);
  const settings = { ledger: LEDGER_VERSION, orderVersion: ORDER_VERSION, seed, lanes, windowRows, ends, where };
  const ofStream = stream === undefined ? {} : { stream };
  return { ...settings, ...ofStream, fingerprint, rows: manifest.rows, ...describeManifest(manifest) };
}

/** What a start says of its batches' columns: digests of rows with other columns are not comparable. */
export function columnsDigest(schema: Schema): string {
  return digestOf(JSON.stringify(schema.fields.map(({ name, type }) => [name, type])));
}

/** A file's path ends in .jsonl; anything else is a folder, where every attempt gets a file of its own. */
function fileOf(target: string, start: LedgerStart, id: string, startedAt: string): { path: string; own: boolean } {
  const isFile = existsSync(target) ? !statSync(target).isDirectory() : target.endsWith(".jsonl");
  if (isFile) return { path: target, own: false };
  const time = startedAt.replaceAll(/[-:.]/g, "");
  return { path: join(target, `rank-${start.rank}-of-${start.worldSize}-${time}-${id}.jsonl`), own: true };
}

/** The first line of an open file, or undefined when no line is complete. */
function firstLine(fd: number): string | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ; at += PIECE_BYTES) {
    const piece = Buffer.alloc(PIECE_BYTES);
    const bytes = piece.subarray(0, readSync(fd, piece, 0, PIECE_BYTES, at));
    const end = bytes.indexOf(10);
    parts.push(end < 0 ? bytes : bytes.subarray(0, end));
    if (end >= 0) return Buffer.concat(parts).toString("utf8");
    if (bytes.length === 0) return undefined;
  }
}

/** Cuts off what a killed process left of its last line. */
function dropTornLine(fd: number): void {
  let end = fstatSync(fd).size;
  const byte = Buffer.alloc(1);
  const size = end;
  while (end > 0 && readSync(fd, byte, 0, 1, end - 1) === 1 && byte[0] !== 10) end--;
  if (end < size) ftruncateSync(fd, end);
}

/**
 * Appends one rank's consumed batches to a ledger, as whole lines that survive the death of this process (not that of the
 * machine: nothing is synced to disk).
 */
export class LedgerWriter {
  readonly path: string;
  readonly #id: string;
  readonly #started: number;
  #fd: number | undefined;
  #lines: string[] = [];

  /**
   * Opens the ledger and notes that an attempt begins.
   *
   * @throws SourceError when it cannot be written, StateError when the file is the ledger of another run.
   */
  constructor(target: string, run: LedgerRun, start: LedgerStart) {
    this.#id = randomBytes(4).toString("hex");
    this.#started = performance.now();
    const startedAt = new Date().toISOString();
    const { path, own } = fileOf(target, start, this.#id, startedAt);
    this.path = path;
    const header = JSON.stringify(headerOf(run));
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.#fd = openSync(path, own ? "ax+" : "a+");
      dropTornLine(this.#fd);
      const present = firstLine(this.#fd);
      if (present === undefined) this.#add(header);
      else if (present !== header) this.#checkHeader(present, run, header);
      const { rank, worldSize, batchSize, epoch, position, schema } = start;
      const columns = columnsDigest(schema);
      this.#add(JSON.stringify({ attempt: this.#id, rank, worldSize, batchSize, epoch, position, columns, startedAt }));
      this.#write();
    } catch (error) {
      this.#closeFile();
      throw error instanceof StateError ? error : unwritable(path, error);
    }
  }

  #checkHeader(present: string, run: LedgerRun, header: string): void {
    let other: Partial<LedgerHeader> = {};
    try {
      other = JSON.parse(present) as Partial<LedgerHeader>;
    } catch {
      // Not a ledger: refused below, as what it is.
    }
    const segments = other.fingerprint?.segments ?? 0;
    const now = headerOf(run);
    const sameOrder = other.ledger === now.ledger && runMembers.every((name) => other[name] === now[name]);
    const grown = sameOrder && fingerprintOf(run.manifest, segments).digest === other.fingerprint?.digest;
    if (!grown) {
      throw new StateError("the file is not a ledger of this run: data, order or seed differ", {
        where: { url: this.path },
        remedy: "Name a new file, or a folder of this run's own.",
      });
    }
    // Segments were appended: the audit needs their names.
    this.#add(header);
  }

  /** Notes what a window of a stream holds, before its batches. */
  window(seal: Seal): void {
    this.#add(JSON.stringify(describeSeal(seal)));
  }

  /** Notes a batch as handed out. */
  append({ epoch, step, from, to, rows, digest }: LedgerEntry): void {
    const ms = Math.floor(performance.now() - this.#started);
    this.#add(JSON.stringify({ batch: this.#id, epoch, step, from, to, rows, digest, ms }));
    // Not gathered: one rank saves the checkpoint that counts on the lines of all the others.
    this.flush();
  }

  #add(line: string): void {
    this.#lines.push(`${line}\n`);
  }

  /** What was noted is in the file afterwards, and survives the death of this process. @throws SourceError */
  flush(): void {
    if (this.#lines.length === 0) return;
    try {
      this.#fd ??= openSync(this.path, "a");
      this.#write();
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }

  #write(): void {
    const bytes = Buffer.from(this.#lines.join(""));
    this.#lines = [];
    let at = 0;
    while (at < bytes.length) at += writeSync(this.#fd as number, bytes, at);
  }

  /** Flushes and closes the file. What is noted later opens it again. */
  close(): void {
    try {
      this.flush();
    } finally {
      this.#closeFile();
    }
  }

  #closeFile(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }
}
