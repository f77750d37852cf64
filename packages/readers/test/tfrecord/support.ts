// Records written in plain TypeScript, in every form that protocol buffers allow, and readers of all of them.
import { type Columns, defaultLimits, type Schema, type Select } from "@ingest-ts/core";
import { type Dice, memorySource } from "@ingest-ts/core/testing";
import { decodeFragment, defaultTuning, type Tuning } from "../../src/tfrecord/decode.ts";
import { tfrecord } from "../../src/tfrecord/index.ts";

const table = new Uint32Array(256);
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  table[n] = c;
}

/** CRC-32C, a byte at a time. */
function plainCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 255] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

export function masked(bytes: Uint8Array): number {
  const crc = plainCrc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

export function bytesOf(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(" ", "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
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

function varint(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  for (; rest >= 128n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  out.push(Number(rest));
  return out;
}

export function field(number: number, wireType: number, body: Uint8Array | readonly number[]): Uint8Array {
  return bytesOf(varint(number * 8 + wireType), body);
}

/** A length-delimited field. */
export function message(number: number, body: Uint8Array | readonly number[]): Uint8Array {
  return field(number, 2, bytesOf(varint(body.length), body));
}

const encoder = new TextEncoder();
export const text = (value: string): Uint8Array => encoder.encode(value);

export type Values =
  | { readonly kind: "int64"; readonly values: readonly bigint[] }
  | { readonly kind: "float32"; readonly values: readonly number[] }
  | { readonly kind: "bytes"; readonly values: readonly Uint8Array[] }
  | { readonly kind: "none" };

const kinds = { bytes: 1, float32: 2, int64: 3 } as const;

/** How lists are laid out: all values packed in one run, each by itself, or in random runs of both. */
export type Packing = "packed" | "single" | Dice;

function encoded(feature: Exclude<Values, { kind: "none" | "bytes" }>): Uint8Array[] {
  if (feature.kind === "int64") return feature.values.map((value) => Uint8Array.from(varint(value)));
  return feature.values.map((value) => new Uint8Array(Float32Array.of(value).buffer));
}

function listBody(feature: Exclude<Values, { kind: "none" }>, packing: Packing): Uint8Array {
  if (feature.kind === "bytes") return bytesOf(...feature.values.map((value) => message(1, value)));
  const values = encoded(feature);
  const single = (value: Uint8Array): Uint8Array => field(1, feature.kind === "int64" ? 0 : 5, value);
  if (packing === "single") return bytesOf(...values.map(single));
  if (packing === "packed") return values.length === 0 ? new Uint8Array(0) : message(1, bytesOf(...values));
  const parts: Uint8Array[] = [];
  for (let at = 0; at < values.length; ) {
    const count = packing.below(values.length - at + 1);
    parts.push(message(1, bytesOf(...values.slice(at, at + count))));
    at += count;
    if (at < values.length && packing.chance(0.5)) parts.push(single(values[at++] as Uint8Array));
  }
  return bytesOf(...parts);
}

export function feature(value: Values, packing: Packing = "packed"): Uint8Array {
  return value.kind === "none" ? new Uint8Array(0) : message(kinds[value.kind], listBody(value, packing));
}

export function entry(name: string, value: Uint8Array): Uint8Array {
  return message(1, bytesOf(message(1, text(name)), message(2, value)));
}

export type Features = readonly (readonly [name: string, value: Values])[];

export function example(features: Features, packing: Packing = "packed"): Uint8Array {
  return message(1, bytesOf(...features.map(([name, value]) => entry(name, feature(value, packing)))));
}

function randomInteger(dice: Dice): bigint {
  const extreme = dice.pick([0n, 1n, -1n, 127n, 128n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]);
  if (dice.chance(0.4)) return extreme;
  return BigInt.asIntN(64, (BigInt(dice.below(2 ** 31)) * BigInt(dice.below(2 ** 31))) >> BigInt(dice.below(62)));
}

export function randomValues(dice: Dice, kind: Values["kind"], count: number): Values {
  const list = <T>(make: () => T): T[] => Array.from({ length: count }, make);
  switch (kind) {
    case "int64":
      return { kind, values: list(() => randomInteger(dice)) };
    case "float32":
      return { kind, values: list(() => dice.pick([0, -0, 1.5, Number.NaN, Infinity, dice.next()])) };
    case "bytes":
      return {
        kind,
        values: list(() => {
          const length = dice.pick([0, 1, 15, 16, 17, 64, 65, 127, 128, dice.below(3000)]);
          return Uint8Array.from({ length }, () => dice.below(256));
        }),
      };
    case "none":
      return { kind };
  }
}

/** The same fields, sometimes in another order, with unknown ones between, with messages in pieces: the same record. */
export function unusual(features: Features, dice: Dice): Uint8Array {
  const unknown = (): Uint8Array =>
    dice.pick([
      field(15, 0, varint(dice.below(1e6))),
      field(9, 1, new Uint8Array(8)),
      field(8, 5, new Uint8Array(4)),
      message(20, text("later")),
      bytesOf(field(7, 3, []), message(3, text("in a group")), field(7, 4, [])),
      new Uint8Array(0),
    ]);
  const parts = features.map(([name, value]) => {
    const body = feature(value, dice);
    const key = message(1, text(name));
    const split = dice.chance(0.2) && value.kind !== "none";
    const whole = split ? bytesOf(message(2, body.subarray(0, 0)), message(2, body)) : message(2, body);
    const fields = dice.chance(0.3) ? [whole, unknown(), key] : [key, unknown(), whole];
    return message(1, bytesOf(...fields));
  });
  const old = features.map(([name]) => entry(name, feature({ kind: "int64", values: [99n] })));
  const before = dice.chance(0.3) ? [message(1, bytesOf(...old.filter(() => dice.chance(0.5))))] : [];
  const cut = dice.below(parts.length + 1);
  const pieces = dice.chance(0.3)
    ? [message(1, bytesOf(...parts.slice(0, cut))), unknown(), message(1, bytesOf(...parts.slice(cut)))]
    : [message(1, bytesOf(...parts, unknown()))];
  return bytesOf(...before, unknown(), ...pieces);
}

export function selectOf(declared?: unknown, rest: Partial<Select> = {}): Select {
  return { dictionary: "decode", limits: defaultLimits, declared, ...rest };
}

export interface ReadOptions {
  readonly declared?: unknown;
  readonly select?: Partial<Select>;
  readonly tuning?: Partial<Tuning>;
  readonly rows?: readonly [number, number];
  readonly batchRows?: number;
  readonly batchBytes?: number;
  readonly indexed?: boolean;
}

export interface ReadResult {
  readonly schema: Schema;
  readonly slabs: Columns[];
}

/** Reads a file as the driver does, at any tuning. */
export async function read(bytes: Uint8Array, options: ReadOptions = {}): Promise<ReadResult> {
  const source = memorySource(bytes, "test.tfrecord");
  let select = selectOf(options.declared, options.select);
  const metadata = await tfrecord.readMetadata(source, select);
  if (options.indexed === true) {
    const index = await tfrecord.buildIndex?.(source, metadata, select);
    select = { ...select, index };
  }
  const slabs: Columns[] = [];
  for (const fragment of tfrecord.plan(metadata, select)) {
    const { batchRows = 65_536, batchBytes = 2 ** 26, rows } = options;
    const decoder = decodeFragment(
      fragment,
      metadata,
      { select, batchRows, batchBytes, rows },
      { ...defaultTuning, ...options.tuning },
    );
    let step = decoder.next([]);
    while (step.done !== true) {
      if ("need" in step.value) step = decoder.next(await source.getRanges(step.value.need));
      else {
        if ("columns" in step.value) slabs.push(step.value);
        step = decoder.next([]);
      }
    }
  }
  return { schema: tfrecord.toSchema(metadata, select), slabs };
}
