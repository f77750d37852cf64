import { type DataType, FormatError, type Limits, UnsupportedError } from "@ingest-ts/core";
import type { ArenaScope } from "./arena-scope.ts";
import { listReader, mapReader, structReader, unionReader } from "./columns/nested.ts";
import {
  booleanReader,
  byteReader,
  dateReader,
  decimalReader,
  floatReader,
  integerReader,
  shortDecimalReader,
} from "./columns/numbers.ts";
import type { ColumnReader } from "./columns/reader.ts";
import { type Dictionary, dictionaryStringReader, directStringReader, readDictionary } from "./columns/strings.ts";
import { timestampReader } from "./columns/timestamps.ts";
import type { OrcMetadata } from "./metadata.ts";
import { type ColumnEncoding, type StreamName, type StripeFooter, streamKinds } from "./spec.ts";
import type { StreamPlace, WindowSpace } from "./stream-window.ts";
import { ByteStream, IntegerStream, RawStream, type StreamStart, streamBeginning } from "./streams.ts";
import type { Reading, StreamSource, StripeBytes } from "./stripe-bytes.ts";
import { arrowType, type Node } from "./tree.ts";

/** Everything that the readers of one stripe's columns are made from. */
export interface Stripe {
  readonly metadata: OrcMetadata;
  readonly footer: StripeFooter;
  readonly bytes: StripeBytes;
  /** By `streamKey`. */
  readonly sources: ReadonlyMap<string, StreamSource>;
  /** Lives as long as the stripe is read. */
  readonly scope: ArenaScope;
  readonly limits: Limits;
  /** Dictionaries by column: read once, whatever rows are read. */
  readonly dictionaries: Map<number, Dictionary>;
}

/** Where the readers of a stripe's columns begin, and what they have opened. */
export interface StripeStart {
  /** Lives as long as the readers. */
  readonly scope: ArenaScope;
  /** Where each stream begins, by `streamKey`; the beginning when it is not there. */
  readonly places: ReadonlyMap<string, StreamStart>;
  /** The streams that rows are read from, by `streamKey`. */
  readonly opened: Map<string, OpenStream>;
}

/** A stream that knows where it is. */
export interface OpenStream {
  readonly place: StreamPlace;
  cursor(scope: ArenaScope): Reading<string>;
}

/** Of one stream of one column. */
export function streamKey(column: number, name: StreamName): string {
  return `${column}/${streamKinds[name]}`;
}

/** The readers of one column: each method opens one of its streams. */
class ColumnStreams {
  readonly node: Node;
  readonly stripe: Stripe;
  readonly start: StripeStart;
  readonly isDictionary: boolean;
  readonly dictionarySize: number;
  readonly version: 1 | 2;
  readonly #space: WindowSpace;

  constructor(node: Node, stripe: Stripe, start: StripeStart) {
    const encoding = encodingOf(node, stripe.footer);
    const { metadata, limits } = stripe;
    this.node = node;
    this.stripe = stripe;
    this.start = start;
    this.isDictionary = isDictionary(encoding);
    this.dictionarySize = encoding.dictionarySize;
    this.version = encoding.kind === "directV2" || encoding.kind === "dictionaryV2" ? 2 : 1;
    this.#space = { scope: start.scope, postscript: metadata.postscript, limits };
  }

  #open<T extends OpenStream>(
    name: StreamName,
    make: (space: WindowSpace, source: StreamSource | undefined, place: StreamPlace, start: StreamStart) => T,
  ): T {
    const key = streamKey(this.node.id, name);
    // A stream that is not there is empty: writers leave out those without values.
    const source = this.stripe.sources.get(key);
    const place = { column: this.node.name, stream: name, offset: source?.span.start ?? 0 };
    const stream = make(this.#space, source, place, this.start.places.get(key) ?? streamBeginning);
    this.start.opened.set(key, stream);
    return stream;
  }

  has(name: StreamName): boolean {
    return this.stripe.sources.has(streamKey(this.node.id, name));
  }

  present(): ByteStream | undefined {
    return this.has("present") ? this.bits("present") : undefined;
  }

  bits(name: StreamName): ByteStream {
    return this.#open(name, (...where) => new ByteStream(...where, true));
  }

  bytes(name: StreamName): ByteStream {
    return this.#open(name, (...where) => new ByteStream(...where, false));
  }

  integers(name: StreamName, isSigned: boolean, version: 1 | 2 = this.version): IntegerStream {
    return this.#open(name, (...where) => new IntegerStream(...where, version, isSigned));
  }

  raw(name: StreamName): RawStream {
    return this.#open(name, (...where) => new RawStream(...where));
  }

  /** The dictionary of the column, whose streams are always read from their beginning. */
  *dictionary(type: DataType): Reading<Dictionary> {
    const { dictionaries, scope, limits } = this.stripe;
    const known = dictionaries.get(this.node.id);
    if (known !== undefined) return known;
    const whole: StripeStart = { scope, places: new Map(), opened: new Map() };
    const streams = new ColumnStreams(this.node, this.stripe, whole);
    const lengths = streams.integers("length", false);
    const dictionary = yield* readDictionary(
      type,
      this.dictionarySize,
      lengths,
      streams.raw("dictionaryData"),
      limits,
      scope,
    );
    dictionaries.set(this.node.id, dictionary);
    return dictionary;
  }
}

