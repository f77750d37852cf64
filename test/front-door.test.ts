// What the two commands of the README rest on; `.ci/run` takes them for a walk in a fresh clone.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runIn } from "./lib/pack.ts";
import { packageNames, root, textFiles, valueSpecifiersOf } from "./lib/tree.ts";

interface Manifest {
  readonly version: string;
  readonly engines?: { readonly node: string };
  readonly packageManager?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const manifestOf = (folder: string): Manifest => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
const top = manifestOf("");

test("setup needs nothing that is not installed yet", () => {
  const setup = readFileSync(join(root, "scripts", "setup.mjs"), "utf8");
  for (const specifier of valueSpecifiersOf(setup)) expect(specifier).toMatch(/^node:/);
});

test("setup, run again, has nothing to do and says nothing", async () => {
  expect(await runIn(root, process.execPath, [join(root, "scripts", "setup.mjs")])).toBe("");
});

test("pnpm is pinned once, as a dependency and for pnpm itself", () => {
  expect(top.packageManager).toBe(`pnpm@${top.devDependencies?.["pnpm"]}`);
});

test("versions of dependencies are exact", () => {
  for (const { path, text } of textFiles("", new Set([".json"]))) {
    if (!path.endsWith("package.json")) continue;
    const { dependencies, devDependencies } = JSON.parse(text) as Record<string, Record<string, string> | undefined>;
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect(version, `${path}: ${name}`).toMatch(/^(workspace:\*|\d+\.\d+\.\d+(-[\w.]+)?)$/);
    }
  }
});

test.each(packageNames)("packages/%s has the repository's version and Node range", (name) => {
  const manifest = manifestOf(`packages/${name}`);
  expect([manifest.version, manifest.engines?.node]).toEqual([top.version, top.engines?.node]);
});

test("every script of package.json exists", () => {
  for (const command of Object.values(top.scripts ?? {})) {
    for (const match of command.matchAll(/\bnode ((?:scripts|bench)\/\S+)/g)) {
      expect(readFileSync(join(root, match[1] ?? ""), "utf8")).not.toBe("");
    }
  }
});
