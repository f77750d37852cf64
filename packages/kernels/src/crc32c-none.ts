export type { Crc32c } from "./crc32c-native.ts";

/** Runtimes other than Node have no native code. */
export function loadNative(): Promise<null> {
  return Promise.resolve(null);
}
