import { prepareShuffle } from "@ingest-ts/shuffler";
import { openDataset } from "./dataset.ts";
import { Loader } from "./loader.ts";
import { type LoadOptions, settingsOf } from "./options.ts";
import { isKafkaUrl } from "./stream/is-kafka-url.ts";
import type { StreamOptions } from "./stream/load-stream.ts";
import type { WindowLoader } from "./stream/window-loader.ts";
import { tellWorld } from "./tell-world.ts";

/**
 * Batches for training: objects are opened and counted, rows ordered by (seed, epoch) alone, and this rank's share of them
 * handed out in batches. `for await (const batch of await load({ source, batchSize: 256 }))`.
 *
 * Says on stderr who reads, `world: rank 3 of 8 (torchrun)`, unless `world` was given: once per process.
 *
 * Nothing is decoded before the first batch is asked for. The order, the state and what a batch means are §5 of
 * docs/ARCHITECTURE.md and docs/order.md.
 *
 * @throws OptionsError before any I/O when options alone show it, else before any row is read; SourceError, FormatError,
 * UnsupportedError for what cannot be opened.
 */
export function load(options: LoadOptions & { readonly kafka?: undefined }): Promise<Loader>;
/**
 * Batches from topics of Kafka, `kafka://host:port/topic`: windows of records, each sealed once for all (which offsets, how
 * many rows), shuffled and dealt to the ranks as a segment of the order contract; see docs/streams.md. Batches wait for
 * records. A run that is repeated, or resumed from `stateDict()`, gives the same ones. A batch's `epoch` is the number of its
 * window. Every rank reads all partitions: `ingest serve` reads them once for all ranks of a machine.
 */
export function load(options: StreamOptions): Promise<WindowLoader>;
export async function load(
  options: (LoadOptions & { readonly kafka?: undefined }) | StreamOptions,
): Promise<Loader | WindowLoader> {
  if (options.kafka !== undefined || isKafkaUrl(options.source)) {
    return (await import("./stream/load-stream.ts")).loadStream(options as StreamOptions);
  }
  const settings = settingsOf(options, process.env);
  options.signal?.throwIfAborted();
  tellWorld(settings.world);
  const [dataset] = await Promise.all([openDataset(options, settings.where, settings.segmentBy), prepareShuffle()]);
  try {
    return new Loader(dataset, settings, options.signal);
  } catch (error) {
    await dataset.close();
    throw error;
  }
}
