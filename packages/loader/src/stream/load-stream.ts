import { OptionsError } from "@ingest-ts/core";
import { prepareShuffle } from "@ingest-ts/shuffler";
import { type LoadOptions, type Settings, settingsOf } from "../options.ts";
import { tellWorld } from "../tell-world.ts";
import { isKafkaUrl } from "./is-kafka-url.ts";
import { checkKafkaOptions, type KafkaLoadOptions, windowSizeOf } from "./kafka-options.ts";
import { KafkaStream } from "./kafka-stream.ts";
import type { Seal } from "./seal.ts";
import { SealStore } from "./seal-store.ts";
import { SharedWindows } from "./shared-windows.ts";
import { datasetOfWindow } from "./window-dataset.ts";
import { WindowLoader } from "./window-loader.ts";
import { type SlabStream, WindowSource } from "./window-source.ts";

/** What `load` takes for topics of Kafka. */
export interface StreamOptions extends LoadOptions {
  /** `kafka://host:port[,host:port]/topic[,topic]` */
  readonly source: string;
  readonly kafka: KafkaLoadOptions;
}

/** Settings of a stream: windows are its epochs, and it has no end of its own. @throws OptionsError */
export function streamSettings(options: StreamOptions, environment: NodeJS.ProcessEnv): Settings {
  const { source, kafka, shuffle, format, schema } = options;
  checkKafkaOptions(kafka);
  if (!isKafkaUrl(source)) {
    throw new OptionsError("kafka is for a kafka:// source", {
      remedy: "Leave it out, or name kafka://host:port/topic.",
    });
  }
  if (typeof shuffle === "object" && shuffle.segmentBy !== undefined) {
    throw new OptionsError("windows are the segments of a stream", { remedy: "Leave shuffle.segmentBy out." });
  }
  if (format !== undefined || schema !== undefined) {
    throw new OptionsError("format and schema are of files", { remedy: "Say kafka: { valueAs }." });
  }
  const settings = settingsOf({ ...options, epochs: options.epochs ?? Infinity }, environment);
  if (options.ends !== undefined) return settings;
  // A window that time closed has any number of rows, and every rank takes equal steps.
  const ends = settings.world.worldSize === 1 ? "uneven" : "pad";
  return { ...settings, order: { ...settings.order, ends } };
}

/** The windows of a stream, opened for any number of ranks. @throws OptionsError, SourceError, StateError */
export async function openWindows(options: StreamOptions): Promise<{ stream: SlabStream; windows: SharedWindows }> {
  const { kafka } = options;
  const size = windowSizeOf(kafka);
  const [stream] = await Promise.all([KafkaStream.open(options.source, kafka, options.signal), prepareShuffle()]);
  const source = new WindowSource(stream, new SealStore(kafka.seals, `${stream.digest}-${size.rows}`), size);
  return { stream, windows: new SharedWindows(source, stream.digest) };
}

/** One rank's batches of windows that stay open. @throws OptionsError for columns that are not there */
export function windowLoaderOf(
  stream: SlabStream,
  windows: ConstructorParameters<typeof WindowLoader>[0]["windows"],
  options: LoadOptions,
  settings: Settings,
  onWindow?: (seal: Seal) => void,
): WindowLoader {
  const { columns, signal } = options;
  const empty = { version: 1, window: 0, ranges: [], rows: 0, options: "", last: false } as const;
  const { schema } = datasetOfWindow({ seal: empty, parts: [] }, stream.schema, columns, settings.where);
  return new WindowLoader({
    windows,
    settings,
    schema,
    datasetOf: (window) => datasetOfWindow(window, stream.schema, columns, settings.where),
    signal,
    onWindow,
  });
}

/** `load` for topics of Kafka. @throws OptionsError, SourceError, StateError */
export async function loadStream(options: StreamOptions): Promise<WindowLoader> {
  const settings = streamSettings(options, process.env);
  options.signal?.throwIfAborted();
  tellWorld(settings.world);
  const { stream, windows } = await openWindows(options);
  return windowLoaderOf(stream, windows, options, settings);
}
