/** What the first values of a chunk showed. */
export interface DictionarySample {
  /** Values looked at, and how many of them were distinct. */
  readonly values: number;
  readonly distinct: number;
  /** Mean bytes of a distinct value in PLAIN encoding. */
  readonly valueBytes: number;
}

/** How many distinct values there are, if `distinct` showed up among `values` drawn at random; may be Infinity. */
function estimateDistinct(values: number, distinct: number): number {
  let low = distinct;
  let high = 1e12;
  if (distinct >= high * -Math.expm1(-values / high)) return Infinity;
  while (high / low > 1.01) {
    const middle = Math.sqrt(low * high);
    if (-middle * Math.expm1(-values / middle) < distinct) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * Whether a dictionary of at most `maxBytes` is smaller, with its indices, than the values it stands for until it is full.
 * Saying no early spares hashing what would be stored PLAIN in the end.
 */
export function dictionaryWillPay(sample: DictionarySample, maxBytes: number): boolean {
  const fitting = maxBytes / sample.valueBytes;
  const distinct = estimateDistinct(sample.values, sample.distinct);
  if (distinct <= fitting) return true;
  // Values seen by the time the dictionary is full.
  const seen = distinct === Infinity ? fitting : -distinct * Math.log1p(-fitting / distinct);
  const indexBytes = Math.log2(fitting) / 8;
  return seen * (sample.valueBytes - indexBytes) > maxBytes;
}
