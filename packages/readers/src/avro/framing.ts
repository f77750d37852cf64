/** Bytes before the datum in Avro's single-object encoding: C3 01, then the schema's fingerprint, little endian. */
export const SINGLE_OBJECT_HEADER_BYTES = 10;
/** Bytes before the payload in Confluent's wire format 0: 00, then the schema's id, big endian. */
export const CONFLUENT_ID_HEADER_BYTES = 5;
/** Bytes before the payload in Confluent's wire format 1: 01, then the schema's GUID. */
export const CONFLUENT_GUID_HEADER_BYTES = 17;

/** How a value names the schema it was written with. */
export type SchemaReference =
  /** CRC-64-AVRO of the canonical form, unsigned. */
  | { readonly kind: "fingerprint"; readonly fingerprint: bigint }
  | { readonly kind: "id"; readonly id: number }
  /** 8-4-4-4-12, in small letters. */
  | { readonly kind: "guid"; readonly guid: string };

function viewOf(bytes: Uint8Array, start: number): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + start);
}

function startsWith(
  bytes: Uint8Array,
  start: number,
  end: number,
  magic: readonly number[],
  sizeBytes: number,
): boolean {
  return end - start >= sizeBytes && magic.every((byte, i) => bytes[start + i] === byte);
}

/**
 * The header of a value in single-object encoding in bytes [start, end), or undefined when there is none. The datum begins
 * `SINGLE_OBJECT_HEADER_BYTES` behind `start`.
 *
 * @see Avro specification, "Single-object encoding"
 */
export function readSingleObjectHeader(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
): Extract<SchemaReference, { kind: "fingerprint" }> | undefined {
  if (!startsWith(bytes, start, end, [0xc3, 0x01], SINGLE_OBJECT_HEADER_BYTES)) return undefined;
  return { kind: "fingerprint", fingerprint: viewOf(bytes, start).getBigUint64(2, true) };
}

function guidAt(bytes: Uint8Array, start: number): string {
  const digits = Array.from(bytes.subarray(start, start + 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    "-",
  );
}

/**
 * The header of a value in one of Confluent's wire formats in bytes [start, end), or undefined when there is none. What
 * follows begins `CONFLUENT_ID_HEADER_BYTES` or `CONFLUENT_GUID_HEADER_BYTES` behind `start`.
 */
export function readConfluentHeader(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
): Exclude<SchemaReference, { kind: "fingerprint" }> | undefined {
  if (startsWith(bytes, start, end, [0], CONFLUENT_ID_HEADER_BYTES)) {
    return { kind: "id", id: viewOf(bytes, start).getInt32(1) };
  }
  if (!startsWith(bytes, start, end, [1], CONFLUENT_GUID_HEADER_BYTES)) return undefined;
  return { kind: "guid", guid: guidAt(bytes, start + 1) };
}
