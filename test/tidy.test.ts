// House rules that no compiler knows: who may import whom, where Node may be named, what a format folder holds.
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, test } from "vitest";
import {
  packageNames,
  root,
  sourcesOf,
  specifiersOf,
  textFiles,
  valueSpecifiersOf,
  withoutComments,
} from "./lib/tree.ts";

/** docs/ARCHITECTURE.md, "Packages and who may import whom". */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  kernels: [],
  storage: ["core"],
  readers: ["core", "kernels", "storage"], // storage only as an optional peer, loaded when a URL is opened
  writers: ["core", "kernels", "readers"],
  sharder: ["core"],
  shuffler: ["core", "kernels"],
  kafka: ["core", "kernels", "storage", "readers"], // of readers the subpaths that decode payloads
  loader: ["core", "storage", "readers", "sharder", "shuffler", "kafka"], // kafka only as an optional peer, loaded for its URLs
  cli: ["core", "kernels", "storage", "kafka", "readers", "writers", "sharder", "shuffler", "loader"],
};

const scoped = /^@ingest-ts\/([^/]+)(\/.*)?$/;

describe.each(packageNames)("packages/%s", (name) => {
  const files = sourcesOf(name);

  test("imports only the packages it may", () => {
    const allowed = mayImport[name] ?? [];
    for (const { path, text } of files) {
      for (const specifier of specifiersOf(text)) {
        const other = scoped.exec(specifier)?.[1];
        if (other === undefined) continue;
        expect(allowed, `${path} imports ${specifier}`).toContain(other);
        expect(specifier, `${path} reaches into another package`).not.toMatch(/\/(src|dist)\//);
      }
      expect(text, `${path} reaches into another package`).not.toMatch(
        /from "(\.\.\/)+(core|kernels|readers|writers)\//,
      );
    }
  });

  test("declares what it imports", () => {
    const manifest = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"));
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    for (const { path, text } of files) {
      for (const specifier of specifiersOf(text)) {
        if (/^(\.|#|node:)/.test(specifier)) continue;
        const [scope = "", rest = ""] = specifier.split("/");
        const dependency = scope.startsWith("@") ? `${scope}/${rest}` : scope;
        expect(declared, `${path} imports ${specifier}`).toContain(dependency);
      }
    }
  });

  test("documents every exported function, class and constant", () => {
    const missing: string[] = [];
    for (const { path, text } of files) {
      const lines = text.split("\n");
      for (const [index, line] of lines.entries()) {
        const declaration = /^export (?:async |abstract )*(?:function\*?|class|const) (\w+)/.exec(line);
        if (declaration === null) continue;
        const before = lines[index - 1] ?? "";
        // Constants that follow each other share a comment, and so do overloads.
        const shared = before.startsWith("export const ") && line.startsWith("export const ");
        const overload = lines.slice(0, index).some((other) => other.startsWith(`export function ${declaration[1]}(`));
        if (!before.trimEnd().endsWith("*/") && !shared && !overload)
          missing.push(`${path}:${index + 1} ${declaration[1]}`);
      }
    }
    expect(missing).toEqual([]);
  });
});

/** Modules that code outside Node would load: from every export, along imports, `#name` by its default condition. */
function portableModules(name: string): Map<string, string> {
  const folder = `packages/${name}`;
  const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  const pending: string[] = [];
  const addTarget = (target: unknown): void => {
    let chosen = target;
    while (typeof chosen === "object" && chosen !== null) {
      const conditions = chosen as Record<string, unknown>;
      chosen = conditions["ingest-source"] ?? conditions["default"];
    }
    if (typeof chosen === "string" && chosen.endsWith(".ts")) pending.push(posix.join(folder, chosen));
  };
  for (const [subpath, target] of Object.entries(manifest.exports)) if (subpath !== "./testing") addTarget(target);
  const reached = new Map<string, string>();
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (reached.has(path)) continue;
    const text = readFileSync(join(root, path), "utf8");
    reached.set(path, text);
    for (const specifier of valueSpecifiersOf(text)) {
      if (specifier.startsWith(".")) pending.push(posix.join(posix.dirname(path), specifier));
      else if (specifier.startsWith("#")) addTarget(manifest.imports[specifier]);
    }
  }
  return reached;
}

test.each(["core", "kernels", "readers"])("packages/%s needs Node only behind conditional imports", (name) => {
  for (const [path, text] of portableModules(name)) {
    expect(
      valueSpecifiersOf(text).filter((specifier) => specifier.startsWith("node:")),
      path,
    ).toEqual([]);
    const code = withoutComments(text);
    expect(code, `${path} uses a global of Node`).not.toMatch(/(?<![.\w"'`])(Buffer|process|__dirname)\./);
  }
});

const formats = ["parquet", "orc", "avro", "tfrecord"];
const sixFiles = ["spec.ts", "metadata.ts", "schema.ts", "plan.ts", "decode.ts", "index.ts"];

test.each(formats)("readers/%s has the six files of a format, and decoding never awaits", (format) => {
  const folder = `packages/readers/src/${format}`;
  for (const file of sixFiles) expect(existsSync(join(root, folder, file)), `${folder}/${file}`).toBe(true);
  const pure = textFiles(folder).filter(({ path }) => /\/(decode|plan|schema|spec)\.ts$|\/encodings\//.test(path));
  for (const { path, text } of pure) {
    expect(withoutComments(text), path).not.toMatch(/\bawait\b|\basync\b|\bPromise</);
  }
});

test("files name no machine, no registry, and leave nothing to do", () => {
  // Written in pieces, so that this file does not find itself.
  const machine = new RegExp(`(?<![\\w.:/-])/(${["work", "farm", "root", "home", "Users"].join("|")})/\\w`);
  const registry = new RegExp(
    ["registry\\.npm" + "js", "registry\\.yarn" + "pkg", "files\\.python" + "hosted"].join("|"),
  );
  const left = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`);
  const focused = new RegExp(`\\b(it|test|describe)\\.${"only"}\\(`);
  for (const { path, text } of textFiles()) {
    for (const [index, line] of text.split("\n").entries()) {
      for (const pattern of [machine, registry, left, focused]) {
        expect(pattern.test(line), `${path}:${index + 1}: ${line.slice(0, 120)}`).toBe(false);
      }
    }
  }
  expect(readFileSync(join(root, "pnpm-lock.yaml"), "utf8")).not.toMatch(/https?:\/\//);
});

test("sizes are reported: a long file often holds two ideas", () => {
  const long = textFiles("packages")
    .filter(({ path }) => path.includes("/src/") && path.endsWith(".ts"))
    .map(({ path, text }) => ({ path, lines: text.split("\n").length }))
    .filter(({ lines }) => lines > 400);
  for (const { path, lines } of long) console.log(`${path}: ${lines} lines`);
});
