import { isIngestError } from "../errors.ts";
import type { ByteRange, ByteSource } from "../source.ts";

/** The part of a test framework that the kits use: `it` of vitest or node:test. */
export type TestRunner = (name: string, body: () => Promise<void>) => void;

/** One object that a source reads, in a place that the test controls. */
export interface TestObject {
  /** Opens it anew. */
  open(): Promise<ByteSource>;
  /** Replaces the object's content in place; left out where the store's objects cannot change. */
  change?(bytes: Uint8Array): Promise<void>;
  remove(): Promise<void>;
}

/** How the suite gets its objects. */
export interface SourceFixture {
  create(bytes: Uint8Array): Promise<TestObject>;
}

function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

function checkBytes(actual: Uint8Array | undefined, expected: Uint8Array, what: string): void {
  check(actual !== undefined && actual.length === expected.length, `${what}: ${actual?.length} of ${expected.length}`);
  for (let i = 0; i < expected.length; i++) check(actual[i] === expected[i], `${what}: byte ${i} differs`);
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
}

function sampleBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 12_345;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

const SIZE_BYTES = 300_000;

/** What every `ByteSource` must do (core/source.ts). Call it inside `describe`, once per source. */
export function testSource(it: TestRunner, fixture: SourceFixture): void {
  const bytes = sampleBytes(SIZE_BYTES);
  const using = (content: Uint8Array, body: (source: ByteSource, object: TestObject) => Promise<void>) => async () => {
    const object = await fixture.create(content);
    const source = await object.open();
    try {
      await body(source, object);
    } finally {
      await source.close();
      await object.remove();
    }
  };
  const expected = (range: ByteRange): Uint8Array =>
    "suffixBytes" in range
      ? bytes.slice(Math.max(0, SIZE_BYTES - range.suffixBytes))
      : bytes.slice(range.start, range.end);
  const compare = async (source: ByteSource, ranges: readonly ByteRange[]): Promise<void> => {
    const answers = await source.getRanges(ranges);
    check(answers.length === ranges.length, `${answers.length} answers for ${ranges.length} ranges`);
    ranges.forEach((range, i) => checkBytes(answers[i], expected(range), JSON.stringify(range)));
  };

  it(
    "answers exact ranges in the order asked",
    using(bytes, (source) =>
      compare(source, [
        { start: 200_000, end: 299_000 },
        { start: 0, end: 4 },
        { start: 100, end: 200 },
        { start: 150, end: 250 },
        { start: 100, end: 200 },
        { start: 120, end: 130 },
        { suffixBytes: 8 },
        { start: 299_999, end: 300_000 },
      ]),
    ),
  );
  it(
    "answers empty ranges and no ranges",
    using(bytes, (source) =>
      compare(source, [{ start: 0, end: 0 }, { start: SIZE_BYTES, end: SIZE_BYTES }, { suffixBytes: 0 }]).then(() =>
        compare(source, []),
      ),
    ),
  );
  it(
    "a suffix longer than the object is the object",
    using(bytes, (source) => compare(source, [{ suffixBytes: SIZE_BYTES + 1 }, { suffixBytes: SIZE_BYTES }])),
  );
  it(
    "answers many calls at once",
    using(bytes, async (source) => {
      await Promise.all(
        Array.from({ length: 20 }, (_, i) => compare(source, [{ start: i * 1000, end: i * 1000 + 5000 }])),
      );
    }),
  );
  it(
    "tells size and a stable etag",
    using(bytes, async (source) => {
      const first = await source.stat();
      check(first.sizeBytes === SIZE_BYTES, `size ${first.sizeBytes}`);
      check(first.etag.length > 0, "an empty etag");
      await source.getRanges([{ start: 0, end: 10 }]);
      check((await source.stat()).etag === first.etag, "the etag changed");
    }),
  );
  it(
    "an empty object has no bytes",
    using(new Uint8Array(0), async (source) => {
      check((await source.stat()).sizeBytes === 0, "size is not 0");
      checkBytes((await source.getRanges([{ suffixBytes: 10 }]))[0], new Uint8Array(0), "suffix");
    }),
  );
  it(
    "refuses a range past the end instead of answering less",
    using(bytes, async (source) => {
      const error = await failure(source.getRanges([{ start: SIZE_BYTES - 10, end: SIZE_BYTES + 1 }]));
      check(isIngestError(error, "INGEST_SOURCE"), `not a SourceError: ${String(error)}`);
      check(error.where.url === source.url, "the error does not name the object");
    }),
  );
  it(
    "the arrays answered belong to the caller",
    using(bytes, async (source) => {
      const [first] = await source.getRanges([{ start: 0, end: 100 }]);
      first?.fill(0);
      await compare(source, [{ start: 0, end: 100 }]);
    }),
  );
  it(
    "stops when aborted, with the reason given",
    using(bytes, async (source) => {
      const controller = new AbortController();
      controller.abort();
      const options = { signal: controller.signal };
      check(
        (await failure(source.getRanges([{ start: 0, end: 10 }], options))) === controller.signal.reason,
        "another error",
      );
      check((await failure(source.stat(options))) === controller.signal.reason, "another error from stat");
    }),
  );
  it(
    "close may be repeated, and reading after it fails cleanly",
    using(bytes, async (source) => {
      await source.close();
      await source.close();
      const error = await failure(source.getRanges([{ start: 0, end: 10 }]));
      check(isIngestError(error, "INGEST_SOURCE"), `not a SourceError: ${String(error)}`);
    }),
  );
  it(
    "never mixes two versions of an object",
    using(bytes, async (source, object) => {
      if (object.change === undefined) return;
      await source.getRanges([{ start: 0, end: 10 }]);
      const other = bytes.slice();
      other.fill(7, 100);
      await object.change(other);
      try {
        const [answer] = await source.getRanges([{ start: 0, end: 1000 }]);
        checkBytes(answer, bytes.subarray(0, 1000), "neither the old bytes nor an error");
      } catch (error) {
        check(isIngestError(error, "INGEST_SOURCE"), `not a SourceError: ${String(error)}`);
        check(error.where.url === source.url, "the error does not name the object");
      }
    }),
  );
}
