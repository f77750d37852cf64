import { OptionsError, type Schema, typeText } from "@ingest-ts/core";
import type { Skipped } from "@ingest-ts/readers";
import { fingerprintOf, ORDER_VERSION } from "@ingest-ts/sharder";
import { prepareShuffle } from "@ingest-ts/shuffler";
import { type Dataset, openDataset } from "../dataset.ts";
import { headerOf } from "../ledger/index.ts";
import { Loader } from "../loader.ts";
import { type LoadOptions, type Settings, settingsOf } from "../options.ts";
import { IpcEncoder } from "./ipc-encoder.ts";
import { plainSchema } from "./plain-columns.ts";
import { type Info, PROTOCOL_VERSION } from "./protocol.ts";
import { RankStream } from "./rank-stream.ts";
import type { ServeOptions } from "./serve-options.ts";
import type { StreamDefaults, StreamRequest } from "./stream-request.ts";

/** What a server hands out, opened once for all ranks and all their streams. */
export interface Served {
  readonly defaults: StreamDefaults;
  /** undefined: there is no end of them. */
  readonly rows: number | undefined;
  readonly skipped: Skipped;
  stream(request: StreamRequest): RankStream;
  info(version: string): Info;
  close(): Promise<void>;
}

const keepOpen = (): Promise<void> => Promise.resolve();

/** The data set of a server. */
export class ServedData implements Served {
  readonly defaults: StreamDefaults;
  readonly #dataset: Dataset;
  readonly #options: ServeOptions;
  /** Of a world that only stands in: what depends on it is not asked. */
  readonly #settings: Settings;

  private constructor(options: ServeOptions, dataset: Dataset, settings: Settings) {
    this.#options = options;
    this.#dataset = dataset;
    this.#settings = settings;
    const { worldSize, batchSize, epochs = 1 } = options;
    this.defaults = { worldSize, batchSize, epochs };
  }

  /** @throws OptionsError, SourceError, FormatError, UnsupportedError as `load` does */
  static async open(options: ServeOptions): Promise<ServedData> {
    const settings = settingsOf(loadOptions(options, options.worldSize ?? 1, 0), {});
    const { where, segmentBy } = settings;
    const whole = loadOptions(options, 1, 0);
    const [dataset] = await Promise.all([openDataset(whole, where, segmentBy), prepareShuffle()]);
    return new ServedData(options, dataset, settings);
  }

  get rows(): number {
    return this.#dataset.manifest.rows;
  }

  get skipped(): Skipped {
    return this.#dataset.skipped;
  }

  /**
   * A rank's stream from the place that its request names.
   *
   * @throws OptionsError, StateError for requests that do not fit the data or the server's options
   */
  stream(request: StreamRequest): RankStream {
    const { rank, worldSize, batchSize, epochs, state, ledger } = request;
    const options = { ...loadOptions(this.#options, worldSize, rank), batchSize, epochs };
    const settings = settingsOf(options, {});
    const loader = new Loader({ ...this.#dataset, close: keepOpen }, settings);
    if (state !== undefined) loader.loadStateDict(state);
    if (!ledger) return new RankStream(loader, undefined);
    const { manifest } = this.#dataset;
    const header = JSON.stringify(headerOf({ manifest, order: loader.plan, where: settings.whereDigest }));
    return new RankStream(loader, { header, start: { rank, worldSize, batchSize } });
  }

  /** The body of `/v1/info`. */
  info(version: string): Info {
    const { manifest, schema } = this.#dataset;
    const { given, order } = this.#settings;
    const { worldSize = null, batchSize, epochs } = this.defaults;
    return {
      protocol: PROTOCOL_VERSION,
      version,
      orderVersion: ORDER_VERSION,
      rows: manifest.rows,
      objects: manifest.objects.length,
      fragments: manifest.objects.reduce((sum, { fragmentRows }) => sum + fragmentRows.length, 0),
      segments: manifest.segments.length,
      fingerprint: { ...fingerprintOf(manifest) },
      order: {
        seed: order.seed,
        lanes: given.lanes ?? null,
        windowRows: order.windowRows,
        ends: given.ends ?? null,
      },
      defaults: { batch: batchSize, world: worldSize, epochs: epochs === Infinity ? null : epochs },
      ...columnsInfo(schema),
    };
  }

  close(): Promise<void> {
    return this.#dataset.close();
  }
}

/** What `/v1/info` says of columns. */
export function columnsInfo(schema: Schema): Info {
  const plain = plainSchema(schema);
  return {
    columns: plain.fields.map(({ name, type, nullable }) => ({ name, type: typeText(type), nullable })),
    schema: Buffer.concat(new IpcEncoder(plain).schemaMessage()).toString("base64"),
  };
}

/** The options of one rank's loader. @throws OptionsError */
export function loadOptions(options: ServeOptions, worldSize: number, rank: number): LoadOptions {
  const { address: _address, worldSize: _size, ...rest } = options;
  const asksForLedger = (rest as { readonly ledger?: unknown }).ledger !== undefined;
  if (asksForLedger) {
    throw new OptionsError("a server writes no ledger: only clients know what their trainers took", {
      remedy: "Give the ledger to the client.",
    });
  }
  return { ...rest, world: { rank, worldSize } };
}
