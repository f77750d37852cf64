import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { faultTable } from "./lib/fault-table.ts";

it("docs/storage.md has the rows of the table of faults, each with what comes of it", () => {
  const text = readFileSync(new URL("../../../docs/storage.md", import.meta.url), "utf8");
  const from = text.indexOf("\n## Faults\n");
  const rows = text
    .slice(from, text.indexOf("\n## ", from + 5))
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(1)
    .map((line) => line.split("|").map((cell) => cell.trim()));
  expect(rows.map(([, name]) => name).sort()).toEqual(Object.keys(faultTable).sort());
  for (const [, name = "", , gives = ""] of rows) {
    const row = faultTable[name];
    const said = (outcome: string | undefined): string => (outcome === "bytes" ? "the bytes" : `\`${outcome}\``);
    expect(gives, name).toContain(said(row?.gives));
    if (row?.http !== undefined) expect(gives, name).toContain(said(row.http.gives));
  }
});
