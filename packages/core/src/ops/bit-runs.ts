/** Bits [from, from + length) of `bits` written at bit `at` of `out`, whose bits there must be 0. */
export function appendBits(out: Uint8Array, at: number, bits: Uint8Array, from: number, length: number): void {
  let done = 0;
  while (done < length) {
    const target = at + done;
    const source = from + done;
    const room = Math.min(8 - (target & 7), length - done);
    const first = source >> 3;
    const pair = (bits[first] as number) | ((bits[first + 1] ?? 0) << 8);
    const value = (pair >> (source & 7)) & ((1 << room) - 1);
    out[target >> 3] = (out[target >> 3] as number) | (value << (target & 7));
    done += room;
  }
}

/** Sets bits [at, at + length) of `out`. */
export function fillBits(out: Uint8Array, at: number, length: number): void {
  let i = at;
  const end = at + length;
  for (; i < end && (i & 7) !== 0; i++) out[i >> 3] = (out[i >> 3] as number) | (1 << (i & 7));
  const whole = (end - i) >> 3;
  if (whole > 0) out.fill(255, i >> 3, (i >> 3) + whole);
  for (i += Math.max(0, whole) * 8; i < end; i++) out[i >> 3] = (out[i >> 3] as number) | (1 << (i & 7));
}
