import { describe, expect, it } from "vitest";
import { benchOptions } from "../../src/bench/options.ts";

const of = (
  flags: Parameters<typeof benchOptions>[1],
  paths: readonly string[] = [],
): ReturnType<typeof benchOptions> => benchOptions(paths, flags, "0.0.0");

describe("benchOptions", () => {
  it("takes the flights of vega-datasets when no file is named", () => {
    const options = of({});
    expect(options).toMatchObject({
      name: "flights-3m.parquet",
      projected: ["delay", "origin"],
      batchRows: 256,
      seed: 0,
    });
    expect(options.jobs.map(({ format, codec }) => `${format} ${codec}`)).toEqual([
      "parquet none",
      "parquet snappy",
      "parquet zstd",
      "orc snappy",
      "orc zstd",
      "avro none",
      "avro snappy",
      "tfrecord none",
      "tfrecord gzip",
    ]);
    expect(options.source).toMatchObject({ maxRows: 3_000_000, maxArrowBytes: 512e6 });
  });

  it("takes what is asked for", () => {
    const options = of({ formats: "tfrecord", codecs: "gzip,zstd", rows: "1_000", batch: "32", seed: "7" }, [
      "a/b.parquet",
      "c",
    ]);
    expect(options.jobs).toEqual([{ format: "tfrecord", codec: "gzip" }]);
    expect(options).toMatchObject({ name: "b.parquet and 1 more", batchRows: 32, seed: 7, projected: undefined });
    expect(options.source).toMatchObject({ paths: ["a/b.parquet", "c"], maxRows: 1000 });
  });

  it("measures every codec of a format that is named", () => {
    const jobsOf = (flags: Parameters<typeof of>[0]): string[] =>
      of(flags).jobs.map(({ format, codec }) => `${format} ${codec}`);
    expect(jobsOf({ codecs: "zlib,deflate" })).toEqual(["orc zlib", "avro deflate"]);
    expect(jobsOf({ formats: "orc,avro", codecs: "none,zstd" })).toEqual([
      "orc zstd",
      "orc none",
      "avro none",
      "avro zstd",
    ]);
  });

  it.each([
    [{ rows: "0" }, /--rows 0/],
    [{ rows: "many" }, /--rows many/],
    [{ seed: "-1" }, /--seed -1/],
    [{ batch: "1.5" }, /--batch 1.5/],
    [{ formats: "csv" }, /"csv" is unknown.*parquet, orc, avro, tfrecord/],
    [{ codecs: "lzo" }, /"lzo" is unknown/],
    [{ formats: "tfrecord", codecs: "zstd" }, /no format of tfrecord has a codec of zstd/],
    [{ formats: "," }, /names nothing/],
  ])("refuses %j", (flags, message) => {
    expect(() => of(flags)).toThrow(message);
  });
});
