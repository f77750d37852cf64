import { FormatError, type Key } from "@ingest-ts/core";
import { readMessage } from "./protobuf.ts";
import { CPP_WRITER, type Footer, GREGORIAN_START_DAYS, type OrcType } from "./spec.ts";
import type { StatisticsTrust } from "./statistics.ts";

/** Message `BloomFilter`: bits in 64-bit words, little endian. */
interface BloomFilter {
  readonly hashes: number;
  readonly bits: Uint8Array;
}

/** More hash functions than any writer asks for. */
const MOST_HASHES = 64;

/** `Footer.writer` of those whose filters are known to follow Java's: Java, C++ and Trino. */
const trustedWriters: ReadonlySet<number> = new Set([0, 1, 4]);

/**
 * Whether the bloom filters of a file are right. C++ writers before 1.6.12, and 1.7.0, hashed negative and large numbers in
 * another way than all others (ORC-1024); the oldest of them do not say their version.
 */
export function hasGoodBloomFilters({ writer, softwareVersion }: Footer): boolean {
  if (!trustedWriters.has(writer)) return false;
  if (writer !== CPP_WRITER) return true;
  const match = /^(\d+)\.(\d+)\.(\d+)/.exec(softwareVersion);
  if (match === null) return false;
  const [major, minor, patch] = match.slice(1).map(Number) as [number, number, number];
  if (major !== 1) return major > 1;
  if (minor === 6) return patch >= 12;
  return minor > 7 || (minor === 7 && patch >= 1);
}

/**
 * Message `BloomFilterIndex`: whether the values of each row group may include one that hashes to `hash`.
 *
 * @returns undefined when it is malformed or has not as many filters as there are row groups.
 */
export function readBloomFilters(bytes: Uint8Array, groups: number): ((hash: bigint) => boolean)[] | undefined {
  const filters: BloomFilter[] = [];
  try {
    readMessage(bytes, (field, reader) => {
      if (field.number !== 1 || field.wireType !== 2 || filters.length > groups) return false;
      filters.push(readFilter(reader.bytes()));
      return true;
    });
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
  const isGood = ({ hashes, bits }: BloomFilter): boolean =>
    hashes > 0 && hashes <= MOST_HASHES && bits.length > 0 && bits.length % 8 === 0;
  if (filters.length !== groups || !filters.every(isGood)) return undefined;
  return filters.map((filter) => (hash) => mayContain(filter, hash));
}

function readFilter(bytes: Uint8Array): BloomFilter {
  let hashes = 0;
  let utf8: Uint8Array | undefined;
  const words: number[] = [];
  readMessage(bytes, (field, reader) => {
    if (field.number === 1 && field.wireType === 0) hashes = reader.varint();
    else if (field.number === 3 && field.wireType === 2) utf8 = reader.bytes();
    else if (field.number === 2 && field.wireType === 1) words.push(...reader.fixed(8));
    else if (field.number === 2 && field.wireType === 2) for (const byte of reader.bytes()) words.push(byte);
    else return false;
    return true;
  });
  return { hashes, bits: utf8 ?? Uint8Array.from(words) };
}

/** ORC's BloomFilter.addHash: the halves of the hash, combined. */
function mayContain({ hashes, bits }: BloomFilter, hash: bigint): boolean {
  const low = Number(BigInt.asIntN(32, hash));
  const high = Number(BigInt.asIntN(32, hash >> 32n));
  const size = bits.length * 8;
  for (let i = 1; i <= hashes; i++) {
    const sum = (low + Math.imul(i, high)) | 0;
    const bit = (sum < 0 ? ~sum : sum) % size;
    if ((((bits[bit >> 3] as number) >> (bit & 7)) & 1) === 0) return false;
  }
  return true;
}

/**
 * Hashes of every way in which a value that equals `key` is hashed; undefined when they cannot be told, or writers differ:
 * decimals, timestamps and padded text.
 *
 * @param isUtf8 whether the filter is one that hashes text as UTF-8 (BLOOM_FILTER_UTF8)
 */
export function hashesOf(
  key: Key,
  { kind }: OrcType,
  isUtf8: boolean,
  { proleptic }: StatisticsTrust,
): bigint[] | undefined {
  switch (kind) {
    case "byte":
    case "short":
    case "int":
    case "long":
      return key instanceof Uint8Array ? undefined : [longHash(BigInt(key))];
    case "date": {
      if (typeof key !== "number" || (!proleptic && key < GREGORIAN_START_DAYS)) return undefined;
      return [longHash(BigInt(key))];
    }
    case "float":
    case "double": {
      // NaN has many encodings, zero two.
      if (typeof key !== "number" || Number.isNaN(key)) return undefined;
      return (key === 0 ? [0, -0] : [key]).map((value) =>
        longHash(new BigInt64Array(Float64Array.of(value).buffer)[0] as bigint),
      );
    }
    case "string":
    case "varchar":
      return isUtf8 && key instanceof Uint8Array ? [murmur3(key)] : undefined;
    default:
      return undefined;
  }
}

const int64 = (value: bigint): bigint => BigInt.asIntN(64, value);

/** Thomas Wang's hash of 64 bits as Java's writer has it: its shifts to the right keep the sign. */
function longHash(value: bigint): bigint {
  let key = int64(~value + (value << 21n));
  key ^= key >> 24n;
  key = int64(key + (key << 3n) + (key << 8n));
  key ^= key >> 14n;
  key = int64(key + (key << 2n) + (key << 4n));
  key ^= key >> 28n;
  return int64(key + (key << 31n));
}

const uint64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotated = (value: bigint, by: bigint): bigint => uint64(value << by) | (value >> (64n - by));

const MURMUR_SEED = 104_729n;
const MURMUR_C1 = 0x87c3_7b91_1142_53d5n;
const MURMUR_C2 = 0x4cf5_ad43_2745_937fn;

/** ORC's Murmur3 of 64 bits: the first half of the 128-bit variant, over words of 8 bytes. */
function murmur3(bytes: Uint8Array): bigint {
  const mixed = (word: bigint): bigint => uint64(rotated(uint64(word * MURMUR_C1), 31n) * MURMUR_C2);
  let hash = MURMUR_SEED;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const whole = bytes.length - (bytes.length % 8);
  for (let at = 0; at < whole; at += 8) {
    hash ^= mixed(view.getBigUint64(at, true));
    hash = uint64(rotated(hash, 27n) * 5n + 0x52dc_e729n);
  }
  let tail = 0n;
  for (let at = bytes.length - 1; at >= whole; at--) tail = (tail << 8n) | BigInt(bytes[at] as number);
  if (whole < bytes.length) hash ^= mixed(tail);
  hash ^= BigInt(bytes.length);
  hash = uint64((hash ^ (hash >> 33n)) * 0xff51_afd7_ed55_8ccdn);
  hash = uint64((hash ^ (hash >> 33n)) * 0xc4ce_b9fe_1a85_ec53n);
  return hash ^ (hash >> 33n);
}
