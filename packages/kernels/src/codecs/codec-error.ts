/** Compressed bytes are corrupt, of another size than claimed, or not readable here. Readers make it a FormatError. */
export class CodecError extends Error {
  readonly codec: string;

  constructor(codec: string, what: string, options?: ErrorOptions) {
    super(`${codec}: ${what}`, options);
    this.name = "CodecError";
    this.codec = codec;
  }
}

/** Any failure of a library as a CodecError. */
export function toCodecError(codec: string, cause: unknown): CodecError {
  if (cause instanceof CodecError) return cause;
  return new CodecError(codec, cause instanceof Error ? cause.message : String(cause), { cause });
}
