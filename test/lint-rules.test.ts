// Every rule we rely on fires: a linter that silently stopped looking would pass any code.
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const fixtures = join(root, "test", "lint-fixtures");

interface Diagnostic {
  readonly code: string;
  readonly severity: string;
  readonly filename: string;
}

let diagnostics: readonly Diagnostic[];

/** The project's configuration, less what keeps it away from the fixtures. */
async function lint(): Promise<readonly Diagnostic[]> {
  const folder = await mkdtemp(join(tmpdir(), "ingest-lint-"));
  try {
    const { ignorePatterns, overrides, ...kept } = JSON.parse(await readFile(join(root, ".oxlintrc.json"), "utf8"));
    expect(ignorePatterns).toContain("test/lint-fixtures/**");
    expect(overrides).toHaveLength(1);
    const config = join(folder, "oxlintrc.json");
    await writeFile(config, JSON.stringify(kept));
    const oxlint = join(root, "node_modules", "oxlint", "bin", "oxlint");
    const args = [oxlint, "--type-aware", "--config", config, "--format", "json", fixtures];
    const stdout = await new Promise<string>((resolve) => {
      execFile(process.execPath, args, { cwd: root }, (_error, text) => resolve(text));
    });
    return JSON.parse(stdout).diagnostics;
  } finally {
    await rm(folder, { recursive: true });
  }
}

beforeAll(async () => {
  diagnostics = await lint();
});

const files = (await readdir(fixtures)).filter((name) => name.endsWith(".ts") && name !== "no-cycle-other.ts");

test.each(files)("%s is an error of the rule it is named after", (file) => {
  const rule = basename(file, ".ts");
  const found = diagnostics.filter(({ filename }) => basename(filename) === file);
  expect(found.map(({ code, severity }) => `${severity} ${code.replace(/^.*\((.*)\)$/, "$1")}`)).toContain(
    `error ${rule}`,
  );
});

test("there is a fixture for each rule that the configuration turns on by name", async () => {
  const { rules } = JSON.parse(await readFile(join(root, ".oxlintrc.json"), "utf8")) as {
    rules: Record<string, string>;
  };
  const named = Object.keys(rules).filter((rule) => rules[rule] !== "off");
  for (const rule of named) expect(files).toContain(`${rule.replace(/^.*\//, "")}.ts`);
});
