import { FormatError } from "@ingest-ts/core";
import { positionsOfRank } from "@ingest-ts/sharder";
import type { LedgerBatch } from "../format.ts";
import { type Piece, type Region, regionRows, wrongRegions } from "./coverage.ts";
import { type Attempt, type History, readHistory, timeOf, undoneFrom } from "./history.ts";
import { ledgerFiles, readLedger } from "./lines.ts";
import { Locator, type RowRange } from "./locate.ts";
import type { PartitionOffsets } from "./windows.ts";

/** What can be wrong: "unreached" rows come after the place where the run stopped. */
export type FindingKind = "lost" | "doubled" | "dropped" | "unreached" | "differ";

/** Rows of one epoch with which something is wrong. */
export interface Finding {
  readonly kind: FindingKind;
  readonly epoch: number;
  readonly rows: number;
  /** The first of them; `more` further ranges are left out. */
  readonly ranges: readonly RowRange[];
  readonly more: number;
}

/** One epoch: what was consumed of its rows. */
export interface EpochReport {
  readonly epoch: number;
  readonly rows: number;
  /** Consumed exactly once. */
  readonly onceRows: number;
  readonly paddedRows: number;
  /** The row that they are copies of: the epoch's last; undefined when there are none. */
  readonly paddedWith: RowRange | undefined;
  /** Consumed, and undone by a start at an earlier place. */
  readonly rolledBackRows: number;
}

/** What ledgers prove. */
export interface AuditReport {
  readonly ok: boolean;
  readonly ledgers: number;
  readonly attempts: number;
  readonly worldSizes: readonly number[];
  /** Ledgers whose last line was cut off when their process died; it counts as not written. */
  readonly tornLines: number;
  /** Of a stream: its windows, one after the other. */
  readonly epochs: readonly EpochReport[];
  /** Of a stream: what its windows cover together; undefined for files. */
  readonly partitions?: readonly PartitionOffsets[];
  readonly findings: readonly Finding[];
}

interface EpochPieces {
  readonly kept: Piece[];
  readonly undone: Piece[];
  readonly last: Map<string, Piece>;
  paddedRows: number;
}

type Epochs = Map<number, EpochPieces>;

function piecesOf(epochs: Epochs, epoch: number): EpochPieces {
  let pieces = epochs.get(epoch);
  if (pieces === undefined) epochs.set(epoch, (pieces = { kept: [], undone: [], last: new Map(), paddedRows: 0 }));
  return pieces;
}

function addPiece(pieces: EpochPieces, kind: "kept" | "undone", attempt: Attempt, from: number, to: number): void {
  if (from >= to) return;
  const key = `${kind} ${attempt.attempt}`;
  const last = pieces.last.get(key);
  if (last?.to === from) {
    last.to = to;
    return;
  }
  const piece = { rank: attempt.rank, worldSize: attempt.worldSize, from, to };
  pieces[kind].push(piece);
  pieces.last.set(key, piece);
}

function attemptOf(history: History, batch: LedgerBatch, path: string, line: number): Attempt {
  const attempt = history.attempts.get(batch.batch);
  if (attempt !== undefined) return attempt;
  throw new FormatError(`line ${line}: no attempt ${batch.batch} began`, { where: { url: path } });
}

function checkBatch(
  { header, manifestOf }: History,
  attempt: Attempt,
  batch: LedgerBatch,
  path: string,
  line: number,
): void {
  const own = positionsOfRank(batch.from, batch.to, attempt.rank, attempt.worldSize);
  const whole = header.ends === "pad" ? attempt.batchSize : own;
  const fits = header.where === null ? batch.rows === whole : batch.rows <= whole;
  const widest = attempt.batchSize * attempt.worldSize;
  if (fits && batch.to <= manifestOf(batch.epoch).rows && batch.to - batch.from <= widest) return;
  throw new FormatError(`line ${line}: ${batch.rows} rows do not fit positions [${batch.from}, ${batch.to})`, {
    where: { url: path },
  });
}

