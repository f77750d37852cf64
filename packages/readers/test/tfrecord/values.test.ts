import { type Column, FormatError, OptionsError, UnsupportedError } from "@ingest-ts/core";
import { Dice, rowsOf, valuesOf } from "@ingest-ts/core/testing";
import { describe, expect, test } from "vitest";
import { createExampleReader } from "../../src/tfrecord/values.ts";
import * as support from "./support.ts";

const binary = { kind: "binary" } as const;

function columnOf(values: readonly (Uint8Array | null)[]): Column {
  const offsets = new Int32Array(values.length + 1);
  const validity = new Uint8Array((values.length + 7) >> 3);
  values.forEach((value, i) => {
    offsets[i + 1] = (offsets[i] as number) + (value?.length ?? 0);
    if (value !== null) validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
  });
  const data = support.bytesOf(...values.map((value) => value ?? []));
  const nullCount = values.filter((value) => value === null).length;
  return { type: binary, length: values.length, nullCount, validity, offsets, data, children: [], dictionary: null };
}

const declared = {
  features: {
    id: { kind: "varLen", dtype: "int64" },
    w: { kind: "fixedLen", dtype: "float32", shape: [2], default: [1, 2] },
    text: { kind: "varLen", dtype: "bytes" },
  },
};

function randomFeatures(dice: Dice): support.Features {
  const w = dice.chance(0.2) ? [] : [["w", support.randomValues(dice, "float32", 2)] as const];
  return [
    ["id", support.randomValues(dice, "int64", dice.below(4))],
    ...w,
    ["text", support.randomValues(dice, "bytes", dice.below(3))],
  ];
}

describe("Examples without a file around them", () => {
  test("are the rows of a file of them", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const dice = new Dice(seed);
      const records = Array.from({ length: 1 + dice.below(60) }, () => {
        const features = randomFeatures(dice);
        return dice.chance(0.4) ? support.unusual(features, dice) : support.example(features, dice);
      });
      const file = await support.read(support.frame(...records), { declared });
      const reader = await createExampleReader({ declared });
      const { column, poison } = reader.decode(columnOf(records));
      expect(poison).toEqual([]);
      expect(reader.type).toEqual({ kind: "struct", children: file.schema.fields });
      expect(valuesOf(column)).toEqual(file.slabs.flatMap((slab) => rowsOf(slab)));
      expect(column.nullCount).toBe(0);
    }
  });

  test("that are none do not touch those beside them", async () => {
    const reader = await createExampleReader({ declared });
    for (let seed = 1; seed <= 50; seed++) {
      const dice = new Dice(seed);
      const whole = Array.from({ length: 1 + dice.below(40) }, () => support.example(randomFeatures(dice), dice));
      const expected = valuesOf(reader.decode(columnOf(whole)).column);
      const broken = new Set<number>();
      const values = whole.map((bytes, i) => {
        if (dice.chance(0.2)) return null;
        if (dice.chance(0.7)) return bytes;
        broken.add(i);
        // A wrong kind in the last feature: those before it were appended already.
        const kinds = [
          ["id", support.randomValues(dice, "int64", 3)] as const,
          ["text", { kind: "int64", values: [1n] }] as const,
        ];
        return dice.chance(0.5) ? support.example(kinds) : bytes.subarray(0, Math.max(1, bytes.length - 1));
      });
      const { column, poison } = reader.decode(columnOf(values));
      expect(poison.map(({ index }) => index)).toEqual([...broken]);
      for (const { error } of poison) expect(error).toBeInstanceOf(FormatError);
      const wanted = expected.map((row, i) => (values[i] === null || broken.has(i) ? null : row));
      expect(valuesOf(column)).toEqual(wanted);
      expect(column.nullCount).toBe(wanted.filter((row) => row === null).length);
    }
  });

  test("give their features when none are declared, and later ones are refused by name", async () => {
    const first = support.example([["a", { kind: "int64", values: [1n] }]]);
    const later = support.example([
      ["a", { kind: "int64", values: [2n] }],
      ["b", { kind: "int64", values: [3n] }],
    ]);
    const reader = await createExampleReader({ sample: columnOf([null, first]) });
    const { column, poison } = reader.decode(columnOf([first, later]));
    expect(valuesOf(column)).toEqual([[["0100000000000000"]], null]);
    expect(poison[0]?.error).toBeInstanceOf(UnsupportedError);
    expect(poison[0]?.error.where.column).toBe("b");
    const again = await createExampleReader({ inferred: reader.inferred });
    expect(again.type).toEqual(reader.type);
    expect(again.decode(columnOf([first, later])).poison).toHaveLength(1);
  });

  test("of other kinds are refused", async () => {
    await expect(createExampleReader({})).rejects.toThrow(OptionsError);
    await expect(createExampleReader({ declared: { recordType: "sequenceExample" } })).rejects.toThrow(OptionsError);
    await expect(createExampleReader({ declared: { arrow: { fields: [], metadata: {} } } })).rejects.toThrow(
      OptionsError,
    );
  });
});

test("a value whose lists do not fit together is found among others", async () => {
  const ragged = {
    features: {
      r: { kind: "ragged", dtype: "int64", valueKey: "v", partitions: [{ rowSplits: "s" }] },
    },
  };
  const of = (values: bigint[], splits: bigint[]): Uint8Array =>
    support.example([
      ["v", { kind: "int64", values }],
      ["s", { kind: "int64", values: splits }],
    ]);
  const reader = await createExampleReader({ declared: ragged });
  const good = of([1n, 2n], [0n, 1n, 2n]);
  const { column, poison } = reader.decode(columnOf([good, of([1n], [0n, 3n]), null, good]));
  expect(poison.map(({ index }) => index)).toEqual([1]);
  expect(poison[0]?.error).toBeInstanceOf(FormatError);
  const row = [[["0100000000000000"], ["0200000000000000"]]];
  expect(valuesOf(column)).toEqual([row, null, null, row]);
});
