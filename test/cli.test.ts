// The built command line as users meet it: needs `npm run build` first (npm test does it).
import { spawn, spawnSync } from "node:child_process";
import { appendFile, copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { everyTypeStream } from "./lib/every-type.ts";

const cli = fileURLToPath(new URL("../packages/cli", import.meta.url));
const main = join(cli, "dist", "main.js");
const flights = join(cli, "node_modules", "vega-datasets", "data", "flights-3m.parquet");

let folder = "";
let everything = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest cli "));
  everything = join(folder, "every type 100%.arrow");
  await writeFile(everything, everyTypeStream());
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const plainEnv = { ...process.env, NO_COLOR: "", FORCE_COLOR: "", DEBUG: "", COLUMNS: "" };

function ingest(args: readonly string[], env: NodeJS.ProcessEnv = {}): Result {
  const options = { encoding: "utf8", env: { ...plainEnv, ...env }, maxBuffer: 2 ** 30 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], options);
  return { status, stdout, stderr };
}

/** The lines of stderr: our errors take one, commander's up to three; never a stack. */
function complaint({ status, stdout, stderr }: Result): { status: number | null; stderr: string } {
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^ingest: /);
  expect(stderr).not.toMatch(/\n\s+at /);
  return { status, stderr };
}

describe("cat", () => {
  it("jsonl: every type, exactly", async () => {
    const { status, stdout, stderr } = ingest(["cat", everything]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    await expect(stdout).toMatchFileSnapshot("golden/every-type.jsonl");
    for (const line of stdout.trimEnd().split("\n")) JSON.parse(line);
  });

  it("csv: every type, exactly", async () => {
    const { status, stdout } = ingest(["cat", everything, "--to", "csv"]);
    expect(status).toBe(0);
    await expect(stdout).toMatchFileSnapshot("golden/every-type.csv");
  });

  it("table: fits 80 columns, and says what does not", async () => {
    const { status, stdout, stderr } = ingest(["cat", everything, "--to", "table"]);
    expect(status).toBe(0);
    await expect(stdout).toMatchFileSnapshot("golden/every-type.txt");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    expect(stderr).toContain("more columns do not fit");
    const wide = ingest(["cat", everything, "--to", "table", "--columns", "text"], { COLUMNS: "200" });
    await expect(wide.stdout).toMatchFileSnapshot("golden/text.txt");
    expect(wide.stderr).toBe("");
  });

  it("arrow: what it writes reads back the same, to a file and to a pipe", async () => {
    const copy = join(folder, "copy.arrow");
    expect(ingest(["cat", everything, "--to", "arrow", "--output", copy])).toEqual({
      status: 0,
      stdout: "",
      stderr: "",
    });
    expect(ingest(["cat", copy]).stdout).toBe(ingest(["cat", everything]).stdout);
    expect(ingest(["schema", copy, "--json"]).stdout.replace(copy, everything)).toBe(
      ingest(["schema", everything, "--json"]).stdout,
    );
    const piped = spawnSync(process.execPath, [main, "cat", everything, "--to", "arrow"], { env: plainEnv });
    expect(piped.stdout.equals(await readFile(copy))).toBe(true);
  });

  it("reads paths with spaces and percent signs, and file URLs", () => {
    const url = pathToFileURL(everything).href;
    expect(ingest(["count", everything]).stdout).toBe(ingest(["count", url]).stdout);
  });

  it("--columns repeats, --where filters, --limit ends", () => {
    const args = ["cat", flights, "--columns", "origin,delay", "--columns", "date", "--limit", "3"];
    const where = ["--where", "delay > 60 and origin in ('SFO', 'LAX') and date >= '2001-01-02'"];
    expect(ingest([...args, ...where]).stdout).toBe(
      `{"origin":"SFO","delay":173,"date":"2001-01-02T00:36:00.000000"}
{"origin":"LAX","delay":121,"date":"2001-01-02T00:57:00.000000"}
{"origin":"SFO","delay":67,"date":"2001-01-02T01:19:00.000000"}
`,
    );
    expect(ingest(["cat", flights, "--limit", "0"])).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  it("colours only where wanted", () => {
    const table = ["cat", everything, "--to", "table", "--columns", "int64"];
    expect(ingest(table).stdout).not.toContain("\u001b");
    expect(ingest(table, { FORCE_COLOR: "1" }).stdout).toContain("\u001b[1m");
    expect(ingest(table, { FORCE_COLOR: "1", NO_COLOR: "1" }).stdout).not.toContain("\u001b");
  });
});

describe("schema and count", () => {
  it("schema prints columns and types", async () => {
    const { status, stdout } = ingest(["schema", everything]);
    expect(status).toBe(0);
    await expect(stdout.replace(folder, "FOLDER")).toMatchFileSnapshot("golden/schema.txt");
    expect(JSON.parse(ingest(["schema", flights, "--json"]).stdout)).toMatchObject({
      format: "parquet",
      rows: 3_000_000,
      fragments: 11,
      schema: { fields: [{ name: "date", type: { kind: "timestamp", unit: "us", timezone: null } }, {}, {}, {}, {}] },
    });
  });

  it("count uses metadata, or counts", () => {
    expect(ingest(["count", flights])).toEqual({ status: 0, stdout: "3000000\n", stderr: "" });
    expect(ingest(["count", flights, "--where", "origin = 'SFO'"]).stdout).toBe("60869\n");
    expect(ingest(["count", flights, "--where", "delay is null"]).stdout).toBe("0\n");
  });
});

describe("errors", () => {
  it.each([
    [2, ["cta"], "Did you mean cat?"],
    [2, ["cat"], "missing required argument 'uri'"],
    [2, ["cat", "x", "--limt", "3"], "Did you mean --limit?"],
    [2, ["cat", "x", "--to", "xml"], "Allowed choices are table, jsonl, csv, arrow."],
    [2, ["cat", "x", "--limit", "-1"], '--limit is "-1"'],
    [2, ["cat", "x", "--where", "delay >"], "a value is expected at its end"],
    [2, ["cat", flights, "--columns", "nope"], "Columns are: date, delay, distance, origin, destination."],
    [2, ["cat", flights, "--where", "delay = 'late'"], 'column "delay"'],
    [2, ["cat", "gopher://x/y"], 'scheme "gopher" is not supported'],
    [3, ["cat", main], "main.js"],
    [4, ["cat", "/no such/file.parquet"], "no such file (/no such/file.parquet)"],
    [4, ["cat", "/dev"], "is not a regular file"],
    [4, ["cat", flights, "--output", "/no such/x"], "the folder to write to does not exist (/no such/x)"],
    [4, ["cat", flights, "--schema", "/no such.json"], "/no such.json"],
  ])("%i for %j", (status, args, text) => {
    const result = complaint(ingest(args));
    expect(result.stderr).toContain(text);
    expect(result.status).toBe(status);
  });

  it("--debug and DEBUG show the stack", () => {
    expect(ingest(["cat", "/no such", "--debug"]).stderr).toMatch(/\n\s+at /);
    expect(ingest(["cat", "/no such"], { DEBUG: "1" }).stderr).toMatch(/\n\s+at /);
  });

  it("a broken file leaves no output, and cuts a stream visibly", async () => {
    const broken = join(folder, "broken.parquet");
    const bytes = await readFile(flights);
    bytes.fill(0x55, 9_000_000, 9_050_000);
    await writeFile(broken, bytes);
    const output = join(folder, "out.arrow");
    const result = complaint(ingest(["cat", broken, "--to", "arrow", "--output", output]));
    expect(result.status).toBe(3);
    expect(result.stderr).toContain("broken.parquet, fragment ");
    expect((await readdir(folder)).filter((name) => name.includes("out.arrow"))).toEqual([]);
    const piped = spawnSync(process.execPath, [main, "cat", broken, "--to", "arrow"], { maxBuffer: 2 ** 30 });
    expect(piped.status).toBe(3);
    await writeFile(join(folder, "cut.arrow"), piped.stdout);
    expect(complaint(ingest(["cat", join(folder, "cut.arrow"), "--output", output])).status).toBe(3);
  });

  it("a file that grows while it is read is noticed", async () => {
    const growing = join(folder, "growing.parquet");
    await copyFile(flights, growing);
    const child = spawn(process.execPath, [main, "cat", growing, "--output", join(folder, "grown.jsonl")], {
      env: plainEnv,
    });
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += String(chunk)));
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    await until(async () => (await readdir(folder)).some((name) => name.startsWith(".grown.jsonl")));
    await appendFile(growing, "more");
    expect(await ended).toBe(4);
    expect(stderr).toContain("the file changed while it was read");
    expect((await readdir(folder)).filter((name) => name.includes("grown.jsonl"))).toEqual([]);
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("it never happened");
}

describe("signals and pipes", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s stops, cleans up and exits %i", async (signal, status) => {
    const child = spawn(process.execPath, [main, "cat", flights, "--output", join(folder, `${signal}.jsonl`)], {
      env: plainEnv,
    });
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += String(chunk)));
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    await until(async () => (await readdir(folder)).some((name) => name.startsWith(`.${signal}.jsonl`)));
    child.kill(signal);
    expect(await ended).toBe(status);
    expect(stderr).toBe("ingest: stopped\n");
    expect((await readdir(folder)).filter((name) => name.includes(signal))).toEqual([]);
  });

  it("| head ends quietly", () => {
    const script = `set -o pipefail; "$0" "$1" cat "$2" | head -n 1 | wc -l; echo "\${PIPESTATUS[0]}"`;
    const shell = spawnSync("bash", ["-c", script, process.execPath, main, flights], {
      encoding: "utf8",
      env: plainEnv,
    });
    expect({ stdout: shell.stdout.replace(/ /g, ""), stderr: shell.stderr }).toEqual({ stdout: "1\n0\n", stderr: "" });
  });

  it("a full device is an error that says so", () => {
    const shell = spawnSync("bash", ["-c", `"$0" "$1" cat "$2" > /dev/full`, process.execPath, main, flights], {
      encoding: "utf8",
      env: plainEnv,
    });
    expect(shell.status).toBe(4);
    expect(shell.stderr).toContain("no space left on the device");
  });
});

describe("help", () => {
  it.each([[["--help"]], [["cat", "--help"]], [["help", "count"]], [["schema", "-h"]], [["bench", "--help"]]])(
    "%j begins with examples and documents exit codes",
    (args) => {
      const { status, stdout, stderr } = ingest(args);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout.trimStart()).toMatch(/^Examples:\n/);
      expect(stdout).toContain("130 interrupted (Ctrl-C)");
      expect(stdout).not.toContain("undefined");
    },
  );

  it("--version prints the version", () => {
    expect(ingest(["--version"]).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("nothing asked: how it is used, exit code 2", () => {
    expect(ingest([])).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining("Usage: ingest") });
  });

  it("the overview loads nothing but commander", async () => {
    const seen = new Set<string>();
    const visit = async (file: string): Promise<void> => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = await readFile(file, "utf8");
      for (const [, name = ""] of text.matchAll(/(?:^import|\bfrom) "([^"]+)";$/gm)) {
        if (name.startsWith(".")) await visit(join(dirname(file), name));
        else seen.add(name);
      }
    };
    await visit(main);
    expect([...seen].filter((name) => !name.endsWith(".js")).toSorted()).toEqual(["commander", "node:fs"]);
  });
});
