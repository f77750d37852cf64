/** CRC-32C of bytes. */
export type Crc32c = (bytes: Uint8Array) => number;

/** Native code, which is faster than the kernel; null where there is no prebuilt binary: the kernel gives the same answer. */
export async function loadNative(): Promise<Crc32c | null> {
  try {
    const addon = await import("@node-rs/crc32");
    return (bytes) => addon.crc32c(bytes);
  } catch {
    return null;
  }
}
