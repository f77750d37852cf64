import { concatRows } from "@ingest-ts/core";
import { type PlainValue, rowsOf } from "@ingest-ts/core/testing";
import { describe, expect, test } from "vitest";
import { example, frame, read, type Values } from "./support.ts";

type Row = Readonly<Record<string, readonly number[]>>;

const ints = (values: readonly number[]): Values => ({ kind: "int64", values: values.map(BigInt) });

/** Rows of int64 features. */
function file(rows: readonly Row[]): Uint8Array {
  return frame(
    ...rows.map((row) => example(Object.entries(row).map(([name, values]) => [name, ints(values)] as const))),
  );
}

/** The only column's values; integers below 256 as numbers. */
async function column(rows: readonly Row[], feature: unknown): Promise<unknown[]> {
  const { slabs } = await read(file(rows), { declared: { features: { x: feature } } });
  const small = (value: PlainValue): unknown =>
    Array.isArray(value)
      ? value.map(small)
      : typeof value === "string"
        ? Number.parseInt(value.slice(0, 2), 16)
        : value;
  return rowsOf(concatRows(slabs)).map(([value]) => small(value as PlainValue));
}

const ragged = (...partitions: unknown[]): unknown => ({ kind: "ragged", dtype: "int64", valueKey: "v", partitions });

test("sequences of a shape: lists that are empty where the feature is missing", async () => {
  const rows = [{ x: [1, 2, 3, 4] }, {}, { x: [] }, { x: [5, 6] }];
  const sequence = (shape: number[]): unknown => ({ kind: "fixedLenSequence", dtype: "int64", shape });
  expect(await column(rows, sequence([]))).toEqual([[1, 2, 3, 4], [], [], [5, 6]]);
  expect(await column(rows, sequence([2]))).toEqual([
    [
      [1, 2],
      [3, 4],
    ],
    [],
    [],
    [[5, 6]],
  ]);
  expect(await column(rows, sequence([1, 2]))).toEqual([[[[1, 2]], [[3, 4]]], [], [], [[[5, 6]]]]);
  await expect(column(rows, sequence([4]))).rejects.toThrow("record 3: 2 items are not divided by the row length 4");
  const { schema } = await read(file(rows), { declared: { features: { x: sequence([2]) } } });
  expect(schema.fields[0]).toMatchObject({ nullable: false, type: { kind: "list", child: { type: { size: 2 } } } });
});

