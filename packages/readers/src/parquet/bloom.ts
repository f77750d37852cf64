import { FormatError, type Key } from "@ingest-ts/core";
import { leafType } from "./leaf-type.ts";
import type { LeafNode } from "./nodes.ts";
import { Physical, type SchemaElement } from "./spec.ts";
import { isConverted } from "./statistics.ts";
import { CompactReader, ThriftType } from "./thrift.ts";
import { xxhash64 } from "./xxhash64.ts";

const { I32, STRUCT } = ThriftType;

/** BloomFilter.md: eight words of 32 bits a block, of which each takes one bit of a value. */
const WORDS = 8;
const SALT = [0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31] as const;

/**
 * Reads a split block bloom filter with its header (Thrift: `struct BloomFilterHeader`).
 *
 * @returns whether the values of the chunk may include one of this hash; undefined for a filter of another kind, or one
 *   that is malformed
 */
export function readBloomFilter(bytes: Uint8Array): ((hash: bigint) => boolean) | undefined {
  let numBytes = 0;
  // Algorithm, hash and compression: each a union of which this version knows the first.
  const known = new Set<number>();
  const reader = new CompactReader(bytes, 0);
  try {
    reader.struct(STRUCT, "BloomFilterHeader", (id, type) => {
      if (id === 1) numBytes = reader.count(type, I32, "numBytes of a bloom filter");
      else if (id >= 2 && id <= 4) {
        reader.struct(type, "a choice", (choice, inner) => {
          if (choice === 1) known.add(id);
          reader.skip(inner);
        });
      } else reader.skip(type);
    });
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
  const start = reader.position;
  if (known.size < 3 || numBytes === 0 || numBytes % (WORDS * 4) !== 0 || start + numBytes > bytes.length)
    return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, numBytes);
  const blocks = BigInt(numBytes / (WORDS * 4));
  return (hash) => {
    const block = Number(((hash >> 32n) * blocks) >> 32n);
    const low = Number(hash & 0xffff_ffffn);
    return SALT.every((salt, word) => {
      const bit = Math.imul(low, salt) >>> 27;
      return ((view.getUint32((block * WORDS + word) * 4, true) >>> bit) & 1) === 1;
    });
  };
}

/** Hashes of every way in which a value that equals `key` is stored; undefined when they cannot be told. */
export function hashesOf(key: Key, node: LeafNode, element: SchemaElement): bigint[] | undefined {
  return isConverted(node.type, leafType(element)) ? undefined : plainBytes(key, node)?.map(xxhash64);
}

/** PLAIN encodings, without the length of BYTE_ARRAY. */
function plainBytes(key: Key, { type: own, leaf }: LeafNode): Uint8Array[] | undefined {
  const type = own.kind === "dictionary" ? own.value : own;
  switch (leaf.physical) {
    case Physical.INT32:
    case Physical.INT64: {
      const isCount =
        type.kind === "int" || type.kind === "decimal" || type.kind === "timestamp" || type.kind === "time";
      const isDay = type.kind === "date" && type.unit === "day";
      if (!(isCount || isDay || type.kind === "duration") || key instanceof Uint8Array) return undefined;
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, BigInt(key)), true);
      return [leaf.physical === Physical.INT32 ? bytes.subarray(0, 4) : bytes];
    }
    case Physical.FLOAT:
    case Physical.DOUBLE: {
      // NaN has many encodings, zero two.
      if (type.kind !== "float" || typeof key !== "number" || Number.isNaN(key)) return undefined;
      const values = key === 0 ? [0, -0] : [key];
      const isDouble = leaf.physical === Physical.DOUBLE;
      return values.map((value) => new Uint8Array((isDouble ? Float64Array : Float32Array).of(value).buffer));
    }
    case Physical.BYTE_ARRAY:
    case Physical.FIXED_LEN_BYTE_ARRAY: {
      const isBytes = /^(large)?(utf8|binary)$/i.test(type.kind) || type.kind === "fixedSizeBinary";
      return isBytes && key instanceof Uint8Array ? [key] : undefined;
    }
    default:
      return undefined;
  }
}
