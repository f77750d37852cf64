/** Copies in 16-byte steps: reads and writes up to 16 bytes past `length`. The ranges do not overlap. */
// @ts-ignore: decorator
@inline
export function copyOver(out: usize, src: usize, length: u32): void {
  v128.store(out, v128.load(src));
  if (length > 16) {
    if (length > 256) memory.copy(out + 16, src + 16, length - 16);
    else {
      let j: usize = 16;
      do {
        v128.store(out + j, v128.load(src + j));
        j += 16;
      } while (j < <usize>length);
    }
  }
}
