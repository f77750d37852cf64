// LZ4 frames: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
// Checksums inside are not read: the batch's CRC-32C covers the compressed bytes.
import { CodecError, decompressUpTo } from "@ingest-ts/kernels/codecs";
import { Output } from "./output.ts";

const MAGIC = 0x184d2204;
const flag = { dictionary: 0x01, contentChecksum: 0x04, contentSize: 0x08, blockChecksum: 0x10, independent: 0x20 };

function fail(what: string): never {
  throw new CodecError("lz4", what);
}

/** One block whose matches may reach into blocks before it, which the kernel cannot read. */
class LinkedBlock {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  #byte(): number {
    return this.#bytes[this.#at++] ?? fail("a block ends early");
  }

  #length(nibble: number): number {
    let length = nibble;
    if (nibble === 15) {
      let more: number;
      do length += more = this.#byte();
      while (more === 255);
    }
    return length;
  }

  decode(out: Output): void {
    for (;;) {
      const token = this.#byte();
      const literals = this.#length(token >> 4);
      if (literals > this.#bytes.length - this.#at) fail("literals run past their block");
      out.append(this.#bytes.subarray(this.#at, this.#at + literals));
      this.#at += literals;
      if (this.#at === this.#bytes.length) return;
      const distance = this.#byte() | (this.#byte() << 8);
      out.repeat(distance, this.#length(token & 15) + 4);
    }
  }
}

interface Frame {
  readonly flags: number;
  /** Of one block, uncompressed. */
  readonly blockBytes: number;
  /** Where the blocks begin. */
  readonly start: number;
}

function frameHeader(view: DataView): Frame {
  if (view.byteLength < 7 || view.getUint32(0, true) !== MAGIC) fail("no frame begins here");
  const flags = view.getUint8(4);
  if (flags >> 6 !== 1) fail(`the frame has version ${flags >> 6}`);
  if ((flags & flag.dictionary) !== 0) fail("the frame needs a dictionary");
  const size = (view.getUint8(5) >> 4) & 7;
  if (size < 4) fail(`the frame has block size ${size}`);
  return { flags, blockBytes: 2 ** (8 + 2 * size), start: 7 + ((flags & flag.contentSize) === 0 ? 0 : 8) };
}

function appendBlock(out: Output, block: Uint8Array, frame: Frame): void {
  if ((frame.flags & flag.independent) === 0) new LinkedBlock(block).decode(out);
  else {
    out.take(decompressUpTo("lz4Raw", block, Math.min(frame.blockBytes, out.left), 0, (size) => out.room(size)));
  }
}

/**
 * One frame, with independent or linked blocks. The result is valid until the next batch is decompressed.
 *
 * @throws CodecError
 */
export function decompressLz4Frame(bytes: Uint8Array, limit: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const frame = frameHeader(view);
  let at = frame.start;
  const out = new Output("lz4", bytes.length * 4, limit);
  for (;;) {
    if (at + 4 > bytes.length) fail("the frame ends early");
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) break;
    const size = word & 0x7fffffff;
    if (size > bytes.length - at) fail("a block runs past its frame");
    const block = bytes.subarray(at, at + size);
    if (word >>> 31 === 1) out.append(block);
    else appendBlock(out, block, frame);
    at += size + ((frame.flags & flag.blockChecksum) === 0 ? 0 : 4);
  }
  at += (frame.flags & flag.contentChecksum) === 0 ? 0 : 4;
  if (at !== bytes.length) fail(`${bytes.length - at} bytes follow the end of the frame`);
  return out.bytes;
}
