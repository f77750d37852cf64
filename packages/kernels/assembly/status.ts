// What kernels answer instead of a result. src/kernel-error.ts holds the same table with names and meanings.
export const TRUNCATED: i32 = -1;
export const CORRUPT: i32 = -2;
export const BIT_WIDTH: i32 = -3;
export const INDEX: i32 = -4;
export const OUTPUT_FULL: i32 = -5;
export const LENGTH: i32 = -6;
export const COUNT: i32 = -7;
export const UTF8: i32 = -8;
export const OVERFLOW: i32 = -9;
export const LEVEL: i32 = -10;

let lastPosition: u32 = 0;
let lastValid: u32 = 0;

/** Where the last kernel stopped: bytes (or values, as the kernel says) from the start of its source. */
export function position(): u32 {
  return lastPosition;
}

/** How many values the last kernel found valid, set or at the highest level. */
export function validCount(): u32 {
  return lastValid;
}

// @ts-ignore: decorator
@inline
export function setPosition(value: usize): void {
  lastPosition = <u32>value;
}

// @ts-ignore: decorator
@inline
export function setValid(value: u32): void {
  lastValid = value;
}

// @ts-ignore: decorator
@inline
export function fail(code: i32, at: usize): i32 {
  lastPosition = <u32>at;
  return code;
}
