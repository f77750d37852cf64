// Byte arrays in PLAIN encoding (Parquet Encodings.md, "Plain"): four bytes of length, then the bytes.
import { LENGTH, OUTPUT_FULL, fail } from "./status";

export function encodePlainStrings(
  data: usize,
  dataLength: u32,
  starts: usize,
  ends: usize,
  count: u32,
  out: usize,
  capacity: u32,
): f64 {
  let o = out;
  const stop = out + capacity;
  for (let i: u32 = 0; i < count; i++) {
    const from = load<u32>(starts + (<usize>i << 2));
    const to = load<u32>(ends + (<usize>i << 2));
    if (from > to || to > dataLength) return <f64>fail(LENGTH, i);
    const length = to - from;
    if (<usize>length + 4 > stop - o) return <f64>fail(OUTPUT_FULL, i);
    store<u32>(o, length);
    o += 4;
    if (length <= 32) {
      // Up to 32 bytes are read and written whatever the length: SLACK lies behind both.
      v128.store(o, v128.load(data + from));
      if (length > 16) v128.store(o, v128.load(data + from, 16), 16);
    } else memory.copy(o, data + from, length);
    o += length;
  }
  return <f64>(o - out);
}
