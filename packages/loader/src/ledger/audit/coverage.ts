/** Positions [from, to) that rank `rank` of `worldSize` consumed, its residue class of them. */
export interface Piece {
  readonly rank: number;
  readonly worldSize: number;
  readonly from: number;
  to: number;
}

/** Positions p of [from, to) with p mod `modulus` in `residues`, consumed `times` times. */
export interface Region {
  readonly from: number;
  readonly to: number;
  readonly modulus: number;
  readonly residues: readonly number[];
  readonly times: number;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** How many positions a region has. */
export function regionRows({ from, to, modulus, residues }: Region): number {
  const below = (end: number, r: number): number => (end <= r ? 0 : Math.floor((end - r - 1) / modulus) + 1);
  return residues.reduce((sum, r) => sum + below(to, r) - below(from, r), 0);
}

/** Which residues are consumed how often, where these pieces are active. */
function countResidues(active: Iterable<Piece>, from: number, to: number): Region[] {
  const pieces = [...active];
  if (pieces.length === 0) return [{ from, to, modulus: 1, residues: [0], times: 0 }];
  const worlds = new Set(pieces.map(({ worldSize }) => worldSize));
  const modulus = [...worlds].reduce((a, b) => (a / gcd(a, b)) * b, 1);
  const counts = new Uint32Array(modulus);
  for (const { rank, worldSize } of pieces) {
    for (let r = rank; r < modulus; r += worldSize) counts[r] = (counts[r] as number) + 1;
  }
  const byTimes = new Map<number, number[]>();
  counts.forEach((times, r) => {
    const residues = byTimes.get(times);
    if (residues === undefined) byTimes.set(times, [r]);
    else residues.push(r);
  });
  return [...byTimes].map(([times, residues]) => ({ from, to, modulus, residues, times }));
}

/** Every part of [0, rows) that is not consumed exactly once, in order. */
export function wrongRegions(pieces: readonly Piece[], rows: number): Region[] {
  const starts = [...pieces].sort((a, b) => a.from - b.from);
  const ends = [...pieces].sort((a, b) => a.to - b.to);
  const active = new Set<Piece>();
  const wrong: Region[] = [];
  let [at, s, e] = [0, 0, 0];
  while (at < rows) {
    while (s < starts.length && (starts[s] as Piece).from <= at) active.add(starts[s++] as Piece);
    while (e < ends.length && (ends[e] as Piece).to <= at) active.delete(ends[e++] as Piece);
    const next = Math.min(rows, starts[s]?.from ?? rows, ends[e]?.to ?? rows);
    wrong.push(...countResidues(active, at, next).filter((r) => r.times !== 1 && regionRows(r) > 0));
    at = next;
  }
  return wrong;
}
