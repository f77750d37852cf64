import type { ErrorCode, JsonValue, StateDict, Where } from "@ingest-ts/core";
import type { LedgerEntry, LedgerWindow } from "../ledger/index.ts";

/** Version of paths, metadata and statuses: docs/serve.md. */
export const PROTOCOL_VERSION = 1;
export const STREAM_TYPE = "application/vnd.apache.arrow.stream";
/** Key of a record batch's custom metadata; the value is a `Notice` as JSON. */
export const METADATA_KEY = "ingest";

/** An error as clients of any language see it. */
export interface ErrorNotice {
  readonly code: ErrorCode | "INGEST_DEFECT";
  readonly message: string;
  readonly remedy?: string | undefined;
  readonly where: Where;
  readonly retryable: boolean;
}

/** Who reads a stream, and from where: what a ledger calls a start. */
export interface StreamStart {
  readonly rank: number;
  readonly worldSize: number;
  readonly batchSize: number;
  readonly epoch: number;
  readonly position: number;
  readonly columns: string;
}

/** What a message of a stream says beside its rows. */
export type Notice =
  | { readonly kind: "ledger"; readonly header: string; readonly start: StreamStart }
  | {
      readonly kind: "batch";
      readonly epoch: number;
      readonly step: number;
      readonly positions: readonly [number, number];
      readonly state: StateDict;
      readonly ledger?: LedgerEntry;
    }
  | { readonly kind: "window"; readonly ledger: LedgerWindow }
  | { readonly kind: "epoch"; readonly epoch: number; readonly state: StateDict }
  | { readonly kind: "end"; readonly state: StateDict; readonly droppedRows: number }
  | { readonly kind: "draining"; readonly state: StateDict }
  | { readonly kind: "error"; readonly error: ErrorNotice; readonly state: StateDict };

/** Whether nothing follows, and whether that is how a whole stream ends. */
type Ending = "whole" | "cut";

/** One IPC message on its way: its bytes in pieces, and what the connection does behind it. */
export interface OutMessage {
  readonly pieces: readonly Uint8Array[];
  readonly ending: Ending | undefined;
}

/** What is served, for `/v1/info`. */
export type Info = Readonly<Record<string, JsonValue>>;
