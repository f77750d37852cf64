// zstd (RFC 8878): native where the runtime has it, else WebAssembly: `zstddec` reads, `@bokuweb/zstd-wasm` writes.
import { platform } from "#codecs";

/** The exports of zstddec's module that reading takes. */
interface ZstdExports {
  readonly memory: WebAssembly.Memory;
  malloc(sizeBytes: number): number;
  free(address: number): void;
  ZSTD_decompress(out: number, capacity: number, src: number, srcLength: number): number;
}

/** Fills `target` when it is given and returns it; it has at least `sizeBytes`. */
type Decompress = (bytes: Uint8Array, sizeBytes: number, target?: Uint8Array) => Uint8Array;
type Compress = (bytes: Uint8Array, level: number | undefined) => Uint8Array;

const DEFAULT_LEVEL = 3;

let reader: Decompress | undefined = platform.zstdDecompress;
let writer: Compress | undefined = platform.zstdCompress;

/**
 * zstddec's own `decode` answers an empty array for corrupt data and ignores a failed malloc, so its module is driven
 * directly.
 */
function decompressWith(exports: ZstdExports, bytes: Uint8Array, sizeBytes: number, target?: Uint8Array): Uint8Array {
  const src = exports.malloc(bytes.length);
  const out = exports.malloc(Math.max(1, sizeBytes));
  try {
    if (src === 0 || out === 0) throw new Error(`no memory for ${bytes.length} + ${sizeBytes} bytes`);
    new Uint8Array(exports.memory.buffer, src, bytes.length).set(bytes);
    // Errors are small negative numbers when the size_t is read as signed.
    const size = exports.ZSTD_decompress(out, sizeBytes, src, bytes.length);
    if (size < 0) throw new Error(`corrupt data (error ${-size} of ZSTD_decompress)`);
    const result = new Uint8Array(exports.memory.buffer, out, size);
    if (target === undefined) return result.slice();
    target.set(result);
    return target.subarray(0, size);
  } finally {
    exports.free(out);
    exports.free(src);
  }
}

async function loadReader(): Promise<Decompress> {
  const { ZSTDDecoder } = await import("zstddec");
  let captured: ZstdExports | undefined;
  class Decoder extends ZSTDDecoder {
    override _init = (result: WebAssembly.WebAssemblyInstantiatedSource): void => {
      ZSTDDecoder.prototype._init(result);
      captured = result.instance.exports as unknown as ZstdExports;
    };
  }
  const decoder = new Decoder();
  await decoder.init();
  const exports = captured;
  if (exports !== undefined) return (bytes, sizeBytes, target) => decompressWith(exports, bytes, sizeBytes, target);
  // Somebody else in this process has initialised zstddec's one instance: its `decode` must do. A fault shows as a
  // result of another size than claimed.
  return (bytes, sizeBytes) => decoder.decode(bytes, Math.max(1, sizeBytes));
}

async function loadWriter(): Promise<Compress> {
  const library = await import("@bokuweb/zstd-wasm");
  await library.init();
  return (bytes, level) => library.compress(bytes, level ?? DEFAULT_LEVEL);
}

/** Loads what the runtime does not bring along. */
export async function prepareZstd(use: "read" | "write" | "both"): Promise<void> {
  if (use !== "write") reader ??= await loadReader();
  if (use !== "read") writer ??= await loadWriter();
}

/** Any number of frames. The result may be shorter than `sizeBytes`, never longer. @throws any error for bad data. */
export function zstdDecompress(bytes: Uint8Array, sizeBytes: number, target?: Uint8Array): Uint8Array {
  if (reader === undefined) throw new Error("await prepareCodecs first");
  return reader(bytes, sizeBytes, target);
}

/** One frame. Undefined as level is the library's default. */
export function zstdCompress(bytes: Uint8Array, level: number | undefined): Uint8Array {
  if (writer === undefined) throw new Error("await prepareCodecs first");
  return writer(bytes, level);
}
