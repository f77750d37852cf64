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
import { dictionaryStringReader, directStringReader, readDictionary } from "./columns/strings.ts";
import { timestampReader } from "./columns/timestamps.ts";
import type { OrcMetadata } from "./metadata.ts";
import { type StreamName, type StripeFooter, streamKinds } from "./spec.ts";
import { ByteStream, IntegerStream, RawStream, type StreamPlace } from "./streams.ts";
import { arrowType, type Node } from "./tree.ts";

/** A stream's decompressed bytes and where it began in the object. */
export interface StreamBytes {
  readonly bytes: Uint8Array;
  readonly offset: number;
}

/** Everything that the readers of one stripe's columns are made from. */
export interface Stripe {
  readonly metadata: OrcMetadata;
  readonly footer: StripeFooter;
  /** By "column/kind". */
  readonly streams: Map<string, StreamBytes>;
  /** Lives as long as the readers. */
  readonly scope: ArenaScope;
  readonly limits: Limits;
}

const noBytes = new Uint8Array(0);

/** The readers of one column: each method opens one of its streams. */
class ColumnStreams {
  readonly node: Node;
  readonly stripe: Stripe;
  readonly isDictionary: boolean;
  readonly dictionarySize: number;
  readonly version: 1 | 2;

  constructor(node: Node, stripe: Stripe) {
    const encoding = stripe.footer.encodings[node.id];
    if (encoding === undefined) {
      throw new FormatError(`the stripe footer has ${stripe.footer.encodings.length} column encodings`, {
        where: { column: node.name },
        remedy: "The file is corrupt; write it again.",
      });
    }
    this.node = node;
    this.stripe = stripe;
    this.isDictionary = encoding.kind === "dictionary" || encoding.kind === "dictionaryV2";
    this.dictionarySize = encoding.dictionarySize;
    this.version = encoding.kind === "directV2" || encoding.kind === "dictionaryV2" ? 2 : 1;
  }

  #find(name: StreamName): StreamBytes | undefined {
    const key = `${this.node.id}/${streamKinds[name]}`;
    const found = this.stripe.streams.get(key);
    // Each stream has one reader: its bytes live in the arena from now on.
    this.stripe.streams.delete(key);
    return found;
  }

  #place(name: StreamName, found: StreamBytes | undefined): StreamPlace {
    return { column: this.node.name, stream: name, offset: found?.offset ?? 0 };
  }

  has(name: StreamName): boolean {
    return this.stripe.streams.has(`${this.node.id}/${streamKinds[name]}`);
  }

  present(): ByteStream | undefined {
    return this.has("present") ? this.bytes("present") : undefined;
  }

  /** A stream that is not there is empty: writers leave out those without values. */
  bytes(name: StreamName): ByteStream {
    const found = this.#find(name);
    return new ByteStream(this.stripe.scope, found?.bytes ?? noBytes, this.#place(name, found));
  }

  integers(name: StreamName, isSigned: boolean, version: 1 | 2 = this.version): IntegerStream {
    const found = this.#find(name);
    const place = this.#place(name, found);
    return new IntegerStream(this.stripe.scope, found?.bytes ?? noBytes, version, isSigned, place);
  }

  raw(name: StreamName): RawStream {
    const found = this.#find(name);
    return new RawStream(this.stripe.scope, found?.bytes ?? noBytes, this.#place(name, found));
  }
}

/** The reader of a column and of all below it. @throws FormatError, UnsupportedError */
export function columnReader(node: Node, stripe: Stripe): ColumnReader {
  const streams = new ColumnStreams(node, stripe);
  const { kind } = node.orc;
  if (streams.isDictionary && kind !== "string" && kind !== "varchar" && kind !== "char" && kind !== "binary") {
    // Old writers marked lists and maps so; they have no values of their own.
    if (kind !== "list" && kind !== "map" && kind !== "struct" && kind !== "union") {
      throw new FormatError(`a ${kind} cannot be dictionary encoded`, { where: { column: node.name } });
    }
  }
  const type = arrowType(node);
  const below = (): ColumnReader[] => node.children.map((child) => columnReader(child, stripe));
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
      return booleanReader(type, present, streams.bytes("data"));
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
  const { scope, limits } = streams.stripe;
  const lengths = streams.integers("length", false);
  const dictionary = readDictionary(
    type,
    streams.dictionarySize,
    lengths,
    streams.raw("dictionaryData"),
    limits,
    scope,
  );
  return dictionaryStringReader(type, present, streams.integers("data", false), dictionary);
}

function decimalColumn(
  type: Extract<DataType, { kind: "decimal" }>,
  present: ByteStream | undefined,
  streams: ColumnStreams,
): ColumnReader {
  const [major, minor] = streams.stripe.metadata.postscript.version;
  const { precision } = streams.node.orc;
  // The unstable version 1.9999 ("2.0") keeps short decimals as integers, whatever the column's encoding says.
  if ((major > 1 || (major === 1 && minor === 9999)) && precision > 0 && precision <= 18 && !streams.has("secondary")) {
    return shortDecimalReader(type, present, streams.integers("data", true, 2));
  }
  return decimalReader(type, present, streams.raw("data"), streams.integers("secondary", true));
}

/** Java's writers used the hybrid calendar before they could say which. */
function isHybrid({ footer }: OrcMetadata): boolean {
  return footer.calendar === "julian" || (footer.calendar === "unknown" && footer.writer === 0);
}
