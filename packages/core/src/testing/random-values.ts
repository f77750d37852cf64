import type { DataType, TimeUnit } from "../schema.ts";
import type { Dice } from "./dice.ts";

const encoder = new TextEncoder();

const perSecond: Readonly<Record<TimeUnit, number>> = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 };

const words = ["", "a", "é", "naïve", "日本", "\u{1f600}", "\u{feff}", 'quo"te', "new\nline", "\0", "zebra"];

/** Text of a few characters, sometimes long, as UTF-8. */
export function randomText(dice: Dice): Uint8Array {
  const count = dice.chance(0.05) ? 40 : dice.below(3);
  return encoder.encode(Array.from({ length: count }, () => dice.pick(words)).join(""));
}

/** Writes one random value of a fixed-width type at a place of a buffer, little endian. */
type ValueWriter = (dice: Dice, view: DataView, at: number) => void;

/** Writes valid values of a fixed-width type, extremes included. */
export function randomValueWriter(type: DataType): ValueWriter {
  switch (type.kind) {
    case "int":
      return integers(type.bits);
    case "float":
      return floats(type.bits);
    case "decimal":
      return decimals(type.bits, type.precision);
    case "date":
      // From the year 1 to 9999, what every tool can show.
      return (dice, view, at) => {
        const days = dice.pick([0, -1, -719_162, 2_932_896, dice.below(40_000) - 10_000]);
        if (type.unit === "day") view.setInt32(at, days, true);
        else view.setBigInt64(at, BigInt(days) * 86_400_000n, true);
      };
    case "time":
      return (dice, view, at) => {
        const value = dice.below(86_400 * perSecond[type.unit]);
        if (type.unit === "s" || type.unit === "ms") view.setInt32(at, value, true);
        else view.setBigInt64(at, BigInt(value), true);
      };
    case "timestamp":
    case "duration":
      // Within 200 years of 1970: nanoseconds end there.
      return (dice, view, at) => {
        const seconds = BigInt(dice.pick([0, -1, dice.below(6_000_000_000), -dice.below(6_000_000_000)]));
        const unit = perSecond[type.unit];
        view.setBigInt64(at, seconds * BigInt(unit) + BigInt(dice.below(unit)), true);
      };
    default:
      return bytes(type.kind === "fixedSizeBinary" ? type.byteWidth : 16);
  }
}

function bytes(width: number): ValueWriter {
  return (dice, view, at) => {
    for (let k = 0; k < width; k++) view.setUint8(at + k, dice.below(256));
  };
}

function integers(bits: 8 | 16 | 32 | 64): ValueWriter {
  const random = bytes(bits / 8);
  return (dice, view, at) => {
    const special = dice.below(8);
    if (special >= 4) {
      random(dice, view, at);
      return;
    }
    // 0, -1 (or the unsigned maximum), the least and the greatest signed number.
    const first = [0, 0xff, 0, 0xff][special] as number;
    for (let k = 0; k < bits / 8; k++) view.setUint8(at + k, first);
    if (special >= 2) view.setUint8(at + bits / 8 - 1, special === 2 ? 0x80 : 0x7f);
  };
}

/** Halves as bits; the others as numbers, so that NaN is whatever the engine writes. */
function floats(bits: 16 | 32 | 64): ValueWriter {
  const halves = [0, 0x8000, 0x7c00, 0xfc00, 0x7e00, 0xfe01, 1, 0x3c00, 0xc500];
  const numbers = [0, -0, Infinity, -Infinity, NaN, 1.5, -2.25, 1e-40, 3.0e38];
  return (dice, view, at) => {
    if (bits === 16) view.setUint16(at, dice.chance(0.5) ? dice.pick(halves) : dice.below(0x7c00), true);
    else {
      const value = dice.chance(0.4) ? dice.pick(numbers) : (dice.next() - 0.5) * 1e6;
      if (bits === 32) view.setFloat32(at, value, true);
      else view.setFloat64(at, value, true);
    }
  };
}

function decimals(bits: 128 | 256, precision: number): ValueWriter {
  const limit = 10n ** BigInt(precision);
  return (dice, view, at) => {
    let digits = "";
    for (let k = dice.pick([1, 3, precision, 1 + dice.below(precision)]); k > 0; k--) digits += dice.below(10);
    const magnitude = dice.chance(0.1) ? limit - 1n : BigInt(digits) % limit;
    let value = BigInt.asUintN(bits, dice.chance(0.5) ? -magnitude : magnitude);
    for (let k = 0; k < bits / 64; k++, value >>= 64n)
      view.setBigUint64(at + 8 * k, value & 0xffff_ffff_ffff_ffffn, true);
  };
}
