import {
  buildManifest,
  type FragmentRef,
  type Manifest,
  type OrderOptions,
  rankSpans,
  SegmentOrder,
} from "@ingest-ts/sharder";

/** A manifest of segments given as the row counts of their fragments, one object a fragment. */
export function manifestOf(segments: readonly (readonly number[])[]): Manifest {
  const digits = String(segments.length).length;
  const objects = segments.flatMap((fragments, s) => {
    const name = `${String(s).padStart(digits, "0")}/data`;
    return [{ name, sizeBytes: 100, digest: "d", fragmentRows: fragments }];
  });
  return buildManifest(objects, "object");
}

/** The number of a row in manifest order. */
function rowNumber(manifest: Manifest, fragment: FragmentRef, row: number): number {
  let before = 0;
  for (const segment of manifest.segments) {
    for (const other of segment.fragments) {
      if (other === fragment) return before + row;
      before += other.rows;
    }
  }
  throw new Error("no such fragment");
}

/** Row numbers by position, each computed alone from its position. */
export function orderByPosition(manifest: Manifest, epoch: number, options: OrderOptions): number[] {
  return manifest.segments.flatMap((segment, index) => {
    const order = new SegmentOrder(manifest, index, epoch, options);
    return Array.from({ length: segment.rows }, (_, position) => {
      const { fragment, row } = order.rowAt(position);
      return rowNumber(manifest, fragment, row);
    });
  });
}

/** The local rows [0, laneRows) of a lane as row numbers, window by window, as a loader reads them. */
function laneRowNumbers(manifest: Manifest, order: SegmentOrder, lane: number): number[] {
  const rows = order.laneRows(lane);
  const read = (from: number, to: number): number[] =>
    order
      .fragmentSpans(lane, from, to)
      .flatMap((span) =>
        Array.from({ length: span.to - span.from }, (_, i) => rowNumber(manifest, span.fragment, span.from + i)),
      );
  if (order.options.windowRows === 0) return read(0, rows);
  const out: number[] = [];
  while (out.length < rows) {
    const window = order.windowAt(lane, out.length);
    const values = read(window.from, window.to);
    out.push(...Array.from(order.windowPermutation(lane, window), (i) => values[i] as number));
  }
  return out;
}

/** What one rank reads of an epoch from `from` on, in order. */
export function rankRowNumbers(
  manifest: Manifest,
  epoch: number,
  from: number,
  options: OrderOptions,
  world: { rank: number; worldSize: number },
): number[] {
  return rankSpans(manifest, from, options.lanes, world).flatMap((span) => {
    const order = new SegmentOrder(manifest, span.segment, epoch, options);
    const lanes = span.lanes.map((lane) => laneRowNumbers(manifest, order, lane));
    return Array.from({ length: span.end - span.first }, (_, i) => {
      const k = span.first + i;
      return lanes[k % lanes.length]?.[Math.floor(k / lanes.length)] as number;
    });
  });
}
