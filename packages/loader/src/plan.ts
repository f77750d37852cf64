import { fingerprintOf, positionsOfRank, rankSpans, SegmentOrder, worldSizesFor } from "@ingest-ts/sharder";
import type { Skipped } from "@ingest-ts/readers";
import { type Dataset, openDataset } from "./dataset.ts";
import { checkMemory, estimateMemory } from "./memory.ts";
import { type LoadOptions, type OrderSettings, type Settings, settingsOf } from "./options.ts";

/** What one rank does in one epoch. */
export interface RankPlan {
  readonly rank: number;
  /** Of all lanes, those that it reads. */
  readonly lanes: number;
  /** Positions that its batches take; with `ends: "pad"` those that are rows. */
  readonly rows: number;
  readonly steps: number;
  /** Fragments that its lanes open in the first epoch: one on a border of two lanes is opened by both. */
  readonly fragmentReads: number;
  /** Bytes of these fragments in the selected columns, about; what is read of a fragment in part may be less. */
  readonly readBytes: number;
  /** These bytes over an even share of those stored. */
  readonly readAmplification: number;
}

/** What a run will read, and what it costs, before any row is read. */
export interface RunPlan extends OrderSettings {
  readonly worldSize: number;
  readonly batchSize: number;
  readonly objects: number;
  /** Objects none of whose rows can pass `where`. */
  readonly prunedObjects: number;
  /** Names that were passed over: those that begin with `_` or `.`, and empty files. */
  readonly skipped: Skipped;
  readonly fragments: number;
  readonly segments: number;
  readonly rows: number;
  /** Bytes of the selected columns, about. */
  readonly storedBytes: number;
  /** Steps of every rank in one epoch; with `ends: "uneven"` of the one with the most. */
  readonly steps: number;
  /** Rows of one epoch that no batch has. */
  readonly droppedRows: number;
  /** Copies of the last row that fill batches up. */
  readonly paddedRows: number;
  /** At most ΣF + S·(C − 1). */
  readonly maxFragmentReads: number;
  readonly fragmentReads: number;
  /** Bytes read by all ranks together, over those stored. */
  readonly readAmplification: number;
  /** Estimated, for each rank. */
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  /** Numbers of ranks on which this run may go on. */
  readonly worldSizes: readonly number[];
  readonly fingerprint: string;
  readonly ranks: readonly RankPlan[];
}

function rowsUsed(rows: number, { ends }: OrderSettings, stepPositions: number): number {
  return ends === "drop" ? rows - (rows % stepPositions) : rows;
}

type RankReads = Omit<RankPlan, "readAmplification">;

function rankReads(dataset: Dataset, settings: Settings, rank: number, used: number): RankReads {
  const { order, batchSize, world } = settings;
  const { worldSize } = world;
  const { manifest, objects } = dataset;
  let fragmentReads = 0;
  let readBytes = 0;
  for (const span of rankSpans(manifest, 0, order.lanes, { rank, worldSize })) {
    const segment = new SegmentOrder(manifest, span.segment, 0, order);
    for (const lane of span.lanes) {
      for (const { fragment } of segment.fragmentSpans(lane, 0, segment.laneRows(lane))) {
        const object = objects[fragment.object];
        if (object?.mayPass !== true) continue;
        fragmentReads++;
        readBytes += object.fragmentBytes[fragment.ordinal] ?? 0;
      }
    }
  }
  const rows = positionsOfRank(0, used, rank, worldSize);
  const stepPositions = batchSize * worldSize;
  const steps = order.ends === "uneven" ? Math.ceil(rows / batchSize) : Math.ceil(used / stepPositions);
  return { rank, lanes: order.lanes / worldSize, rows, steps, fragmentReads, readBytes };
}

function describe(dataset: Dataset, settings: Settings): RunPlan {
  const { order, batchSize, world, memoryBytes: memoryLimitBytes } = settings;
  const { worldSize } = world;
  const { manifest, objects, skipped } = dataset;
  const stepPositions = batchSize * worldSize;
  const used = rowsUsed(manifest.rows, order, stepPositions);
  const memory = estimateMemory(dataset, order, worldSize, batchSize);
  checkMemory(memory, order, worldSize, memoryLimitBytes);
  const storedBytes = objects.reduce((sum, each) => sum + each.fragmentBytes.reduce((a, b) => a + b, 0), 0);
  const over = (readBytes: number, stored: number): number => (storedBytes === 0 ? 1 : readBytes / stored);
  const ranks = Array.from({ length: worldSize }, (_, rank): RankPlan => {
    const reads = rankReads(dataset, settings, rank, used);
    return { ...reads, readAmplification: over(reads.readBytes, storedBytes / worldSize) };
  });
  const readBytes = ranks.reduce((sum, each) => sum + each.readBytes, 0);
  const fragments = manifest.segments.reduce((sum, segment) => sum + segment.fragments.length, 0);
  return {
    ...order,
    worldSize,
    batchSize,
    objects: objects.length,
    skipped,
    prunedObjects: objects.filter(({ mayPass }) => !mayPass).length,
    fragments,
    segments: manifest.segments.length,
    rows: manifest.rows,
    storedBytes,
    steps: ranks.reduce((most, { steps }) => Math.max(most, steps), 0),
    droppedRows: manifest.rows - used,
    paddedRows: order.ends === "pad" ? Math.ceil(used / stepPositions) * stepPositions - used : 0,
    maxFragmentReads: fragments + manifest.segments.length * (order.lanes - 1),
    fragmentReads: ranks.reduce((sum, each) => sum + each.fragmentReads, 0),
    readAmplification: over(readBytes, storedBytes),
    memoryBytes: memory.totalBytes,
    memoryLimitBytes,
    worldSizes: worldSizesFor(order.lanes),
    fingerprint: fingerprintOf(manifest).digest,
    ranks,
  };
}

/**
 * What `load` would do with these options: rows, steps, reads and memory of every rank. Reads no row.
 *
 * @throws as `load`
 */
export async function planRun(options: LoadOptions): Promise<RunPlan> {
  const settings = settingsOf(options, process.env);
  const dataset = await openDataset(options, settings.where, settings.segmentBy);
  try {
    return describe(dataset, settings);
  } finally {
    await dataset.close();
  }
}
