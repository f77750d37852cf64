const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/** The float16 of exactly this value, as bits; any NaN is the quiet one. undefined when there is none. */
export function float16Bits(value: number): number | undefined {
  if (Number.isNaN(value)) return 0x7e00;
  single[0] = value;
  const bits = singleBits[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127;
  const mantissa = bits & 0x7f_ffff;
  if (exponent === 128) return sign | 0x7c00;
  if (exponent === -127) return mantissa === 0 ? sign : undefined;
  if (exponent > 15) return undefined;
  if (exponent >= -14)
    return (mantissa & 0x1fff) === 0 ? sign | ((exponent + 15) << 10) | (mantissa >>> 13) : undefined;
  // Subnormal: the leading 1 becomes part of the mantissa.
  const shift = -14 - exponent + 13;
  const full = mantissa | 0x80_0000;
  if (shift > 23 || full % 2 ** shift !== 0) return undefined;
  return sign | (full >>> shift);
}

/** The value of a float16. */
export function float16Value(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 0x3ff;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