async function readPieces(history: History): Promise<Epochs> {
  const epochs: Epochs = new Map();
  for (const file of history.files) {
    await readLedger(file, {
      batch: (batch, path, line) => {
        const attempt = attemptOf(history, batch, path, line);
        checkBatch(history, attempt, batch, path, line);
        const pieces = piecesOf(epochs, batch.epoch);
        const cut = undoneFrom(attempt, timeOf(attempt, batch));
        const undone =
          cut === undefined || cut.epoch > batch.epoch
            ? batch.to
            : cut.epoch < batch.epoch
              ? batch.from
              : Math.min(batch.to, Math.max(batch.from, cut.position));
        addPiece(pieces, "kept", attempt, batch.from, undone);
        addPiece(pieces, "undone", attempt, undone, batch.to);
        const own = positionsOfRank(batch.from, batch.to, attempt.rank, attempt.worldSize);
        if (history.header.ends === "pad" && undone === batch.to) pieces.paddedRows += attempt.batchSize - own;
      },
    });
  }
  return epochs;
}

/** Batches that were read again with another content, as regions by epoch. Only what was read again is remembered. */
async function readDifferences(
  history: History,
  again: ReadonlyMap<number, readonly Piece[]>,
): Promise<Map<number, Region[]>> {
  const seen = new Map<string, string>();
  const found = new Map<string, Region & { epoch: number }>();
  for (const file of again.size === 0 ? [] : history.files) {
    await readLedger(file, {
      batch: (batch, path, line) => {
        const { epoch, from, to, digest } = batch;
        if (again.get(epoch)?.some((piece) => piece.from < to && from < piece.to) !== true) return;
        const { rank, worldSize, batchSize, columns } = attemptOf(history, batch, path, line);
        // A last batch is filled up to its size: of another size it is another batch.
        const filled = history.header.ends === "pad" ? batchSize : 0;
        const key = [epoch, rank, worldSize, from, to, filled, columns].join(" ");
        const known = seen.get(key);
        if (known === undefined) seen.set(key, digest);
        else if (known !== digest) {
          found.set(key, { epoch, from, to, modulus: worldSize, residues: [rank], times: 1 });
        }
      },
    });
  }
  const byEpoch = new Map<number, Region[]>();
  for (const { epoch, ...region } of found.values()) byEpoch.set(epoch, [...(byEpoch.get(epoch) ?? []), region]);
  return byEpoch;
}

/** From where on nothing need be consumed: the run stopped, or `ends` drops what fills no step. */
interface End {
  readonly unreachedFrom: number;
  readonly droppedFrom: number;
}

function endOf(history: History, epoch: number, kept: readonly Piece[], finished: boolean): End {
  const { ends } = history.header;
  const { rows } = history.manifestOf(epoch);
  const reached = kept.reduce((most, { to }) => Math.max(most, to), 0);
  const attempts = [...history.attempts.values()];
  const steps = attempts.filter((a) => a.epoch <= epoch).map((a) => a.batchSize * a.worldSize);
  const fits = ends === "drop" && rows - reached < Math.max(0, ...steps);
  const droppedFrom = fits ? reached : rows;
  if (finished) return { unreachedFrom: rows, droppedFrom };
  const last = attempts.at(-1) as Attempt;
  const ranks = new Map<number, number>();
  for (const a of attempts) {
    if (a.worldSize === last.worldSize) ranks.set(a.rank, a.epoch === epoch ? a.position : 0);
  }
  for (const { rank, worldSize, to } of kept) {
    if (worldSize === last.worldSize) ranks.set(rank, Math.max(to, ranks.get(rank) ?? 0));
  }
  return { unreachedFrom: Math.min(reached, ...ranks.values()), droppedFrom };
}

