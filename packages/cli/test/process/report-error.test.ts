import { FormatError, OptionsError, SourceError, StateError, UnsupportedError } from "@ingest-ts/core";
import { expect, it } from "vitest";
import { exitCodeOf, Interrupted, OutputClosed } from "../../src/process/exit-codes.ts";
import { debugWanted, errorText } from "../../src/process/report-error.ts";

it("has an exit code for every kind of error", () => {
  const errors = [FormatError, UnsupportedError, SourceError, OptionsError, StateError].map((Kind) => new Kind("x"));
  expect(errors.map(exitCodeOf)).toEqual([3, 3, 4, 2, 2]);
  expect(
    [new Interrupted("SIGINT"), new Interrupted("SIGTERM"), new OutputClosed(), new TypeError("x"), 5].map(exitCodeOf),
  ).toEqual([130, 143, 0, 70, 70]);
});

it("says what, where and what to do, on one line without a stack", () => {
  const error = new FormatError("a\nb", { where: { url: "x\u001b[2J.parquet", offset: 5 }, remedy: "Do this." });
  expect(errorText(error, false)).toBe("ingest: a\\nb (x\\x1b[2J.parquet, byte 5). Do this.\n");
  expect(errorText(error, true)).toContain("report-error.test.ts");
  expect(errorText(new TypeError("oops"), false)).toBe(
    "ingest: TypeError: oops. This is a defect of ingest: please report it. Run again with --debug for details.\n",
  );
});

it("shows causes when debugging", () => {
  expect(errorText(new SourceError("x", { cause: new Error("deep down") }), true)).toContain("deep down");
});

it("--debug or DEBUG ask for details; what follows -- does not", () => {
  expect([debugWanted(["cat", "--debug"], {}), debugWanted([], { DEBUG: "1" })]).toEqual([true, true]);
  expect([debugWanted(["cat", "--", "--debug"], {}), debugWanted([], { DEBUG: "" })]).toEqual([false, false]);
});
