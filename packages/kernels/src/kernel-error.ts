import type { KernelExports } from "./kernels.ts";

/**
 * What a kernel answers instead of a result (assembly/status.ts). `position()` says where: bytes from the start of the
 * source unless the kernel's documentation says values.
 */
export const kernelFaults = {
  [-1]: "TRUNCATED",
  [-2]: "CORRUPT",
  [-3]: "BIT_WIDTH",
  [-4]: "INDEX",
  [-5]: "OUTPUT_FULL",
  [-6]: "LENGTH",
  [-7]: "COUNT",
  [-8]: "UTF8",
  [-9]: "OVERFLOW",
  [-10]: "LEVEL",
} as const;

export type KernelFault = (typeof kernelFaults)[keyof typeof kernelFaults];

const meanings: Record<KernelFault, string> = {
  TRUNCATED: "the data end before its values do",
  CORRUPT: "the data break their encoding",
  BIT_WIDTH: "a bit width is out of range",
  INDEX: "an index is outside of its dictionary",
  OUTPUT_FULL: "there is more data than was claimed",
  LENGTH: "a length is negative, zero where it may not be, or longer than the data",
  COUNT: "there are more or fewer values than were claimed",
  UTF8: "the bytes are not UTF-8",
  OVERFLOW: "a value does not fit its type",
  LEVEL: "a definition or repetition level, or a bit, is above its highest value",
};

/** Bad input found by a kernel. Plain: readers turn it into a FormatError with the place in the file. */
export class KernelError extends Error {
  readonly code: KernelFault;
  /** Where in the source of the call, see `kernelFaults`. */
  readonly position: number;

  constructor(code: KernelFault, position: number) {
    super(`${meanings[code]} (${code} at ${position})`);
    this.name = "KernelError";
    this.code = code;
    this.position = position;
  }
}

/** @throws KernelError for the negative answer `status` of the kernel called last. */
export function throwKernelError(exports: KernelExports, status: number): never {
  const code = kernelFaults[status as keyof typeof kernelFaults];
  if (code === undefined) throw new Error(`kernels: ${status} is no status`);
  throw new KernelError(code, exports.position() >>> 0);
}

/** `result` when it is not negative. @throws KernelError else. */
export function checked(exports: KernelExports, result: number): number {
  return result < 0 ? throwKernelError(exports, result) : result;
}
