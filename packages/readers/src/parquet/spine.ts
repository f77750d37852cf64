import { kernelFault } from "./faults.ts";
import { GrowingOffsets, GrowingValidity } from "./growing.ts";
import type { ListNode, StructNode } from "./nodes.ts";
import type { Workspace } from "./workspace.ts";

/** The buffers of one ancestor of a leaf, as the leaf's levels tell them. */
export interface SpinePart {
  readonly length: number;
  readonly validity: Uint8Array | null;
  readonly nullCount: number;
  /** Of lists. */
  readonly offsets: Int32Array | null;
}

/** Level pairs of a page. Addresses are 0 when there are no such levels. */
export interface Levels {
  readonly repetition: number;
  readonly definition: number;
  readonly entries: number;
  /** Whether all pairs are known to hold a value. */
  readonly full: boolean;
}

interface Ancestor {
  readonly node: StructNode | ListNode;
  readonly validity: GrowingValidity;
  readonly offsets: GrowingOffsets;
}

/**
 * Turns the levels of a leaf into validity and offsets of its ancestors.
 *
 * Every leaf does so for all its ancestors, although leaves of the same parent must agree: comparing them is how files
 * whose columns contradict one another are found out.
 */
export class Spine {
  readonly #space: Workspace;
  readonly #ancestors: readonly Ancestor[];

  constructor(space: Workspace, ancestors: readonly (StructNode | ListNode)[]) {
    this.#space = space;
    this.#ancestors = ancestors.map((node) => ({
      node,
      validity: new GrowingValidity(),
      offsets: new GrowingOffsets(),
    }));
  }

  get parts(): number {
    return this.#ancestors.length;
  }

  append(levels: Levels): void {
    for (const ancestor of this.#ancestors) {
      const slots = this.#appendValidity(ancestor, levels);
      if (ancestor.node.shape === "list") this.#appendOffsets(ancestor, ancestor.node, levels, slots);
    }
  }

  /** @returns the slots among the pairs. */
  #appendValidity({ node, validity }: Ancestor, levels: Levels): number {
    const { x } = this.#space;
    const { repetition, definition, entries, full } = levels;
    if (repetition === 0 && (full || definition === 0)) {
      if (node.nullable) validity.fill(entries);
      return entries;
    }
    const bit = node.nullable ? validity.bit : 0;
    const bits = this.#space.bits.ensure((entries >> 3) + 16);
    const { slot } = node;
    const slots = x.levelsToSlots(
      repetition,
      definition,
      entries,
      slot.repetition,
      slot.definition,
      node.definition,
      bits,
      bit,
      entries,
    );
    if (slots < 0) throw kernelFault(x, slots, "levels");
    if (node.nullable) {
      const bytes = this.#space.bytes.subarray(bits, bits + ((bit + slots + 7) >> 3));
      validity.append(bytes, slots, x.validCount());
    }
    return slots;
  }

  #appendOffsets({ offsets }: Ancestor, node: ListNode, levels: Levels, slots: number): void {
    const { x } = this.#space;
    const out = this.#space.offsets.ensure((slots + 1) * 4);
    const { repetition, definition, entries } = levels;
    const { slot, itemSlot } = node;
    const found = x.listStarts(
      repetition,
      definition,
      entries,
      slot.repetition,
      slot.definition,
      itemSlot.definition,
      offsets.end,
      out,
    );
    if (found < 0) throw kernelFault(x, found, "levels");
    offsets.append(this.#space.bytes.subarray(out, out + found * 4), x.position());
  }

  /** Slots of the leaf in the first `rows` rows that were appended and not yet taken. */
  slotsOf(rows: number): number {
    return this.#ancestors.reduce(
      (slots, { node, offsets }) => (node.shape === "list" ? offsets.at(slots) : slots),
      rows,
    );
  }

  /** Bytes of offsets in the first `rows` rows. */
  sizeOf(rows: number): number {
    let slots = rows;
    let sizeBytes = 0;
    for (const { node, offsets } of this.#ancestors) {
      if (node.shape !== "list") continue;
      sizeBytes += slots * 4;
      slots = offsets.at(slots);
    }
    return sizeBytes;
  }

  /** The buffers of the first `rows` rows, outermost ancestor first, and how many slots of the leaf lie below them. */
  take(rows: number): { parts: SpinePart[]; slots: number } {
    let length = rows;
    const parts = this.#ancestors.map((ancestor) => {
      const { validity, nullCount } = ancestor.validity.take(ancestor.node.nullable ? length : 0);
      const offsets = ancestor.node.shape === "list" ? ancestor.offsets.take(length) : null;
      const part = { length, validity, nullCount, offsets };
      if (offsets !== null) length = (offsets[length] as number) - (offsets[0] as number);
      return part;
    });
    return { parts, slots: length };
  }
}
