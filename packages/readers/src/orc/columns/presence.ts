import { checked } from "@ingest-ts/kernels";
import type { ArenaScope } from "../arena-scope.ts";
import type { ByteStream } from "../streams.ts";
import type { Reading } from "../stripe-bytes.ts";

/** Which of `count` slots hold a value: a bitmap in the arena and how many of its bits are set. */
export interface Presence {
  readonly count: number;
  readonly valid: number;
  /** 0 when every slot holds one. */
  readonly address: number;
}

/** `count` slots that all hold a value. */
export function everySlot(count: number): Presence {
  return { count, valid: count, address: 0 };
}

/**
 * Which slots of a column hold a value, given those of its parent: a PRESENT stream has entries only for slots where
 * all ancestors are present.
 */
export function* readPresence(stream: ByteStream | undefined, parent: Presence, scope: ArenaScope): Reading<Presence> {
  if (stream === undefined) return parent;
  const dense = yield* stream.readBits(parent.valid, scope);
  if (dense.set === parent.valid) return parent;
  if (parent.address === 0) return { count: parent.count, valid: dense.set, address: dense.address };
  const address = scope.zeros((parent.count + 7) >> 3);
  const { exports } = scope.kernels;
  checked(exports, exports.spreadBits(parent.address, 0, parent.count, dense.address, 0, parent.valid, address, 0));
  return { count: parent.count, valid: dense.set, address };
}

/** The validity buffer and null count of an Arrow column. */
export function validityOf(presence: Presence, scope: ArenaScope): { validity: Uint8Array | null; nullCount: number } {
  const nullCount = presence.count - presence.valid;
  const validity = nullCount === 0 ? null : scope.copyOut(presence.address, (presence.count + 7) >> 3);
  return { validity, nullCount };
}

const spreads = { 1: "spread1", 2: "spread2", 4: "spread4", 8: "spread8", 16: "spread16" } as const;

/** `presence.valid` values of `width` bytes at `dense` → one per slot (zeros under nulls), copied out. */
export function spreadOut(dense: number, width: 1 | 2 | 4 | 8 | 16, presence: Presence, scope: ArenaScope): Uint8Array {
  if (presence.valid === presence.count) return scope.copyOut(dense, presence.count * width);
  const out = scope.allocate(presence.count * width);
  const { exports } = scope.kernels;
  checked(exports, exports[spreads[width]](presence.address, 0, presence.count, dense, presence.valid, out));
  return scope.copyOut(out, presence.count * width);
}
