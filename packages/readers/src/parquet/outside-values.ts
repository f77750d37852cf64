import { FormatError, getBit } from "@ingest-ts/core";
import type { Step } from "./leaf-values.ts";
import type { Workspace } from "./workspace.ts";

/** Where in the parts of a page something begins. */
interface Place {
  readonly part: number;
  readonly offset: number;
}

/** Values that were not copied together. */
export interface OutsideRun {
  /** Their bytes, in order. */
  readonly parts: readonly Uint8Array[];
  readonly sizeBytes: number;
}

/**
 * PLAIN byte arrays of a page that was left in the bytes fetched. Values are walked over one by one, which costs little
 * when they are large, and copied once: from what was fetched to the output.
 */
export class OutsideValues {
  readonly #space: Workspace;
  #parts: readonly Uint8Array[] = [];
  #place: Place = { part: 0, offset: 0 };

  constructor(space: Workspace) {
    this.#space = space;
  }

  open(parts: readonly Uint8Array[]): void {
    this.#parts = parts;
    this.#place = { part: 0, offset: 0 };
  }

  /** As `BinaryPages.read`. */
  read(step: Step, used: number, maxBytes: number): OutsideRun | undefined {
    const { slots, bits, bit } = step;
    const address = this.#space.offsets.ensure((slots + 1) * 4);
    const offsets = new Int32Array(this.#space.x.memory.buffer, address, slots + 1);
    const validity = this.#space.bytes.subarray(bits, bits + ((bit + slots + 7) >> 3));
    const parts: Uint8Array[] = [];
    let place = this.#place;
    let sizeBytes = 0;
    for (let i = 0; i < slots; i++) {
      offsets[i] = used + sizeBytes;
      if (bits !== 0 && !getBit(validity, bit + i)) continue;
      const length = this.#lengthAt(place);
      place = this.#pass(this.#pass(place, 4), length, parts);
      sizeBytes += length;
      if (sizeBytes > maxBytes) return undefined;
    }
    offsets[slots] = used + sizeBytes;
    this.#place = place;
    return { parts, sizeBytes };
  }

  #lengthAt({ part, offset }: Place): number {
    const bytes = this.#parts[part];
    if (bytes !== undefined && offset + 4 <= bytes.length)
      return new DataView(bytes.buffer, bytes.byteOffset + offset, 4).getUint32(0, true);
    const prefix: Uint8Array[] = [];
    this.#pass({ part, offset }, 4, prefix);
    const [a = 0, b = 0, c = 0, d = 0] = prefix.flatMap((each) => Array.from(each));
    return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  }

  /** The place `length` bytes further on; what lies between is added to `passed`. */
  #pass(from: Place, length: number, passed?: Uint8Array[]): Place {
    let { part, offset } = from;
    for (let left = length; left > 0; ) {
      const bytes = this.#parts[part];
      if (bytes === undefined) throw new FormatError("bad byte arrays: the page ends inside a value");
      const taken = Math.min(left, bytes.length - offset);
      passed?.push(bytes.subarray(offset, offset + taken));
      left -= taken;
      offset += taken;
      if (offset < bytes.length) break;
      part++;
      offset = 0;
    }
    return { part, offset };
  }
}
