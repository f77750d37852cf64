import { typeText } from "@ingest-ts/core";
import type { InspectedColumn, InspectedFragment, Inspection } from "@ingest-ts/readers";
import { type GridColumn, gridLines } from "./grid.ts";
import { keyText } from "./key-text.ts";
import { count, plural, sizeText } from "./quantities.ts";
import { visible } from "./visible.ts";

/** More fragments than this are summed up. */
const SHOWN_FRAGMENTS = 20;
const LINE = 78;

const fragmentNames = {
  parquet: "row group",
  orc: "stripe",
  avro: "block",
  tfrecord: "run",
  arrow: "record batch",
} as const;

/** An inspection for people, its tables fitted to `width`. */
export function inspectText(inspection: Inspection, pages: boolean, width: number): string {
  const blocks = [
    headLines(inspection),
    fragmentLines(inspection, width),
    ...columnLines(inspection, width),
    ...(pages ? pageLines(inspection, width) : []),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join("\n")}\n`)
    .join("\n");
}

function headLines({ url, format, rows, sizeBytes, writer, facts, metadata }: Inspection): string[] {
  const rowsText = rows === undefined ? "rows unknown until read" : plural(rows, "row");
  const lines = [`${visible(url)}: ${format}, ${rowsText}, ${sizeText(sizeBytes)}`];
  if (writer !== undefined) lines.push(`written by ${visible(writer)}`);
  const told = Object.entries(facts).map(
    ([name, value]) => `${name} ${typeof value === "number" ? count(value) : value}`,
  );
  lines.push(...wrapped(told.map(visible)));
  for (const [key, value] of Object.entries(metadata)) lines.push(visible(metadataLine(key, value)));
  return lines;
}

function metadataLine(key: string, value: string): string {
  const line = `metadata ${key} = ${value}`;
  if (line.length <= LINE && !value.includes("\n")) return line;
  const note = `… (${count(value.length)} characters)`;
  const shown = Math.max(10, LINE - key.length - note.length - "metadata  = ".length);
  return `metadata ${key} = ${value.slice(0, shown)}${note}`;
}

/** Items with dots between them, in lines of the usual length. */
function wrapped(items: readonly string[]): string[] {
  const lines: string[] = [];
  for (const item of items) {
    const longer = `${lines.at(-1) ?? ""} · ${item}`;
    if (lines.length > 0 && longer.length <= LINE) lines[lines.length - 1] = longer;
    else lines.push(item);
  }
  return lines;
}

/** Empty text is shown as such. */
function boundText(key: Bound, type: InspectedColumn["type"]): string {
  return keyText(key, type) || '""';
}

const number = (title: string): GridColumn => ({ title, right: true });
const text = (title: string, least = 8): GridColumn => ({ title, least });

function numberText(value: number | undefined): string {
  return value === undefined ? "?" : count(value);
}

function fragmentLines({ format, fragments }: Inspection, width: number): string[] {
  const columns = [
    number(fragmentNames[format]),
    number("rows"),
    number("from byte"),
    number("to byte"),
    number("bytes"),
  ];
  const shown = fragments.slice(0, SHOWN_FRAGMENTS).map(({ ordinal, rows, start, end }) => {
    return [count(ordinal), numberText(rows), count(start), count(end), count(end - start)];
  });
  if (shown.length === 0) return [];
  const lines = gridLines(columns, shown, width);
  const more = fragments.length - SHOWN_FRAGMENTS;
  return more > 0 ? [...lines, `and ${plural(more, `more ${fragmentNames[format]}`)} (--json shows all)`] : lines;
}

/** One column of all fragments together. */
interface ColumnSum {
  readonly first: InspectedColumn;
  readonly all: readonly InspectedColumn[];
}

function columnsOf(fragments: readonly InspectedFragment[]): ColumnSum[] {
  const columns = fragments[0]?.columns ?? [];
  return columns.map((first, i) => ({ first, all: fragments.map((fragment) => fragment.columns[i] ?? first) }));
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  let total = 0;
  for (const value of values) {
    if (value === undefined) return undefined;
    total += value;
  }
  return total;
}

function distinct(values: readonly string[]): string {
  return [...new Set(values)].join(", ");
}

/** How columns are stored, then what is known of their values; of row formats, which have neither, their types. */
function columnLines({ fragments, fields }: Inspection, width: number): string[][] {
  const columns = columnsOf(fragments);
  if (columns.length === 0) {
    if (fields === undefined || fields.length === 0) return [];
    const rows = fields.map(({ name, type, nullable }) => [name, typeText(type), nullable ? "" : "no"]);
    return [gridLines([text("column"), text("type", 10), text("nulls")], rows, width)];
  }
  const stored = columns.map(({ first, all }) => {
    const bytes = sum(all.map(({ storedBytes }) => storedBytes));
    const plain = sum(all.map(({ plainBytes }) => plainBytes));
    const ratio = plain === undefined || bytes === undefined || bytes === 0 ? "" : `${(plain / bytes).toFixed(1)}x`;
    const encodings = distinct(all.flatMap((column) => column.encodings));
    const codecs = distinct(all.map(({ codec }) => codec));
    return [first.path.join("."), first.physical, codecs, encodings, numberText(bytes), ratio];
  });
  const values = columns.map(({ first, all }) => {
    const nulls = sum(all.map((column) => column.nulls));
    const indexes = distinct(all.flatMap((column) => column.indexes));
    const [min, max] = bounds(all);
    return [first.path.join("."), numberText(nulls), min, max, indexes];
  });
  return [
    gridLines(
      [text("column"), text("stored as"), text("codec"), text("encodings"), number("bytes"), number("ratio")],
      stored,
      width,
    ),
    gridLines([text("column"), number("nulls"), text("min", 10), text("max", 10), text("indexes")], values, width),
  ];
}

/** The least and greatest of what fragments say, when all say something or hold no value. */
function bounds(all: readonly InspectedColumn[]): [min: string, max: string] {
  const known = all.filter(({ nulls, values }) => nulls === undefined || nulls !== values);
  const [first] = known;
  if (first === undefined) return ["-", "-"];
  let [min, max] = [first.min, first.max];
  for (const column of known) {
    if (column.min === undefined || (min !== undefined && isLess(column.min, min))) ({ min } = column);
    if (column.max === undefined || (max !== undefined && isLess(max, column.max))) ({ max } = column);
    if (min === undefined && max === undefined) break;
  }
  const every = (has: (column: InspectedColumn) => boolean): boolean => known.every(has);
  return [
    min === undefined || !every((column) => column.min !== undefined) ? "?" : boundText(min, first.type),
    max === undefined || !every((column) => column.max !== undefined) ? "?" : boundText(max, first.type),
  ];
}

type Bound = NonNullable<InspectedColumn["min"]>;

function isLess(a: Bound, b: Bound): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) < 0 : a < b;
}

function pageLines({ format, fragments }: Inspection, width: number): string[][] {
  return fragments.flatMap((fragment) =>
    fragment.columns.map((column) => {
      const pages = column.pages ?? [];
      const rows = pages.map(({ kind, offset, storedBytes, plainBytes, values, encoding, crc }) => {
        const checked = crc === undefined ? "" : crc ? "crc" : "no crc";
        const plain = plainBytes === undefined ? "" : count(plainBytes);
        const slots = values === undefined ? "" : count(values);
        return [kind, count(offset), count(storedBytes), plain, slots, encoding ?? "", checked];
      });
      const title = `${fragmentNames[format]} ${fragment.ordinal}, ${column.path.join(".")}: ${plural(rows.length, format === "orc" ? "stream" : "page")}`;
      const columns = [
        text(format === "orc" ? "stream" : "page"),
        number("at byte"),
        number("bytes"),
        number("plain"),
        number("values"),
      ];
      const grid = gridLines([...columns, text("encoding"), text("check")], rows, width);
      return [visible(title), ...grid];
    }),
  );
}

/** The same for programs: bounds as `cat` prints values. */
export function inspectJson(inspection: Inspection): object {
  const bound = (key: Bound | undefined, { type }: InspectedColumn): string | null =>
    key === undefined ? null : keyText(key, type);
  return {
    ...inspection,
    rows: inspection.rows ?? null,
    fields: inspection.fields?.map(({ name, type, nullable }) => ({ name, type: typeText(type), nullable })) ?? null,
    writer: inspection.writer ?? null,
    fragments: inspection.fragments.map((fragment) => ({
      ...fragment,
      rows: fragment.rows ?? null,
      columns: fragment.columns.map((column) => ({
        ...column,
        min: bound(column.min, column),
        max: bound(column.max, column),
      })),
    })),
  };
}
