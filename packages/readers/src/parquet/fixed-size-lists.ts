import { type Column, concatColumns, emptyColumn, FormatError, getBit, takeColumn } from "@ingest-ts/core";
import { fieldOf, type ListNode } from "./nodes.ts";
import type { SpinePart } from "./spine.ts";

/**
 * The items of fixed-size lists. Parquet stores them as lists of any length and nothing for a null list, where Arrow wants
 * `size` items below every slot.
 *
 * @throws FormatError for a list of another length.
 */
export function spreadItems(node: ListNode, part: SpinePart, items: Column): Column {
  const { size, nullable } = node;
  const offsets = part.offsets as Int32Array;
  const { length, validity } = part;
  // Below an ancestor that is null, a list that cannot be null itself is empty.
  const mayBeEmpty = !nullable && node.slot.definition < node.definition;
  for (let i = 0; i < length; i++) {
    const found = (offsets[i + 1] as number) - (offsets[i] as number);
    if (found === size || (found === 0 && (mayBeEmpty || (validity !== null && !getBit(validity, i))))) continue;
    throw new FormatError(`a list of ${found} items in a column of lists of ${size}`);
  }
  return items.length === length * size ? items : withFiller(node, offsets, length, items);
}

/** Takes the items of every list, and `size` empty ones wherever a list has none. */
function withFiller(node: ListNode, offsets: Int32Array, lists: number, items: Column): Column {
  const { size } = node;
  const all = concatColumns([items, emptyColumn(fieldOf(node.child), size)]);
  const indices = new Int32Array(lists * size);
  for (let i = 0; i < lists; i++) {
    const isEmpty = offsets[i + 1] === offsets[i];
    const first = isEmpty ? items.length : (offsets[i] as number) - (offsets[0] as number);
    for (let k = 0; k < size; k++) indices[i * size + k] = first + k;
  }
  return takeColumn(all, indices);
}
