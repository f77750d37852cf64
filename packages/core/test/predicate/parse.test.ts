import { expect, it } from "vitest";
import { parseWhere } from "../../src/predicate/index.ts";

const good: readonly (readonly [string, unknown])[] = [
  [
    "date >= '2001-01-03' and origin in ('LAX','SFO') and not (delay is null)",
    ["and", ["ge", "date", "2001-01-03"], ["in", "origin", ["LAX", "SFO"]], ["not", ["isNull", "delay"]]],
  ],
  ["a = 1 or b = 2 and c = 3", ["or", ["eq", "a", 1], ["and", ["eq", "b", 2], ["eq", "c", 3]]]],
  ["(a = 1 or b = 2) AND c == 3", ["and", ["or", ["eq", "a", 1], ["eq", "b", 2]], ["eq", "c", 3]]],
  ["not a = 1 and b <> 2", ["and", ["not", ["eq", "a", 1]], ["ne", "b", 2]]],
  ["a.b.c != -1.5", ["ne", "a.b.c", -1.5]],
  ['"a.b" < .5', ["lt", ["a.b"], 0.5]],
  ['a."b c" <= 5.', ["le", ["a", "b c"], 5]],
  ['`x``y` > +3 or "say ""hi""" is not null', ["or", ["gt", ["x`y"], 3], ["not", ["isNull", ['say "hi"']]]]],
  ["x = 'it''s'", ["eq", "x", "it's"]],
  ["x = ''", ["eq", "x", ""]],
  ["x not in (1, null, true)", ["not", ["in", "x", [1, null, true]]]],
  ["x = FALSE", ["eq", "x", false]],
  ["x = 9007199254740993", ["eq", "x", "9007199254740993"]],
  ["x = -9007199254740991", ["eq", "x", -9007199254740991]],
  ["x = 0.1000000000000000055", ["eq", "x", "0.1000000000000000055"]],
  ["x = 1.50", ["eq", "x", 1.5]],
  ["x = 1e3", ["eq", "x", "1e3"]],
  [
    "x > nan or x < -inf or x = Infinity",
    ["or", ["gt", "x", "NaN"], ["lt", "x", "-Infinity"], ["eq", "x", "Infinity"]],
  ],
  ["größe > 1", ["gt", "größe", 1]],
  ['"and" = 1', ["eq", ["and"], 1]],
];

it.each(good)("%s", (text, tree) => {
  expect(parseWhere(text)).toEqual(tree);
});

const bad: readonly (readonly [string, string])[] = [
  ["", "a column is expected at its end"],
  ["x", "is expected at its end"],
  ["x =", "a value is expected at its end"],
  ["x = null", 'write "is null"'],
  ["x = y", 'a value is expected at character 5, "y"'],
  ['x = "y"', "text stands in single quotes"],
  ["x = 'y", "a quote is not closed at character 5"],
  ["(x = 1", '")" is expected'],
  ["x = 1)", '"and", "or" or the end'],
  ["x in ()", "a value is expected"],
  ["x in (1", '"," or ")"'],
  ["x is 1", '"null" is expected'],
  ["x not = 1", '"in" is expected'],
  ["5 < x", "a column is expected at character 1"],
  ["x ~ 1", 'an unexpected character at character 3, "~ 1"'],
  ["x = 1x", "an unexpected character"],
  ["and = 1", "a column is expected"],
  ["x. = 1", "a column is expected"],
  [`${"(".repeat(1000)}x = 1`, "too many parentheses"],
];

it.each(bad)("refuses %s", (text, message) => {
  expect(() => parseWhere(text)).toThrow(expect.objectContaining({ code: "INGEST_OPTIONS" }));
  expect(() => parseWhere(text)).toThrow(message);
});
