import { existsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { TempFolder } from "../../src/bench/temp-folder.ts";

describe("TempFolder", () => {
  it("is emptied and removed with what is in it, also twice", () => {
    const folder = new TempFolder();
    expect(folder.path.startsWith(tmpdir())).toBe(true);
    writeFileSync(folder.file("a"), "x");
    folder.empty();
    expect(existsSync(folder.file("a"))).toBe(false);
    writeFileSync(folder.file("b"), "x");
    folder.remove();
    expect(existsSync(folder.path)).toBe(false);
    folder.remove();
  });

  it("says how much space is needed and how much is free", async () => {
    const folder = new TempFolder();
    try {
      await folder.requireSpace(1);
      await expect(folder.requireSpace(1e18)).rejects.toThrow(
        /may need 1,000,000,000,000 MB of temporary space and [\d,]+ MB are free.*TMPDIR.*--rows/,
      );
    } finally {
      folder.remove();
    }
  });
});
