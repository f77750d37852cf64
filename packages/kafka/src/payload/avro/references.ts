import { type Column, getBit } from "@ingest-ts/core";
import {
  CONFLUENT_GUID_HEADER_BYTES,
  CONFLUENT_ID_HEADER_BYTES,
  readConfluentHeader,
  readSingleObjectHeader,
  SINGLE_OBJECT_HEADER_BYTES,
} from "@ingest-ts/readers/avro/datum";

/** Which schema some values were written with, and how many bytes of them say so. */
export interface SchemaGroup {
  /** "5" for an id, 8-4-4-4-12 for a GUID, 16 hexadecimal digits for a fingerprint. */
  readonly schema: string;
  readonly headerBytes: number;
}

/** Values by the schemas that they name. */
export interface GroupedValues {
  readonly groups: readonly SchemaGroup[];
  /** Of every value: its group, NONE or UNNAMED. */
  readonly groupOf: Int32Array;
}

// A record without a value.
const NONE = -1;
/** A value that names no schema. */
export const UNNAMED = -2;

/** Headers that Confluent's serializers write for keys and values. */
export const schemaIdHeaders = { key: "__key_schema_id", value: "__value_schema_id" } as const;

/** In each record the bytes of the last header of that name; those of most records have none. */
class HeaderFinder {
  readonly #ends: Int32Array;
  readonly #names: Column;
  readonly #bytes: Column;
  readonly #name: Uint8Array;

  constructor(headers: Column, name: string) {
    this.#ends = headers.offsets as Int32Array;
    const [names, bytes] = (headers.children[0] as Column).children as [Column, Column];
    this.#names = names;
    this.#bytes = bytes;
    this.#name = new TextEncoder().encode(name);
  }

  find(row: number): { bytes: Uint8Array; start: number; end: number } | undefined {
    const first = this.#ends[row] as number;
    for (let i = (this.#ends[row + 1] as number) - 1; i >= first; i--) {
      if (!this.#isNamed(i)) continue;
      if (this.#bytes.validity !== null && !getBit(this.#bytes.validity, i)) continue;
      const ends = this.#bytes.offsets as Int32Array;
      return { bytes: this.#bytes.data as Uint8Array, start: ends[i] as number, end: ends[i + 1] as number };
    }
    return undefined;
  }

  #isNamed(i: number): boolean {
    const ends = this.#names.offsets as Int32Array;
    const start = ends[i] as number;
    if ((ends[i + 1] as number) - start !== this.#name.length) return false;
    const data = this.#names.data as Uint8Array;
    return this.#name.every((byte, k) => data[start + k] === byte);
  }
}

/**
 * Sorts values by the schemas that they name: in the header `headerName`, else in front of the datum (Confluent's formats 0
 * and 1).
 */
export function groupBySchema(values: Column, headers: Column | undefined, headerName: string): GroupedValues {
  const groups: SchemaGroup[] = [];
  const known = new Map<string, number>();
  const groupOf = new Int32Array(values.length);
  const offsets = values.offsets as Int32Array;
  const bytes = values.data ?? new Uint8Array(0);
  const finder =
    headers === undefined || (headers.children[0]?.length ?? 0) === 0
      ? undefined
      : new HeaderFinder(headers, headerName);
  const number = (schema: string, headerBytes: number): number => {
    const key = `${schema}/${headerBytes}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    known.set(key, groups.length);
    return groups.push({ schema, headerBytes }) - 1;
  };
  // Neighbours mostly name the same schema: its four bytes are compared before anything is made of them.
  let lastId = -1;
  let lastGroup = NONE;
  for (let i = 0; i < values.length; i++) {
    if (values.validity !== null && !getBit(values.validity, i)) {
      groupOf[i] = NONE;
      continue;
    }
    const start = offsets[i] as number;
    const end = offsets[i + 1] as number;
    const named = finder?.find(i);
    if (named !== undefined) {
      const reference = readConfluentHeader(named.bytes, named.start, named.end);
      const whole = reference?.kind === "id" ? CONFLUENT_ID_HEADER_BYTES : CONFLUENT_GUID_HEADER_BYTES;
      const isWhole = reference !== undefined && named.end - named.start === whole;
      groupOf[i] = isWhole ? number(reference.kind === "id" ? String(reference.id) : reference.guid, 0) : UNNAMED;
      continue;
    }
    if (end - start >= CONFLUENT_ID_HEADER_BYTES && bytes[start] === 0) {
      const id =
        ((bytes[start + 1] as number) << 24) |
        ((bytes[start + 2] as number) << 16) |
        ((bytes[start + 3] as number) << 8) |
        (bytes[start + 4] as number);
      if (id !== lastId || lastGroup < 0) {
        lastId = id;
        lastGroup = number(String(id), CONFLUENT_ID_HEADER_BYTES);
      }
      groupOf[i] = lastGroup;
      continue;
    }
    const reference = readConfluentHeader(bytes, start, end);
    groupOf[i] = reference?.kind === "guid" ? number(reference.guid, CONFLUENT_GUID_HEADER_BYTES) : UNNAMED;
  }
  return { groups, groupOf };
}

/** A fingerprint as a group's name. */
export function fingerprintName(fingerprint: bigint): string {
  return fingerprint.toString(16).padStart(16, "0");
}

/** Sorts values in single-object encoding by the fingerprints that they begin with. */
export function groupByFingerprint(values: Column): GroupedValues {
  const groups: SchemaGroup[] = [];
  const known = new Map<bigint, number>();
  const groupOf = new Int32Array(values.length).fill(NONE);
  const offsets = values.offsets as Int32Array;
  const bytes = values.data ?? new Uint8Array(0);
  for (let i = 0; i < values.length; i++) {
    if (values.validity !== null && !getBit(values.validity, i)) continue;
    const header = readSingleObjectHeader(bytes, offsets[i] as number, offsets[i + 1] as number);
    let group = header === undefined ? UNNAMED : known.get(header.fingerprint);
    if (group === undefined && header !== undefined) {
      const schema = fingerprintName(header.fingerprint);
      group = groups.push({ schema, headerBytes: SINGLE_OBJECT_HEADER_BYTES }) - 1;
      known.set(header.fingerprint, group);
    }
    groupOf[i] = group ?? UNNAMED;
  }
  return { groups, groupOf };
}
