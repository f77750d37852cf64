// The names that each package exports, as one list to review: a name that appears or goes away is a decision.
// After such a decision: npx vitest run test/public-api.test.ts -u
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";
import { packageNames, root } from "./lib/tree.ts";

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly "ingest-source": string }>>;
}

test("exports are the ones on the list", async () => {
  const list: string[] = [];
  for (const folder of packageNames) {
    const manifest = JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8")) as Manifest;
    for (const [subpath, target] of Object.entries(manifest.exports)) {
      if (typeof target === "string") continue;
      const module = (await import(join(root, "packages", folder, target["ingest-source"]))) as object;
      list.push(
        posix.join(manifest.name, subpath),
        ...Object.keys(module)
          .sort()
          .map((name) => `  ${name}`),
      );
    }
  }
  await expect(`${list.join("\n")}\n`).toMatchFileSnapshot("./public-api.txt");
});
