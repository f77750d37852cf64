/** Encodes Thrift compact structures for tests: [field id, type, value], values as their types want them. */
export type ThriftField = readonly [id: number, type: number, value: unknown];

const I32 = 5;
const I64 = 6;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...out, rest];
}

function zigzag(value: number): number[] {
  return varint(value < 0 ? -value * 2 - 1 : value * 2);
}

function encodeValue(type: number, value: unknown): number[] {
  switch (type) {
    case 1:
    case 2:
      return [];
    case 3:
      return [value as number];
    case 4:
    case I32:
    case I64:
      return zigzag(value as number);
    case BINARY: {
      const bytes = new TextEncoder().encode(value as string);
      return [...varint(bytes.length), ...bytes];
    }
    case LIST: {
      const { of, items } = value as { of: number; items: unknown[] };
      const header = items.length < 15 ? [(items.length << 4) | of] : [0xf0 | of, ...varint(items.length)];
      return [...header, ...items.flatMap((item) => encodeValue(of, item))];
    }
    case STRUCT:
      return encodeStruct(value as ThriftField[]);
    default:
      return value as number[];
  }
}

export function encodeStruct(fields: readonly ThriftField[]): number[] {
  let last = 0;
  const out = fields.flatMap(([id, type, value]) => {
    const delta = id - last;
    last = id;
    const header = delta > 0 && delta < 16 ? [(delta << 4) | type] : [type, ...zigzag(id)];
    return [...header, ...encodeValue(type, value)];
  });
  return [...out, 0];
}

/** A footer with its length and the magic around it, as a file without rows. */
export function fileOf(footer: readonly ThriftField[]): Uint8Array {
  const bytes = encodeStruct(footer);
  const length = new Uint8Array(Uint32Array.of(bytes.length).buffer);
  const magic = [0x50, 0x41, 0x52, 0x31];
  return Uint8Array.from([...magic, ...bytes, ...length, ...magic]);
}
