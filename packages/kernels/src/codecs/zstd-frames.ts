// The structure of zstd data (RFC 8878 §3), without decoding: node:zlib reads one frame a call, and some of its versions
// take a truncated frame for a whole one.
const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/** More frames than this in one page or block are an attack on the time it takes to begin one. */
const MOST_FRAMES = 65_536;

function frameEnd(bytes: Uint8Array, view: DataView, start: number): number {
  const left = bytes.length - start;
  if (left < 8) throw new Error("truncated frame");
  const magic = view.getUint32(start, true);
  if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) return start + 8 + view.getUint32(start + 4, true);
  if (magic !== MAGIC) throw new Error(`no frame at byte ${start}`);
  const descriptor = bytes[start + 4] as number;
  const singleSegment = (descriptor >> 5) & 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeBytes = [singleSegment, 2, 4, 8][descriptor >> 6] as number;
  let at = start + 5 + (1 - singleSegment) + dictionaryBytes + sizeBytes;
  for (let last = false; !last; ) {
    if (at + 3 > bytes.length) throw new Error("truncated frame");
    const header = view.getUint16(at, true) | ((bytes[at + 2] as number) << 16);
    const type = (header >> 1) & 3;
    if (type === RESERVED_BLOCK) throw new Error(`reserved block type at byte ${at}`);
    at += 3 + (type === RLE_BLOCK ? 1 : header >> 3);
    last = (header & 1) === 1;
  }
  const hasChecksum = (descriptor >> 2) & 1;
  return at + 4 * hasChecksum;
}

/**
 * The frames in `bytes`, skippable ones left out.
 *
 * @throws Error when one is truncated, something else lies between them, or they are too many
 */
export function zstdFrames(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = frameEnd(bytes, view, start);
    if (end > bytes.length) throw new Error("truncated frame");
    if (view.getUint32(start, true) === MAGIC) frames.push(bytes.subarray(start, end));
    if (frames.length > MOST_FRAMES) throw new Error(`there are more than ${MOST_FRAMES} frames`);
    start = end;
  }
  return frames;
}

/** No block holds more (RFC 8878 §3.1.1.2.3). */
const BLOCK_BYTES = 131_072;

/** The most that `zstdFrames(bytes)` can decompress to: their blocks, each of the largest size. */
export function zstdBound(bytes: Uint8Array): number {
  let blocks = 0;
  for (const frame of zstdFrames(bytes)) {
    const descriptor = frame[4] as number;
    const skipped = [0, 1, 2, 4][descriptor & 3] as number;
    const single = (descriptor >> 5) & 1;
    let at = 6 - single + skipped + ([single, 2, 4, 8][descriptor >> 6] as number);
    for (let last = false; !last; blocks++) {
      const header = (frame[at] as number) | ((frame[at + 1] as number) << 8) | ((frame[at + 2] as number) << 16);
      at += 3 + (((header >> 1) & 3) === RLE_BLOCK ? 1 : header >> 3);
      last = (header & 1) === 1;
    }
  }
  return blocks * BLOCK_BYTES;
}
