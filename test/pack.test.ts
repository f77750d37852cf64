// What a user gets: every package packed, installed by npm in an empty folder, imported, and its command run there.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installPacked, runIn } from "./lib/pack.ts";
import { packageNames, root } from "./lib/tree.ts";

const parent = mkdtempSync(join(tmpdir(), "ingest packed "));
let project: string;

beforeAll(async () => {
  project = await installPacked(parent);
}, 180_000);

afterAll(() => rmSync(parent, { recursive: true, force: true }));

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

const manifestOf = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

test.each(packageNames)("@ingest-ts/%s holds what it declares, its licence and a README", async (name) => {
  const folder = join(project, "node_modules", "@ingest-ts", name);
  const manifest = manifestOf(folder);
  expect(readFileSync(join(folder, "LICENSE"), "utf8")).toContain("Apache License");
  expect(readFileSync(join(folder, "README.md"), "utf8")).toContain(manifest.name);
  expect(JSON.stringify(manifest)).not.toContain("workspace:");
  expect(manifest.scripts, "nothing runs at install").toBeUndefined();
  expect(existsSync(join(folder, "src"))).toBe(false);
  const specifiers = Object.keys(manifest.exports)
    .filter((subpath) => subpath !== "./package.json")
    .map((subpath) => manifest.name + subpath.slice(1));
  if (specifiers.length === 0) return;
  const script = join(project, `import-${name}.mjs`);
  writeFileSync(
    script,
    `for (const specifier of ${JSON.stringify(specifiers)}) await import(specifier);
     console.log("imported");`,
  );
  expect(await runIn(project, process.execPath, [script])).toBe("imported\n");
});

test("the packed command works on a file", async () => {
  const ingest = join(project, "node_modules", ".bin", "ingest");
  const file = join(root, "packages", "cli", "node_modules", "vega-datasets", "data", "flights-3m.parquet");
  expect(await runIn(project, ingest, ["--version"])).toBe(`${manifestVersion()}\n`);
  expect(await runIn(project, ingest, ["count", file])).toBe("3000000\n");
  const rows = await runIn(project, ingest, ["cat", file, "--limit", "2", "--to", "jsonl"]);
  expect(
    rows
      .trimEnd()
      .split("\n")
      .map((line) => typeof JSON.parse(line)),
  ).toEqual(["object", "object"]);
});

test("without the optional data set, bench says what to install", async () => {
  const ingest = join(project, "node_modules", ".bin", "ingest");
  await expect(runIn(project, ingest, ["bench", "--quick"])).rejects.toThrow(/npm install vega-datasets/);
});

function manifestVersion(): string {
  return JSON.parse(readFileSync(join(root, "packages", "cli", "package.json"), "utf8")).version;
}
