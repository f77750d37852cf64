import { OptionsError } from "@ingest-ts/core";
import type { AssignOptions, EndAt, StartAt } from "@ingest-ts/kafka";
import type { PayloadOptions } from "@ingest-ts/kafka/payload";
import type { WindowSize } from "./window-source.ts";

/** How a stream from Kafka is read: for `load` and `serve` of a `kafka://` source. */
export interface KafkaLoadOptions {
  /** But for the brokers, which the URL names. */
  readonly connection?: Omit<AssignOptions["connection"], "brokers"> | undefined;
  /** A folder or `s3://` prefix where it is kept which offsets each window holds: the memory of the run. */
  readonly seals: string;
  /** Where the first window begins. Default "earliest". */
  readonly start?: StartAt | undefined;
  /** Decided when the first window is. Default "none": batches come until somebody stops. */
  readonly end?: EndAt | undefined;
  readonly isolation?: AssignOptions["isolation"];
  /** Default "raw". */
  readonly keyAs?: PayloadOptions | undefined;
  readonly valueAs?: PayloadOptions | undefined;
  /** Fields of the values become columns of their own. Default: with json, avro and example. */
  readonly expand?: boolean | undefined;
  /** "skip" leaves records out that cannot be decoded, which then count as offsets without a row. Default "fail". */
  readonly onPoison?: "fail" | "skip" | undefined;
  /** Rows of a window, which are shuffled together. Default 65,536. */
  readonly windowRows?: number | undefined;
  /** A window is closed so long after its first row. Default 60,000. */
  readonly windowMs?: number | undefined;
  /** … or with the run of records that brings it to so many decoded bytes. Default 256 MiB. */
  readonly windowBytes?: number | undefined;
}

function positive(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new OptionsError(`kafka.${name} is ${value}`, { remedy: "It must be a whole number of 1 or more." });
}

/** @throws OptionsError */
export function windowSizeOf(options: KafkaLoadOptions): WindowSize {
  return {
    rows: positive("windowRows", options.windowRows ?? 65_536),
    ageMs: positive("windowMs", options.windowMs ?? 60_000),
    sizeBytes: positive("windowBytes", options.windowBytes ?? 256 * 2 ** 20),
  };
}

/** @throws OptionsError naming what a stream wants */
export function checkKafkaOptions(options: KafkaLoadOptions | undefined): void {
  if (options !== undefined && typeof options.seals === "string" && options.seals !== "") return;
  throw new OptionsError("a stream needs a place for its seals", {
    remedy: "Give kafka: { seals: FOLDER }, a folder or s3:// prefix of this run's own.",
  });
}
