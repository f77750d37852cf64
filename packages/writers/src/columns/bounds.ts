const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

const LAST_CODE_POINT = 0x10ffff;

/** `value` or a prefix of at most `maxBytes`, which is below it; text is cut between characters. */
export function lowerBound(value: Uint8Array, maxBytes: number, isText: boolean): Uint8Array {
  if (value.length <= maxBytes) return value;
  return value.slice(0, isText ? characterStart(value, maxBytes) : maxBytes);
}

/**
 * `value`, or when it is longer than `maxBytes` something short above everything that begins like it. Undefined when there
 * is no such thing. Text stays valid UTF-8, whose byte order is that of its code points.
 */
export function upperBound(value: Uint8Array, maxBytes: number, isText: boolean): Uint8Array | undefined {
  if (value.length <= maxBytes) return value;
  return isText ? textAbove(value.slice(0, characterStart(value, maxBytes))) : bytesAbove(value.slice(0, maxBytes));
}

/** The start of the character that byte `at` belongs to. */
function characterStart(value: Uint8Array, at: number): number {
  let start = at;
  while (start > 0 && ((value[start] as number) & 0xc0) === 0x80) start--;
  return start;
}

function bytesAbove(prefix: Uint8Array): Uint8Array | undefined {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end--;
  if (end === 0) return undefined;
  const out = prefix.slice(0, end);
  out[end - 1] = (out[end - 1] as number) + 1;
  return out;
}

function textAbove(prefix: Uint8Array): Uint8Array | undefined {
  let points: number[];
  try {
    points = Array.from(decoder.decode(prefix), (character) => character.codePointAt(0) as number);
  } catch {
    // Not UTF-8 although the column says so: no bound rather than a wrong one.
    return undefined;
  }
  while (points.length > 0 && points.at(-1) === LAST_CODE_POINT) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  // Surrogates are no characters.
  points.push(last === 0xd7ff ? 0xe000 : last + 1);
  return encoder.encode(String.fromCodePoint(...points));
}
