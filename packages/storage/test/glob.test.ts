import { describe, expect, it } from "vitest";
import { hasWildcard, parseGlob } from "../src/glob.ts";

describe("parseGlob", () => {
  it.each<[string, string, string[], string[]]>([
    ["a/**/*.p", "a", ["x.p", "b/c/x.p", ".h/x.p"], ["x.q"]],
    ["/r/m={1,2}/?[!a].p", "/r", ["m=1/xb.p"], ["m=3/xb.p", "m=1/xa.p", "m=1/b.p", "m=1/x/b.p"]],
    ["*.p", ".", ["a.p"], ["a/b.p"]],
    ["/*", "/", ["a"], ["a/b"]],
    ["a/{b/c,d}/x", "a", ["b/c/x", "d/x"], ["c/x"]],
    ["\\[a\\]/p(1)*+", "[a]", ["p(1)2+"], ["p1+"]],
  ])("%s", (pattern, folder, fitting, others) => {
    const glob = parseGlob(pattern);
    expect(glob.folder).toBe(folder);
    for (const path of fitting) expect([path, glob.matches(path)]).toEqual([path, true]);
    for (const path of others) expect([path, glob.matches(path)]).toEqual([path, false]);
  });

  it("an escaped wildcard is none", () => {
    expect(["a*", "a\\*", "a?", "[", "{", "plain"].map(hasWildcard)).toEqual([true, false, true, true, true, false]);
  });

  it("refuses a pattern too long to read", () => {
    expect(() => parseGlob("*".repeat(70_000))).toThrow(expect.objectContaining({ code: "INGEST_OPTIONS" }));
  });
});
