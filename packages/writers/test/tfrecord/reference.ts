// TFRecord framing and tf.train.Example in plain TypeScript: what the kernel's bytes are compared with.
const table = new Uint32Array(256);
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  table[n] = c;
}

function masked(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 255] as number) ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

type Bytes = Uint8Array | readonly number[];

export function bytesOf(...parts: readonly Bytes[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function frame(...records: readonly Uint8Array[]): Uint8Array {
  return bytesOf(
    ...records.flatMap((data) => {
      const header = new Uint8Array(12);
      const view = new DataView(header.buffer);
      view.setBigUint64(0, BigInt(data.length), true);
      view.setUint32(8, masked(header.subarray(0, 8)), true);
      const footer = new Uint8Array(4);
      new DataView(footer.buffer).setUint32(0, masked(data), true);
      return [header, data, footer];
    }),
  );
}

function varint(value: bigint): number[] {
  let rest = BigInt.asUintN(64, value);
  const out: number[] = [];
  for (; rest >= 128n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  out.push(Number(rest));
  return out;
}

/** A length-delimited field. */
export function message(number: number, body: Bytes): Uint8Array {
  return bytesOf([number * 8 + 2], varint(BigInt(body.length)), body);
}

export type Values =
  | { readonly kind: "int64"; readonly values: readonly bigint[] }
  | { readonly kind: "float32"; readonly values: readonly Uint8Array[] }
  | { readonly kind: "bytes"; readonly values: readonly Uint8Array[] };

/** Feature with a packed list. */
export function feature(value: Values): Uint8Array {
  if (value.kind === "bytes") return message(1, bytesOf(...value.values.map((bytes) => message(1, bytes))));
  const packed = value.kind === "float32" ? bytesOf(...value.values) : value.values.flatMap(varint);
  return message(value.kind === "float32" ? 2 : 3, value.values.length === 0 ? [] : message(1, packed));
}

export function entry(name: string, value: Uint8Array): Uint8Array {
  return message(1, bytesOf(message(1, new TextEncoder().encode(name)), message(2, value)));
}
