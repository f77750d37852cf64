import { Dice } from "@ingest-ts/core/testing";
import { describe, expect, test } from "vitest";
import { readArrowHints } from "../../src/parquet/arrow-hints.ts";
import { parquet } from "../../src/parquet/index.ts";
import type { ParquetMetadata } from "../../src/parquet/metadata.ts";
import { ARROW_SCHEMA_KEY } from "../../src/parquet/spec.ts";
import { fixtureBytes, selectOf } from "./support.ts";
import { memorySource } from "@ingest-ts/core/testing";

async function metadataOf(name: string): Promise<ParquetMetadata> {
  return parquet.readMetadata(memorySource(fixtureBytes(name), "memory:file"), selectOf({}));
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

describe("the stored Arrow schema", () => {
  test("is read without apache-arrow", async () => {
    const { keyValues } = await metadataOf("nested-v1");
    const hints = readArrowHints(keyValues[ARROW_SCHEMA_KEY] ?? "");
    expect(hints?.map((hint) => hint.name)).toContain("large_list");
    expect(hints?.find((hint) => hint.name === "fixed_list")).toMatchObject({ listSize: 3, children: [{ typeId: 2 }] });
  });

  test("is ignored where it does not fit the file", async () => {
    const metadata = await metadataOf("flat-nullable-v1");
    const other = await metadataOf("nested-v1");
    const bare = { ...metadata, keyValues: {} };
    const swapped = { ...metadata, keyValues: { [ARROW_SCHEMA_KEY]: other.keyValues[ARROW_SCHEMA_KEY] ?? "" } };
    const select = selectOf({});
    expect(parquet.toSchema(swapped, select)).toEqual(parquet.toSchema(bare, select));
    const type = (schema: ReturnType<typeof parquet.toSchema>, name: string): unknown =>
      schema.fields.find((field) => field.name === name)?.type;
    expect(type(parquet.toSchema(bare, select), "large_string")).toEqual({ kind: "utf8" });
    expect(type(parquet.toSchema(metadata, select), "large_string")).toEqual({ kind: "largeUtf8" });
    expect(type(parquet.toSchema(metadata, select), "timestamp_berlin")).toMatchObject({ timezone: "Europe/Berlin" });
  });

  test.each(["", "AAAA", "not base64!", "//////////8="])("%j gives nothing", (text) => {
    expect(readArrowHints(text)).toBeUndefined();
  });

  test("hostile bytes give nothing or bounded hints, at once", async () => {
    const { keyValues } = await metadataOf("nested-v1");
    const bytes = Uint8Array.from(atob(keyValues[ARROW_SCHEMA_KEY] ?? ""), (each) => each.charCodeAt(0));
    const started = performance.now();
    for (let seed = 0; seed < 2000; seed++) {
      const dice = new Dice(seed);
      const mutated = bytes.slice(0, dice.chance(0.2) ? dice.below(bytes.length) : bytes.length);
      for (let i = dice.below(6); i >= 0; i--)
        mutated[dice.below(mutated.length)] = dice.pick([0, 1, 0x7f, 0xff, dice.below(256)]);
      readArrowHints(toBase64(mutated));
    }
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
