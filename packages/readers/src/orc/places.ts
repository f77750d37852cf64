import { FormatError } from "@ingest-ts/core";
import type { ArenaScope } from "./arena-scope.ts";
import { placesOf, type RowGroup } from "./row-index.ts";
import type { StreamName } from "./spec.ts";
import type { StreamStart } from "./streams.ts";
import type { Reading, StreamSource } from "./stripe-bytes.ts";
import { encodingOf, isShortDecimal, type OpenStream, type Stripe, streamKey } from "./stripe.ts";
import type { Node } from "./tree.ts";

/** Where the streams of one row group begin, by `streamKey`. */
export type GroupPlaces = ReadonlyMap<string, StreamStart>;

/** No run takes more: 512 values of 64 bits, 31 patches and what comes before them. */
const LONGEST_RUN_BYTES = 4096 + 31 * 8 + 12;

/**
 * Where each row group begins in every stream that is read; undefined when the row index does not say so for all of them,
 * or says what cannot be.
 *
 * @param nodes all columns whose streams are read
 */
export function groupPlaces(
  nodes: readonly Node[],
  groups: ReadonlyMap<number, readonly RowGroup[]>,
  count: number,
  stripe: Stripe,
): readonly GroupPlaces[] | undefined {
  const all = Array.from({ length: count }, () => new Map<string, StreamStart>());
  for (const node of nodes) {
    const encoding = encodingOf(node, stripe.footer);
    const has = (name: StreamName): boolean => stripe.sources.has(streamKey(node.id, name));
    const layout = {
      hasPresent: has("present"),
      isShortDecimal: isShortDecimal(node, stripe.metadata, has("secondary")),
      isCompressed: stripe.metadata.postscript.compression !== "none",
    };
    const entries = groups.get(node.id);
    const last = new Map<StreamName, StreamStart>();
    for (let group = 0; group < count; group++) {
      // Structs without nulls have no streams, and some writers no index for them.
      const found = placesOf(entries?.[group]?.positions ?? [], node, encoding, layout);
      if (found === undefined) return undefined;
      for (const [name, place] of found) {
        if (!canFollow(place, last.get(name), stripe.sources.get(streamKey(node.id, name)))) return undefined;
        last.set(name, place);
        all[group]?.set(streamKey(node.id, name), place);
      }
    }
  }
  return all;
}

/** Whether a place lies inside of its stream and not before the one of the row group before. */
function canFollow(
  { chunk, offset }: StreamStart,
  before: StreamStart | undefined,
  source: StreamSource | undefined,
): boolean {
  const size = source === undefined ? 0 : source.span.end - source.span.start;
  if (!(chunk <= size) || (source === undefined && offset > 0)) return false;
  if (before === undefined) return true;
  return chunk > before.chunk || (chunk === before.chunk && offset >= before.offset);
}

/**
 * Says which bytes of a stream row groups [first, end) need.
 *
 * @param blockBytes the most that a chunk expands to; undefined when nothing is compressed
 */
export function wantGroups(
  key: string,
  source: StreamSource,
  places: readonly GroupPlaces[],
  first: number,
  end: number,
  blockBytes: number | undefined,
): void {
  const { span } = source;
  const from = places[first]?.get(key);
  // Dictionaries have no places.
  if (from === undefined) return source.want(span.start, span.end);
  const to = places[end]?.get(key);
  source.want(span.start + from.chunk, to === undefined ? span.end : span.start + stopOf(key, to, end));

  /** Bytes of the stream that the values before `place` may take. */
  function stopOf(stream: string, { chunk, offset, values }: StreamStart, group: number): number {
    const size = span.end - span.start;
    if (offset === 0 && values === 0) return chunk;
    // A run of values on both sides is read whole.
    const contentBytes = offset + (values > 0 ? LONGEST_RUN_BYTES : 0);
    if (blockBytes === undefined) return Math.min(size, chunk + contentBytes);
    // Where chunks end only the beginnings of other row groups tell.
    let missing = Math.ceil(contentBytes / blockBytes);
    for (let [next, last] = [group + 1, chunk]; next < places.length; next++) {
      const later = places[next]?.get(stream)?.chunk ?? size;
      if (later > last) missing--;
      if (missing === 0) return later;
      last = later;
    }
    return size;
  }
}

/**
 * Holds where the streams are, after all rows before a row group were read, against where its row index says that they
 * are: a wrong position would give wrong values in silence.
 *
 * @param opened the streams that were read
 * @param there those opened at the row group's places
 * @throws FormatError when they differ
 */
export function* checkPlaces(
  opened: ReadonlyMap<string, OpenStream>,
  there: ReadonlyMap<string, OpenStream>,
  group: number,
  scope: ArenaScope,
): Reading<void> {
  for (const [key, stream] of opened) {
    const other = there.get(key);
    if (other === undefined) continue;
    if ((yield* stream.cursor(scope)) === (yield* other.cursor(scope))) continue;
    throw new FormatError(
      `row group ${group} does not begin where the row index says, in the ${stream.place.stream} stream`,
      {
        where: { column: stream.place.column, offset: stream.place.offset },
        remedy: "The file is corrupt; write it again, or read it whole without where.",
      },
    );
  }
}
