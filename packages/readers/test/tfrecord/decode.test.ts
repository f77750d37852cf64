import { acquireKernels } from "@ingest-ts/kernels";
import { Dice, type PlainValue, rowsOf } from "@ingest-ts/core/testing";
import { gzipSync, deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import * as support from "./support.ts";

const { bytesOf, entry, example, feature, field, frame, fromHex, message, read, text } = support;

/** Rows by name, lists of bare values. */
async function rows(bytes: Uint8Array, options: support.ReadOptions = {}): Promise<PlainValue[][]> {
  const { slabs } = await read(bytes, options);
  return slabs.flatMap((slab) => rowsOf(slab));
}

const int64 = (...values: number[]): support.Values => ({ kind: "int64", values: values.map(BigInt) });
const hex64 = (value: number): string => {
  const bytes = new Uint8Array(BigInt64Array.of(BigInt(value)).buffer);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

describe("the wire vectors of TensorFlow's fast parsing test", () => {
  it.each([
    ["unpacked", "0a0d0a0b0a0361676512041a02080d"],
    ["packed", "0a0e0a0c0a0361676512051a030a010d"],
  ])("age = 13, %s", async (_, hex) => {
    expect(await rows(frame(fromHex(hex)))).toEqual([[[hex64(13)]]]);
  });

  it("value before key, kind unset", async () => {
    const { schema, slabs } = await read(frame(fromHex("0a120a1012090a070a0576616c75650a036b6579")));
    expect(schema.fields.map(({ name, type }) => [name, type.kind])).toEqual([["key", "list"]]);
    expect(slabs.flatMap((slab) => rowsOf(slab))).toEqual([[["76616c7565"]]]);
  });

  it("an empty key, empty lists of every kind, a feature without kind", async () => {
    const features: support.Features = [
      ["", int64(1)],
      ["b", { kind: "bytes", values: [] }],
      ["f", { kind: "float32", values: [] }],
      ["i", { kind: "int64", values: [] }],
      ["n", { kind: "none" }],
    ];
    const { schema, slabs } = await read(frame(example(features)));
    expect(schema.fields.map(({ type }) => (type.kind === "list" ? type.child.type.kind : type.kind))).toEqual([
      "int",
      "binary",
      "float",
      "int",
      "null",
    ]);
    expect(slabs.flatMap((slab) => rowsOf(slab))).toEqual([[[hex64(1)], [], [], [], null]]);
  });

  it("concatenated Examples: the last value of a name wins", async () => {
    const first = example([
      ["a", int64(1, 2)],
      ["b", int64(5)],
    ]);
    const second = example([["a", int64(3)]]);
    expect(await rows(frame(bytesOf(first, second)))).toEqual([[[hex64(3)], [hex64(5)]]]);
    expect(await rows(frame(bytesOf(second, first)))).toEqual([[[hex64(1), hex64(2)], [hex64(5)]]]);
  });

  it("a value in two messages is merged: the same kind appends, another replaces", async () => {
    const twice = (a: support.Values, b: support.Values): Uint8Array =>
      message(1, message(1, bytesOf(message(1, text("a")), message(2, feature(a)), message(2, feature(b)))));
    expect(await rows(frame(twice(int64(1), int64(2))))).toEqual([[[hex64(1), hex64(2)]]]);
    expect(await rows(frame(twice({ kind: "float32", values: [1] }, int64(2))))).toEqual([[[hex64(2)]]]);
  });
});

describe("a file of every form of record", () => {
  const dice = new Dice(5);
  const records = Array.from({ length: 60 }, (_, i) => {
    const features = (["int64", "float32", "bytes"] as const)
      .map((kind, k) => [`c${k}`, support.randomValues(dice, kind, dice.below(7))] as const)
      .filter(() => dice.chance(0.9));
    return i % 3 === 0 ? support.unusual(features, dice) : example(features, i % 3 === 1 ? "packed" : dice);
  });
  const bytes = frame(...records);
  const expected = rows(bytes, { tuning: { kernels: false } });

  it.each([...Array.from({ length: 20 }, (_, i) => i + 1), 65_536])(
    "is the same read %i bytes at a time",
    async (size) => {
      for (const kernels of [true, false]) {
        expect(await rows(bytes, { tuning: { readBytes: size, windowBytes: size, kernels } })).toEqual(await expected);
      }
      for (const compressed of [gzipSync(bytes), deflateSync(bytes)]) {
        expect(await rows(compressed, { tuning: { readBytes: size } })).toEqual(await expected);
      }
    },
  );

  it("is the same at any size of slabs, through an index, and in ranges", async () => {
    const all = await expected;
    for (const batchRows of [1, 7, 59, 60, 61]) expect(await rows(bytes, { batchRows })).toEqual(all);
    for (const batchBytes of [1, 500, 20_000]) expect(await rows(bytes, { batchBytes })).toEqual(all);
    expect(await rows(bytes, { indexed: true })).toEqual(all);
    for (const range of [
      [0, 0],
      [0, 60],
      [3, 3],
      [3, 40],
      [59, 60],
      [60, 60],
    ] as const) {
      expect(await rows(bytes, { rows: range })).toEqual(all.slice(...range));
      expect(await rows(gzipSync(bytes), { rows: range })).toEqual(all.slice(...range));
    }
  });

  it("is the same by kernels and by the general decoder, byte for byte", async () => {
    for (const largeRecordBytes of [0, 300, 1e6]) {
      for (const batchRows of [13, 1000]) {
        const [a, b] = [true, false].map((kernels) =>
          read(bytes, { batchRows, tuning: { kernels, largeRecordBytes } }),
        );
        expect((await a)?.slabs).toEqual((await b)?.slabs);
      }
    }
  });

  it("leaves nothing in the arena, also when it is left early", async () => {
    await rows(bytes);
    await expect(read(bytes.slice(0, -3))).rejects.toThrow("the file ends inside");
    expect(acquireKernels().arena.idle).toBe(true);
  });
});

describe("plain files that begin as compressed ones do", () => {
  it.each([0x8b1f, 0x9c78, 0x0178, 0xda78])("a first length of %i", async (length) => {
    const name = "x";
    const overhead = example([[name, { kind: "bytes", values: [new Uint8Array(length)] }]]).length - length;
    const record = example([[name, { kind: "bytes", values: [new Uint8Array(length - overhead)] }]]);
    expect(record.length).toBe(length);
    const got = await rows(frame(record, record));
    expect(got.map(([value]) => (value as string[]).map((hex) => hex.length / 2))).toEqual([
      [length - overhead],
      [length - overhead],
    ]);
  });
});

describe("declared features", () => {
  const one = (shape: number[], rest: object = {}): object => ({
    features: { x: { kind: "fixedLen", dtype: "int64", shape, ...rest } },
  });
  const x = (...values: number[]): Uint8Array => example([["x", int64(...values)]]);

  it("defaults fill absent and unset features", async () => {
    const file = frame(x(1, 2), example([]), example([["x", { kind: "none" }]]), x(3, 4));
    const declared = one([2], { default: [8, "-9223372036854775808"] });
    const [a, b, ...rest] = await rows(file, { declared });
    expect([a, ...rest.slice(1)]).toEqual([[[hex64(1), hex64(2)]], [[hex64(3), hex64(4)]]]);
    expect([b, rest[0]]).toEqual([[[hex64(8), "0000000000000080"]], [[hex64(8), "0000000000000080"]]]);
  });

  it("defaults of bytes and floats, one value for all", async () => {
    const declared = {
      features: {
        b: { kind: "fixedLen", dtype: "bytes", shape: [2], default: ["né", { base64: "/wA=" }] },
        f: { kind: "fixedLen", dtype: "float32", shape: [3], default: "-Infinity" },
      },
    };
    for (const kernels of [true, false]) {
      const got = await rows(frame(example([])), { declared, tuning: { kernels } });
      expect(got).toEqual([
        [
          ["6ec3a9", "ff00"],
          ["000080ff", "000080ff", "000080ff"],
        ],
      ]);
    }
  });

  it.each<[string, Uint8Array, object, RegExp]>([
    ["wrong count", frame(x(1, 2), x(1)), one([2]), /record 1: feature "x" has 1 values, not 2/],
    ["missing", frame(x(1, 2), example([])), one([2]), /record 1: feature "x" is missing/],
    [
      "wrong kind",
      frame(example([["x", { kind: "float32", values: [1] }]])),
      one([]),
      /is a float_list, not a int64_list/,
    ],
  ])("%s is a FormatError", async (_, bytes, declared, message) => {
    for (const kernels of [true, false]) {
      await expect(read(bytes, { declared, tuning: { kernels } })).rejects.toThrow(message);
      await expect(read(bytes, { declared })).rejects.toMatchObject({ code: "INGEST_FORMAT", where: { column: "x" } });
    }
  });

  it("other features are skipped, damaged or not", async () => {
    const file = frame(message(1, bytesOf(entry("y", Uint8Array.of(255)), entry("x", feature(int64(5))))));
    expect(await rows(file, { declared: one([]) })).toEqual([[hex64(5)]]);
  });
});

describe("features inferred from the first 1,000 records", () => {
  const a = example([["a", int64(1)]]);
  const many = Array.from({ length: 1000 }, () => a);

  it("a feature that appears later is refused by name, unless columns are named", async () => {
    const file = frame(
      ...many,
      example([
        ["a", int64(1)],
        ["late", int64(2)],
      ]),
    );
    const failure = expect(read(file)).rejects;
    await failure.toMatchObject({ code: "INGEST_UNSUPPORTED", where: { column: "late" } });
    expect(await rows(file, { select: { columns: [["a"]] } })).toHaveLength(1001);
  });

  it("a kind that appears later is refused by name", async () => {
    const unset = example([["a", { kind: "none" }]]);
    const file = frame(...many.map(() => unset), a);
    await expect(read(file)).rejects.toMatchObject({ code: "INGEST_UNSUPPORTED", where: { column: "a" } });
  });

  it("another kind is a FormatError with the record's number", async () => {
    const other = example([["a", { kind: "float32", values: [1] }]]);
    await expect(read(frame(...many, a, other))).rejects.toThrow(/record 1001: feature "a" is a float_list/);
    await expect(read(frame(a, other))).rejects.toThrow(/record 1: feature "a" is a float_list/);
    await expect(read(frame(a, other))).rejects.toMatchObject({ code: "INGEST_FORMAT" });
  });
});

describe("damaged protocol buffers are FormatErrors that name record and offset", () => {
  const ok = example([["a", int64(1)]]);
  const inFeature = (body: Uint8Array, name = "a"): Uint8Array => message(1, entry(name, body));
  it.each<[string, Uint8Array, RegExp]>([
    ["a length past the end", fromHex("0affffffff0f"), /passes the end/],
    [
      "a varint of 11 bytes",
      bytesOf(
        [0x78],
        Array.from({ length: 10 }, () => 0x80),
        [0],
      ),
      /longer than 10 bytes/,
    ],
    ["field number 0", fromHex("0000"), /names no field/],
    ["wire type 6", fromHex("7e00"), /wire type 6/],
    ["a group that ends alone", field(9, 4, []), /ends that did not begin/],
    ["a group without an end", field(9, 3, []), /is cut/],
    ["features as a varint", field(1, 0, [1]), /wire type 0/],
    ["a kind as fixed32", inFeature(field(3, 5, new Uint8Array(4))), /int64_list has wire type 5/],
    ["a float among integers", inFeature(message(3, field(1, 5, new Uint8Array(4)))), /int64_list has wire type 5/],
    ["an integer among floats", inFeature(message(2, field(1, 0, [1])), "b"), /float_list has wire type 0/],
    ["three bytes of floats", inFeature(message(2, message(1, [1, 2, 3])), "b"), /packed floats of 3 bytes/],
    ["a cut packed varint", inFeature(message(3, message(1, [0x80]))), /packed varint is cut/],
    ["an integer of 11 bytes", inFeature(message(3, message(1, [...Array(10).fill(128), 1]))), /longer than 10 bytes/],
    ["a name that is not UTF-8", message(1, message(1, message(1, [255, 254]))), /not UTF-8/],
  ])("%s", async (_, record, message) => {
    for (const options of [{}, { tuning: { kernels: false } }]) {
      await expect(read(frame(ok, record), options)).rejects.toThrow(/record 1: not a tf\.train\.Example/);
      await expect(read(frame(ok, record), options)).rejects.toThrow(message);
    }
  });

  it("offsets point at the fault", async () => {
    const bad = message(1, entry("a", message(3, field(1, 5, new Uint8Array(4)))));
    const file = frame(ok, bad);
    await expect(read(file)).rejects.toMatchObject({ where: { url: "test.tfrecord" } });
    const { where } = await read(file).then(
      () => ({ where: {} as { offset?: number } }),
      (error: { where: { offset?: number } }) => error,
    );
    expect(where.offset).toBe(frame(ok).length + 12 + bad.length - 4);
  });
});

describe("limits", () => {
  it("a record over limits.recordBytes is refused before it is fetched", async () => {
    const file = frame(example([["a", { kind: "bytes", values: [new Uint8Array(5000)] }]]));
    const limits = { ...support.selectOf().limits, recordBytes: 4096 };
    await expect(read(file, { select: { limits } })).rejects.toThrow(/limits.recordBytes = 4096/);
  });

  it("more features than limits.columns are refused", async () => {
    const file = frame(example(Array.from({ length: 30 }, (_, i) => [`f${i}`, int64(i)] as const)));
    const limits = { ...support.selectOf().limits, columns: 29 };
    await expect(read(file, { select: { limits } })).rejects.toThrow(/limits.columns = 29/);
  });
});

describe("large values", () => {
  const dice = new Dice(9);
  const big = Array.from({ length: 400 }, () => {
    const length = dice.pick([20, 500, 20_000, 20_000 + dice.below(40_000)]);
    return Uint8Array.from({ length }, (_, i) => i * 7 + length);
  });
  const records = big.map((value, i) =>
    example([
      ["image", { kind: "bytes", values: [value] }],
      ["label", int64(i)],
    ]),
  );
  const bytes = frame(...records);
  const declared = {
    features: {
      image: { kind: "fixedLen", dtype: "bytes", shape: [] },
      label: { kind: "fixedLen", dtype: "int64", shape: [] },
    },
  };
  const check = async (options: support.ReadOptions): Promise<void> => {
    const { slabs } = await read(bytes, { declared, ...options });
    let row = 0;
    for (const { columns } of slabs) {
      const [image, label] = columns;
      const offsets = image?.offsets as Int32Array;
      for (let i = 0; i < (image?.length ?? 0); i++, row++) {
        const value = image?.data?.subarray(offsets[i], offsets[i + 1]) ?? [];
        expect(Buffer.compare(value as Uint8Array, big[row] as Uint8Array)).toBe(0);
      }
      expect(label?.data?.length).toBe((label?.length ?? 0) * 8);
    }
    expect(row).toBe(big.length);
  };

  it.each([
    ["of one window that become the slab's memory", {}],
    ["with windows of any size", { tuning: { readBytes: 5_000_000 } }],
    ["in small windows", { tuning: { readBytes: 100_000 } }],
    ["in slabs that end inside a window", { batchRows: 30 }],
    ["in slabs of few bytes", { batchBytes: 300_000 }],
    ["through an index", { indexed: true }],
  ])("%s", (_, options) => check(options));

  it("become the slab's memory only where one column holds them", async () => {
    const two = frame(
      ...Array.from({ length: 200 }, (_, i) =>
        example([
          ["a", { kind: "bytes", values: [big[i] as Uint8Array] }],
          ["b", { kind: "bytes", values: [big[399 - i] as Uint8Array] }],
        ]),
      ),
    );
    const { slabs } = await read(two);
    let row = 0;
    for (const slab of slabs) {
      for (let i = 0; i < slab.rows; i++, row++) {
        for (const [k, expected] of [big[row], big[399 - row]].entries()) {
          const values = slab.columns[k]?.children[0];
          const offsets = values?.offsets as Int32Array;
          const value = values?.data?.subarray(offsets[i], offsets[i + 1]) as Uint8Array;
          expect(Buffer.compare(value, expected as Uint8Array)).toBe(0);
        }
      }
    }
    expect(row).toBe(200);
  });
});
