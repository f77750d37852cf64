import {
  type ByteSource,
  type ColumnPath,
  type DataWorld,
  type FormatName,
  type Limits,
  OptionsError,
  parseWhere,
  type Predicate,
  resolveWorld,
} from "@ingest-ts/core";
import type { Reader } from "@ingest-ts/readers";
import {
  checkLanes,
  checkWorldSize,
  DEFAULT_WINDOW_ROWS,
  defaultLanes,
  digestOf,
  type Ends,
  type SegmentBy,
} from "@ingest-ts/sharder";

/** One object: a path or URL, a source (which stays the caller's to close), or a reader opened without `where`. */
export type ObjectInput = string | ByteSource | Reader;

export interface ShuffleOptions {
  /** Rows of a lane that are shuffled together. Default 16,384. */
  readonly windowRows?: number | undefined;
  /** Places in the data that are read in turn; the number of ranks must divide it. Default 8 for up to 8 ranks. */
  readonly lanes?: number | undefined;
  /** Objects that are shuffled together, one group after the other. Default: all of them. */
  readonly segmentBy?: SegmentBy | undefined;
}

export interface LoadOptions {
  /**
   * Objects, folders and patterns (`*`, `?`, `[a-z]`, `{a,b}`, `**`), taken in byte order of their names whatever the order
   * here. Files are united by the names of their columns, with partition folders as columns; sources, readers and what stands
   * in one list with them have one schema.
   */
  readonly source: ObjectInput | readonly ObjectInput[];
  readonly columns?: readonly ColumnPath[] | undefined;
  /** Rows that do not pass are left out of their batch, which gets smaller: positions are those of all rows. */
  readonly where?: Predicate | string | undefined;
  /** Positions of one batch of one rank. */
  readonly batchSize: number;
  /** false: rows keep their order (with several ranks, each reads a run of its own). Default: shuffled. */
  readonly shuffle?: false | ShuffleOptions | undefined;
  /** In [0, 2^53). Default 0. */
  readonly seed?: number | undefined;
  /** How often all rows are read, each time in another order. Default 1; Infinity is allowed. */
  readonly epochs?: number | undefined;
  /** Default "uneven" for one rank, "drop" for several. */
  readonly ends?: Ends | undefined;
  /** Who reads. Default: found from the environment, and said on stderr. */
  readonly world?: { readonly rank: number; readonly worldSize: number } | undefined;
  readonly format?: FormatName | undefined;
  /** Declared features of TFRecord, or a reader's schema of Avro; see `OpenOptions.schema`. */
  readonly schema?: unknown;
  /** "us": every timestamp of Parquet in microseconds; see `OpenOptions.timestampUnit`. */
  readonly timestampUnit?: "us" | undefined;
  /** What Parquet's INT96 timestamps are; see `OpenOptions.int96`. */
  readonly int96?: "utc" | "naive" | undefined;
  /** Refuse files whose columns differ in anything; otherwise they are united by name and widened. */
  readonly strictSchema?: boolean | undefined;
  /** "none": folders called `name=value` are folders like others. Default "hive": they are columns. */
  readonly partitions?: "hive" | "none" | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Estimated memory above which nothing is read. Default 2 GiB. */
  readonly memoryBytes?: number | undefined;
  /**
   * Where batches are noted for `ingest audit`, before they are handed out: a file ending in .jsonl, or a folder in which
   * every start of every rank gets a file of its own. Default: nowhere.
   */
  readonly ledger?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_MEMORY_BYTES: number = 2 * 1024 ** 3;

/** What determines which rows come when, after defaults. A state brings its own. */
export interface OrderSettings {
  readonly seed: number;
  readonly lanes: number;
  /** 0: not shuffled. */
  readonly windowRows: number;
  readonly ends: Ends;
}

/** Options checked as far as they can be without reading anything. */
export interface Settings {
  readonly batchSize: number;
  readonly epochs: number;
  readonly world: DataWorld;
  readonly segmentBy: SegmentBy | undefined;
  readonly where: Predicate | undefined;
  /** For the state; null without a predicate. */
  readonly whereDigest: string | null;
  readonly memoryBytes: number;
  readonly ledger: string | undefined;
  /** What the caller decided: a state must agree with it. */
  readonly given: Partial<OrderSettings>;
  readonly order: OrderSettings;
}

function wholeNumber(value: number, name: string, minimum: number): number {
  if (Number.isSafeInteger(value) && value >= minimum) return value;
  throw new OptionsError(`${name} is ${value}`, { remedy: `It must be a whole number of ${minimum} or more.` });
}

function checkEpochs(epochs: number): number {
  return epochs === Infinity ? epochs : wholeNumber(epochs, "epochs", 1);
}

function checkEnds(ends: Ends): Ends {
  if (ends === "drop" || ends === "pad" || ends === "uneven") return ends;
  throw new OptionsError(`ends is "${String(ends)}"`, { remedy: 'It is "drop", "pad" or "uneven".' });
}

function checkLedger(ledger: unknown): string | undefined {
  if (ledger === undefined || (typeof ledger === "string" && ledger !== "")) return ledger;
  throw new OptionsError(`ledger is ${JSON.stringify(ledger)}`, {
    remedy: "It is the path of a file ending in .jsonl, or of a folder.",
  });
}

/** Only what the caller decided; the type of the value is not known at run time. */
function givenOf({ shuffle, seed, ends }: LoadOptions): Partial<OrderSettings> {
  if (shuffle !== undefined && shuffle !== false && (typeof shuffle !== "object" || shuffle === null)) {
    throw new OptionsError(`shuffle is ${String(shuffle)}`, {
      remedy: "It is false or { windowRows, lanes, segmentBy }.",
    });
  }
  const lanes = shuffle === false ? undefined : shuffle?.lanes;
  const windowRows = shuffle === false ? 0 : shuffle?.windowRows;
  if (windowRows !== undefined && shuffle !== false) wholeNumber(windowRows, "shuffle.windowRows", 1);
  return {
    ...(seed === undefined ? {} : { seed: wholeNumber(seed, "seed", 0) }),
    ...(lanes === undefined ? {} : { lanes }),
    ...(windowRows === undefined ? {} : { windowRows }),
    ...(ends === undefined ? {} : { ends: checkEnds(ends) }),
  };
}

/**
 * Checks options and fills in defaults, without I/O.
 *
 * @throws OptionsError
 */
export function settingsOf(options: LoadOptions, environment: Readonly<Record<string, string | undefined>>): Settings {
  const batchSize = wholeNumber(options.batchSize, "batchSize", 1);
  const epochs = checkEpochs(options.epochs ?? 1);
  const memoryBytes = wholeNumber(options.memoryBytes ?? DEFAULT_MEMORY_BYTES, "memoryBytes", 1);
  const given = givenOf(options);
  const world = resolveWorld(options.world, environment);
  const { shuffle, where } = options;
  const predicate = typeof where === "string" ? parseWhere(where) : where;
  const order: OrderSettings = {
    seed: 0,
    lanes: shuffle === false ? world.worldSize : defaultLanes(world.worldSize),
    windowRows: DEFAULT_WINDOW_ROWS,
    ends: world.worldSize === 1 ? "uneven" : "drop",
    ...given,
  };
  checkLanes(order.lanes, order.windowRows);
  checkWorldSize(order.lanes, world.worldSize);
  return {
    batchSize,
    epochs,
    world,
    segmentBy: shuffle === false ? undefined : shuffle?.segmentBy,
    where: predicate,
    whereDigest: predicate === undefined ? null : digestOf(JSON.stringify(predicate)),
    memoryBytes,
    ledger: checkLedger(options.ledger),
    given,
    order,
  };
}