function kindOf(region: Region, end: End): FindingKind {
  if (region.times > 1) return "doubled";
  if (region.from >= end.droppedFrom) return "dropped";
  return region.from >= end.unreachedFrom ? "unreached" : "lost";
}

function pieceRows(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { rank, worldSize, from, to }) => sum + positionsOfRank(from, to, rank, worldSize), 0);
}

/** The row at the last position of an epoch. */
function lastRow({ manifestOf, header }: History, epoch: number): RowRange | undefined {
  const manifest = manifestOf(epoch);
  const locator = new Locator(manifest, header, epoch);
  locator.add({ from: manifest.rows - 1, to: manifest.rows, modulus: 1, residues: [0], times: 1 });
  return locator.ranges(1).ranges[0];
}

/** Files of ledgers, or folders of them: those of one run, all ranks and restarts together. */
export interface AuditOptions {
  /** Ranges of rows that a finding names at most. Default 20. */
  readonly rangeLimit?: number | undefined;
}

/**
 * Reads ledgers and says what was consumed how often (docs/ledger.md).
 *
 * @throws SourceError for what cannot be read, FormatError for damaged lines, StateError for ledgers of different runs.
 */
export async function auditLedgers(paths: readonly string[], options: AuditOptions = {}): Promise<AuditReport> {
  const history = await readHistory(ledgerFiles(paths));
  const epochs = await readPieces(history);
  const { header, attempts, manifestOf, windows } = history;
  const lastEpoch = Math.max(0, ...epochs.keys());
  const ended = Math.max(lastEpoch, ...[...attempts.values()].map(({ epoch }) => epoch - 1));
  const reports: EpochReport[] = [];
  const regions = new Map<number, Map<FindingKind, Region[]>>();
  const again = new Map<number, Piece[]>();
  for (let epoch = 0; epoch <= ended; epoch++) {
    const { kept, undone, paddedRows } = piecesOf(epochs, epoch);
    const { rows } = manifestOf(epoch);
    const finished = epoch < lastEpoch || [...attempts.values()].some((a) => a.epoch > epoch);
    const end = endOf(history, epoch, kept, finished);
    const kinds = new Map<FindingKind, Region[]>();
    let wrongRows = 0;
    const wrong = wrongRegions(kept, rows);
    for (const region of wrong) {
      const kind = kindOf(region, end);
      kinds.set(kind, [...(kinds.get(kind) ?? []), region]);
      wrongRows += regionRows(region);
    }
    regions.set(epoch, kinds);
    const doubled = wrong.filter(({ times }) => times > 1).map(({ from, to }) => ({ rank: 0, worldSize: 1, from, to }));
    if (undone.length + doubled.length > 0) again.set(epoch, [...undone, ...doubled]);
    const onceRows = rows - wrongRows;
    const paddedWith = paddedRows === 0 ? undefined : lastRow(history, epoch);
    reports.push({ epoch, rows, onceRows, paddedRows, paddedWith, rolledBackRows: pieceRows(undone) });
  }
  for (const [epoch, differ] of await readDifferences(history, again)) regions.get(epoch)?.set("differ", differ);
  const findings = [...regions].flatMap(([epoch, kinds]) =>
    [...kinds].map(([kind, list]): Finding => {
      const locator = new Locator(manifestOf(epoch), header, epoch);
      for (const region of list) locator.add(region);
      const rows = list.reduce((sum, region) => sum + regionRows(region), 0);
      return { kind, epoch, rows, ...locator.ranges(options.rangeLimit ?? 20) };
    }),
  );
  return {
    ok: findings.length === 0,
    ledgers: history.files.length,
    attempts: attempts.size,
    worldSizes: [...new Set([...attempts.values()].map(({ worldSize }) => worldSize))],
    tornLines: history.tornLines,
    epochs: reports,
    ...(windows === undefined ? {} : { partitions: windows.partitions(reports.length) }),
    findings,
  };
}
