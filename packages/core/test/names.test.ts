import { compareNames } from "@ingest-ts/core";
import fc from "fast-check";
import { expect, test } from "vitest";

/** Units around which the order of UTF-16 and that of UTF-8 part, and short texts so that prefixes come up. */
const unit = fc.constantFrom("a", "b", "/", "é", "\ud7ff", "\ue000", "\uffee", "\u{10000}", "\u{1f600}");
const name = fc.oneof(fc.string({ unit, maxLength: 4 }), fc.string({ unit: "binary" }));

test("names are in the order of their UTF-8 bytes", () => {
  fc.assert(
    fc.property(name, name, (a, b) => {
      expect(Math.sign(compareNames(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { numRuns: 2000 },
  );
});
