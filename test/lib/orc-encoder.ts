// Writes ORC files as no sane writer would: chunks of a few bytes, another encoding in every stripe.
import { deflateRawSync } from "node:zlib";

export function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

export function zigzag(value: bigint): bigint {
  return value < 0n ? -value * 2n - 1n : value * 2n;
}

export const field = (number: number, value: number): number[] => [number * 8, ...varint(BigInt(value))];
export const message = (number: number, bytes: readonly number[]): number[] => [
  ...varint(BigInt(number * 8 + 2)),
  ...varint(BigInt(bytes.length)),
  ...bytes,
];
export const text = (value: string): number[] => [...new TextEncoder().encode(value)];

/** Integers by RLE 1 (literals and runs of equal values in turn) or RLE 2 (direct runs of 64 bits, short repeats). */
export function integers(values: readonly bigint[], version: 1 | 2, isSigned: boolean): number[] {
  const raw = values.map((value) => (isSigned ? zigzag(value) : value));
  const out: number[] = [];
  for (let at = 0; at < raw.length; ) {
    let same = 1;
    while (same < 10 && raw[at + same] === raw[at]) same++;
    const value = raw[at] as bigint;
    if (same >= 3) {
      const big = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(56 - 8 * i)) & 255n));
      out.push(...(version === 1 ? [same - 3, 0, ...varint(value)] : [(7 << 3) | (same - 3), ...big]));
      at += same;
      continue;
    }
    const part = raw.slice(at, at + 1 + (at % 7));
    if (version === 1) out.push(256 - part.length, ...part.flatMap(varint));
    else {
      out.push(0x40 | (31 << 1), part.length - 1);
      for (const one of part) for (let i = 56n; i >= 0n; i -= 8n) out.push(Number((one >> i) & 255n));
    }
    at += part.length;
  }
  return out;
}

export function bits(values: readonly boolean[]): number[] {
  const out: number[] = [];
  for (let at = 0; at < values.length; at += 8) {
    let byte = 0;
    for (let k = 0; k < 8; k++) byte |= values[at + k] === true ? 128 >> k : 0;
    out.push(255, byte);
  }
  return out;
}

/** Where a row group begins in a stream: bytes before it, and what is passed over behind them. */
export interface Mark {
  readonly bytes: number;
  readonly inside: readonly number[];
}

export interface Stream {
  readonly kind: number;
  readonly column: number;
  readonly bytes: readonly number[];
  /** One for each row group; streams of a column that have them are in the order of its positions. */
  readonly marks?: readonly Mark[];
}

export interface Stripe {
  readonly rows: number;
  readonly streams: readonly Stream[];
  /** ColumnEncoding of each type. */
  readonly encodings: readonly { readonly kind: number; readonly dictionarySize?: number }[];
  readonly timeZone?: string;
  /** By column, for each row group: the ColumnStatistics. Columns that have them have a row index. */
  readonly statistics?: ReadonlyMap<number, readonly (readonly number[])[]>;
}

export interface OrcType {
  readonly kind: number;
  readonly subtypes?: readonly number[];
  readonly names?: readonly string[];
  readonly precision?: number;
  readonly scale?: number;
}

/** How chunks are compressed: CompressionKind and a function. */
export interface Packing {
  readonly kind: number;
  readonly pack: (chunk: Uint8Array) => Uint8Array;
  /** Content of a chunk. */
  readonly chunkBytes: number;
}

export interface FileOptions {
  /** Without it the file is not compressed. */
  readonly packing?: Packing;
  readonly rowIndexStride?: number;
  readonly version?: readonly [major: number, minor: number];
  readonly writerVersion?: number;
  readonly calendar?: number;
  /** The order of a stripe's streams. */
  readonly shuffle?: <T>(items: T[]) => T[];
}

interface Packed {
  readonly bytes: number[];
  /** Where the chunks begin: [in the content, in the stream]. */
  readonly chunks: (readonly [content: number, at: number])[];
}

/** Chunks laid end to end; every other one is stored as it is. */
function packed(bytes: readonly number[], packing: Packing | undefined): Packed {
  if (packing === undefined) return { bytes: [...bytes], chunks: [] };
  const out: Packed = { bytes: [], chunks: [] };
  const { chunkBytes, pack } = packing;
  for (let at = 0, k = 0; at < bytes.length; at += chunkBytes, k++) {
    const chunk = Uint8Array.from(bytes.slice(at, at + chunkBytes));
    const body = k % 2 === 0 ? pack(chunk) : chunk;
    const head = body.length * 2 + (k % 2);
    out.chunks.push([at, out.bytes.length]);
    out.bytes.push(head & 255, (head >> 8) & 255, head >> 16, ...body);
  }
  return out;
}

