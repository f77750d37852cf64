/** Minutes of delay from which a flight counts as late. */
const LATE_MINUTES = 15;
/** One, the distance, and the first two harmonics of the departure's hour. */
const FEATURES = 6;

/** Logistic regression: P(late) = σ(w · x). Only float64, in one order: the same batches give the same bits. */
export interface Model {
  readonly weights: Float64Array;
}

export function newModel(): Model {
  return { weights: new Float64Array(FEATURES) };
}

/** Rows of a batch: features as a row-major matrix [rows, FEATURES], labels 0 or 1. Rows without a delay are left out. */
export interface Examples {
  readonly features: Float64Array;
  readonly labels: Uint8Array;
  readonly rows: number;
}

/**
 * @param numbers row-major [rows, 2]: delay in minutes, distance in miles; null is NaN
 * @param departures microseconds since 1970, local time
 */
export function examplesOf(numbers: Float64Array, departures: BigInt64Array): Examples {
  const features = new Float64Array(departures.length * FEATURES);
  const labels = new Uint8Array(departures.length);
  let rows = 0;
  for (let i = 0; i < departures.length; i++) {
    const delay = numbers[2 * i] as number;
    const distance = numbers[2 * i + 1] as number;
    if (Number.isNaN(delay) || Number.isNaN(distance)) continue;
    const day = Number((departures[i] as bigint) % 86_400_000_000n) / 86_400_000_000;
    const angle = 2 * Math.PI * day;
    const x = [1, distance / 1000, Math.sin(angle), Math.cos(angle), Math.sin(2 * angle), Math.cos(2 * angle)];
    features.set(x, rows * FEATURES);
    labels[rows++] = delay > LATE_MINUTES ? 1 : 0;
  }
  return { features, labels, rows };
}

/** One step of gradient descent; the mean log loss of the rows, in nats, before it. 0 without rows. */
export function trainStep({ weights }: Model, { features, labels, rows }: Examples, rate: number): number {
  if (rows === 0) return 0;
  const gradient = new Float64Array(FEATURES);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const at = row * FEATURES;
    let score = 0;
    for (let f = 0; f < FEATURES; f++) score += (weights[f] as number) * (features[at + f] as number);
    const label = labels[row] as number;
    // log(1 + exp(score)) − label · score, without overflow.
    loss += Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score))) - label * score;
    const error = 1 / (1 + Math.exp(-score)) - label;
    for (let f = 0; f < FEATURES; f++) gradient[f] = (gradient[f] as number) + error * (features[at + f] as number);
  }
  for (let f = 0; f < FEATURES; f++) weights[f] = (weights[f] as number) - (rate * (gradient[f] as number)) / rows;
  return loss / rows;
}
