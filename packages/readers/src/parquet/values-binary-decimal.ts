import { byteWidthOf, type DataType, FormatError, type Limits } from "@ingest-ts/core";
import { BinaryPages } from "./binary-pages.ts";
import { GrowingBytes } from "./growing.ts";
import type { LeafBuffers, LeafValues, Step } from "./leaf-values.ts";
import type { EncodedValues } from "./pages.ts";
import type { Workspace } from "./workspace.ts";

/** Decimals stored as BYTE_ARRAY: big-endian two's complement of varying length (LogicalTypes, "DECIMAL"). */
export class BinaryDecimalValues implements LeafValues {
  readonly takesOutside: boolean = false;
  readonly #space: Workspace;
  readonly #pages: BinaryPages;
  readonly #width: number;
  readonly #data: GrowingBytes = new GrowingBytes();

  constructor(space: Workspace, type: DataType, limits: Limits) {
    this.#space = space;
    this.#width = byteWidthOf(type);
    this.#pages = new BinaryPages(space, false, limits);
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
    const sizeBytes = step.slots * this.#width;
    if (sizeBytes > maxBytes) return false;
    const values = this.#pages.read(step, 0, Number.POSITIVE_INFINITY);
    if (values === undefined) return false;
    const { x } = this.#space;
    const target = this.#space.spread.ensure(sizeBytes);
    const offsets = this.#space.offsets.address;
    const status = x.decimalStrings(values.address, offsets, step.bits, step.bit, step.slots, target, this.#width);
    if (status < 0) throw new FormatError(`a decimal that is empty or does not fit ${this.#width} bytes`);
    this.#data.append(this.#space.bytes.subarray(target, target + sizeBytes), step.expectedSlots * this.#width);
    return true;
  }

  sizeOf(slots: number): number {
    return slots * this.#width;
  }

  take(slots: number): LeafBuffers {
    return { data: this.#data.take(slots * this.#width), offsets: null };
  }
}
