// The documents are tests: TypeScript in them type-checks, what is marked `run` runs, commands and links exist.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runIn } from "./lib/pack.ts";
import { root, textFiles } from "./lib/tree.ts";

interface Block {
  readonly path: string;
  readonly line: number;
  readonly language: string;
  /** Marked with the word `run` after the language. */
  readonly runs: boolean;
  readonly code: string;
}

const documents = textFiles("", new Set([".md"]));

function blocksOf(path: string, text: string): Block[] {
  return [...text.matchAll(/^```(\w+)( run)?\n([\s\S]*?)^```$/gm)].map((match) => ({
    path,
    line: text.slice(0, match.index).split("\n").length,
    language: match[1] ?? "",
    runs: match[2] !== undefined,
    code: match[3] ?? "",
  }));
}

const blocks = documents.flatMap(({ path, text }) => blocksOf(path, text));
const typescript = blocks.filter(({ language }) => language === "ts");
const shell = blocks.filter(({ language }) => language === "sh");
const named = (list: readonly Block[]): [string, Block][] =>
  list.map((block) => [`${block.path}:${block.line}`, block]);

/** Inside this package, so that the blocks find the workspace's packages. */
const folder = join(root, "test", ".docs");
/** Where the blocks that run find `flights-3m.parquet` and leave what they write. */
const playground = mkdtempSync(join(tmpdir(), "ingest docs "));
const fileOf = ({ path, line }: Block): string => `${path.replace(/\W/g, "_")}_${line}.ts`;

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const block of typescript) writeFileSync(join(folder, fileOf(block)), `${block.code}\nexport {};\n`);
  const config = {
    extends: "../../tsconfig.test.json",
    compilerOptions: { noUnusedLocals: false },
    include: ["*.ts"],
    exclude: [],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const flights = join(root, "packages", "cli", "node_modules", "vega-datasets", "data", "flights-3m.parquet");
  symlinkSync(flights, join(playground, "flights-3m.parquet"));
  const command = `#!/bin/sh\nexec "${process.execPath}" "${join(root, "packages", "cli", "dist", "main.js")}" "$@"\n`;
  writeFileSync(join(playground, "ingest"), command, { mode: 0o755 });
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(playground, { recursive: true, force: true });
});

test("every TypeScript block type-checks", async () => {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  await runIn(folder, process.execPath, [tsc, "-p", folder]).catch((error: { stdout?: string }) => {
    throw new Error(error.stdout ?? "tsc did not start");
  });
});

describe("blocks marked `run` run", { timeout: 300_000 }, () => {
  test.each(named(typescript.filter(({ runs }) => runs)))("%s", async (_name, block) => {
    const before = process.cwd();
    process.chdir(playground);
    try {
      await import(join(folder, fileOf(block)));
    } finally {
      process.chdir(before);
    }
  });

  test.each(named(shell.filter(({ runs }) => runs)))("%s", async (_name, { code }) => {
    await runIn(playground, "bash", ["-euo", "pipefail", "-c", `export PATH="$PWD:$PATH"\n${code}`]);
  });
});

test.each(named(shell))("the scripts of %s exist", (_name, { code }) => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
  for (const match of code.matchAll(/\bnpm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(match[1]);
  for (const match of code.matchAll(/\bnode ((?:scripts|bench|packages|examples)\/\S+\.m?js)/g)) {
    expect(existsSync(join(root, match[1] ?? "")), match[1]).toBe(true);
  }
});

test.each(documents.map(({ path, text }) => [path, text] as const))("links of %s lead to files", (path, text) => {
  for (const match of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
    const target = match[1] ?? "";
    if (/^[a-z]+:/.test(target)) continue;
    expect(existsSync(join(root, dirname(path), target)), `${path} links to ${target}`).toBe(true);
  }
});
