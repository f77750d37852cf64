import { spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const main = join(import.meta.dirname, "..", "packages", "cli", "dist", "main.js");
const flights = join(import.meta.dirname, "../packages/cli/node_modules/vega-datasets/data/flights-3m.parquet");
let folder = "";

function ingest(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: "utf8" });
  return { status, stdout, stderr };
}

async function part(path: string, columns: string, where: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  const args = ["--columns", columns, "--where", where, "--limit", "3", "--to", "arrow", "--output", path];
  expect(ingest("cat", flights, ...args)).toMatchObject({ status: 0 });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest cli data "));
  await part("d/origin=SFO/a.arrow", "delay,destination", "origin = 'SFO'");
  await part("d/origin=LAX/a.arrow", "delay", "origin = 'LAX'");
  await writeFile(join(folder, "d", "_SUCCESS"), "");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("schema tells of the columns of all files, and of the differences", () => {
  const { stdout } = ingest("schema", "d");
  expect(stdout).toBe(
    [
      "d: 2 files, arrow, 6 rows, 6 fragments",
      "delay        int64",
      "destination  largeUtf8",
      "origin       utf8",
      "passed over: 1 name that begins with _ or .",
      "files differ:",
      "  destination: missing, null, in origin=LAX/a.arrow",
      "",
    ].join("\n"),
  );
  expect(JSON.parse(ingest("schema", "d", "--json").stdout)).toMatchObject({
    files: 2,
    skipped: { hidden: 1, empty: 0 },
    formats: ["arrow"],
    differences: [{ column: "destination", kind: "missing" }],
  });
});

it("schema gives long names of files lines of their own", async () => {
  const names = Array.from({ length: 5 }, (_, i) => `part-${i}-${"0123456789".repeat(6)}.arrow`);
  await mkdir(join(folder, "long"));
  for (const name of names) await copyFile(join(folder, "d/origin=LAX/a.arrow"), join(folder, "long", name));
  await copyFile(join(folder, "d/origin=SFO/a.arrow"), join(folder, "long", "z.arrow"));
  const lines = ingest("schema", "long").stdout.trimEnd().split("\n");
  expect(lines.slice(lines.indexOf("files differ:"))).toEqual([
    "files differ:",
    "  destination: missing, null, in 5 files:",
    ...names.slice(0, 3).map((name) => `    ${name}`),
    "    and 2 more",
  ]);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
});

it("cat and count read folders, patterns and lists, and say what was passed over", () => {
  const passed = "ingest: passed over: 1 name that begins with _ or .\n";
  expect(ingest("count", "d")).toEqual({ status: 0, stdout: "6\n", stderr: passed });
  expect(ingest("count", "d", "--where", "origin = 'LAX'").stdout).toBe("3\n");
  expect(ingest("count", "d/*/*.arrow", "--where", "origin = 'LAX' or destination is null").stdout).toBe("3\n");
  const rows = ingest("cat", "d/origin=LAX/a.arrow", "d/origin=SFO", "--columns", "origin", "--to", "csv").stdout;
  expect(rows.trim().split(/\r?\n/)).toEqual(["origin", "LAX", "LAX", "LAX", "SFO", "SFO", "SFO"]);
});

it.each([
  [2, ["cat", "d", "--strict-schema"], /schemas differ.*column "destination"/],
  [2, ["count", "d/*.zip"], /no file to read/],
  [4, ["count", "e"], /no such file/],
  [2, ["cat", "d", "--columns", "x"], /Columns are: /],
  [2, ["cat", "d", "d/origin=LAX/a.arrow"], /named twice/],
])("%i for %j", (status, args, message) => {
  const result = ingest(...args);
  expect(result.stderr).toMatch(message);
  expect(result).toMatchObject({ status, stdout: "" });
});
