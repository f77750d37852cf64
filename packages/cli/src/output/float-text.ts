/** The shortest digits that give back the same double; "-0" keeps its sign. */
export function doubleText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** The shortest digits that give back the same value after `round` to fewer bits, from `digits` digits on. */
function shortest(value: number, round: (value: number) => number, digits: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 24) return doubleText(value);
  for (let precision = digits; precision < 9; precision++) {
    const candidate = Number(value.toPrecision(precision));
    if (round(candidate) === value) return String(candidate);
  }
  return Number.isFinite(value) ? String(Number(value.toPrecision(9))) : String(value);
}

/** The shortest digits that give back the same single-precision value: 0.1, not 0.10000000149011612. */
export function singleText(value: number): string {
  return shortest(value, Math.fround, 6);
}

/** Half-precision values are few and short: all their digits matter to nobody, their double's digits are exact. */
export function halfText(value: number): string {
  return doubleText(value);
}
