import type { Skipped } from "@ingest-ts/readers";
import { ORDER_VERSION } from "@ingest-ts/sharder";
import type { LoadOptions, Settings } from "../options.ts";
import { openWindows, type StreamOptions, streamSettings, windowLoaderOf } from "../stream/load-stream.ts";
import { headerOf } from "../ledger/index.ts";
import type { Seal } from "../stream/seal.ts";
import type { SharedWindows } from "../stream/shared-windows.ts";
import type { SlabStream } from "../stream/window-source.ts";
import { type Info, PROTOCOL_VERSION } from "./protocol.ts";
import { RankStream } from "./rank-stream.ts";
import { columnsInfo, loadOptions, type Served } from "./served-data.ts";
import type { ServeOptions } from "./serve-options.ts";
import type { StreamDefaults, StreamRequest } from "./stream-request.ts";

/** Windows of a stream, read once for all ranks that keep pace. */
export class ServedStream implements Served {
  readonly defaults: StreamDefaults;
  readonly rows: undefined;
  readonly skipped: Skipped = { hidden: 0, empty: 0 };
  readonly #options: ServeOptions;
  readonly #stream: SlabStream;
  readonly #windows: SharedWindows;
  /** Of a world that only stands in: what depends on it is not asked. */
  readonly #settings: Settings;

  private constructor(options: ServeOptions, stream: SlabStream, windows: SharedWindows, settings: Settings) {
    const { worldSize, batchSize, epochs = Infinity } = options;
    this.defaults = { worldSize, batchSize, epochs };
    this.#options = options;
    this.#stream = stream;
    this.#windows = windows;
    this.#settings = settings;
  }

  /** @throws OptionsError, SourceError, StateError as `load` does */
  static async open(options: ServeOptions): Promise<ServedStream> {
    const settings = streamSettings(streamOptions(options, options.worldSize ?? 1, 0), {});
    const { stream, windows } = await openWindows(streamOptions(options, 1, 0));
    return new ServedStream(options, stream, windows, settings);
  }

  /** @throws OptionsError, StateError for requests that do not fit the stream or the server's options */
  stream({ rank, worldSize, batchSize, epochs, state, ledger }: StreamRequest): RankStream {
    const options = { ...streamOptions(this.#options, worldSize, rank), batchSize, epochs };
    const seals: Seal[] = [];
    const loader = windowLoaderOf(
      this.#stream,
      this.#windows.share(),
      options,
      streamSettings(options, {}),
      ledger ? (seal) => void seals.push(seal) : undefined,
    );
    if (state !== undefined) loader.loadStateDict(state);
    if (!ledger) return new RankStream(loader, undefined);
    const header = JSON.stringify(headerOf(loader.ledgerRun));
    return new RankStream(loader, { header, start: { rank, worldSize, batchSize }, seals });
  }

  /** The body of `/v1/info`. What is not known of a stream is null. */
  info(version: string): Info {
    const { order } = this.#settings;
    const { lanes = null, ends = null } = this.#settings.given;
    const { worldSize = null, batchSize, epochs } = this.defaults;
    const loader = windowLoaderOf(
      this.#stream,
      this.#windows.share(),
      streamOptions(this.#options, 1, 0),
      this.#settings,
    );
    return {
      protocol: PROTOCOL_VERSION,
      version,
      orderVersion: ORDER_VERSION,
      rows: null,
      objects: null,
      fragments: null,
      segments: null,
      fingerprint: null,
      stream: this.#stream.digest,
      order: { seed: order.seed, lanes, windowRows: order.windowRows, ends },
      defaults: { batch: batchSize, world: worldSize, epochs: epochs === Infinity ? null : epochs },
      ...columnsInfo(loader.schema),
    };
  }

  close(): Promise<void> {
    return this.#windows.close();
  }
}

function streamOptions(options: ServeOptions, worldSize: number, rank: number): StreamOptions {
  return loadOptions(options, worldSize, rank) as LoadOptions & StreamOptions;
}
