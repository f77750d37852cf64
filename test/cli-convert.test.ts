// `ingest convert` as users meet it: needs `npm run build` first (npm test does it).
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { everyTypeStream } from "./lib/every-type.ts";

const cli = fileURLToPath(new URL("../packages/cli", import.meta.url));
const main = join(cli, "dist", "main.js");
const flights = join(cli, "node_modules", "vega-datasets", "data", "flights-3m.parquet");
const env = { ...process.env, NO_COLOR: "", FORCE_COLOR: "", DEBUG: "", COLUMNS: "" };

let folder = "";
let some = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest convert "));
  some = join(folder, "some.arrow");
  const columns = ["--columns", "date,delay,origin", "--limit", "5000"];
  expect(ingest(["cat", flights, ...columns, "--to", "arrow", "--output", some]).status).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));
let out = "";
beforeEach(async () => {
  out = await mkdtemp(join(folder, "out "));
});

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function ingest(args: readonly string[]): Result {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8", env });
  return { status, stdout, stderr };
}

const rowsOf = (path: string, more: readonly string[] = []): string[] =>
  ingest(["cat", path, "--to", "jsonl", ...more])
    .stdout.trimEnd()
    .split("\n");

describe("convert", { timeout: 300_000 }, () => {
  it("goes from any format to the next, says what it wrote, and writes nothing to stdout", () => {
    const wanted = rowsOf(some);
    let from = some;
    for (const [name, options] of [
      ["a.parquet", ["--codec", "zstd", "--level", "5", "--group-rows", "700"]],
      ["b.orc", ["--codec", "zlib", "--group-bytes", "20k"]],
      ["c.avro", ["--codec", "deflate", "--group-bytes", "4k"]],
      ["d.tfrecord.gz", []],
      ["e.parquet", ["--codec", "none"]],
    ] as const) {
      const to = join(out, name);
      const { status, stdout, stderr } = ingest(["convert", from, to, ...options]);
      expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
      expect(stderr.trimEnd().split("\n").at(-1)).toMatch(new RegExp(`${name}: 5,000 rows, \\d+(\\.\\d)? [kM]B$`));
      expect(rowsOf(to)).toEqual(wanted);
      from = to;
    }
    const schema = (path: string): string => ingest(["schema", path]).stdout.split("\n").slice(1).join("\n");
    expect(schema(from)).toBe(schema(some));
    expect(ingest(["inspect", join(out, "a.parquet")]).stdout).toMatch(/zstd/i);
    expect(ingest(["inspect", join(out, "b.orc")]).stdout).toMatch(/zlib/i);
    expect(ingest(["inspect", join(out, "c.avro")]).stdout).toMatch(/deflate/i);
    expect(ingest(["validate", out, "--quiet"])).toMatchObject({ status: 0, stdout: "" });
  });

  it("takes folders, lists, columns, conditions and an order", async () => {
    await mkdir(join(out, "parts"));
    expect(ingest(["convert", some, join(out, "parts", "a.orc"), "-q"])).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(ingest(["convert", some, join(out, "parts", "b.avro"), "-q"]).status).toBe(0);
    const to = join(out, "both.parquet");
    const options = ["--columns", "origin,delay", "--where", "delay > 60", "--sort", "origin,-delay", "--quiet"];
    expect(ingest(["convert", join(out, "parts"), some, to, ...options]).stderr).toBe("");
    const late = rowsOf(some, ["--columns", "origin,delay", "--where", "delay > 60"]);
    const rows = rowsOf(to);
    expect(rows).toHaveLength(3 * late.length);
    expect([...rows].sort()).toEqual([...late, ...late, ...late].sort());
    const keys = rows.map((row) => JSON.parse(row) as { origin: string; delay: number });
    const order = [...keys].sort((a, b) => (a.origin < b.origin ? -1 : a.origin > b.origin ? 1 : b.delay - a.delay));
    expect(keys).toEqual(order);
  });

  it("--shard-rows writes a folder that reads as one", async () => {
    const shards = join(out, "shards");
    expect(ingest(["convert", some, shards, "--to", "tfrecord", "--shard-rows", "2000", "-q"]).status).toBe(0);
    const names = (await readdir(shards)).sort();
    expect(names.filter((name) => name.endsWith(".tfrecord"))).toEqual(
      ["part-00000", "part-00001", "part-00002"].map((name) => `${name}.tfrecord`),
    );
    expect(names).toHaveLength(6);
    expect(rowsOf(join(shards, "*.tfrecord"))).toEqual(rowsOf(some));
    expect(ingest(["convert", some, shards, "--to", "orc", "--shard-rows", "9"]).stderr).toContain("not empty");
  });

  it("--lossy says what it changes", async () => {
    const every = join(out, "every.arrow");
    await writeFile(every, everyTypeStream());
    const refused = ingest(["convert", every, join(out, "x.avro")]);
    expect(refused.status).toBe(3);
    expect(refused.stderr).toMatch(/^ingest: .*\(column "[^"]+"\)\. .*--lossy/m);
    const done = ingest(["convert", every, join(out, "x.tfrecord"), "--lossy", "--columns", "text,uint64,map,union"]);
    expect(done.status).toBe(3);
    expect(done.stderr).toContain('column "uint64"');
    const columns = ["--columns", "text,double,map,union,decimal"];
    const lossy = ingest(["convert", every, join(out, "x.tfrecord"), "--lossy", ...columns, "-q"]);
    expect(lossy).toMatchObject({ status: 0, stdout: "" });
    expect(lossy.stderr.trimEnd().split("\n")).toEqual([
      'ingest: lossy: "double": float64 as float32',
      'ingest: lossy: "map": map as text',
      'ingest: lossy: "union": dense union as text',
      'ingest: lossy: "decimal": decimal128(38, 2) as text',
    ]);
  });

  it("leaves a file that is there alone, unless told otherwise", async () => {
    const to = join(out, "x.orc");
    await writeFile(to, "precious");
    expect(ingest(["convert", some, to])).toMatchObject({ status: 2 });
    expect(await readFile(to, "utf8")).toBe("precious");
    expect(ingest(["convert", some, to, "--overwrite"]).status).toBe(0);
    // Also when it is its own input.
    expect(ingest(["convert", to, to, "--overwrite", "--codec", "none"]).status).toBe(0);
    expect(rowsOf(to)).toEqual(rowsOf(some));
    expect(await readdir(out)).toEqual(["x.orc"]);
  });

  it.each<[string, string[], number, RegExp]>([
    ["no output", ["a.parquet"], 2, /what to read and what to write/],
    ["a format that is not told", ["IN", "out.bin"], 2, /does not tell its format.*--to/],
    ["standard output", ["IN", "-", "--to", "orc"], 2, /not standard output/],
    ["a codec of another format", ["IN", "out.orc", "--codec", "gzip"], 2, /orc is not written with it.*zlib/],
    ["stripes in rows for avro", ["IN", "out.avro", "--group-rows", "5"], 2, /avro has no groups/],
    ["bits for another format", ["IN", "out.avro", "--float64", "bits"], 2, /holds float64 as it is/],
    ["a size that is none", ["IN", "out.orc", "--group-bytes", "many"], 2, /--group-bytes.*500M/],
    ["a folder", ["IN", "out/"], 2, /tell its format|folder/],
    ["a column that is not there", ["IN", "out.orc", "--sort", "nope"], 2, /no column "nope"/],
    ["an input that is not there", ["none.parquet", "out.orc"], 4, /none\.parquet/],
    ["a folder that is not there", ["IN", join("nowhere", "out.orc")], 4, /folder to write to does not exist/],
    ["http as output", ["IN", "http://127.0.0.1:1/x.orc"], 2, /scheme "http" is not written/],
  ])("refuses %s", (_, args, status, message) => {
    const paths = args.map((arg) => (arg === "IN" ? some : /^(out|none|nowhere|a\.)/.test(arg) ? join(out, arg) : arg));
    const result = ingest(["convert", ...paths.map((path, i) => (args[i] === "out/" ? `${path}/` : path))]);
    expect(result.status).toBe(status);
    expect(result.stdout).toBe("");
    expect(result.stderr).toMatch(/^ingest: /);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("%s leaves nothing behind", async (signal) => {
    const shards = join(out, "shards");
    const child: ChildProcess = spawn(
      process.execPath,
      [main, "convert", flights, shards, "--to", "tfrecord", "--shard-rows", "200000"],
      { env },
    );
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const there = async (): Promise<string[]> => readdir(shards).catch(() => []);
    while ((await there()).length < 3 && child.exitCode === null) await new Promise((go) => setTimeout(go, 5));
    child.kill(signal);
    expect(await ended).toBe(signal === "SIGINT" ? 130 : 143);
    expect(await readdir(out)).toEqual([]);
  });
});
