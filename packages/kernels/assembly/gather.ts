// Dictionary values by index. Indices must have passed rleIndices or checkIndices with the dictionary's size.
import { max32 } from "./rle";
import { INDEX, fail } from "./status";

export function checkIndices(indices: usize, count: u32, bound: u32): i32 {
  if (count == 0 || max32(indices, count) < bound) return 0;
  let i: u32 = 0;
  while (load<u32>(indices + (<usize>i << 2)) < bound) i++;
  return fail(INDEX, i);
}

// @ts-ignore: decorator
@inline
function gather<T>(indices: usize, count: u32, dictionary: usize, out: usize): void {
  let o = out;
  const size: usize = sizeof<T>();
  const stop = indices + (<usize>count << 2);
  let p = indices;
  for (; p + 16 <= stop; p += 16) {
    const a = load<u64>(p);
    const b = load<u64>(p, 8);
    store<T>(o, load<T>(dictionary + <usize>(a & 0xffffffff) * size));
    store<T>(o, load<T>(dictionary + <usize>(a >> 32) * size), sizeof<T>());
    store<T>(o, load<T>(dictionary + <usize>(b & 0xffffffff) * size), 2 * sizeof<T>());
    store<T>(o, load<T>(dictionary + <usize>(b >> 32) * size), 3 * sizeof<T>());
    o += 4 * size;
  }
  for (; p < stop; p += 4) {
    store<T>(o, load<T>(dictionary + <usize>load<u32>(p) * size));
    o += size;
  }
}

export function gather1(indices: usize, count: u32, dictionary: usize, out: usize): void {
  gather<u8>(indices, count, dictionary, out);
}

export function gather2(indices: usize, count: u32, dictionary: usize, out: usize): void {
  gather<u16>(indices, count, dictionary, out);
}

export function gather4(indices: usize, count: u32, dictionary: usize, out: usize): void {
  gather<u32>(indices, count, dictionary, out);
}

export function gather8(indices: usize, count: u32, dictionary: usize, out: usize): void {
  gather<u64>(indices, count, dictionary, out);
}

export function gather16(indices: usize, count: u32, dictionary: usize, out: usize): void {
  gather<v128>(indices, count, dictionary, out);
}

export function gather32(indices: usize, count: u32, dictionary: usize, out: usize): void {
  const stop = indices + (<usize>count << 2);
  for (let p = indices; p < stop; p += 4) {
    const value = dictionary + (<usize>load<u32>(p) << 5);
    v128.store(out, v128.load(value));
    v128.store(out, v128.load(value, 16), 16);
    out += 32;
  }
}

/** Any width. Up to 16 bytes are stored at once, so up to 15 bytes past the last value are written. */
export function gatherFixed(indices: usize, count: u32, dictionary: usize, width: u32, out: usize): void {
  const stop = indices + (<usize>count << 2);
  if (width <= 16) {
    for (let p = indices; p < stop; p += 4) {
      v128.store(out, v128.load(dictionary + <usize>load<u32>(p) * width));
      out += width;
    }
    return;
  }
  for (let p = indices; p < stop; p += 4) {
    memory.copy(out, dictionary + <usize>load<u32>(p) * width, width);
    out += width;
  }
}
