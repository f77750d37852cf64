/** The shortest digits that give back the same double; "-0" keeps its sign. */
export function doubleText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Below this, single-precision values have fewer digits than six. */
const SMALLEST_NORMAL = 2 ** -126;

/** The shortest digits that give back the same single-precision value: 0.1, not 0.10000000149011612. */
export function singleText(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || (size < 2 ** 24 && Number.isInteger(value))) return doubleText(value);
  // Any six digits survive single precision, so fewer need not be tried; nine always suffice.
  for (let precision = size < SMALLEST_NORMAL ? 1 : 6; precision < 9; precision++) {
    const candidate = Number(value.toPrecision(precision));
    if (Math.fround(candidate) === value) return String(candidate);
  }
  return String(Number(value.toPrecision(9)));
}
