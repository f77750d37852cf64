// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), slicing by 16: sixteen independent table look-ups a step,
// of which only four wait for the step before. Tables are made on first use.

const TABLES: usize = memory.data(16 * 1024, 16);
let ready: bool = false;

function makeTables(): void {
  for (let n: u32 = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
    store<u32>(TABLES + (<usize>n << 2), c);
  }
  for (let t: usize = 1; t < 16; t++) {
    for (let n: usize = 0; n < 256; n++) {
      const c = load<u32>(TABLES + ((t - 1) << 10) + (n << 2));
      store<u32>(TABLES + (t << 10) + (n << 2), (c >>> 8) ^ load<u32>(TABLES + (<usize>(c & 255) << 2)));
    }
  }
  ready = true;
}

// @ts-ignore: decorator
@inline
function look(scaled: u64, table: usize): u32 {
  return load<u32>(TABLES + (table << 10) + (<usize>scaled & 0x3fc));
}

/** Eight bytes whose last one is `base` bytes from the end of the step. Bytes are shifted to byte offsets at once. */
// @ts-ignore: decorator
@inline
function step8(word: u64, base: usize): u32 {
  return (
    look(word << 2, base + 7) ^
    look(word >> 6, base + 6) ^
    look(word >> 14, base + 5) ^
    look(word >> 22, base + 4) ^
    look(word >> 30, base + 3) ^
    look(word >> 38, base + 2) ^
    look(word >> 46, base + 1) ^
    look(word >> 54, base)
  );
}

/** The CRC of `length` bytes at `p` continuing from `crc` (0 at the start). */
export function crc32c(crc: u32, p: usize, length: usize): u32 {
  if (!ready) makeTables();
  let c = ~crc;
  const end = p + length;
  while (p + 16 <= end) {
    c = step8(load<u64>(p) ^ <u64>c, 8) ^ step8(load<u64>(p, 8), 0);
    p += 16;
  }
  if (p + 8 <= end) {
    c = step8(load<u64>(p) ^ <u64>c, 0);
    p += 8;
  }
  while (p < end) c = look(<u64>(c ^ <u32>load<u8>(p++)) << 2, 0) ^ (c >>> 8);
  return ~c;
}

/** TFRecord's mask: a CRC stored beside the data it covers must not be the CRC of itself. */
export function maskedCrc32c(p: usize, length: usize): u32 {
  return rotr<u32>(crc32c(0, p, length), 15) + 0xa282ead8;
}
