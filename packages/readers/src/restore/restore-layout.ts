import {
  type Column,
  concatColumns,
  emptyColumn,
  type DataType,
  FormatError,
  getBit,
  sliceColumn,
  takeColumn,
} from "@ingest-ts/core";

/** The same offsets as 64-bit integers. */
export function widenOffsets(offsets: Int32Array): BigInt64Array {
  const out = new BigInt64Array(offsets.length);
  const words = new Int32Array(out.buffer);
  for (let i = 0; i < offsets.length; i++) words[2 * i] = offsets[i] as number;
  return out;
}

function isNull({ validity, nullCount }: Column, i: number): boolean {
  return nullCount > 0 && validity !== null && !getBit(validity, i);
}

/** Byte strings that all have the same length; zeros under nulls. */
export function toFixedSizeBinary(column: Column, type: Extract<DataType, { kind: "fixedSizeBinary" }>): Column {
  const { length } = column;
  const offsets = column.offsets as Int32Array;
  const source = column.data as Uint8Array;
  const { byteWidth } = type;
  const data = new Uint8Array(length * byteWidth);
  for (let i = 0; i < length; i++) {
    const start = offsets[i] as number;
    const found = (offsets[i + 1] as number) - start;
    if (found !== byteWidth) {
      if (isNull(column, i)) continue;
      throw new FormatError(`a value of ${found} bytes in a column stored as values of ${byteWidth}`);
    }
    data.set(source.subarray(start, start + byteWidth), i * byteWidth);
  }
  return { ...column, type, offsets: null, data };
}

/** Lists that all have `type.size` items; a null one gets items that nobody sees. */
export function toFixedSizeList(
  column: Column,
  type: Extract<DataType, { kind: "fixedSizeList" }>,
  items: Column,
  underNulls: boolean,
): Column {
  const { size } = type;
  const { length } = column;
  const offsets = column.offsets as Int32Array;
  let whole = true;
  for (let i = 0; i < length; i++) {
    const found = (offsets[i + 1] as number) - (offsets[i] as number);
    if (found === size) continue;
    // Below a struct that is null, a list that cannot be null itself is empty.
    if (found !== 0 || !(underNulls || isNull(column, i)))
      throw new FormatError(`a list of ${found} items in a column stored as lists of ${size}`);
    whole = false;
  }
  const first = offsets[0] as number;
  const children = [
    whole ? sliceColumn(items, first, first + length * size) : withFiller(type, offsets, length, items),
  ];
  return { ...column, type, offsets: null, children };
}

/** The items of every list, and `size` empty ones wherever a list has none. */
function withFiller(
  { size, child }: Extract<DataType, { kind: "fixedSizeList" }>,
  offsets: Int32Array,
  lists: number,
  items: Column,
): Column {
  const all = concatColumns([items, emptyColumn(child, size)]);
  const indices = new Int32Array(lists * size);
  for (let i = 0; i < lists; i++) {
    const from = offsets[i + 1] === offsets[i] ? items.length : (offsets[i] as number);
    for (let k = 0; k < size; k++) indices[i * size + k] = from + k;
  }
  return takeColumn(all, indices);
}
