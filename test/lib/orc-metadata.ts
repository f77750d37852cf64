// The metadata of an ORC file as trees of protobuf fields, to be changed and written again: postscript, footer, stripe
// footers and row indexes, with lengths and offsets that fit whatever was changed, unless they were.
import { inflateRawSync } from "node:zlib";
import { varint } from "./orc-encoder.ts";

/** A field; a message holds the fields below it, other bytes stay bytes. */
export interface Field {
  readonly number: number;
  readonly wireType: number;
  value: bigint | Uint8Array | Field[];
}

/** Which fields of a message are messages. */
interface Shape {
  readonly [number: number]: Shape;
}

const leaf: Shape = {};
const statistics: Shape = Object.fromEntries([2, 3, 4, 5, 6, 7, 8, 9, 11].map((number) => [number, leaf]));
const shapes = {
  postscript: leaf,
  footer: { 3: leaf, 4: { 7: leaf }, 5: leaf, 7: statistics },
  stripeFooter: { 1: leaf, 2: leaf },
  rowIndex: { 1: { 2: statistics } },
} satisfies Record<string, Shape>;

function parse(bytes: Uint8Array, shape: Shape): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const number = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (size: number): Uint8Array => bytes.subarray(at, (at += size));
  while (at < bytes.length) {
    const tag = Number(number());
    const [id, wireType] = [tag >> 3, tag & 7];
    if (wireType === 0) fields.push({ number: id, wireType, value: number() });
    else if (wireType === 2) {
      const content = take(Number(number()));
      const below = shape[id];
      fields.push({ number: id, wireType, value: below === undefined ? content : parse(content, below) });
    } else fields.push({ number: id, wireType, value: take(wireType === 1 ? 8 : 4) });
  }
  return fields;
}

function encode(fields: readonly Field[]): number[] {
  return fields.flatMap(({ number, wireType, value }) => {
    const tag = varint(BigInt(number * 8 + wireType));
    if (typeof value === "bigint") return [...tag, ...varint(BigInt.asUintN(64, value))];
    const content = Array.isArray(value) ? encode(value) : [...value];
    return wireType === 2 ? [...tag, ...varint(BigInt(content.length)), ...content] : [...tag, ...content];
  });
}

const numberOf = (fields: readonly Field[], number: number): number =>
  Number((fields.find((field) => field.number === number)?.value as bigint | undefined) ?? 0n);

function set(fields: Field[], number: number, value: number): void {
  const found = fields.find((field) => field.number === number);
  if (found === undefined) fields.push({ number, wireType: 0, value: BigInt(value) });
  else found.value = BigInt(value);
}

interface StripeParts {
  /** Its entry in the footer. */
  readonly information: Field[];
  readonly footer: Field[];
  /** The streams in file order: row indexes as fields, the others as stored. */
  readonly streams: { readonly described: Field[]; readonly content: Field[] | Uint8Array }[];
}

/** A file taken apart. */
export interface OrcParts {
  readonly postscript: Field[];
  readonly footer: Field[];
  readonly stripes: readonly StripeParts[];
}

/** The content of chunks that are stored or deflated. */
function unpack(bytes: Uint8Array, isPacked: boolean): Uint8Array {
  if (!isPacked) return bytes;
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const head = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
    const chunk = bytes.subarray(at + 3, at + 3 + (head >> 1));
    parts.push(head & 1 ? chunk : inflateRawSync(chunk));
    at += 3 + (head >> 1);
  }
  return Buffer.concat(parts);
}

/** One chunk, stored as it is. */
function pack(content: readonly number[], isPacked: boolean): number[] {
  if (!isPacked || content.length === 0) return [...content];
  const head = content.length * 2 + 1;
  return [head & 255, (head >> 8) & 255, head >> 16, ...content];
}

/** @param bytes a file that is not compressed, or with zlib */
export function takeApart(bytes: Uint8Array): OrcParts {
  const end = bytes.length - 1 - (bytes.at(-1) as number);
  const postscript = parse(bytes.subarray(end, bytes.length - 1), shapes.postscript);
  const compression = numberOf(postscript, 2);
  if (compression > 1) throw new Error(`compression ${compression} cannot be taken apart`);
  const isPacked = compression === 1;
  const footerAt = end - numberOf(postscript, 1);
  const footer = parse(unpack(bytes.subarray(footerAt, end), isPacked), shapes.footer);
  const stripes = footer
    .filter(({ number }) => number === 3)
    .map(({ value }): StripeParts => {
      const information = value as Field[];
      let at = numberOf(information, 1);
      const stripeFooterAt = at + numberOf(information, 2) + numberOf(information, 3);
      const stored = bytes.subarray(stripeFooterAt, stripeFooterAt + numberOf(information, 4));
      const stripeFooter = parse(unpack(stored, isPacked), shapes.stripeFooter);
      const streams = stripeFooter
        .filter(({ number }) => number === 1)
        .map((stream) => {
          const described = stream.value as Field[];
          const content = bytes.subarray(at, (at += numberOf(described, 3)));
          const isIndex = numberOf(described, 1) === 6;
          return { described, content: isIndex ? parse(unpack(content, isPacked), shapes.rowIndex) : content };
        });
      return { information, footer: stripeFooter, streams };
    });
  return { postscript, footer, stripes };
}

/** The file again. @param late changes what nothing else is made to fit: footer and postscript. */
export function putTogether({ postscript, footer, stripes }: OrcParts, late: (fields: Field[]) => void): Uint8Array {
  const isPacked = numberOf(postscript, 2) === 1;
  const file: number[] = [...Buffer.from("ORC")];
  for (const { information, footer: stripeFooter, streams } of stripes) {
    const offset = file.length;
    for (const { described, content } of streams) {
      const stored = Array.isArray(content) ? pack(encode(content), isPacked) : content;
      set(described, 3, stored.length);
      for (const byte of stored) file.push(byte);
    }
    set(information, 1, offset);
    set(information, 2, 0);
    set(information, 3, file.length - offset);
    late(stripeFooter);
    const stored = pack(encode(stripeFooter), isPacked);
    set(information, 4, stored.length);
    file.push(...stored);
  }
  late(footer);
  const stored = pack(encode(footer), isPacked);
  set(postscript, 1, stored.length);
  set(postscript, 5, 0);
  late(postscript);
  const last = encode(postscript).slice(0, 255);
  return Uint8Array.from([...file, ...stored, ...last, last.length]);
}
