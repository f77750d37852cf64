import type { TopicPartition } from "@ingest-ts/kafka";
import type { DecodedSlab } from "@ingest-ts/kafka/payload";

/** Everything of this partition before `endOffset` is where it should be, and visible. */
export interface SafePlace extends TopicPartition {
  readonly endOffset: number;
  readonly epoch: number;
}

/** Where the rows go. Calls come one at a time. */
export interface ConsumeOutput {
  /** Takes the rows of a slab. @returns places that are safe since */
  write(slab: DecodedSlab): Promise<readonly SafePlace[]>;
  /** When something has to be ended because of its age, in ms of `Date.now()`; undefined: nothing. */
  readonly dueAt: number | undefined;
  /** Ends what is due. */
  endDue(): Promise<readonly SafePlace[]>;
  /** Ends what is open of these partitions, or of all. */
  flush(partitions?: readonly TopicPartition[]): Promise<readonly SafePlace[]>;
  /** Gives up what is open of these partitions, or of all: nothing of it becomes visible. */
  abort(partitions?: readonly TopicPartition[]): Promise<void>;
  /** After the last row, and the last `flush`. */
  finish(): Promise<void>;
}