/** @throws FormatError when the stripe footer has none. */
export function encodingOf(node: Node, { encodings }: StripeFooter): ColumnEncoding {
  const encoding = encodings[node.id];
  if (encoding !== undefined) return encoding;
  throw new FormatError(`the stripe footer has ${encodings.length} column encodings`, {
    where: { column: node.name },
    remedy: "The file is corrupt; write it again.",
  });
}

/** Whether values are indices of a dictionary. */
export function isDictionary({ kind }: ColumnEncoding): boolean {
  return kind === "dictionary" || kind === "dictionaryV2";
}

/** Null rows, which Arrow has no place for, are refused: the PRESENT stream of a root that is a struct. */
export function rootPresence(node: Node, stripe: Stripe, start: StripeStart): ByteStream | undefined {
  return node.orc.kind === "struct" ? new ColumnStreams(node, stripe, start).present() : undefined;
}

/** The reader of a column and of all below it. @throws FormatError, UnsupportedError */
export function columnReader(node: Node, stripe: Stripe, start: StripeStart): ColumnReader {
  const streams = new ColumnStreams(node, stripe, start);
  const { kind } = node.orc;
  if (streams.isDictionary && kind !== "string" && kind !== "varchar" && kind !== "char" && kind !== "binary") {
    // Old writers marked lists and maps so; they have no values of their own.
    if (kind !== "list" && kind !== "map" && kind !== "struct" && kind !== "union") {
      throw new FormatError(`a ${kind} cannot be dictionary encoded`, { where: { column: node.name } });
    }
  }
  const type = arrowType(node);
  const below = (): ColumnReader[] => node.children.map((child) => columnReader(child, stripe, start));
  switch (kind) {
    case "struct":
      return structReader(type, streams.present(), below());
    case "list":
      return listReader(type, streams.present(), streams.integers("length", false), below()[0] as ColumnReader);
    case "map": {
      const [key, value] = below() as [ColumnReader, ColumnReader];
      const mapType = type as Extract<DataType, { kind: "map" }>;
      return mapReader(mapType, streams.present(), streams.integers("length", false), key, value);
    }
    case "union":
      return unionReader(
        type as Extract<DataType, { kind: "union" }>,
        streams.present(),
        streams.bytes("data"),
        below(),
      );
    default:
      return primitiveReader(type, streams);
  }
}

function primitiveReader(type: DataType, streams: ColumnStreams): ColumnReader {
  const present = streams.present();
  const { kind } = streams.node.orc;
  switch (kind) {
    case "boolean":
      return booleanReader(type, present, streams.bits("data"));
    case "byte":
      return byteReader(type, present, streams.bytes("data"));
    case "short":
      return integerReader(type, 2, present, streams.integers("data", true));
    case "int":
      return integerReader(type, 4, present, streams.integers("data", true));
    case "long":
      return integerReader(type, 8, present, streams.integers("data", true));
    case "date":
      return dateReader(type, isHybrid(streams.stripe.metadata), present, streams.integers("data", true));
    case "float":
      return floatReader(type, 4, present, streams.raw("data"));
    case "double":
      return floatReader(type, 8, present, streams.raw("data"));
    case "string":
    case "varchar":
    case "char":
    case "binary":
    case "geometry":
    case "geography":
      return stringReader(type, present, streams);
    case "timestamp":
    case "timestampInstant": {
      const zone = kind === "timestamp" ? streams.stripe.footer.timeZone : undefined;
      const data = streams.integers("data", true);
      return timestampReader(type, zone, present, data, streams.integers("secondary", false));
    }
    case "decimal":
      return decimalColumn(type as Extract<DataType, { kind: "decimal" }>, present, streams);
    default:
      throw new UnsupportedError(`ORC type ${kind} is not supported`, { where: { column: streams.node.name } });
  }
}

function stringReader(type: DataType, present: ByteStream | undefined, streams: ColumnStreams): ColumnReader {
  if (!streams.isDictionary) {
    return directStringReader(type, present, streams.integers("length", false), streams.raw("data"));
  }
  return dictionaryStringReader(type, present, streams.integers("data", false), () => streams.dictionary(type));
}

function decimalColumn(
  type: Extract<DataType, { kind: "decimal" }>,
  present: ByteStream | undefined,
  streams: ColumnStreams,
): ColumnReader {
  if (isShortDecimal(streams.node, streams.stripe.metadata, streams.has("secondary"))) {
    return shortDecimalReader(type, present, streams.integers("data", true, 2));
  }
  return decimalReader(type, present, streams.raw("data"), streams.integers("secondary", true));
}

/** The unstable version 1.9999 ("2.0") keeps short decimals as integers, whatever the column's encoding says. */
export function isShortDecimal({ orc }: Node, { postscript }: OrcMetadata, hasSecondary: boolean): boolean {
  const [major, minor] = postscript.version;
  const isNew = major > 1 || (major === 1 && minor === 9999);
  return isNew && orc.kind === "decimal" && orc.precision > 0 && orc.precision <= 18 && !hasSecondary;
}

/** Java's writers used the hybrid calendar before they could say which. */
function isHybrid({ footer }: OrcMetadata): boolean {
  return footer.calendar === "julian" || (footer.calendar === "unknown" && footer.writer === 0);
}