describe("ragged: every way to say where rows end", () => {
  const v = [1, 2, 3, 4, 5];
  test.each([
    ["rowSplits", [0, 2, 2, 5]],
    ["rowLengths", [2, 0, 3]],
    ["rowStarts", [0, 2, 2]],
    ["rowLimits", [2, 2, 5]],
    ["valueRowIds", [0, 0, 2, 2, 2]],
  ])("%s", async (kind, p) => {
    const rows = [{ v, p }, {}, { v, p }];
    const lists = [[1, 2], [], [3, 4, 5]];
    expect(await column(rows, ragged({ [kind]: "p" }))).toEqual([lists, [], lists]);
    await expect(column([{ v, p: [] }], ragged({ [kind]: "p" }))).rejects.toThrow("missing for 5 items");
    const shorter = column(
      [
        { v, p },
        { v: v.slice(1), p },
      ],
      ragged({ [kind]: "p" }),
    );
    // Starts say nothing of the end.
    if (kind === "rowStarts") expect((await shorter)[1]).toEqual([[2, 3], [], [4, 5]]);
    else await expect(shorter).rejects.toThrow("record 1");
  });

  test("levels go from the outermost in, and may be uniform", async () => {
    const row = { v: [1, 2, 3, 4, 5, 6], inner: [1, 2, 0, 3], outer: [3, 1] };
    expect(await column([row], ragged({ rowLengths: "outer" }, { rowLengths: "inner" }))).toEqual([
      [[[1], [2, 3], []], [[4, 5, 6]]],
    ]);
    expect(await column([row], ragged({ uniformRowLength: 2 }, { rowLengths: "inner" }))).toEqual([
      [
        [[1], [2, 3]],
        [[], [4, 5, 6]],
      ],
    ]);
    expect(
      await column([{ v: row.v, outer2: [0, 1] }], ragged({ rowLengths: "outer2" }, { uniformRowLength: 6 })),
    ).toEqual([[[], [[1, 2, 3, 4, 5, 6]]]]);
    expect(await column([row], ragged())).toEqual([row.v]);
    // Rows without values.
    expect(await column([{ inner: [0, 0] }], ragged({ rowLengths: "inner" }))).toEqual([[[], []]]);
  });

  test.each([
    [{ rowSplits: "p" }, [1, 5], "record 0: the rowSplits do not rise from 0 to 5"],
    [{ rowSplits: "p" }, [0, 3, 2, 5], "do not rise"],
    [{ rowLengths: "p" }, [-1, 6], "a length below 0"],
    [{ rowLengths: "p" }, [2, 2], "add up to 4 of 5"],
    [{ rowStarts: "p" }, [1, 2], "do not rise"],
    [{ rowStarts: "p" }, [0, 6], "do not rise"],
    [{ rowLimits: "p" }, [2, 4], "do not rise to 5"],
    [{ valueRowIds: "p" }, [0, 0, 1, 0, 1], "one rising number"],
    [{ valueRowIds: "p" }, [0, 0, 1, 1], "one rising number"],
    [{ valueRowIds: "p" }, [0, 0, 1, 1, 2_000_000_000], "limits.zeroLengthItems"],
  ])("%j of %j is refused", async (partition, p, message) => {
    await expect(column([{ v, p }], ragged(partition))).rejects.toThrow(message);
  });
});

test("columns may share features; the context of sequences has them too", async () => {
  const rows = [{ v: [1, 2], n: [1, 1] }];
  const features = {
    a: { kind: "ragged", dtype: "int64", valueKey: "v", partitions: [{ rowLengths: "n" }] },
    n: { kind: "varLen", dtype: "int64" },
    v: { kind: "fixedLenSequence", dtype: "int64", shape: [1] },
  };
  for (const recordType of ["example", "sequenceExample"]) {
    const { slabs, schema } = await read(file(rows), {
      declared: { recordType, features, ...(recordType === "example" ? {} : { featureLists: {} }) },
    });
    expect(schema.fields.slice(0, 3).map(({ name }) => name)).toEqual(["a", "n", "v"]);
    const [row] = rowsOf(concatRows(slabs));
    expect(row?.slice(0, 3)).toEqual([
      [["0100000000000000"], ["0200000000000000"]],
      ["0100000000000000", "0100000000000000"],
      [["0100000000000000"], ["0200000000000000"]],
    ]);
  }
});

test.each([
  [{ x: { kind: "ragged", dtype: "int64", partitions: [{ rowLengths: "x", rowSplits: "y" }] } }, "the partition"],
  [{ x: { kind: "ragged", dtype: "int64", partitions: [{ columns: "y" }] } }, 'a partition by "columns"'],
  [{ x: { kind: "ragged", dtype: "int64", partitions: [{ uniformRowLength: 0 }] } }, "uniformRowLength"],
  [
    { x: { kind: "ragged", dtype: "float32", partitions: [{ rowLengths: "x" }] } },
    '"x" is read as float32 and as int64',
  ],
  [{ x: { kind: "ragged", dtype: "int64", valueKey: "y" }, y: { kind: "fixedLen", dtype: "int64" } }, "fixed length"],
  [{ x: { kind: "fixedLenSequence", dtype: "int64", shape: [0] } }, "without values"],
  [{ x: { kind: "fixedLenSequence", dtype: "int64", default: 0 } }, "unknown key"],
])("declaration %j is refused", async (features, message) => {
  await expect(read(file([]), { declared: { features } })).rejects.toThrow(message);
});
