// Sections of bench/RESULTS.md that other scripts than run.mjs write, each from a record of its own.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** `text` of RESULTS.md with this section in the place of the one with its title, or at the end. */
export function withSection(text, section) {
  const [title] = section.split("\n");
  const from = text.indexOf(`\n${title}\n`);
  if (from < 0) return `${text.trimEnd()}\n\n${section.trimEnd()}\n`;
  const next = text.indexOf("\n## ", from + title.length);
  const rest = next < 0 ? "" : text.slice(next + 1);
  return `${`${text.slice(0, from + 1)}${section.trimEnd()}\n\n${rest}`.trimEnd()}\n`;
}

/** @returns the section; it is in the file afterwards */
export function writeSection(section, path) {
  const before = existsSync(path) ? readFileSync(path, "utf8") : "# Results, side by side\n";
  writeFileSync(path, withSection(before, section));
  return section;
}

/** `text`, with what `sectionOf` makes of the newest record that has the file; without one it stays as it is. */
export function appendSection(text, file, sectionOf) {
  const root = join(here, "record");
  const folder = readdirSync(root)
    .map((name) => join(root, name))
    .filter((each) => existsSync(join(each, file)))
    .toSorted()
    .at(-1);
  return folder === undefined ? text : withSection(text, sectionOf(folder));
}
