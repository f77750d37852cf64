import { type Column, type Columns, type Schema, sliceRows } from "@ingest-ts/core";
import { fromArrowSchema, fromRecordBatch } from "@ingest-ts/core/arrow";
import {
  Bool,
  Dictionary,
  Field,
  Float32,
  Int32,
  List,
  makeData,
  RecordBatch,
  Schema as ArrowSchema,
  Struct,
  Table,
  tableFromArrays,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TableDigest } from "../../src/bench/digest.ts";

type Row = { text: string | null; number: number | null; flag: boolean | null; list: (string | null)[] | null };

const types = {
  text: new Utf8(),
  number: new Float32(),
  flag: new Bool(),
  list: new List(new Field("item", new Utf8(), true)),
};

function tableOf(rows: readonly Row[]): { schema: Schema; columns: Columns } {
  const vectors = {
    text: vectorFromArray(
      rows.map((row) => row.text),
      types.text,
    ),
    number: vectorFromArray(
      rows.map((row) => row.number),
      types.number,
    ),
    flag: vectorFromArray(
      rows.map((row) => row.flag),
      types.flag,
    ),
    list: vectorFromArray(
      rows.map((row) => row.list),
      types.list,
    ),
  };
  const batch = new Table(vectors).batches[0] as RecordBatch;
  const slab = fromRecordBatch(batch);
  return { schema: slab.schema, columns: slab };
}

function digest(schema: Schema, ...parts: readonly Columns[]): string {
  const all = new TableDigest(schema);
  for (const part of parts) all.add(part);
  return all.finish();
}

const row: fc.Arbitrary<Row> = fc.record({
  text: fc.option(fc.string({ maxLength: 5 })),
  number: fc.option(fc.float()),
  flag: fc.option(fc.boolean()),
  list: fc.option(fc.array(fc.option(fc.string({ maxLength: 3 })), { maxLength: 3 })),
});
const rows = fc.array(row, { minLength: 1, maxLength: 40 });

