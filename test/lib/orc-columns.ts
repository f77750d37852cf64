// Any schema and any values as streams of a stripe, encoded at random.
import type { PlainValue } from "@ingest-ts/core/testing";
import type { Dice } from "@ingest-ts/core/testing";
import {
  field,
  type Mark,
  message,
  type OrcType,
  type Stream,
  type Stripe,
  text,
  varint,
  zigzag,
} from "./orc-encoder.ts";
import { bitRuns, byteRuns, integerRuns, type Runs } from "./orc-runs.ts";

/** A type with what lies below it. */
export interface OrcNode {
  readonly kind: OrcKind;
  readonly children: readonly OrcNode[];
  readonly precision?: number;
  readonly scale?: number;
}

const kinds = {
  boolean: 0,
  byte: 1,
  short: 2,
  int: 3,
  long: 4,
  float: 5,
  double: 6,
  string: 7,
  binary: 8,
  timestamp: 9,
  list: 10,
  map: 11,
  struct: 12,
  union: 13,
  decimal: 14,
  date: 15,
  varchar: 16,
  char: 17,
  instant: 18,
} as const;
type OrcKind = keyof typeof kinds;

/** An instant. */
interface Time {
  readonly second: bigint;
  readonly nano: number;
}

type Value = null | boolean | bigint | number | string | Uint8Array | Time | readonly Value[];

const widthsOf = { byte: 8, short: 16, int: 32, long: 64, date: 32 } as const;

/** A random type. */
export function randomNode(dice: Dice, depth: number): OrcNode {
  const names = Object.keys(kinds) as OrcKind[];
  const kind = dice.pick(
    depth > 0 ? names : names.filter((name) => !["list", "map", "struct", "union"].includes(name)),
  );
  const below = (count: number): OrcNode[] => Array.from({ length: count }, () => randomNode(dice, depth - 1));
  switch (kind) {
    case "list":
      return { kind, children: below(1) };
    case "map":
      return { kind, children: [{ kind: dice.pick(["string", "int"]), children: [] }, ...below(1)] };
    case "struct":
      return { kind, children: below(dice.below(4)) };
    case "union":
      return { kind, children: below(1 + dice.below(3)) };
    case "decimal": {
      const precision = dice.pick([1, 9, 18, 19, 38]);
      return { kind, children: [], precision, scale: dice.below(precision + 1) };
    }
    default:
      return { kind, children: [] };
  }
}

/** Types in the order of their numbers. */
export function typesOf(root: OrcNode): OrcType[] {
  const types: OrcType[] = [];
  function add({ kind, children, precision = 0, scale = 0 }: OrcNode): number {
    const id = types.length;
    types.push({ kind: kinds[kind] });
    const subtypes = children.map(add);
    const names = kind === "struct" ? children.map((_, i) => `f${i}`) : [];
    types[id] = { kind: kinds[kind], subtypes, names, precision, scale };
    return id;
  }
  add(root);
  return types;
}

/** Integers in stretches of one character each, so that every kind of run is met. */
class Integers {
  #left = 0;
  #style = 0;
  #base = 0n;
  #step = 0n;
  readonly #bits: number;
  readonly #dice: Dice;

  constructor(bits: number, dice: Dice) {
    this.#bits = bits;
    this.#dice = dice;
  }

  #random(bits: number): bigint {
    let value = 0n;
    for (let i = 0; i < bits; i += 16) value = (value << 16n) | BigInt(this.#dice.below(65_536));
    return BigInt.asIntN(bits, value);
  }

