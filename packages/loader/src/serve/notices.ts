import { isIngestError } from "@ingest-ts/core";
import type { ErrorNotice } from "./protocol.ts";

/** An error as a client reads it. What is none of ours is a defect, of which only the message is told. */
export function errorNotice(error: unknown): ErrorNotice {
  if (isIngestError(error)) {
    const { code, what, remedy, where, retryable } = error;
    return { code, message: what, remedy, where, retryable };
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: "INGEST_DEFECT", message, remedy: "Please report it.", where: {}, retryable: false };
}

/** The HTTP status of an error that came before a stream began. */
export function statusOf(error: unknown): number {
  if (!isIngestError(error)) return 500;
  switch (error.code) {
    case "INGEST_OPTIONS":
      return 400;
    case "INGEST_STATE":
      return 422;
    case "INGEST_SOURCE":
    case "INGEST_FORMAT":
    case "INGEST_UNSUPPORTED":
      return 502;
  }
}
