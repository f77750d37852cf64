// Unsigned LEB128 and zigzag, as in the headers of RLE runs and of delta blocks.
let end: usize = 0;

/** First address after the varint just read; 0 when it was truncated or longer than its type. */
// @ts-ignore: decorator
@inline
export function varintEnd(): usize {
  return end;
}

export function readVarint32(p: usize, stop: usize): u32 {
  let value: u32 = 0;
  for (let shift: u32 = 0; shift < 35 && p < stop; shift += 7) {
    const byte: u32 = load<u8>(p++);
    if (shift == 28 && byte > 15) break;
    value |= (byte & 127) << shift;
    if (byte < 128) {
      end = p;
      return value;
    }
  }
  end = 0;
  return 0;
}

export function readVarint64(p: usize, stop: usize): u64 {
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 70 && p < stop; shift += 7) {
    const byte: u64 = load<u8>(p++);
    if (shift == 63 && byte > 1) break;
    value |= (byte & 127) << shift;
    if (byte < 128) {
      end = p;
      return value;
    }
  }
  end = 0;
  return 0;
}

// @ts-ignore: decorator
@inline
export function unzigzag(value: u64): i64 {
  return (value >> 1) ^ -(value & 1);
}
