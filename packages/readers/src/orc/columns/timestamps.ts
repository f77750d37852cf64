import type { DataType } from "@ingest-ts/core";
import { checked } from "@ingest-ts/kernels";
import type { ArenaScope } from "../arena-scope.ts";
import { TIMESTAMP_BASE_SECONDS } from "../spec.ts";
import { atStream, type ByteStream, type IntegerStream } from "../streams.ts";
import { isUtc, zoneEpoch, zoneOffsets } from "../time-zone.ts";
import { readPresence, spreadOut, validityOf } from "./presence.ts";
import type { ColumnReader } from "./reader.ts";

/** The range of `count` int64 values, as numbers: seconds are far below 2^53 in every file that passes. */
function rangeOf(scope: ArenaScope, address: number, count: number): [least: number, greatest: number] {
  const words = new Int32Array(scope.kernels.exports.memory.buffer, address, count * 2);
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < words.length; i += 2) {
    const value = (words[i + 1] as number) * 2 ** 32 + ((words[i] as number) >>> 0);
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return [least, greatest];
}

/** Nanoseconds hold no more than this many seconds to either side of 1970; outside of it the kernel refuses. */
const RANGE_SECONDS = 9_223_372_037;

/** Stored seconds → seconds that the clocks of `zone` showed, in place. */
function showWallClock(
  zone: string,
  seconds: number,
  nanos: number,
  count: number,
  scope: ArenaScope,
  stream: IntegerStream,
): void {
  if (count === 0) return;
  const epoch = zoneEpoch(zone, TIMESTAMP_BASE_SECONDS);
  const [least, greatest] = rangeOf(scope, seconds, count);
  const clamp = (second: number): number => Math.max(-RANGE_SECONDS, Math.min(RANGE_SECONDS, second + epoch));
  const { transitions, offsets } = zoneOffsets(zone, clamp(least - 1), clamp(greatest));
  const transitionsAt = scope.place(new Uint8Array(transitions.buffer));
  const offsetsAt = scope.place(new Uint8Array(offsets.buffer));
  const { exports } = scope.kernels;
  atStream(stream.place, () =>
    checked(
      exports,
      exports.orcZoneShift(seconds, nanos, count, BigInt(epoch), transitionsAt, offsetsAt, transitions.length),
    ),
  );
}

/**
 * timestamp: what the writer's clocks showed (`zone`, the stripe's); timestamp with local time zone: the instant, with
 * `zone` undefined.
 */
export function timestampReader(
  type: DataType,
  zone: string | undefined,
  present: ByteStream | undefined,
  data: IntegerStream,
  secondary: IntegerStream,
): ColumnReader {
  return {
    *read(parent, scope) {
      const presence = yield* readPresence(present, parent, scope);
      const { count, valid } = presence;
      const seconds = yield* data.read(valid, scope);
      const nanos = yield* secondary.read(valid, scope);
      const isShifted = zone !== undefined && !isUtc(zone);
      if (isShifted) showWallClock(zone, seconds, nanos, valid, scope, data);
      const epoch = isShifted ? 0n : BigInt(TIMESTAMP_BASE_SECONDS);
      const { exports } = scope.kernels;
      const shifted = isShifted ? 1 : 0;
      atStream(data.place, () =>
        checked(exports, exports.orcTimestamps(seconds, nanos, epoch, shifted, seconds, valid)),
      );
      const out = spreadOut(seconds, 8, presence, scope);
      const { validity, nullCount } = validityOf(presence, scope);
      return { type, length: count, nullCount, validity, offsets: null, data: out, children: [], dictionary: null };
    },
  };
}
