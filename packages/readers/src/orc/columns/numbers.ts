import type { Column, DataType } from "@ingest-ts/core";
import { checked, kernelFaults } from "@ingest-ts/kernels";
import type { ArenaScope } from "../arena-scope.ts";
import { hybridToProleptic } from "../calendar.ts";
import { atStream, type ByteStream, type IntegerStream, type RawStream } from "../streams.ts";
import type { Reading } from "../stripe-bytes.ts";
import { type Presence, readPresence, spreadOut, validityOf } from "./presence.ts";
import type { ColumnReader } from "./reader.ts";

function flat(type: DataType, presence: Presence, data: Uint8Array, scope: ArenaScope): Column {
  const { validity, nullCount } = validityOf(presence, scope);
  return { type, length: presence.count, nullCount, validity, offsets: null, data, children: [], dictionary: null };
}

/** boolean: bits. */
export function booleanReader(type: DataType, present: ByteStream | undefined, data: ByteStream): ColumnReader {
  return {
    *read(parent, scope) {
      const presence = yield* readPresence(present, parent, scope);
      const dense = (yield* data.readBits(presence.valid, scope)).address;
      const bytes = (presence.count + 7) >> 3;
      if (presence.valid === presence.count) return flat(type, presence, scope.copyOut(dense, bytes), scope);
      const out = scope.zeros(bytes);
      const { exports } = scope.kernels;
      checked(exports, exports.spreadBits(presence.address, 0, presence.count, dense, 0, presence.valid, out, 0));
      return flat(type, presence, scope.copyOut(out, bytes), scope);
    },
  };
}

/** tinyint: byte runs. */
export function byteReader(type: DataType, present: ByteStream | undefined, data: ByteStream): ColumnReader {
  return {
    *read(parent, scope) {
      const presence = yield* readPresence(present, parent, scope);
      return flat(type, presence, spreadOut(yield* data.read(presence.valid, scope), 1, presence, scope), scope);
    },
  };
}

/** smallint, int and bigint: integer runs, which must fit the type. */
export function integerReader(
  type: DataType,
  width: 2 | 4 | 8,
  present: ByteStream | undefined,
  data: IntegerStream,
): ColumnReader {
  return {
    *read(parent, scope) {
      const presence = yield* readPresence(present, parent, scope);
      return flat(type, presence, yield* readIntegers(width, data, presence, scope), scope);
    },
  };
}

function* readIntegers(
  width: 2 | 4 | 8,
  data: IntegerStream,
  presence: Presence,
  scope: ArenaScope,
): Reading<Uint8Array> {
  const dense = yield* data.read(presence.valid, scope);
  if (width < 8) {
    const { exports } = scope.kernels;
    atStream(data.place, () => checked(exports, exports.narrowFrom64(dense, presence.valid, width, dense)));
  }
  return spreadOut(dense, width, presence, scope);
}

/** date: integer runs of days, of the hybrid calendar when `isHybrid`. */
export function dateReader(
  type: DataType,
  isHybrid: boolean,
  present: ByteStream | undefined,
  data: IntegerStream,
): ColumnReader {
  return {
    *read(parent, scope) {
      const presence = yield* readPresence(present, parent, scope);
      const days = yield* readIntegers(4, data, presence, scope);
      if (isHybrid) hybridToProleptic(new Int32Array(days.buffer, days.byteOffset, presence.count));
      return flat(type, presence, days, scope);
    },
  };
}

/** float and double: IEEE 754, little endian. */
export function floatReader(
  type: DataType,
  width: 4 | 8,
  present: ByteStream | undefined,
  data: RawStream,
): ColumnReader {
  return {
    *read(parent, scope) {
      const presence = yield* readPresence(present, parent, scope);
      return flat(type, presence, spreadOut(yield* data.take(presence.valid * width), width, presence, scope), scope);
    },
  };
}

/** decimal as varints, each with its own scale. */
export function decimalReader(
  type: Extract<DataType, { kind: "decimal" }>,
  present: ByteStream | undefined,
  data: RawStream,
  scales: IntegerStream,
): ColumnReader {
  return {
    *read(parent, scope) {
      const presence = yield* readPresence(present, parent, scope);
      const { valid } = presence;
      const scaleValues = yield* scales.read(valid, scope);
      const dense = yield* readDecimals(type, data, scaleValues, valid, scope);
      return flat(type, presence, spreadOut(dense, 16, presence, scope), scope);
    },
  };
}

/** Bytes that a varint is guessed to take; more are brought in where that is too few. */
const GUESSED_VARINT_BYTES = 6;
/** A varint of 128 bits. */
const LONGEST_VARINT_BYTES = 19;

/** The next `count` varints as 16 bytes each, at the type's scale. */
function* readDecimals(
  type: Extract<DataType, { kind: "decimal" }>,
  data: RawStream,
  scales: number,
  count: number,
  scope: ArenaScope,
): Reading<number> {
  const { exports } = scope.kernels;
  let dense: number | undefined;
  // Every varint takes a byte at least.
  for (let [wanted, least] = [count * GUESSED_VARINT_BYTES, count]; ; wanted *= 2) {
    const { address, sizeBytes } = yield* data.peek(wanted, least);
    // Room is taken only for what may be there.
    if (count > sizeBytes) yield* data.take(count);
    dense ??= scope.allocate(count * 16);
    const used = exports.orcDecimals(address, sizeBytes, scales, type.scale, dense, count);
    const isCut = kernelFaults[used as keyof typeof kernelFaults] === "TRUNCATED" && sizeBytes >= least;
    if (isCut && sizeBytes < count * LONGEST_VARINT_BYTES) {
      least = sizeBytes + 1;
      continue;
    }
    atStream(data.place, () => checked(exports, used));
    yield* data.take(used);
    return dense;
  }
}

/** decimal of up to 18 digits in files of version 1.9999: integer runs at the type's scale. */
export function shortDecimalReader(type: DataType, present: ByteStream | undefined, data: IntegerStream): ColumnReader {
  return {
    *read(parent, scope) {
      const presence = yield* readPresence(present, parent, scope);
      const values = yield* data.read(presence.valid, scope);
      const dense = scope.allocate(presence.valid * 16);
      scope.kernels.exports.decimalFrom64(values, presence.valid, dense);
      return flat(type, presence, spreadOut(dense, 16, presence, scope), scope);
    },
  };
}
