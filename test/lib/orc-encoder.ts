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

const field = (number: number, value: number): number[] => [number * 8, ...varint(BigInt(value))];
const message = (number: number, bytes: readonly number[]): number[] => [
  ...varint(BigInt(number * 8 + 2)),
  ...varint(BigInt(bytes.length)),
  ...bytes,
];
const text = (value: string): number[] => [...new TextEncoder().encode(value)];

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

interface Stream {
  readonly kind: number;
  readonly column: number;
  readonly bytes: readonly number[];
}

export interface Stripe {
  readonly rows: number;
  readonly streams: readonly Stream[];
  /** ColumnEncoding of each type. */
  readonly encodings: readonly { readonly kind: number; readonly dictionarySize?: number }[];
  readonly timeZone?: string;
}

export interface OrcType {
  readonly kind: number;
  readonly subtypes?: readonly number[];
  readonly names?: readonly string[];
  readonly precision?: number;
  readonly scale?: number;
}

/** @param chunkBytes content of a chunk; every other one is stored as it is. Without it the file is not compressed. */
export function orcFile(types: readonly OrcType[], stripes: readonly Stripe[], chunkBytes?: number): Uint8Array {
  const packed = (bytes: readonly number[]): number[] => {
    if (chunkBytes === undefined) return [...bytes];
    const out: number[] = [];
    for (let at = 0, k = 0; at < bytes.length; at += chunkBytes, k++) {
      const chunk = Uint8Array.from(bytes.slice(at, at + chunkBytes));
      const body = k % 2 === 0 ? deflateRawSync(chunk) : chunk;
      const head = body.length * 2 + (k % 2);
      out.push(head & 255, (head >> 8) & 255, head >> 16, ...body);
    }
    return out;
  };
  const file = text("ORC");
  const infos = stripes.map(({ rows, streams, encodings, timeZone }) => {
    const offset = file.length;
    const bodies = streams.map(({ bytes }) => packed(bytes));
    const footer = packed([
      ...streams.flatMap(({ kind, column }, i) =>
        message(1, [...field(1, kind), ...field(2, column), ...field(3, (bodies[i] as number[]).length)]),
      ),
      ...encodings.flatMap(({ kind, dictionarySize = 0 }) =>
        message(2, [...field(1, kind), ...field(2, dictionarySize)]),
      ),
      ...(timeZone === undefined ? [] : message(3, text(timeZone))),
    ]);
    const data = bodies.flat();
    file.push(...data, ...footer);
    return message(3, [...field(1, offset), ...field(3, data.length), ...field(4, footer.length), ...field(5, rows)]);
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
  // No row count, versions, writer or statistics: all of them are optional.
  const footer = packed([...infos.flat(), ...described]);
  const postscript = [...field(1, footer.length), ...(chunkBytes === undefined ? [] : field(2, 1))];
  return Uint8Array.from([...file, ...footer, ...postscript, postscript.length]);
}
