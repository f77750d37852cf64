import {
  addWhere,
  type Column,
  columnBytes,
  type Columns,
  type Decoder,
  type DecodeOptions,
  type Field,
  FormatError,
  type Fragment,
  type Need,
  UnsupportedError,
} from "@ingest-ts/core";
import { acquireKernels } from "@ingest-ts/kernels";
import { restoreColumns } from "../restore/index.ts";
import { ArenaScope } from "./arena-scope.ts";
import { readChunks } from "./chunks.ts";
import { everySlot } from "./columns/presence.ts";
import type { ColumnReader } from "./columns/reader.ts";
import type { Dictionary } from "./columns/strings.ts";
import { readStripeFooter } from "./footer.ts";
import type { OrcMetadata } from "./metadata.ts";
import { checkPlaces, type GroupPlaces, groupPlaces, wantGroups } from "./places.ts";
import { columnIds, flattened, type StripePlan, stripeFooterSpan } from "./plan.ts";
import { rootNode, selectedNodes, toSchema } from "./schema.ts";
import { type StripeFooter, streamKinds } from "./spec.ts";
import type { ByteStream } from "./streams.ts";
import { type Reading, StripeBytes, type StreamSource } from "./stripe-bytes.ts";
import { columnReader, rootPresence, type Stripe, type StripeStart } from "./stripe.ts";
import { type RowSpan, surveyStripe } from "./survey.ts";
import type { Node } from "./tree.ts";

const rowStreams: ReadonlySet<number> = new Set(Object.values(streamKinds));

/**
 * Decodes the rows of one stripe: its footer first, then, when `where` or the wanted rows can do with less than all of it,
 * its row index, then the streams of the selected columns, slab after slab.
 */
export function* decode(fragment: Fragment<StripePlan>, metadata: OrcMetadata, options: DecodeOptions): Decoder {
  const scope = new ArenaScope(acquireKernels());
  try {
    const reader = new StripeReader(fragment, metadata, options, scope);
    yield* reader.slabs();
  } catch (error) {
    throw addWhere(error, { url: fragment.url, fragment: fragment.ordinal });
  } finally {
    scope.releaseAll();
  }
}

/** The readers of all selected columns, at one place. */
interface Readers {
  readonly columns: readonly ColumnReader[];
  readonly root: ByteStream | undefined;
  readonly start: StripeStart;
  /** The next row that they read. */
  row: number;
}

class StripeReader {
  readonly #metadata: OrcMetadata;
  readonly #options: DecodeOptions;
  readonly #scope: ArenaScope;
  readonly #plan: StripePlan;
  readonly #rows: number;
  readonly #wanted: RowSpan;
  readonly #nodes: readonly Node[];
  readonly #root: Node;
  readonly #fields: readonly Field[];
  /** Of Arrow data: a guess before there was a slab. */
  #bytesPerRow = 1;

  constructor({ plan }: Fragment<StripePlan>, metadata: OrcMetadata, options: DecodeOptions, scope: ArenaScope) {
    const { select, rows } = options;
    this.#metadata = metadata;
    this.#options = options;
    this.#scope = scope;
    this.#plan = plan;
    this.#rows = plan.stripe.rows;
    this.#wanted = [rows?.[0] ?? 0, Math.min(rows?.[1] ?? this.#rows, this.#rows)];
    this.#nodes = selectedNodes(metadata, select);
    this.#root = rootNode(metadata, select);
    this.#fields = toSchema(metadata, select).fields;
  }

