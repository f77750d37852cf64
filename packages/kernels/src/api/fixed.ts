type Gather = (indices: number, count: number, dictionary: number, out: number) => void;
type Spread = (validity: number, index: number, count: number, src: number, srcCount: number, out: number) => number;

/** Values of fixed width: the number in a name is bytes per value. */
export interface FixedKernels {
  /** 0 when every one of `count` int32 indices is below `bound`; INDEX (position: values). */
  checkIndices(indices: number, count: number, bound: number): number;
  /** out[i] = dictionary[indices[i]]; the indices passed `rleIndices` or `checkIndices` with the dictionary's size. */
  gather1: Gather;
  gather2: Gather;
  gather4: Gather;
  gather8: Gather;
  gather16: Gather;
  gather32: Gather;
  /** Any other width; for widths below 16 up to 15 bytes past the last value are overwritten. */
  gatherFixed(indices: number, count: number, dictionary: number, width: number, out: number): void;
  /**
   * `srcCount` dense values → `count` slots: slot i takes the next value when bit `index + i` is set, else zeros. `out`
   * is the place of the first slot. Returns the valid slots; COUNT (position: valid slots) when they are not `srcCount`.
   */
  spread1: Spread;
  spread2: Spread;
  spread4: Spread;
  spread8: Spread;
  spread16: Spread;
  spread32: Spread;
  spreadFixed(
    validity: number,
    index: number,
    count: number,
    src: number,
    srcCount: number,
    width: number,
    out: number,
  ): number;
  /** BYTE_STREAM_SPLIT of any width. Returns bytes consumed; COUNT when srcLength is not count × width. */
  byteStreamSplit(src: number, srcLength: number, width: number, out: number, count: number): number;
}
