import { createHash } from "node:crypto";
import { type FormatName, FormatError, type ObjectIndex, type Schema } from "@ingest-ts/core";
import { digestOf } from "@ingest-ts/sharder";
import type { ObjectEntry } from "./entry.ts";
import { isObject, isSchema } from "./schema-json.ts";

/** Version 1 of the file: docs/manifest.md. */
const FIRST_LINE = '{"manifest":1}\n';
const formats: readonly string[] = ["parquet", "orc", "avro", "arrow", "tfrecord"] satisfies FormatName[];

/** Turns entries into lines: a schema is written once, before the first object that has it. */
export class ManifestLines {
  readonly #schemas = new Set<string>();

  /** What a file begins with. */
  readonly head: string = FIRST_LINE;

  /** One line, or two, each with its line feed. */
  of(entry: ObjectEntry): string {
    const { schema, index, columnBytes, fragmentRows, fragmentBytes, ...rest } = entry;
    const { name, sizeBytes, etag, format, digest } = rest;
    const body = JSON.stringify({ fields: schema.fields, metadata: schema.metadata });
    const id = digestOf(body);
    const head = this.#schemas.has(id) ? "" : `{"schema":"${id}",${body.slice(1)}\n`;
    this.#schemas.add(id);
    const runs = index?.fragments.map(({ start, end }) => [start, end]);
    const line = { name, sizeBytes, etag, format, digest, schema: id, rows: fragmentRows, bytes: fragmentBytes };
    return `${head}${JSON.stringify({ ...line, columnBytes, runs })}\n`;
  }
}

/** The lines of a manifest with the one that says that they are all. */
function wholeText(body: string, objects: number): string {
  const sha256 = createHash("sha256").update(body).digest("hex");
  return `${body}${JSON.stringify({ objects, sha256 })}\n`;
}

/** A whole manifest. */
export function manifestText(entries: readonly ObjectEntry[]): string {
  const lines = new ManifestLines();
  return wholeText(lines.head + entries.map((entry) => lines.of(entry)).join(""), entries.length);
}

/** The index of a row format's object as a manifest of this object alone, which says nothing of its columns. */
export function indexText({ format, sizeBytes, etag, fragments }: ObjectIndex): string {
  const rows = fragments.map((fragment) => fragment.rows);
  const runs = fragments.map(({ start, end }) => [start, end]);
  return wholeText(`${FIRST_LINE}${JSON.stringify({ sizeBytes, etag, format, rows, runs })}\n`, 1);
}

/** The index that `indexText` wrote; undefined for anything else. */
export function parseIndex(text: string): ObjectIndex | undefined {
  const value = parsed(text.split("\n", 2)[1] ?? "");
  if (!isObject(value)) return undefined;
  const { sizeBytes, etag, format, rows, runs } = value;
  if (typeof etag !== "string" || typeof format !== "string" || !formats.includes(format)) return undefined;
  if (!isCounts([sizeBytes]) || !isCounts(rows)) return undefined;
  const fragments = fragmentsOf(runs, rows, sizeBytes as number);
  if (fragments === undefined) return undefined;
  const index: ObjectIndex = {
    version: 1,
    format: format as FormatName,
    sizeBytes: sizeBytes as number,
    etag,
    fragments,
  };
  // Its checksum is right, and nothing else is in it.
  return indexText(index) === text ? index : undefined;
}

/** What a file holds. */
export interface ParsedManifest {
  readonly entries: readonly ObjectEntry[];
  /** False: it lacks its last line, because whoever wrote it was stopped. */
  readonly complete: boolean;
}

/**
 * Reads a manifest, or what a stopped builder left of one: a last line without its line feed does not count.
 *
 * @throws FormatError naming the line when it is no manifest
 */
export function parseManifest(text: string, url: string): ParsedManifest {
  const fail = (line: number, what: string): never => {
    throw new FormatError(`line ${line + 1}: ${what}`, {
      where: { url },
      remedy: "It is no whole manifest: remove the file, and run `ingest index` again.",
    });
  };
  if (!text.startsWith(FIRST_LINE)) return fail(0, `not ${FIRST_LINE.trimEnd()}`);
  const lines = text.split("\n").slice(0, -1);
  const schemas = new Map<string, Schema>();
  const entries: ObjectEntry[] = [];
  let bytes = FIRST_LINE.length;
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] as string;
    const value = parsed(line);
    if (!isObject(value)) return fail(i, "not an object of JSON");
    if (value["sha256"] !== undefined) {
      if (i !== lines.length - 1 || !text.endsWith("\n")) fail(i, "lines follow the last one");
      const found = createHash("sha256").update(text.slice(0, bytes)).digest("hex");
      if (value["sha256"] !== found || value["objects"] !== entries.length) fail(i, "its checksum is wrong");
      return { entries, complete: true };
    }
    bytes += line.length + 1;
    if (value["name"] === undefined) {
      const { schema: id, fields, metadata } = value;
      const schema = { fields, metadata };
      if (typeof id !== "string" || !isSchema(schema)) return fail(i, "not a schema");
      schemas.set(id, schema);
      continue;
    }
    entries.push(entryOf(value, schemas) ?? fail(i, "not an object of the data set"));
  }
  return { entries, complete: false };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

function isCounts(value: unknown, length?: number): value is number[] {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) return false;
  return value.every((count) => Number.isSafeInteger(count) && count >= 0);
}

function entryOf(
  value: Readonly<Record<string, unknown>>,
  schemas: ReadonlyMap<string, Schema>,
): ObjectEntry | undefined {
  const { name, sizeBytes, etag, format, digest, rows, bytes, columnBytes, runs } = value;
  const schema = schemas.get(String(value["schema"]));
  if (typeof name !== "string" || typeof etag !== "string" || typeof digest !== "string") return undefined;
  if (schema === undefined || typeof format !== "string" || !formats.includes(format)) return undefined;
  if (!isCounts([sizeBytes]) || !isCounts(rows) || !isCounts(bytes, rows.length)) return undefined;
  const columns = schema.fields.length;
  const sized = columnBytes === undefined || (Array.isArray(columnBytes) && columnBytes.length === rows.length);
  if (!sized || !((columnBytes ?? []) as unknown[]).every((sizes) => isCounts(sizes, columns))) return undefined;
  const base = { name, sizeBytes: sizeBytes as number, etag, format: format as FormatName, digest, schema };
  const entry = { ...base, fragmentRows: rows, fragmentBytes: bytes };
  if (runs === undefined) return { ...entry, columnBytes: columnBytes as number[][] | undefined };
  const fragments = fragmentsOf(runs, rows, base.sizeBytes);
  if (fragments === undefined) return undefined;
  return { ...entry, index: { version: 1, format: base.format, sizeBytes: base.sizeBytes, etag, fragments } };
}

function fragmentsOf(runs: unknown, rows: readonly number[], sizeBytes: number): ObjectIndex["fragments"] | undefined {
  if (!Array.isArray(runs) || runs.length !== rows.length) return undefined;
  let last = 0;
  const inOrder = (runs as unknown[]).every((run) => {
    if (!isCounts(run, 2)) return false;
    const [start, end] = run as [number, number];
    const fits = start >= last && end >= start && end <= sizeBytes;
    last = end;
    return fits;
  });
  if (!inOrder) return undefined;
  return (runs as [number, number][]).map(([start, end], i) => ({ start, end, rows: rows[i] as number }));
}
