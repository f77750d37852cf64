/** Strings, and numbers as they are written. */
const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const marker = "\u0000integer:";

/**
 * JSON whose integers past 2^53 are bigints: `JSON.parse` rounds them, and a default of such a long would be wrong.
 *
 * @throws SyntaxError
 */
export function parseExactJson(text: string): unknown {
  const large = /\d{16}/.test(text);
  if (!large) return JSON.parse(text) as unknown;
  const marked = text.replace(token, (found) =>
    /^-?\d{16,}$/.test(found) && !Number.isSafeInteger(Number(found)) ? JSON.stringify(marker + found) : found,
  );
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === "string" && value.startsWith(marker) ? BigInt(value.slice(marker.length)) : value,
  ) as unknown;
}

/** A part of parsed JSON for a message, not too long; integers past 2^53 as text. */
export function jsonText(value: unknown): string {
  const text =
    JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part)) ?? "nothing";
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
