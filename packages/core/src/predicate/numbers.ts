/** Decimal text without loss: value = digits × 10^exponent. */
export interface ExactNumber {
  readonly digits: bigint;
  readonly exponent: number;
}

const numberPattern = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d{1,4}))?$/;

/** @returns undefined when `text` is not a decimal number (an exponent of at most four digits). */
export function exactNumber(text: string): ExactNumber | undefined {
  const match = numberPattern.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = match[4] ?? "", , exponent = "0"] = match;
  const digits = BigInt(whole + fraction);
  return { digits: sign === "-" ? -digits : digits, exponent: Number(exponent) - fraction.length };
}

/** A point of a grid: the value itself, or the nearest point below it when `exact` is false. */
export interface GridPoint {
  readonly floor: bigint;
  readonly exact: boolean;
}

/** Integer division rounding down. */
export function divideFloor(value: bigint, divisor: bigint): GridPoint {
  const quotient = value / divisor;
  const rest = value % divisor;
  return { floor: rest < 0n ? quotient - 1n : quotient, exact: rest === 0n };
}

/** `number` × 10^scale on the grid of integers. */
export function onGrid(number: ExactNumber, scale: number): GridPoint {
  const shift = number.exponent + scale;
  if (shift >= 0) return { floor: number.digits * 10n ** BigInt(shift), exact: true };
  return divideFloor(number.digits, 10n ** BigInt(-shift));
}

/** The nearest half-precision value, ties to even. */
export function roundToHalf(value: number): number {
  const size = Math.abs(value);
  if (!(size > 0) || size === Infinity) return value;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const unit = 2 ** (exponent - 10);
  const steps = size / unit;
  const down = Math.floor(steps);
  const rest = steps - down;
  const rounded = rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
  const result = rounded * unit;
  return Math.sign(value) * (result > 65_504 ? Infinity : result);
}

/** The value of half-precision bits. */
export function halfToNumber(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
