import type { ByteSink, DataType, Schema, Slab } from "@ingest-ts/core";
import { plainCell } from "./cells.ts";
import { displayWidth, fit } from "./display-width.ts";
import { uniqueNames } from "./names.ts";
import type { RowWriter } from "./row-writer.ts";
import { TextSink } from "./text-sink.ts";
import { visible } from "./visible.ts";

export interface TableOptions {
  /** Columns of the terminal. */
  readonly width: number;
  /** Whether the header is set off by bold type. */
  readonly bold: boolean;
  /** Told which columns found no room. */
  readonly onHidden: (names: readonly string[]) => void;
}

/** Widths are decided by this many rows; later ones are cut to fit. */
const SAMPLE_ROWS = 1000;
const GAP = "  ";
/** Narrower columns than this say nothing, and a cut number says something wrong: rather hide a column. */
const MIN_WIDTH = 6;
const MIN_NUMBER_WIDTH = 24;
/** Longer values are cut before they are laid out. */
const MAX_CHARACTERS = 1000;

/** Rows as a table for people: fitted to the terminal, numbers to the right, control characters made visible. */
export class TableWriter implements RowWriter {
  readonly #out: TextSink;
  readonly #options: TableOptions;
  readonly #names: readonly string[];
  readonly #right: readonly boolean[];
  #waiting: string[][] | undefined = [];
  #widths: readonly number[] = [];

  constructor(sink: ByteSink, schema: Schema, options: TableOptions) {
    this.#out = new TextSink(sink);
    this.#options = options;
    this.#names = uniqueNames(schema.fields.map(({ name }) => name)).map(visible);
    this.#right = schema.fields.map(({ type }) => isNumber(type));
  }

  async write(slab: Slab): Promise<void> {
    const cells = slab.columns.map(plainCell);
    for (let row = 0; row < slab.rows; row++) {
      const texts = cells.map((cell) => shown(cell(row)));
      if (this.#waiting === undefined) this.#line(texts);
      else {
        this.#waiting.push(texts);
        if (this.#waiting.length >= SAMPLE_ROWS) this.#start();
      }
      if (this.#out.full) await this.#out.flush();
    }
    await this.#out.flush();
  }

  async finish(): Promise<void> {
    this.#start();
    await this.#out.flush();
  }

  #start(): void {
    const rows = this.#waiting;
    if (rows === undefined) return;
    this.#waiting = undefined;
    const natural = this.#names.map((name, i) =>
      rows.reduce((width, row) => Math.max(width, displayWidth(row[i] as string)), displayWidth(name)),
    );
    const least = natural.map((width, i) => Math.min(width, this.#right[i] === true ? MIN_NUMBER_WIDTH : MIN_WIDTH));
    this.#widths = fitWidths(natural, least, this.#options.width);
    if (this.#widths.length < natural.length) this.#options.onHidden(this.#names.slice(this.#widths.length));
    const header = this.#layOut(this.#names);
    this.#out.add(this.#options.bold ? `\u001b[1m${header}\u001b[22m\n` : `${header}\n`);
    this.#out.add(`${this.#widths.map((width) => "─".repeat(width)).join(GAP)}\n`);
    for (const row of rows) this.#line(row);
  }

  #line(texts: readonly string[]): void {
    this.#out.add(`${this.#layOut(texts)}\n`);
  }

  #layOut(texts: readonly string[]): string {
    const parts = this.#widths.map((width, i) => fit(texts[i] as string, width, this.#right[i] as boolean));
    return parts.join(GAP).trimEnd();
  }
}

function shown(text: string | undefined): string {
  if (text === undefined) return "null";
  return visible(text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text);
}

function isNumber(type: DataType): boolean {
  if (type.kind === "dictionary") return isNumber(type.value);
  return type.kind === "int" || type.kind === "float" || type.kind === "decimal";
}

/**
 * Widths of the columns that are shown, from those they would take by themselves and those they need at least: the
 * widest give way until all fit; the last ones are left out when that is not enough.
 */
export function fitWidths(natural: readonly number[], least: readonly number[], width: number): number[] {
  const sum = (sizes: readonly number[]): number =>
    sizes.reduce((total, size) => total + size, 0) + GAP.length * Math.max(0, sizes.length - 1);
  let count = natural.length;
  while (count > 1 && sum(least.slice(0, count)) > width) count--;
  const widths = natural.slice(0, count);
  // A single column may be wider than the terminal whatever it needs.
  const floors = count === 1 ? [1] : least;
  for (let over = sum(widths) - width; over > 0; over--) {
    let widest = -1;
    for (const [i, size] of widths.entries()) {
      if (size > (floors[i] as number) && (widest < 0 || size > (widths[widest] as number))) widest = i;
    }
    if (widest < 0) break;
    widths[widest] = (widths[widest] as number) - 1;
  }
  return widths;
}
