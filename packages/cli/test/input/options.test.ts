import { expect, it } from "vitest";
import { collectColumns } from "../../src/input/options.ts";

it("splits columns at commas, outside quotes", () => {
  expect(collectColumns("a, b.c,,d")).toEqual(["a", "b.c", "d"]);
  expect(collectColumns('"x,y",a."b.c".d,"say ""hi"""', ["z"])).toEqual([
    "z",
    ["x,y"],
    ["a", "b.c", "d"],
    ['say "hi"'],
  ]);
  expect(() => collectColumns('"x')).toThrow("a quote is not closed");
});
