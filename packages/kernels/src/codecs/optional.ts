// Codecs whose libraries are optional peers: Avro alone has them, and few files do.
import { CodecError } from "./codec-error.ts";

export type OptionalCodec = "bzip2" | "xz";

type Decompress = (bytes: Uint8Array, limit: number) => Uint8Array;

/** What is used of seek-bzip: a decoder into anything that takes bytes. */
interface Bzip {
  decode(input: Uint8Array, output: { writeByte(byte: number): void }, multistream: boolean): unknown;
}

/** What is used of @napi-rs/lzma. */
interface Lzma {
  readonly xz: { decompressSync(input: Uint8Array): Uint8Array };
}

const loaded = new Map<OptionalCodec, Decompress>();

const packages: Record<OptionalCodec, string> = { bzip2: "seek-bzip", xz: "@napi-rs/lzma" };

/** Output that stops the decoder at a limit. */
class BoundedOutput {
  #bytes = new Uint8Array(65_536);
  #length = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  writeByte(byte: number): void {
    if (this.#length === this.#bytes.length) {
      if (this.#length >= this.#limit) throw new CodecError("bzip2", `there are more than ${this.#limit} bytes`);
      const grown = new Uint8Array(Math.min(this.#limit, this.#length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[this.#length++] = byte;
  }

  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

function bunzip(library: Bzip): Decompress {
  return (bytes, limit) => {
    const output = new BoundedOutput(limit);
    library.decode(bytes, output, true);
    return output.written;
  };
}

const XZ_FOOTER_BYTES = 12;

/** A number of the xz format: like LEB128, of at most 9 bytes. */
function xzNumber(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < 9; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return [value, at + i + 1];
  }
  throw new CodecError("xz", "the index is cut off");
}

/**
 * The size that an xz stream's index claims (https://tukaani.org/xz/xz-file-format.txt §4); the library checks the index
 * against the data.
 */
function xzSize(bytes: Uint8Array): number {
  const footer = bytes.length - XZ_FOOTER_BYTES;
  if (footer < XZ_FOOTER_BYTES) throw new CodecError("xz", `${bytes.length} bytes are too few`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = footer - (view.getUint32(footer + 4, true) + 1) * 4;
  if (start < 0 || bytes[start] !== 0) throw new CodecError("xz", "there is no index before the footer");
  let [records, at] = xzNumber(bytes, start + 1);
  if (records > bytes.length) throw new CodecError("xz", `the index claims ${records} blocks`);
  let total = 0;
  for (; records > 0; records--) {
    const [, sizeAt] = xzNumber(bytes, at);
    const [size, next] = xzNumber(bytes, sizeAt);
    total += size;
    at = next;
  }
  return total;
}

function unxz({ xz }: Lzma): Decompress {
  return (bytes, limit) => {
    const size = xzSize(bytes);
    if (size > limit) throw new CodecError("xz", `the claimed ${size} bytes are over the limit of ${limit}`);
    return xz.decompressSync(bytes);
  };
}

/** @throws CodecError that names the package when it is not installed. */
export async function prepareOptional(codec: OptionalCodec): Promise<void> {
  if (loaded.has(codec)) return;
  const name = packages[codec];
  let library: unknown;
  try {
    const namespace = (await import(name)) as { readonly default?: unknown };
    library = namespace.default ?? namespace;
  } catch (cause) {
    throw new CodecError(codec, `the package "${name}" is not installed: add it to read ${codec}`, { cause });
  }
  loaded.set(codec, codec === "bzip2" ? bunzip(library as Bzip) : unxz(library as Lzma));
}

/** At most `limit` bytes. @throws any error for bad data */
export function decompressOptional(codec: OptionalCodec, bytes: Uint8Array, limit: number): Uint8Array {
  const decompress = loaded.get(codec);
  if (decompress === undefined) throw new Error("await prepareCodecs first");
  return decompress(bytes, limit);
}
