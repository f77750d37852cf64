import { Buffer } from "node:buffer";
import { type Opening, readOpening } from "../remote/opening.ts";
import { isStrong, type Transport } from "../remote/transport.ts";
import type { BlockStore } from "./block-store.ts";

/** Size, version and start of an opening before its bytes, as a line of JSON. */
function encode({ pin, start, bytes }: Opening): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify([pin.sizeBytes, pin.identity, start])}\n`), bytes]);
}

function decode(data: Uint8Array): Opening | undefined {
  const end = data.indexOf(10);
  try {
    const [sizeBytes, identity, start] = JSON.parse(Buffer.from(data.subarray(0, end)).toString("utf8")) as unknown[];
    if (typeof sizeBytes !== "number" || typeof identity !== "string" || typeof start !== "number") return undefined;
    const bytes = data.subarray(end + 1);
    return start + bytes.length <= sizeBytes ? { pin: { sizeBytes, identity }, start, bytes } : undefined;
  } catch {
    return undefined;
  }
}

/** Opens an object; one request asks whether it still is the version that the cache knows, and then brings no data. */
export async function cachedOpening(
  store: BlockStore,
  transport: Transport,
  cacheId: string,
  signal: AbortSignal | undefined,
): Promise<Opening> {
  const label = JSON.stringify(["opening", cacheId]);
  const data = await store.get(label);
  const known = data === undefined ? undefined : decode(data);
  const opening = await readOpening(transport, signal, known?.pin.identity);
  if (opening !== "unchanged") {
    if (isStrong(opening.pin.identity)) await store.put(label, encode(opening));
    return opening;
  }
  // Only asked with a version that is known.
  return known as Opening;
}
