import { createHash } from "node:crypto";
import type { Manifest, ManifestObject, Segment } from "./manifest.ts";

/** Which data an order was made for, in a size that does not grow with it. */
export interface Fingerprint {
  readonly segments: number;
  readonly rows: number;
  /** 32 hexadecimal digits over the first `segments` segments. */
  readonly digest: string;
}

const HEX_DIGITS = 32;

/** The first 128 bits of SHA-256, in hexadecimal. */
export function digestOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, HEX_DIGITS);
}

function describe(manifest: Manifest, segment: Segment): string {
  const objects = manifest.objects.slice(segment.firstObject, segment.endObject);
  const fields = objects.map((o: ManifestObject) => [o.name, o.sizeBytes, o.digest, o.fragmentRows]);
  return JSON.stringify([segment.key, fields]);
}

/**
 * The fingerprint of the first `segments` segments (all by default): names, sizes, row counts and digests, chained from
 * segment to segment, so that data with segments appended still begins with the fingerprint it had.
 */
export function fingerprintOf(manifest: Manifest, segments: number = manifest.segments.length): Fingerprint {
  let digest = "";
  let rows = 0;
  for (const segment of manifest.segments.slice(0, segments)) {
    digest = digestOf(`${digest}\n${describe(manifest, segment)}`);
    rows += segment.rows;
  }
  return { segments, rows, digest };
}
