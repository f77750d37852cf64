import { readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root. */
export const root: string = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Names of the folders in packages/. */
export const packageNames: readonly string[] = readdirSync(join(root, "packages")).sort();

const generated = new Set([
  "node_modules",
  "dist",
  ".git",
  ".venv",
  ".venv-torch",
  ".tools",
  ".mypy_cache",
  ".ruff_cache",
  ".pytest_cache",
  ".data",
  ".docs",
  "coverage",
  "generated",
  "__pycache__",
]);
const textual = new Set([".ts", ".mjs", ".js", ".json", ".jsonc", ".md", ".yaml", ".yml", ".py", ".txt", ".sh", ""]);

export interface TextFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** Text files below a folder of the repository that a person wrote, in order of their paths. */
export function textFiles(folder = "", extensions: ReadonlySet<string> = textual): TextFile[] {
  const files: TextFile[] = [];
  const walk = (absolute: string): void => {
    for (const entry of readdirSync(absolute, { withFileTypes: true })) {
      if (generated.has(entry.name)) continue;
      const path = join(absolute, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile() && extensions.has(extname(entry.name))) {
        files.push({ path: relative(root, path).split(sep).join("/"), text: readFileSync(path, "utf8") });
      }
    }
  };
  walk(join(root, folder));
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Sources of one package. */
export function sourcesOf(name: string): TextFile[] {
  return textFiles(join("packages", name, "src"), new Set([".ts"]));
}

/** A module's text without its comments. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

/** What a module imports, statically or not, types included. */
export function specifiersOf(text: string): string[] {
  const found = withoutComments(text).matchAll(/(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s*)["']([^"']+)["']/gm);
  return [...found].map((match) => match[1] ?? "");
}

/** What a module still imports when its types are erased. */
export function valueSpecifiersOf(text: string): string[] {
  return specifiersOf(withoutComments(text).replace(/\b(?:import|export) type [^;]*?from\s*["'][^"']+["']/g, ""));
}
