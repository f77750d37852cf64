// UTF-8 (RFC 3629). ASCII is skipped in steps of 64 and 16 bytes; 16 bytes of other text are classified at a time by
// three table look-ups (Keiser and Lemire, "Validating UTF-8 In Less Than One Instruction Per Byte", 2021); a fault is
// then located by the plain loop.
import { UTF8, fail, setPosition } from "./status";

/** Length of the well-formed character at `p`, 0 when there is none. */
function characterLength(p: usize, stop: usize): u32 {
  const a: u32 = load<u8>(p);
  if (a < 0x80) return 1;
  const left = stop - p;
  if (a < 0xc2 || left < 2) return 0;
  const b: u32 = load<u8>(p, 1);
  if (a < 0xe0) return (b & 0xc0) == 0x80 ? 2 : 0;
  if (left < 3) return 0;
  const c: u32 = load<u8>(p, 2);
  if (a < 0xf0) {
    const least: u32 = a == 0xe0 ? 0xa0 : 0x80;
    const most: u32 = a == 0xed ? 0x9f : 0xbf;
    return b >= least && b <= most && (c & 0xc0) == 0x80 ? 3 : 0;
  }
  if (a > 0xf4 || left < 4) return 0;
  const d: u32 = load<u8>(p, 3);
  const least: u32 = a == 0xf0 ? 0x90 : 0x80;
  const most: u32 = a == 0xf4 ? 0x8f : 0xbf;
  return b >= least && b <= most && (c & 0xc0) == 0x80 && (d & 0xc0) == 0x80 ? 4 : 0;
}

/** First byte of the first ill-formed character in [p, stop), or `stop`. */
function firstFault(p: usize, stop: usize): usize {
  while (p < stop) {
    while (p + 16 <= stop && !i8x16.bitmask(v128.load(p))) p += 16;
    if (p == stop) break;
    const length = characterLength(p, stop);
    if (length == 0) return p;
    p += length;
  }
  return p;
}

// What may be wrong with a byte and the one before it; a fault is one that all three look-ups agree on.
const TOO_SHORT: i8 = 1; // a first byte, then no continuation
const TOO_LONG: i8 = 2; // ASCII, then a continuation
const OVERLONG_3: i8 = 4; // E0 then below A0
const TOO_LARGE: i8 = 8; // F4 then above 8F, or F5 and more
const SURROGATE: i8 = 16; // ED then above 9F
const OVERLONG_2: i8 = 32; // C0 or C1
const OVERLONG_4: i8 = 64; // F0 then below 90, or F5 and more then below 90
const TWO_CONTINUATIONS: i8 = -128; // right only as the third or fourth byte
const CARRY: i8 = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS;

// @ts-ignore: decorator
@inline
function nibble(v: v128): v128 {
  return i8x16.shr_u(v, 4);
}

/** Non-zero lanes where the 16 bytes `v` after `before` break the rules. */
// @ts-ignore: decorator
@inline
function faults(before: v128, v: v128): v128 {
  const back1 = i8x16.shuffle(before, v, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
  const back2 = i8x16.shuffle(before, v, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
  const back3 = i8x16.shuffle(before, v, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
  const firstHigh = i8x16.swizzle(
    i8x16(
      TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
      TWO_CONTINUATIONS, TWO_CONTINUATIONS, TWO_CONTINUATIONS, TWO_CONTINUATIONS,
      TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | OVERLONG_4,
    ),
    nibble(back1),
  );
  const firstLow = i8x16.swizzle(
    i8x16(
      CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4, CARRY | OVERLONG_2, CARRY, CARRY,
      CARRY | TOO_LARGE, CARRY | TOO_LARGE | OVERLONG_4, CARRY | TOO_LARGE | OVERLONG_4, CARRY | TOO_LARGE | OVERLONG_4,
      CARRY | TOO_LARGE | OVERLONG_4, CARRY | TOO_LARGE | OVERLONG_4, CARRY | TOO_LARGE | OVERLONG_4, CARRY | TOO_LARGE | OVERLONG_4,
      CARRY | TOO_LARGE | OVERLONG_4, CARRY | TOO_LARGE | OVERLONG_4 | SURROGATE, CARRY | TOO_LARGE | OVERLONG_4, CARRY | TOO_LARGE | OVERLONG_4,
    ),
    v128.and(back1, i8x16.splat(15)),
  );
  const secondHigh = i8x16.swizzle(
    i8x16(
      TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
      TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | OVERLONG_4,
      TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE,
      TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE,
      TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE,
      TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
    ),
    nibble(v),
  );
  // The highest bit is set two bytes after E0 and more, and three after F0 and more: there two continuations are due.
  const third = i8x16.sub_sat_u(back2, i8x16.splat(0x60));
  const fourth = i8x16.sub_sat_u(back3, i8x16.splat(0x70));
  const due = v128.and(v128.or(third, fourth), i8x16.splat(<i8>0x80));
  return v128.xor(due, v128.and(v128.and(firstHigh, firstLow), secondHigh));
}

/** Whether all 16-byte steps from `p`, where a character begins, hold well-formed text so far. */
function stepsAreValid(p: usize, stop: usize): bool {
  let before = i8x16.splat(0);
  let wrong = i8x16.splat(0);
  let ascii = true;
  for (; p + 16 <= stop; p += 16) {
    const v = v128.load(p);
    const alsoAscii = i8x16.bitmask(v) == 0;
    if (!ascii || !alsoAscii) wrong = v128.or(wrong, faults(before, v));
    ascii = alsoAscii;
    before = v;
  }
  return !v128.any_true(wrong);
}

/** Whether `size` bytes are well-formed text; made for short ones. */
export function isUtf8(from: usize, size: u32): bool {
  let p = from;
  let left = size;
  for (; left > 16; left -= 16, p += 16) if (i8x16.bitmask(v128.load(p))) return firstFault(p, p + left) == p + left;
  // Bytes behind the text (SLACK) do not count.
  if (!(i8x16.bitmask(v128.load(p)) & ((1 << left) - 1))) return true;
  return firstFault(p, p + left) == p + left;
}

export function validateUtf8(bytes: usize, offsets: usize, count: u32): i32 {
  const start = load<u32>(offsets);
  const end = load<u32>(offsets + (<usize>count << 2));
  if (end < start) return fail(UTF8, 0);
  const stop = bytes + end;
  let p = bytes + start;
  while (p + 64 <= stop) {
    const any = v128.or(
      v128.or(v128.load(p), v128.load(p, 16)),
      v128.or(v128.load(p, 32), v128.load(p, 48)),
    );
    if (i8x16.bitmask(any)) break;
    p += 64;
  }
  while (p < stop && load<u8>(p) < 0x80) p++;
  if (p == stop) {
    setPosition(end);
    return 0;
  }
  let from = p;
  if (stepsAreValid(p, stop)) {
    // What is left: less than 16 bytes, and the character that they may go on with.
    from = p + ((stop - p) & ~15);
    for (let k = 0; k < 4 && from > p; k++) {
      from--;
      if (load<u8>(from) >= 0xc0 || load<u8>(from) < 0x80) break;
    }
  }
  const fault = firstFault(from, stop);
  if (fault != stop) return fail(UTF8, fault - bytes);
  // Valid as a whole: each value is valid when none starts inside a character.
  for (let i: u32 = 0; i < count; i++) {
    const offset = load<u32>(offsets + (<usize>i << 2));
    if (offset < end && (load<u8>(bytes + offset) & 0xc0) == 0x80) return fail(UTF8, offset);
  }
  setPosition(end);
  return 0;
}