/** The numbers of a position. */
function positionOf({ bytes, inside }: Mark, { chunks, bytes: stored }: Packed, isPacked: boolean): number[] {
  if (!isPacked) return [bytes, ...inside];
  const [content, at] = chunks.findLast(([start]) => start <= bytes) ?? [0, 0];
  const last = chunks.at(-1);
  // Behind the last chunk there is none to point into.
  if (last === undefined || (content === last[0] && stored.length === at)) return [stored.length, 0, ...inside];
  return [at, bytes - content, ...inside];
}

function rowIndex(stripe: Stripe, column: number, bodies: readonly Packed[], isPacked: boolean): number[] {
  const entries = stripe.statistics?.get(column) ?? [];
  return entries.flatMap((statistics, group) => {
    const positions = stripe.streams.flatMap((stream, i) => {
      const mark = stream.column === column ? stream.marks?.[group] : undefined;
      return mark === undefined ? [] : positionOf(mark, bodies[i] as Packed, isPacked);
    });
    const numbers = positions.flatMap((position) => varint(BigInt(position)));
    return message(1, [...message(1, numbers), ...message(2, statistics)]);
  });
}

/** The bytes of a file. No row count, writer or statistics of stripes: all of them are optional. */
export function orcFile(types: readonly OrcType[], stripes: readonly Stripe[], options: FileOptions = {}): Uint8Array {
  const { packing, rowIndexStride = 0, version, writerVersion = 0, calendar = 0 } = options;
  const shuffle = options.shuffle ?? ((items) => items);
  const file = text("ORC");
  const infos = stripes.map((stripe) => {
    const { rows, streams, encodings, timeZone } = stripe;
    const offset = file.length;
    const bodies = streams.map(({ bytes }) => packed(bytes, packing));
    const indexes = [...(stripe.statistics?.keys() ?? [])].map((column) => {
      const index = rowIndex(stripe, column, bodies, packing !== undefined);
      return { kind: 6, column, body: packed(index, packing).bytes };
    });
    const data = streams.map(({ kind, column }, i) => ({ kind, column, body: (bodies[i] as Packed).bytes }));
    const laid = [...indexes, ...shuffle(data)];
    const footer = packed(
      [
        ...laid.flatMap(({ kind, column, body }) =>
          message(1, [...field(1, kind), ...field(2, column), ...field(3, body.length)]),
        ),
        ...encodings.flatMap(({ kind, dictionarySize = 0 }) =>
          message(2, [...field(1, kind), ...field(2, dictionarySize)]),
        ),
        ...(timeZone === undefined ? [] : message(3, text(timeZone))),
      ],
      packing,
    ).bytes;
    for (const { body } of laid) for (const byte of body) file.push(byte);
    const dataBytes = file.length - offset;
    file.push(...footer);
    return message(3, [...field(1, offset), ...field(3, dataBytes), ...field(4, footer.length), ...field(5, rows)]);
  });
  const described = types.flatMap(({ kind, subtypes = [], names = [], precision = 0, scale = 0 }) =>
    message(4, [
      ...field(1, kind),
      ...subtypes.flatMap((type) => field(2, type)),
      ...names.flatMap((name) => message(3, text(name))),
      ...field(5, precision),
      ...field(6, scale),
    ]),
  );
  const footer = packed(
    [...infos.flat(), ...described, ...field(8, rowIndexStride), ...field(11, calendar)],
    packing,
  ).bytes;
  const postscript = [
    ...field(1, footer.length),
    ...(packing === undefined ? [] : field(2, packing.kind)),
    ...(version === undefined ? [] : version.flatMap((part) => field(4, part))),
    ...field(6, writerVersion),
  ];
  return Uint8Array.from([...file, ...footer, ...postscript, postscript.length]);
}

/** zlib, in chunks of some content. */
export function deflated(chunkBytes: number): Packing {
  return { kind: 1, chunkBytes, pack: (chunk) => deflateRawSync(chunk) };
}