describe("TableDigest", () => {
  it("does not depend on where batches are cut", () => {
    fc.assert(
      fc.property(rows, fc.array(fc.nat(40), { maxLength: 4 }), (values, cuts) => {
        const { schema, columns } = tableOf(values);
        const borders = [
          0,
          ...cuts.map((cut) => Math.min(cut, values.length)).toSorted((a, b) => a - b),
          values.length,
        ];
        const parts = borders.slice(1).map((to, i) => sliceRows(columns, borders[i] as number, to));
        expect(digest(schema, ...parts)).toBe(digest(schema, columns));
      }),
    );
  });

  it("changes when two different rows are swapped, and only then", () => {
    fc.assert(
      fc.property(rows, fc.nat(), fc.nat(), (values, a, b) => {
        const swapped = [...values];
        const [i, j] = [a % values.length, b % values.length];
        [swapped[i], swapped[j]] = [values[j] as Row, values[i] as Row];
        const before = tableOf(values);
        const after = tableOf(swapped);
        const same = JSON.stringify(values, spell) === JSON.stringify(swapped, spell);
        expect(digest(after.schema, after.columns) === digest(before.schema, before.columns)).toBe(same);
      }),
    );
  });

  it("changes when a value becomes null", () => {
    fc.assert(
      fc.property(rows, fc.nat(), fc.constantFrom("text", "number", "flag", "list"), (values, at, name) => {
        const i = at % values.length;
        const changed = values.map((value, k) => (k === i ? { ...value, [name]: null } : value));
        const before = tableOf(values);
        const after = tableOf(changed);
        const same = (values[i] as Row)[name as keyof Row] === null;
        expect(digest(after.schema, after.columns) === digest(before.schema, before.columns)).toBe(same);
      }),
    );
  });

  it("sees every bit of a value", () => {
    const schema: Schema = {
      fields: [{ name: "a", type: { kind: "int", bits: 64, signed: true }, nullable: false }],
      metadata: {},
    };
    const int64 = (data: Uint8Array): Columns => ({
      rows: 2,
      columns: [
        {
          type: { kind: "int", bits: 64, signed: true },
          length: 2,
          nullCount: 0,
          validity: null,
          offsets: null,
          data,
          children: [],
          dictionary: null,
        },
      ],
    });
    const seen = new Set([digest(schema, int64(new Uint8Array(16)))]);
    for (let bit = 0; bit < 128; bit++) {
      const data = new Uint8Array(16);
      data[bit >> 3] = 1 << (bit & 7);
      seen.add(digest(schema, int64(data)));
    }
    expect(seen.size).toBe(129);
  });

  it("does not see the bytes under a null, the spelling of a NaN, or where offsets begin", () => {
    const column = (type: Column["type"], parts: Partial<Column>): Columns => ({
      rows: 2,
      columns: [
        {
          type,
          length: 2,
          nullCount: 0,
          validity: null,
          offsets: null,
          data: null,
          children: [],
          dictionary: null,
          ...parts,
        },
      ],
    });
    const same = (type: Column["type"], a: Partial<Column>, b: Partial<Column>): void => {
      const schema: Schema = { fields: [{ name: "a", type, nullable: true }], metadata: {} };
      expect(digest(schema, column(type, a))).toBe(digest(schema, column(type, b)));
    };
    const float = { kind: "float", bits: 32 } as const;
    const bytes = (...words: number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);
    const secondIsNull = { nullCount: 1, validity: Uint8Array.of(0b01) };
    same(float, { ...secondIsNull, data: bytes(7, 1) }, { ...secondIsNull, data: bytes(7, 2) });
    same(float, { data: bytes(7, 0x7fc00000) }, { data: bytes(7, 0xffc00001) });
    const text = { kind: "utf8" } as const;
    same(
      text,
      { offsets: Int32Array.of(0, 1, 2), data: Uint8Array.of(97, 98) },
      { offsets: Int32Array.of(1, 2, 3), data: Uint8Array.of(0, 97, 98) },
    );
    same(
      text,
      { ...secondIsNull, offsets: Int32Array.of(0, 1, 1), data: Uint8Array.of(97) },
      { ...secondIsNull, offsets: Int32Array.of(0, 1, 2), data: Uint8Array.of(97, 98) },
    );
    same(
      text,
      { offsets: Int32Array.of(0, 1, 2), data: Uint8Array.of(97, 98) },
      { offsets: BigInt64Array.of(0n, 1n, 2n), data: Uint8Array.of(97, 98) },
    );
  });

  it("tells minus zero from zero, an empty text from null, and moved borders between texts", () => {
    const base: Row = { text: "a", number: 0, flag: true, list: ["x"] };
    const of = (...values: Row[]): string => {
      const { schema, columns } = tableOf(values);
      return digest(schema, columns);
    };
    expect(of({ ...base, number: -0 })).not.toBe(of(base));
    expect(of({ ...base, text: "" })).not.toBe(of({ ...base, text: null }));
    expect(of({ ...base, list: [] })).not.toBe(of({ ...base, list: null }));
    expect(of({ ...base, text: "ab" }, { ...base, text: "c" })).not.toBe(
      of({ ...base, text: "a" }, { ...base, text: "bc" }),
    );
  });

  it("holds columns of structs, dictionaries and unlike names apart", () => {
    const plain = tableFromArrays({ a: ["x", "y", "x"] });
    const values = vectorFromArray(["x", "y", "x"], new Dictionary(new Utf8(), new Int32()));
    const dictionary = fromRecordBatch(new Table({ a: values }).batches[0] as RecordBatch);
    const utf8 = fromRecordBatch(
      new Table({ a: vectorFromArray(["x", "y", "x"], new Utf8()) }).batches[0] as RecordBatch,
    );
    expect(plain.numRows).toBe(3);
    expect(digest(dictionary.schema, dictionary)).toBe(digest(utf8.schema, utf8));

    const inner = new Field("b", new Int32(), false);
    const structOf = (validity: number): Columns & { schema: Schema } => {
      const child = makeData({ type: new Int32(), length: 2, data: Int32Array.of(1, 2) });
      const data = makeData({
        type: new Struct([inner]),
        length: 2,
        nullCount: validity === 3 ? 0 : 1,
        nullBitmap: Uint8Array.of(validity),
        children: [child],
      });
      const schema = new ArrowSchema([new Field("s", data.type, true)]);
      const batch = new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: 2, children: [data] }));
      return { ...fromRecordBatch(batch), schema: fromArrowSchema(schema) };
    };
    const digests = [1, 2, 3].map((validity) => digest(structOf(validity).schema, structOf(validity)));
    expect(new Set(digests).size).toBe(3);
  });
});

/** JSON that tells the floats apart that the digest tells apart. */
function spell(_key: string, value: unknown): unknown {
  return typeof value === "number" ? (Object.is(value, -0) ? "-0" : String(value)) : value;
}
