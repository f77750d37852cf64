import { type ByteSource, type Columns, type FormatName, isIngestError, type Slab } from "@ingest-ts/core";
import { countingSource, faultySource, memorySource, rowsOf, type TestRunner } from "@ingest-ts/core/testing";
import { open, type OpenOptions } from "../open.ts";
import type { Reader } from "../reader.ts";

/** One object of the format under test: a few columns, some hundred rows, more than one fragment where that is easy. */
export interface FormatFixture {
  readonly format: FormatName;
  readonly bytes: () => Promise<Uint8Array> | Uint8Array;
  /** The object's name; its extension must not be needed. */
  readonly url?: string;
  /** What opening it always needs, such as a declared schema. */
  readonly options?: OpenOptions;
}

function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

function checkSame(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a === b) return;
  let at = 0;
  while (a[at] === b[at]) at++;
  const near = (text: string): string => text.slice(Math.max(0, at - 40), at + 60);
  throw new Error(`${what}: …${near(a)}… where …${near(b)}… was expected`);
}

async function failure(body: () => Promise<unknown>): Promise<unknown> {
  try {
    await body();
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
}

async function collect(slabs: AsyncIterable<Slab>, batchRows = Infinity): Promise<unknown[][]> {
  const rows: unknown[][] = [];
  for await (const slab of slabs) {
    check(slab.rows > 0, "an empty slab");
    check(slab.rows <= batchRows, `a slab of ${slab.rows} rows where ${batchRows} are allowed`);
    slab.columns.forEach((column, i) => {
      check(column.length === slab.rows, `${column.length} values in a slab of ${slab.rows} rows`);
      checkSame(column.type, slab.schema.fields[i]?.type, `the type of column ${i}`);
    });
    rows.push(...rowsOf(slab as Columns));
  }
  return rows;
}

/** Rows [from, to) of every fragment whose rows are known, for some from and to. */
async function checkRanges(reader: Reader): Promise<void> {
  for (const fragment of reader.fragments) {
    const { rows: count } = fragment;
    if (count === undefined) continue;
    const rows = await collect(reader.fragmentSlabs(fragment));
    check(rows.length === count, `${rows.length} rows of ${count}`);
    const ends = [0, 1, Math.floor(count / 3), Math.floor(count / 2), count - 1, count].filter((at) => at <= count);
    for (const from of ends) {
      for (const to of ends.filter((at) => at >= from)) {
        const part = await collect(reader.fragmentSlabs(fragment, { rows: [from, to] }));
        checkSame(part, rows.slice(from, to), `rows ${from} to ${to}`);
      }
    }
    const error = await failure(() => collect(reader.fragmentSlabs(fragment, { rows: [0, count + 1] })));
    check(isIngestError(error, "INGEST_OPTIONS"), `not an OptionsError: ${String(error)}`);
  }
}

/** What every format must do behind `open`. Call it inside `describe`, once per kind of object. */
export function testFormat(it: TestRunner, fixture: FormatFixture): void {
  let known: Uint8Array | undefined;
  const source = async (): Promise<ByteSource> => {
    known ??= await fixture.bytes();
    return memorySource(known, fixture.url ?? "memory://object");
  };
  const reading = async <T>(options: OpenOptions, body: (reader: Reader) => Promise<T>): Promise<T> => {
    const reader = await open(await source(), { ...fixture.options, ...options });
    try {
      return await body(reader);
    } finally {
      await reader.close();
    }
  };
  const rowsWith = (options: OpenOptions): Promise<unknown[][]> =>
    reading(options, (reader) => collect(reader.slabs(), options.batchRows));
  let plainRows: Promise<unknown[][]> | undefined;
  const allRows = (options?: OpenOptions): Promise<unknown[][]> => {
    if (options !== undefined) return rowsWith(options);
    plainRows ??= rowsWith({});
    return plainRows;
  };

  it("is recognised from its content", () =>
    reading({}, async ({ format }) => check(format === fixture.format, `taken for ${format}`)));

  it("yields as many rows as its metadata says, fragment by fragment", () =>
    reading({}, async (reader) => {
      const rows = await collect(reader.slabs());
      check(reader.rows === undefined || reader.rows === rows.length, `${rows.length} rows of ${reader.rows}`);
      const parts: unknown[][] = [];
      for (const fragment of reader.fragments) {
        const part = await collect(reader.fragmentSlabs(fragment));
        check(fragment.rows === undefined || fragment.rows === part.length, `${part.length} rows of ${fragment.rows}`);
        parts.push(...part);
      }
      checkSame(parts, rows, "the fragments' rows");
    }));

  it("gives the same rows in slabs of any size", async () => {
    const rows = await allRows();
    for (const batchRows of [1, 7, 100]) checkSame(await allRows({ batchRows }), rows, `batchRows ${batchRows}`);
    for (const batchBytes of [1000]) checkSame(await allRows({ batchBytes }), rows, `batchBytes ${batchBytes}`);
  });

  it("gives any range of a fragment's rows", () => reading({ batchRows: 50 }, checkRanges));

  it("an index of the object gives the same rows, exactly counted", () =>
    reading({}, async (reader) => {
      const index = await reader.buildIndex();
      if (index === undefined) return;
      const rows = await allRows();
      await reading({ index, batchRows: 50 }, async (indexed) => {
        check(indexed.rows === rows.length, `${rows.length} rows where the index has ${indexed.rows}`);
        checkSame(await collect(indexed.slabs()), rows, "rows by the index");
        await checkRanges(indexed);
      });
      const stale = { ...index, etag: `${index.etag}, but older` };
      const error = await failure(() => allRows({ index: stale }));
      check(isIngestError(error, "INGEST_OPTIONS"), `not an OptionsError: ${String(error)}`);
    }));

  it("reads any choice of columns, in the order asked", () =>
    reading({}, async ({ schema }) => {
      const rows = await allRows();
      const names = schema.fields.map(({ name }) => name);
      const reversed = await allRows({ columns: names.toReversed().map((name) => [name]) });
      checkSame(
        reversed,
        rows.map((row) => row.toReversed()),
        "columns in reverse",
      );
      for (const [i, name] of names.entries()) {
        checkSame(
          await allRows({ columns: [[name]] }),
          rows.map((row) => [row[i]]),
          `column ${name}`,
        );
      }
      checkSame(
        await allRows({ columns: [] }),
        rows.map(() => []),
        "no columns",
      );
      const error = await failure(() => allRows({ columns: ["there is no such column"] }));
      check(isIngestError(error, "INGEST_OPTIONS"), `not an OptionsError: ${String(error)}`);
    }));

  it("filters exactly, also by columns that are not asked for", () =>
    reading({}, async ({ schema }) => {
      const rows = await allRows();
      for (const [i, { name, type }] of schema.fields.entries()) {
        if (type.kind === "union") continue;
        const nulls = await allRows({ where: ["isNull", [name]], batchRows: 50 });
        checkSame(
          nulls,
          rows.filter((row) => row[i] === null),
          `rows where ${name} is null`,
        );
        const others = await allRows({ where: ["not", ["isNull", [name]]], columns: [] });
        check(others.length === rows.length - nulls.length, `${others.length} rows where ${name} is not null`);
      }
    }));

  it("makes record batches of the same rows", () =>
    reading({ batchRows: 100 }, async (reader) => {
      let rows = 0;
      for await (const batch of reader) {
        check(batch.schema.fields.length === reader.schema.fields.length, "another schema");
        rows += batch.numRows;
      }
      check(rows === (await allRows()).length, `${rows} rows in record batches`);
    }));

  it("gives the same values with dictionaries preserved", async () => {
    checkSame(await allRows({ dictionary: "preserve" }), await allRows(), "rows with dictionaries");
  });

  it("stops early when the loop does, and can be read again", () =>
    reading({ batchRows: 1 }, async (reader) => {
      for await (const slab of reader.slabs()) {
        check(slab.rows === 1, "more than one row");
        break;
      }
      checkSame(await collect(reader.slabs()), await allRows(), "rows of the second pass");
    }));

  it("stops when aborted, with the reason given", () =>
    reading({ batchRows: 1 }, async (reader) => {
      const controller = new AbortController();
      const slabs = reader.slabs({ signal: controller.signal });
      await slabs.next();
      controller.abort();
      const error = await failure(() => collect(slabs));
      check(error === controller.signal.reason, `another error: ${String(error)}`);
      check((await failure(() => allRows({ signal: controller.signal }))) === controller.signal.reason, "open went on");
    }));

  it("passes the source's failures on, wherever they come", async () => {
    const counted = countingSource(await source());
    const reader = await open(counted, fixture.options);
    await collect(reader.slabs());
    for (let call = 0; call < Math.min(30, counted.counts.calls); call++) {
      for (const kind of ["error", "changed", "short"] as const) {
        const faulty = faultySource(await source(), [{ call, kind }]);
        const error = await failure(async () => collect((await open(faulty, fixture.options)).slabs()));
        check(isIngestError(error, "INGEST_SOURCE"), `${kind} at call ${call}: not a SourceError: ${String(error)}`);
        check(error.where.url === faulty.url, `${kind} at call ${call}: the error does not name the object`);
      }
    }
  });
}
