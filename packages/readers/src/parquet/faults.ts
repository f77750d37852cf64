import { FormatError } from "@ingest-ts/core";
import { KernelError, type KernelExports, throwKernelError } from "@ingest-ts/kernels";

/** The error for the negative answer `status` of the kernel called last; `what` names what it was decoding. */
export function kernelFault(x: KernelExports, status: number, what: string): FormatError {
  try {
    throwKernelError(x, status);
  } catch (error) {
    if (error instanceof KernelError) return new FormatError(`bad ${what}: ${error.message}`, { cause: error });
    throw error;
  }
}
