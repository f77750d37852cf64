import { displayWidth, fit } from "./display-width.ts";
import { fitWidths } from "./table.ts";
import { visible } from "./visible.ts";

/** A column of a grid: its title, and whether its cells stand to the right. */
export interface GridColumn {
  readonly title: string;
  readonly right?: boolean | undefined;
  /** Never cut to less than this; default: not cut at all. */
  readonly least?: number | undefined;
}

const GAP = "  ";

/** Lines of a small table with its titles, at most `width` columns of a terminal wide where its columns allow that. */
export function gridLines(
  columns: readonly GridColumn[],
  rows: readonly (readonly string[])[],
  width: number,
): string[] {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => row.map(visible))];
  const natural = columns.map((_, i) => cells.reduce((most, row) => Math.max(most, displayWidth(row[i] as string)), 0));
  const least = columns.map((column, i) => Math.min(natural[i] as number, column.least ?? Number.POSITIVE_INFINITY));
  const needed = least.reduce((sum, size) => sum + size, GAP.length * (columns.length - 1));
  // Every column is shown: better lines that wrap than facts that are missing.
  const widths = fitWidths(natural, least, Math.max(width, needed));
  return cells.map((row) =>
    widths
      .map((size, i) => fit(row[i] as string, size, columns[i]?.right === true))
      .join(GAP)
      .trimEnd(),
  );
}
