import type { Field, Schema } from "@ingest-ts/core";

const int32 = { kind: "int", bits: 32, signed: true } as const;
const int64 = { kind: "int", bits: 64, signed: true } as const;
const utf8 = { kind: "utf8" } as const;
const binary = { kind: "binary" } as const;
const entry: Field = {
  name: "entries",
  nullable: false,
  type: {
    kind: "struct",
    children: [
      { name: "key", type: utf8, nullable: false },
      { name: "value", type: binary, nullable: true },
    ],
  },
};

/**
 * The columns of every slab of records. Headers keep their order and their duplicates; a null value is a tombstone, an
 * empty one is not; a timestamp that the producer left out (-1) is null. With log-append time it is the broker's.
 */
export const recordSchema: Schema = {
  metadata: {},
  fields: [
    { name: "topic", type: { kind: "dictionary", index: int32, value: utf8, ordered: false }, nullable: false },
    { name: "partition", type: int32, nullable: false },
    { name: "kafkaOffset", type: int64, nullable: false },
    { name: "timestamp", type: { kind: "timestamp", unit: "ms", timezone: "UTC" }, nullable: true },
    { name: "key", type: binary, nullable: true },
    { name: "value", type: binary, nullable: true },
    { name: "headers", type: { kind: "map", keysSorted: false, child: entry }, nullable: false },
  ],
};
