import { childFields, type Column, type DataType, getBit, UnsupportedError } from "@ingest-ts/core";
import { plainCell } from "../output/cells.ts";

/** `column` as `to`, one of the types that `--lossy` puts in the place of its own. @throws UnsupportedError */
export function mapColumn(column: Column, to: DataType, path: string): Column {
  const from = column.type;
  if (from.kind === "float" && from.bits === 64 && to.kind === "float" && to.bits === 32)
    return toFloat32(column, to, path);
  if (from.kind === "int" && to.kind === "decimal") return toDecimal(column, to);
  if (to.kind === "utf8" && from.kind !== "utf8") return toText(column, to);
  const fields = childFields(to);
  if (fields.length === 0) return { ...column, type: to };
  const children = column.children.map((child, i) => {
    const field = fields[i];
    return field === undefined ? child : mapColumn(child, field.type, `${path}.${field.name}`);
  });
  return { ...column, type: to, children };
}

/** The nearest float32. One that is finite stays finite. */
function toFloat32(column: Column, to: DataType, path: string): Column {
  const { data, length } = column;
  const bytes = data ?? new Uint8Array(0);
  const from = new Float64Array(bytes.buffer, bytes.byteOffset, length);
  const out = Float32Array.from(from);
  for (let i = 0; i < length; i++) {
    const value = from[i] as number;
    if (Math.abs(out[i] as number) !== Infinity || Math.abs(value) === Infinity) continue;
    if (column.validity !== null && !getBit(column.validity, i)) continue;
    throw new UnsupportedError(`the value ${value} is beyond float32, which --lossy would write`, {
      where: { column: path },
      remedy: "Write with --float64 bits, or leave the column out with --columns.",
    });
  }
  return { ...column, type: to, data: new Uint8Array(out.buffer) };
}

/** Unsigned 64 bits as the low half of 128. */
function toDecimal(column: Column, to: DataType): Column {
  const { data, length } = column;
  const bytes = data ?? new Uint8Array(0);
  const from = new BigUint64Array(bytes.buffer, bytes.byteOffset, length);
  const out = new BigUint64Array(length * 2);
  for (let i = 0; i < length; i++) out[2 * i] = from[i] as bigint;
  return { ...column, type: to, data: new Uint8Array(out.buffer) };
}

const MOST_BYTES = 2 ** 31 - 1;

function toText(column: Column, to: DataType): Column {
  const cell = plainCell(column);
  const { length } = column;
  const encoder = new TextEncoder();
  const offsets = new Int32Array(length + 1);
  const validity = new Uint8Array((length + 7) >> 3);
  const parts: Uint8Array[] = [];
  let nullCount = 0;
  let end = 0;
  for (let row = 0; row < length; row++) {
    const value = cell(row);
    if (value === undefined) nullCount++;
    else {
      validity[row >> 3] = (validity[row >> 3] as number) | (1 << (row & 7));
      const part = encoder.encode(value);
      parts.push(part);
      end += part.length;
      if (end > MOST_BYTES) throw new UnsupportedError("a batch of 2 GiB of text in one column");
    }
    offsets[row + 1] = end;
  }
  const data = new Uint8Array(end);
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return {
    type: to,
    length,
    nullCount,
    validity: nullCount === 0 ? null : validity,
    offsets,
    data,
    children: [],
    dictionary: null,
  };
}
