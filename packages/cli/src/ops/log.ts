import { isOurs } from "../process/exit-codes.ts";

/** How events are told on stderr: one JSON object a line, or short lines for people. */
export type LogFormat = "json" | "text";

/** Tells events on stderr. Values of `fields` are plain data without secrets. */
export interface Log {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** What of an error goes into a log: for ours code, place and remedy, for others name and message. */
export function errorFields(error: unknown): Readonly<Record<string, unknown>> {
  if (isOurs(error)) {
    const { code, message, where, retryable } = error;
    return { code, message, where, retryable };
  }
  return { message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
}

/** A log that writes with `write` (stderr's, but in tests). */
export function createLog(format: LogFormat, write: (line: string) => void): Log {
  const tell = (level: string, event: string, fields: Readonly<Record<string, unknown>>): void => {
    if (format === "json") {
      const line = JSON.stringify({ time: new Date().toISOString(), level, event, ...fields }, plain);
      write(`${line}\n`);
    } else {
      const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${textOf(value)}`);
      write(`ingest: ${level === "info" ? "" : `${level}: `}${event}${rest.join("")}\n`);
    }
  };
  return {
    info: (event, fields = {}) => tell("info", event, fields),
    warn: (event, fields = {}) => tell("warn", event, fields),
    error: (event, fields = {}) => tell("error", event, fields),
  };
}

/** 64-bit integers as digits. */
function plain(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

function textOf(value: unknown): string {
  return typeof value === "string" && /^[^\s="]+$/.test(value) ? value : (JSON.stringify(value, plain) ?? "-");
}
