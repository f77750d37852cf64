/** Bytes of the shortest two's complement number that holds 10^precision - 1. */
export function decimalBytes(precision: number): number {
  let bytes = 1;
  const largest = 10n ** BigInt(precision) - 1n;
  while (largest >= 1n << BigInt(8 * bytes - 1)) bytes++;
  return bytes;
}
