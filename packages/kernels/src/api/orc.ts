/** Bytes of the state block that `orcIntegers` keeps: position, end and one decoded run. */
export const ORC_INTEGER_STATE_BYTES: number = 24 + 512 * 8;
/** Bytes of the state block that `orcBytes` and `orcBooleans` keep. */
export const ORC_BYTE_STATE_BYTES: number = 32;
/** Words of the states that say how much there was before TRUNCATED. */
export const ORC_INTEGER_DONE: number = 4;
export const ORC_BYTE_DONE: number = 7;

/**
 * ORC streams, read in pieces that may cut runs. A state block starts as zeros but for its first two words (u32): the
 * addresses of the next byte and of the end of what is there. After TRUNCATED, word ORC_INTEGER_DONE or ORC_BYTE_DONE says
 * how many values there were; with more bytes behind the next one, the caller goes on from there.
 *
 * What else callers may read: words 2 and 3 of an integer state are values taken of and held in the current run, word 2 of
 * a byte state is what is left of its run, word 6 how many bits of the last byte are left.
 *
 * @see ORC specification v1, "Run Length Encoding"
 */
export interface OrcKernels {
  /** The next `count` integers as int64, by RLE `version` 1 or 2. TRUNCATED, LENGTH, BIT_WIDTH. */
  orcIntegers(state: number, version: number, isSigned: number, out: number, count: number): number;
  /** The next `count` bytes of a byte-RLE stream. TRUNCATED. */
  orcBytes(state: number, out: number, count: number): number;
  /** The next bits of a boolean stream → bits [from, to) of a bitmap; `validCount()` is how many are set. TRUNCATED. */
  orcBooleans(state: number, out: number, from: number, to: number): number;
  /** int64 → int of 4, 2 or 1 bytes. OVERFLOW (position: values). */
  narrowFrom64(src: number, count: number, bytes: number, out: number): number;
  /** `count` int64 lengths → count + 1 int32 offsets from `base` on. Returns the last; LENGTH, OVERFLOW (position: values). */
  lengthsToOffsets(src: number, count: number, base: number, out: number): number;
  /**
   * Zigzag varints of up to 128 bits, value i rescaled from the int64 scales[i] to `scale` → 16-byte decimals. Returns
   * bytes consumed; TRUNCATED, OVERFLOW (position: values) when a value does not fit or would lose digits.
   */
  orcDecimals(src: number, srcLength: number, scales: number, scale: number, out: number, count: number): number;
  /**
   * Seconds from `epochSeconds` and encoded nanoseconds → int64 ns; `isShifted` for seconds that `orcZoneShift` made.
   * OVERFLOW, CORRUPT (position: values).
   */
  orcTimestamps(
    seconds: number,
    nanos: number,
    epochSeconds: bigint,
    isShifted: number,
    out: number,
    count: number,
  ): number;
  /**
   * seconds[i], with its encoded nanoseconds, becomes the wall clock: + epochSeconds + the zone's offset there. `offsets[k]`
   * (int32) holds from `transitions[k]` (int64, ascending) on, offsets[0] also before. OVERFLOW, CORRUPT (position: values).
   */
  orcZoneShift(
    seconds: number,
    nanos: number,
    count: number,
    epochSeconds: bigint,
    transitions: number,
    offsets: number,
    transitionCount: number,
  ): number;
}
