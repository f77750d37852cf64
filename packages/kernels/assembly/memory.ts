/** The first address that belongs to the arena. */
export function heapBase(): usize {
  return __heap_base;
}
