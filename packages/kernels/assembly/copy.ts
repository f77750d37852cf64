/**
 * Copies in 16-byte steps, at least two: a branch on every short length costs more than a store. Reads and writes up to
 * 32 bytes past `length`. The ranges do not overlap.
 */
// @ts-ignore: decorator
@inline
export function copyOver(out: usize, src: usize, length: u32): void {
  v128.store(out, v128.load(src));
  v128.store(out, v128.load(src, 16), 16);
  if (length > 32) {
    if (length > 256) memory.copy(out + 32, src + 32, length - 32);
    else {
      let j: usize = 32;
      do {
        v128.store(out + j, v128.load(src + j));
        j += 16;
      } while (j < <usize>length);
    }
  }
}
