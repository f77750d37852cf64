import { type Column, checkLimit, type DataType, type Limits } from "@ingest-ts/core";
import { checked } from "@ingest-ts/kernels";
import type { ArenaScope } from "../arena-scope.ts";
import { atStream, type ByteStream, type IntegerStream, type RawStream } from "../streams.ts";
import type { StreamPlace } from "../stream-window.ts";
import type { Reading } from "../stripe-bytes.ts";
import { type Presence, readPresence, validityOf } from "./presence.ts";
import type { ColumnReader } from "./reader.ts";

function column(type: DataType, presence: Presence, offsets: number, bytes: Uint8Array, scope: ArenaScope): Column {
  const offsetBytes = scope.copyOut(offsets, (presence.count + 1) * 4);
  const { validity, nullCount } = validityOf(presence, scope);
  return {
    type,
    length: presence.count,
    nullCount,
    validity,
    offsets: new Int32Array(offsetBytes.buffer, offsetBytes.byteOffset, presence.count + 1),
    data: bytes,
    children: [],
    dictionary: null,
  };
}

function checkUtf8(
  type: DataType,
  bytes: number,
  offsets: number,
  count: number,
  place: StreamPlace,
  scope: ArenaScope,
) {
  if (type.kind !== "utf8") return;
  const { exports } = scope.kernels;
  atStream(place, () => checked(exports, exports.validateUtf8(bytes, offsets, count)));
}

/** The next `presence.valid` lengths as offsets of `presence.count` slots, from 0 on; and the last of them. */
export function* readOffsets(
  lengths: IntegerStream,
  presence: Presence,
  scope: ArenaScope,
): Reading<{ offsets: number; total: number }> {
  const { count, valid, address } = presence;
  const values = yield* lengths.read(valid, scope);
  const dense = scope.allocate((valid + 1) * 4);
  const { exports } = scope.kernels;
  const total = atStream(lengths.place, () => checked(exports, exports.lengthsToOffsets(values, valid, 0, dense)));
  if (valid === count) return { offsets: dense, total };
  const offsets = scope.allocate((count + 1) * 4);
  checked(exports, exports.spreadOffsets(address, 0, count, dense, valid, 0, offsets));
  return { offsets, total };
}

/** DIRECT: lengths and bytes. */
export function directStringReader(
  type: DataType,
  present: ByteStream | undefined,
  lengths: IntegerStream,
  data: RawStream,
): ColumnReader {
  return {
    *read(parent, scope) {
      const presence = yield* readPresence(present, parent, scope);
      const { offsets, total } = yield* readOffsets(lengths, presence, scope);
      if (type.kind !== "utf8") return column(type, presence, offsets, yield* data.takeOut(total), scope);
      const bytes = yield* data.take(total);
      checkUtf8(type, bytes, offsets, presence.count, data.place, scope);
      return column(type, presence, offsets, scope.copyOut(bytes, total), scope);
    },
  };
}

/** The dictionary of one stripe, in blocks of the stripe's scope. */
export interface Dictionary {
  readonly size: number;
  /** Pairs (u32 address, u32 length). */
  readonly table: number;
}

/** @throws FormatError when lengths and bytes do not belong together; UnsupportedError over limits.dictionaryEntries. */
export function* readDictionary(
  type: DataType,
  size: number,
  lengths: IntegerStream,
  data: RawStream,
  limits: Limits,
  scope: ArenaScope,
): Reading<Dictionary> {
  checkLimit(limits, "dictionaryEntries", size, "a dictionary");
  const { offsets, total } = yield* readOffsets(lengths, { count: size, valid: size, address: 0 }, scope);
  const bytes = yield* data.take(total);
  checkUtf8(type, bytes, offsets, size, data.place, scope);
  const table = scope.allocate(size * 8);
  const words = new Uint32Array(scope.kernels.exports.memory.buffer);
  for (let i = 0; i < size; i++) {
    const start = words[offsets / 4 + i] as number;
    words[table / 4 + 2 * i] = bytes + start;
    words[table / 4 + 2 * i + 1] = (words[offsets / 4 + i + 1] as number) - start;
  }
  return { size, table };
}

/** DICTIONARY: indices into the stripe's dictionary. */
export function dictionaryStringReader(
  type: DataType,
  present: ByteStream | undefined,
  indices: IntegerStream,
  dictionary: () => Reading<Dictionary>,
): ColumnReader {
  return {
    *read(parent, scope) {
      const presence = yield* readPresence(present, parent, scope);
      const { count, valid, address } = presence;
      const { exports } = scope.kernels;
      const { size, table } = yield* dictionary();
      const values = yield* indices.read(valid, scope);
      atStream(indices.place, () => {
        checked(exports, exports.narrowFrom64(values, valid, 4, values));
        checked(exports, exports.checkIndices(values, valid, size));
      });
      const capacity = exports.gatheredBytes(values, valid, table);
      const bytes = scope.allocate(capacity);
      const offsets = scope.allocate((count + 1) * 4);
      atStream(indices.place, () =>
        checked(exports, exports.gatherStrings(values, valid, table, address, 0, count, bytes, 0, capacity, offsets)),
      );
      return column(type, presence, offsets, scope.copyOut(bytes, capacity), scope);
    },
  };
}
