/** A small value as a number, any other as a bigint; no BigInt is made for the small ones. */
export type WholeNumber = number | bigint;

type Whole = (row: number) => WholeNumber;

/** High halves below this give sums that a number holds exactly. */
const SAFE_HIGH = 2 ** 20;

/** 64-bit integers, little-endian. */
export function wholesOf64(data: Uint8Array, length: number, signed: boolean): Whole {
  const low = new Uint32Array(data.buffer, data.byteOffset, length * 2);
  const high = signed ? new Int32Array(data.buffer, data.byteOffset, length * 2) : low;
  const exact = signed
    ? new BigInt64Array(data.buffer, data.byteOffset, length)
    : new BigUint64Array(data.buffer, data.byteOffset, length);
  return (row) => {
    const top = high[2 * row + 1] as number;
    if (top >= -SAFE_HIGH && top < SAFE_HIGH) return top * 2 ** 32 + (low[2 * row] as number);
    return exact[row] as bigint;
  };
}

/** 128- or 256-bit two's complement integers, little-endian. */
export function wholesOfWide(data: Uint8Array, length: number, bits: 128 | 256): Whole {
  const words = bits / 32;
  const low = new Uint32Array(data.buffer, data.byteOffset, length * words);
  const high = new Int32Array(data.buffer, data.byteOffset, length * words);
  return (row) => {
    const at = row * words;
    const second = high[at + 1] as number;
    const sign = second >> 31;
    let small = second >= -SAFE_HIGH && second < SAFE_HIGH;
    for (let word = 2; small && word < words; word++) small = high[at + word] === sign;
    if (small) return second * 2 ** 32 + (low[at] as number);
    let value = BigInt(high[at + words - 1] as number);
    for (let word = words - 2; word >= 0; word--) value = (value << 32n) | BigInt(low[at + word] as number);
    return value;
  };
}

/** `unscaled` × 10^-scale in plain digits: "-0.05", "1200". */
export function decimalText(unscaled: WholeNumber, scale: number): string {
  const text = String(unscaled);
  if (scale === 0 || (scale < 0 && text === "0")) return text;
  if (scale < 0) return text + "0".repeat(-scale);
  const negative = text.startsWith("-");
  const digits = (negative ? text.slice(1) : text).padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${negative ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
}