  *slabs(): Decoder {
    const { select } = this.#options;
    const footer = yield* this.#footer();
    const read = this.#root.orc.kind === "struct" ? [rootOnly(this.#root), ...this.#nodes] : this.#nodes;
    const stripe = this.#stripeOf(footer, columnIds(read));
    this.#checkSize(stripe);
    const { metadata } = stripe;
    const surveyed = { metadata, footer, rows: this.#rows, nodes: this.#nodes, columns: columnIds(read), select };
    const { spans, groups } = yield* surveyStripe({ ...surveyed, wanted: this.#wanted });
    const stride = metadata.footer.rowIndexStride;
    const isPart = spans.length !== 1 || (spans[0] as RowSpan)[0] >= stride || (spans[0] as RowSpan)[1] < this.#rows;
    const places =
      isPart && stride > 0 && groups.size > 0
        ? groupPlaces(flattened(read), groups, Math.ceil(this.#rows / stride), stripe)
        : undefined;
    this.#want(stripe, spans, places);
    yield* this.#spans(stripe, spans, places);
  }

  *#footer(): Reading<StripeFooter> {
    const { postscript } = this.#metadata;
    const { stripe } = this.#plan;
    const span = stripeFooterSpan(stripe);
    const [packed] = (yield { need: [span] } satisfies Need) as [Uint8Array];
    const content = readChunks(packed, postscript, this.#options.select.limits, span.start);
    return readStripeFooter(content, stripe.offset, span.start);
  }

  #stripeOf(footer: StripeFooter, columns: ReadonlySet<number>): Stripe {
    const { limits } = this.#options.select;
    const bytes = new StripeBytes(limits.bytesInFlight);
    const sources = new Map<string, StreamSource>();
    for (const { column, kind, start, end } of footer.streams) {
      if (!columns.has(column) || !rowStreams.has(kind)) continue;
      const key = `${column}/${kind}`;
      if (sources.has(key)) throw new FormatError(`column ${column} has two streams of kind ${kind}`);
      sources.set(key, bytes.add({ start, end }));
    }
    const dictionaries = new Map<number, Dictionary>();
    return { metadata: this.#metadata, footer, bytes, sources, scope: this.#scope, limits, dictionaries };
  }

  /** @throws UnsupportedError for more rows than could be believed of nothing. */
  #checkSize({ sources, limits }: Stripe): void {
    let sizeBytes = 0;
    for (const { span } of sources.values()) sizeBytes += span.end - span.start;
    if (sizeBytes > 0 || this.#rows <= limits.zeroLengthItems) return;
    throw new UnsupportedError(`${this.#rows} rows without a byte of data are over limits.zeroLengthItems`, {
      remedy: "If the file is to be trusted, raise limits.zeroLengthItems.",
    });
  }

  /** Says which bytes are going to be read. */
  #want({ sources, metadata }: Stripe, spans: readonly RowSpan[], places: readonly GroupPlaces[] | undefined): void {
    const stride = metadata.footer.rowIndexStride;
    const blockBytes = blockBytesOf(metadata);
    for (const [key, source] of spans.length === 0 ? [] : sources) {
      if (places === undefined) source.want(source.span.start, source.span.end);
      else {
        for (const [from, to] of spans) {
          wantGroups(key, source, places, Math.floor(from / stride), Math.ceil(to / stride), blockBytes);
        }
      }
    }
  }

  *#spans(stripe: Stripe, spans: readonly RowSpan[], places: readonly GroupPlaces[] | undefined): Decoder {
    yield* stripe.bytes.load();
    const rows = places === undefined ? this.#rows : spans.reduce((sum, [from, to]) => sum + to - from, 0);
    const contentBytes = stripe.bytes.contentBytes(blockBytesOf(stripe.metadata));
    this.#bytesPerRow = contentBytes / Math.max(1, rows);
    let readers: Readers | undefined;
    let [at] = this.#wanted;
    for (const [from, to] of spans) {
      if (from > at) yield { passedRows: from - at };
      at = to;
      const group = places === undefined ? 0 : Math.floor(from / stripe.metadata.footer.rowIndexStride);
      if (readers === undefined || places !== undefined) readers = this.#readersAt(stripe, places, group, readers);
      yield* this.#slabsOf(readers, from, to);
      if (places !== undefined) yield* this.#checkEnd(stripe, readers, places);
    }
    readers?.start.scope.releaseAll();
    if (this.#wanted[1] > at) yield { passedRows: this.#wanted[1] - at };
  }

  /** Readers at the beginning of a row group, in the place of others. */
  #readersAt(
    stripe: Stripe,
    places: readonly GroupPlaces[] | undefined,
    group: number,
    before: Readers | undefined,
  ): Readers {
    before?.start.scope.releaseAll();
    const start: StripeStart = {
      scope: this.#scope.child(),
      places: places?.[group] ?? new Map(),
      opened: new Map(),
    };
    const root = rootPresence(this.#root, stripe, start);
    const columns = this.#nodes.map((node) => columnReader(node, stripe, start));
    return { columns, root, start, row: places === undefined ? 0 : group * stripe.metadata.footer.rowIndexStride };
  }

  /** At the end of a row group: is it where the next one begins? */
  *#checkEnd(stripe: Stripe, readers: Readers, places: readonly GroupPlaces[]): Reading<void> {
    const stride = stripe.metadata.footer.rowIndexStride;
    const group = readers.row / stride;
    if (!Number.isInteger(group) || group >= places.length) return;
    const there = this.#readersAt(stripe, places, group, undefined);
    try {
      yield* checkPlaces(readers.start.opened, there.start.opened, group, there.start.scope);
    } finally {
      there.start.scope.releaseAll();
    }
  }

  /** Reads rows up to `to`; those before `from` are decoded and dropped. */
  *#slabsOf(readers: Readers, from: number, to: number): Generator<Columns | Need, void, Uint8Array[]> {
    while (readers.row < to) {
      const end = readers.row < from ? from : to;
      const count = Math.min(this.#slabRows(), end - readers.row);
      const scope = this.#scope.child();
      let slab: Columns;
      try {
        yield* checkRoot(readers.root, count, scope);
        const columns: Column[] = [];
        for (const reader of readers.columns) columns.push(yield* reader.read(everySlot(count), scope));
        slab = { rows: count, columns };
      } finally {
        scope.releaseAll();
      }
      readers.row += count;
      this.#bytesPerRow = columnBytes(slab) / count;
      if (readers.row > from) yield restoreColumns(slab, this.#fields);
    }
  }

  /** Rows of a slab: first by the content of the streams, then by what rows took in the last one. */
  #slabRows(): number {
    const { batchRows, batchBytes } = this.#options;
    return Math.max(1, Math.min(batchRows, Math.floor(batchBytes / Math.max(1, this.#bytesPerRow))));
  }
}

/** The most that a chunk expands to; undefined when nothing is compressed. */
function blockBytesOf({ postscript }: OrcMetadata): number | undefined {
  return postscript.compression === "none" ? undefined : postscript.blockBytes;
}

/** The root as a column of its own: its streams without those of the fields. */
function rootOnly(root: Node): Node {
  return { ...root, children: [] };
}

/** @throws UnsupportedError when a row is null: Arrow has no place for one that is. */
function* checkRoot(root: ByteStream | undefined, count: number, scope: ArenaScope): Reading<void> {
  if (root === undefined) return;
  const { set } = yield* root.readBits(count, scope);
  if (set < count) throw new UnsupportedError("null rows are not supported");
}