  next(): bigint {
    const dice = this.#dice;
    if (this.#left === 0) {
      this.#left = 1 + dice.below(60);
      this.#style = dice.below(5);
      this.#base = this.#random(1 + dice.below(this.#bits));
      this.#step = BigInt(dice.below(7) - 3);
    }
    this.#left--;
    const { bits } = { bits: this.#bits };
    switch (this.#style) {
      case 0:
        break;
      case 1:
        this.#base += this.#step;
        break;
      case 2:
        this.#base += BigInt(dice.below(20)) * (this.#step < 0n ? -1n : 1n);
        break;
      case 3:
        return BigInt.asIntN(bits, BigInt(dice.below(16)) + (dice.chance(0.06) ? this.#random(bits) : 0n));
      default:
        return this.#random(bits);
    }
    return BigInt.asIntN(bits, this.#base);
  }
}

/** Makes values of one type; nested types have one for each child. */
export function valueMaker(node: OrcNode, dice: Dice, nulls: number): () => Value {
  const below = node.children.map((child, i) =>
    valueMaker(child, dice, node.kind === "map" && i === 0 ? 0 : dice.pick([0, nulls, 0.9])),
  );
  const some = valueOf();
  return () => (dice.chance(nulls) ? null : some());

  function valueOf(): () => Value {
    const child = (i: number): Value => (below[i] as () => Value)();
    switch (node.kind) {
      case "boolean":
        return () => dice.chance(0.5);
      case "byte":
      case "short":
      case "int":
      case "long":
      case "date": {
        const integers = new Integers(node.kind === "date" ? 18 : widthsOf[node.kind], dice);
        return () => integers.next();
      }
      case "float":
        return () => Math.fround(dice.pick([0, -0, 1.5, Number.NaN, dice.next() * 1e6, Number.NEGATIVE_INFINITY]));
      case "double":
        return () => dice.pick([0, -0, 1.5, Number.NaN, dice.next() * 1e9, Number.NEGATIVE_INFINITY]);
      case "string":
      case "varchar":
      case "char": {
        const words = ["", "one", "zwei", "три", "四五"];
        return () => (dice.chance(0.6) ? dice.pick(words) : `${dice.pick(words)} ${dice.below(1000)}`);
      }
      case "binary":
        return () => Uint8Array.from({ length: dice.below(6) }, () => dice.below(256));
      case "timestamp":
      case "instant":
        return () => ({
          second: BigInt(Math.floor((dice.next() - 0.5) * 6e9)),
          nano: dice.pick([0, 7, 1000, 120_000_000, 1_000_000, 999_999_999]),
        });
      case "decimal": {
        const limit = 10n ** BigInt(node.precision ?? 38);
        const integers = new Integers(126, dice);
        return () => integers.next() % limit;
      }
      case "list":
        return () => Array.from({ length: dice.pick([0, 0, 1, 2, 5]) }, () => child(0));
      case "map":
        return () => Array.from({ length: dice.below(3) }, () => [child(0), child(1)]);
      case "struct":
        return () => below.map((make) => make());
      case "union":
        return () => {
          const tag = dice.below(below.length);
          return [BigInt(tag), child(tag)];
        };
    }
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone) ?? new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  formats.set(zone, known);
  return known;
}

/** How far clocks of a zone are ahead of UTC, in seconds. */
function offsetOf(zone: string, second: bigint): bigint {
  if (zone === "UTC") return 0n;
  const date = new Date(Number(second) * 1000);
  const parts = formatOf(zone).formatToParts(date);
  const name = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
  const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name);
  const [, sign = "+", hours = "0", minutes = "0", seconds = "0"] = match ?? [];
  const size = BigInt(hours) * 3600n + BigInt(minutes) * 60n + BigInt(seconds);
  return sign === "-" ? -size : size;
}

function hex(value: bigint, bytes: number): string {
  const digits = BigInt.asUintN(bytes * 8, value).toString(16);
  return Buffer.from(digits.padStart(bytes * 2, "0"), "hex")
    .reverse()
    .toString("hex");
}

/** A value as `rowsOf` gives it. */
export function plainOf({ kind, children }: OrcNode, value: Value, zone: string): PlainValue {
  const child = (i: number, at: Value): PlainValue => plainOf(children[i] as OrcNode, at, zone);
  // Arrow's unions have no nulls of their own: it is one of the first branch.
  if (value === null) return kind === "union" ? ["0", child(0, null)] : null;
  switch (kind) {
    case "boolean":
      return value as boolean;
    case "byte":
    case "short":
    case "int":
    case "long":
    case "date":
      return hex(value as bigint, widthsOf[kind] / 8);
    case "float":
    case "double":
      if (Number.isNaN(value)) return "NaN";
      return Buffer.from(floatBytes(kind, value as number)).toString("hex");
    case "string":
    case "varchar":
    case "char":
      return Buffer.from(value as string).toString("hex");
    case "binary":
      return Buffer.from(value as Uint8Array).toString("hex");
    case "timestamp":
    case "instant": {
      const { second, nano } = value as Time;
      const shown = kind === "timestamp" ? second + offsetOf(zone, second) : second;
      return hex(shown * 1_000_000_000n + BigInt(nano), 8);
    }
    case "decimal":
      return hex(value as bigint, 16);
    case "list":
      return (value as Value[]).map((item) => child(0, item));
    case "map":
      return (value as [Value, Value][]).map(([key, item]) => [child(0, key), child(1, item)]);
    case "struct":
      return (value as Value[]).map((item, i) => child(i, item));
    case "union": {
      const [tag, item] = value as [bigint, Value];
      return [String(tag), child(Number(tag), item)];
    }
  }
}

function floatBytes(kind: "float" | "double", value: number): Uint8Array {
  return new Uint8Array((kind === "float" ? Float32Array : Float64Array).of(value).buffer);
}

/** Everything that is decided once for a stripe. */
export interface StripeChoice {
  readonly version: 1 | 2;
  readonly zone: string | undefined;
  /** Rows of a row group; 0 for no row index. */
  readonly stride: number;
  /** Decimals of up to 18 digits are integers (file version 1.9999). */
  readonly shortDecimals: boolean;
}

/** Rows of a root type as a stripe. */
export function stripeOf(root: OrcNode, rows: readonly Value[], choice: StripeChoice, dice: Dice): Stripe {
  const encoder = new StripeEncoder(choice, dice);
  const bounds: number[] = [];
  for (let at = 0; choice.stride > 0 && at < rows.length; at += choice.stride) bounds.push(at);
  encoder.column(root, rows, bounds);
  const { streams, encodings, statistics } = encoder;
  return {
    rows: rows.length,
    streams,
    encodings,
    ...(choice.zone === undefined ? {} : { timeZone: choice.zone }),
    ...(choice.stride > 0 ? { statistics } : {}),
  };
}

class StripeEncoder {
  readonly streams: Stream[] = [];
  readonly encodings: { kind: number; dictionarySize?: number }[] = [];
  readonly statistics = new Map<number, number[][]>();
  readonly #choice: StripeChoice;
  readonly #dice: Dice;

  constructor(choice: StripeChoice, dice: Dice) {
    this.#choice = choice;
    this.#dice = dice;
  }

  /** @param slots where all ancestors are present. @param bounds the slots at which row groups begin. */
  column(node: OrcNode, slots: readonly Value[], bounds: readonly number[]): void {
    const id = this.encodings.length;
    const { version } = this.#choice;
    this.encodings.push({ kind: version === 1 ? 0 : 2 });
    const values = slots.filter((slot) => slot !== null);
    const isPresent = slots.map((slot) => slot !== null);
    // A root that is a struct has no nulls; elsewhere the stream may say that there are none.
    const hasPresent = values.length < slots.length || this.#dice.chance(0.1);
    if (hasPresent) this.#bits(id, 0, isPresent, bounds);
    const dense = bounds.map((bound) => isPresent.slice(0, bound).filter(Boolean).length);
    this.statistics.set(
      id,
      dense.map((from, i) => this.#statistics(node, values.slice(from, dense[i + 1]), bounds, i, slots.length)),
    );
    this.#data(id, node, values, dense);
  }

  #statistics(
    node: OrcNode,
    values: readonly Value[],
    bounds: readonly number[],
    group: number,
    rows: number,
  ): number[] {
    const all = (bounds[group + 1] ?? rows) - (bounds[group] as number);
    const out = [...field(1, values.length), ...field(10, values.length < all ? 1 : 0)];
    if (!["byte", "short", "int", "long"].includes(node.kind) || values.length === 0) return out;
    const sorted = (values as bigint[]).toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const bound = (number: number, value: bigint): number[] => [number * 8, ...varint(zigzag(value))];
    return [...out, ...message(2, [...bound(1, sorted[0] as bigint), ...bound(2, sorted.at(-1) as bigint)])];
  }

  #data(id: number, node: OrcNode, values: readonly Value[], bounds: readonly number[]): void {
    const { kind, children } = node;
    switch (kind) {
      case "boolean":
        return this.#bits(id, 1, values as boolean[], bounds);
      case "byte": {
        const bytes = (values as bigint[]).map((value) => Number(value & 255n));
        return this.#runs(id, 1, byteRuns(bytes, this.#dice), bounds);
      }
      case "short":
      case "int":
      case "long":
      case "date":
        return this.#integers(id, 1, values as bigint[], true, bounds);
      case "float":
      case "double": {
        const width = kind === "float" ? 4 : 8;
        const bytes = (values as number[]).flatMap((value) => [...floatBytes(kind, value)]);
        return this.#raw(
          id,
          1,
          bytes,
          bounds.map((bound) => bound * width),
        );
      }
      case "string":
      case "varchar":
      case "char":
        return this.#texts(id, (values as string[]).map(text), bounds);
      case "binary":
        return this.#texts(
          id,
          (values as Uint8Array[]).map((value) => [...value]),
          bounds,
          false,
        );
      case "timestamp":
      case "instant":
        return this.#times(id, kind, values as Time[], bounds);
      case "decimal":
        return this.#decimals(id, node, values as bigint[], bounds);
      case "list": {
        const lists = values as Value[][];
        this.#lengths(id, lists, bounds);
        return this.column(children[0] as OrcNode, lists.flat(1), itemBounds(lists, bounds));
      }
      case "map": {
        const maps = values as [Value, Value][][];
        this.#lengths(id, maps, bounds);
        const within = itemBounds(maps, bounds);
        for (const i of [0, 1] as const)
          this.column(
            children[i] as OrcNode,
            maps.flatMap((map) => map.map((pair) => pair[i])),
            within,
          );
        return;
      }
      case "struct":
        for (const [i, child] of children.entries())
          this.column(
            child,
            (values as Value[][]).map((value) => value[i] as Value),
            bounds,
          );
        return;
      case "union": {
        const pairs = values as [bigint, Value][];
        this.#runs(
          id,
          1,
          byteRuns(
            pairs.map(([tag]) => Number(tag)),
            this.#dice,
          ),
          bounds,
        );
        for (const [i, child] of children.entries()) {
          const own = pairs.filter(([tag]) => Number(tag) === i);
          const within = bounds.map((bound) => pairs.slice(0, bound).filter(([tag]) => Number(tag) === i).length);
          this.column(
            child,
            own.map(([, value]) => value),
            within,
          );
        }
      }
    }
  }

  #push(kind: number, column: number, bytes: readonly number[], marks: readonly Mark[]): void {
    this.streams.push({ kind, column, bytes, marks });
  }

  #raw(column: number, kind: number, bytes: readonly number[], bounds: readonly number[]): void {
    this.#push(
      kind,
      column,
      bytes,
      bounds.map((bound) => ({ bytes: bound, inside: [] })),
    );
  }

  #runs(column: number, kind: number, runs: Runs, bounds: readonly number[]): void {
    this.#push(
      kind,
      column,
      runs.bytes,
      bounds.map((bound) => markOf(runs, bound)),
    );
  }

  #integers(
    column: number,
    kind: number,
    values: readonly bigint[],
    isSigned: boolean,
    bounds: readonly number[],
    version = this.#choice.version,
  ): void {
    this.#runs(column, kind, integerRuns(values, version, isSigned, this.#dice), bounds);
  }

  #bits(column: number, kind: number, values: readonly boolean[], bounds: readonly number[]): void {
    const runs = bitRuns(values, this.#dice);
    const marks = bounds.map((bound) => {
      const mark = markOf(runs, bound >> 3);
      return { ...mark, inside: [...mark.inside, bound & 7] };
    });
    this.#push(kind, column, runs.bytes, marks);
  }

  #lengths(column: number, lists: readonly (readonly unknown[])[], bounds: readonly number[]): void {
    this.#integers(
      column,
      2,
      lists.map((list) => BigInt(list.length)),
      false,
      bounds,
    );
  }

  #texts(column: number, values: readonly number[][], bounds: readonly number[], mayRepeat = true): void {
    if (mayRepeat && this.#dice.chance(0.5)) return this.#dictionary(column, values, bounds);
    this.#raw(
      column,
      1,
      values.flat(),
      bounds.map((bound) => values.slice(0, bound).reduce((sum, each) => sum + each.length, 0)),
    );
    this.#lengths(column, values, bounds);
  }

  /** In the order of first use, with an entry that nobody uses. */
  #dictionary(column: number, values: readonly number[][], bounds: readonly number[]): void {
    const known = new Map<string, bigint>();
    const entries: number[][] = [text("unused")];
    const indices = values.map((value) => {
      const key = String(value);
      if (!known.has(key)) known.set(key, BigInt(entries.push(value) - 1));
      return known.get(key) as bigint;
    });
    const version = this.#choice.version;
    this.encodings[column] = { kind: version === 1 ? 1 : 3, dictionarySize: entries.length };
    this.#integers(column, 1, indices, false, bounds);
    this.streams.push({ kind: 3, column, bytes: entries.flat() });
    const lengths = integerRuns(
      entries.map((entry) => BigInt(entry.length)),
      version,
      false,
      this.#dice,
    );
    this.streams.push({ kind: 2, column, bytes: lengths.bytes });
  }

  #times(column: number, kind: "timestamp" | "instant", values: readonly Time[], bounds: readonly number[]): void {
    const zone = kind === "timestamp" ? (this.#choice.zone ?? "UTC") : "UTC";
    // 2015-01-01 00:00:00 on the clocks of the zone.
    const midnight = 1_420_070_400n;
    const base = midnight - offsetOf(zone, midnight);
    // Seconds before 1970 are rounded towards zero when there are milliseconds.
    const seconds = values.map(({ second, nano }) => second - base + (second < 0n && nano > 999_999 ? 1n : 0n));
    this.#integers(column, 1, seconds, true, bounds);
    this.#integers(
      column,
      5,
      values.map(({ nano }) => encodedNanos(nano)),
      false,
      bounds,
    );
  }

  #decimals(
    column: number,
    { precision = 38, scale = 0 }: OrcNode,
    values: readonly bigint[],
    bounds: readonly number[],
  ): void {
    if (this.#choice.shortDecimals && precision <= 18) return this.#integers(column, 1, values, true, bounds, 2);
    // Zeros at the end are cut at random, which the scale of each value tells.
    const cut = values.map((value) => {
      let [rest, kept] = [value, scale];
      while (kept > 0 && rest % 10n === 0n && this.#dice.chance(0.5)) [rest, kept] = [rest / 10n, kept - 1];
      return [rest, kept] as const;
    });
    const bytes = cut.map(([rest]) => varint(zigzag(rest)));
    const before = bounds.map((bound) => bytes.slice(0, bound).reduce((sum, each) => sum + each.length, 0));
    this.#raw(column, 1, bytes.flat(), before);
    this.#integers(
      column,
      5,
      cut.map(([, kept]) => BigInt(kept)),
      true,
      bounds,
    );
  }
}

function itemBounds(lists: readonly (readonly unknown[])[], bounds: readonly number[]): number[] {
  return bounds.map((bound) => lists.slice(0, bound).reduce((sum, list) => sum + list.length, 0));
}

/** The run that holds a value, and how many values of it come before. */
function markOf({ bytes, starts }: Runs, value: number): Mark {
  const run = starts.findLast(([values]) => values <= value);
  if (run === undefined) return { bytes: bytes.length, inside: [0] };
  return { bytes: run[1], inside: [value - run[0]] };
}

/** Nanoseconds with the zeros at their end cut, as the low three bits tell. */
function encodedNanos(nano: number): bigint {
  let [rest, zeros] = [BigInt(nano), 0];
  if (nano === 0 || nano % 100 !== 0) return rest << 3n;
  while (rest % 10n === 0n && zeros < 8) [rest, zeros] = [rest / 10n, zeros + 1];
  return (rest << 3n) | BigInt(zeros - 1);
}
