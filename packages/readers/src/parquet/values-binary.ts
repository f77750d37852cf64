import type { DataType, Limits } from "@ingest-ts/core";
import { BinaryPages } from "./binary-pages.ts";
import { GrowingBytes, GrowingOffsets } from "./growing.ts";
import type { LeafBuffers, LeafValues, Step } from "./leaf-values.ts";
import type { EncodedValues } from "./pages.ts";
import { widenOffsets } from "./widen.ts";
import type { Workspace } from "./workspace.ts";

/** BYTE_ARRAY values as strings or binaries. */
export class BinaryValues implements LeafValues {
  readonly #space: Workspace;
  readonly #pages: BinaryPages;
  readonly #isLarge: boolean;
  readonly takesOutside: boolean;
  readonly #data: GrowingBytes = new GrowingBytes();
  readonly #offsets: GrowingOffsets = new GrowingOffsets();
  /** Bytes per slot of what was taken before: the next output will be alike. */
  #bytesPerSlot = 0;

  constructor(space: Workspace, type: DataType, limits: Limits) {
    this.#space = space;
    this.#isLarge = type.kind === "largeUtf8" || type.kind === "largeBinary";
    const isText = type.kind === "utf8" || type.kind === "largeUtf8";
    // The kernel that checks text needs it in the workspace.
    this.takesOutside = !isText;
    this.#pages = new BinaryPages(space, isText, limits);
  }

  loadDictionary(values: EncodedValues): void {
    this.#pages.loadDictionary(values);
  }

  openPage(values: EncodedValues): void {
    this.#pages.openPage(values);
  }

  skip(values: number): void {
    this.#pages.skip(values);
  }

  append(step: Step, maxBytes: number): boolean {
    const values = this.#pages.read(step, this.#offsets.end, maxBytes);
    if (values === undefined) return false;
    const { bytes } = this.#space;
    const starts = this.#space.offsets.address;
    const end = this.#offsets.end + values.sizeBytes;
    this.#offsets.append(bytes.subarray(starts, starts + step.slots * 4), end, (step.expectedSlots + 1) * 4);
    // A little more than last time, so that most outputs never grow; the first guesses from what it just saw.
    const perSlot = this.#bytesPerSlot === 0 ? values.sizeBytes / Math.max(1, step.slots) : this.#bytesPerSlot;
    const expected = Math.min(step.expectedSlots * perSlot * 1.06, 2 ** 28);
    const parts = values.parts ?? [bytes.subarray(values.address, values.address + values.sizeBytes)];
    for (const part of parts) this.#data.append(part, expected);
    return true;
  }

  sizeOf(slots: number): number {
    return this.#offsets.at(slots) + slots * 4;
  }

  take(slots: number): LeafBuffers {
    const sizeBytes = this.#offsets.at(slots);
    this.#bytesPerSlot = slots === 0 ? this.#bytesPerSlot : sizeBytes / slots;
    const offsets = this.#offsets.take(slots);
    return { data: this.#data.take(sizeBytes), offsets: this.#isLarge ? widenOffsets(this.#space, offsets) : offsets };
  }
}
