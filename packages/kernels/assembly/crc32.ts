// CRC-32 (IEEE 802.3, reflected), as in gzip and in Parquet page headers: slicing by eight.
const TABLE = memory.data(8192);
let ready: bool = false;

function prepare(): void {
  for (let i: u32 = 0; i < 256; i++) {
    let value = i;
    for (let k = 0; k < 8; k++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    store<u32>(TABLE + (i << 2), value);
  }
  for (let i: u32 = 256; i < 2048; i++) {
    const before = load<u32>(TABLE + ((i - 256) << 2));
    store<u32>(TABLE + (i << 2), (before >>> 8) ^ load<u32>(TABLE + ((before & 255) << 2)));
  }
  ready = true;
}

// @ts-ignore: decorator
@inline
function entry(slice: u32, byte: u32): u32 {
  return load<u32>(TABLE + (slice << 10) + ((byte & 255) << 2));
}

export function crc32(src: usize, srcLength: u32, previous: u32): u32 {
  if (!ready) prepare();
  let crc = ~previous;
  let p = src;
  const stop = src + srcLength;
  for (; stop - p >= 8; p += 8) {
    const a = crc ^ load<u32>(p);
    const b = load<u32>(p, 4);
    crc =
      entry(7, a) ^ entry(6, a >>> 8) ^ entry(5, a >>> 16) ^ entry(4, a >>> 24) ^
      entry(3, b) ^ entry(2, b >>> 8) ^ entry(1, b >>> 16) ^ entry(0, b >>> 24);
  }
  for (; p < stop; p++) crc = entry(0, crc ^ load<u8>(p)) ^ (crc >>> 8);
  return ~crc;
}
