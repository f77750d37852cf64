import type { KafkaOptions } from "@ingest-ts/kafka";
import type { PayloadReader, PayloadReaderOptions } from "@ingest-ts/kafka/payload";

/** A reader of decoded records. Nothing stays open when it fails. @throws OptionsError, SourceError */
export async function openRecords(options: KafkaOptions, payloads: PayloadReaderOptions): Promise<PayloadReader> {
  const { openKafka } = await import("@ingest-ts/kafka");
  const { PayloadReader: Reader } = await import("@ingest-ts/kafka/payload");
  const source = await openKafka(options);
  try {
    return new Reader(source, payloads);
  } catch (error) {
    await source.close();
    throw error;
  }
}
