import { SLACK_BYTES } from "@ingest-ts/kernels";
import type { Workspace } from "./workspace.ts";

/** The same offsets as 64-bit integers. */
export function widenOffsets(space: Workspace, offsets: Int32Array): BigInt64Array {
  const source = space.load(space.offsets, new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength));
  const target = space.spread.ensure(offsets.length * 8 + SLACK_BYTES);
  space.x.widenOffsets(source, offsets.length, target);
  const wide = space.bytes.slice(target, target + offsets.length * 8);
  return new BigInt64Array(wide.buffer);
}
