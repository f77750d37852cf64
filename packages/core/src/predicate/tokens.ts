import { OptionsError } from "../errors.ts";

/** A piece of a condition in words. `at` counts characters from 0. */
export type Token =
  | { readonly kind: "word"; readonly text: string; readonly at: number }
  /** An identifier in double quotes or backticks, never a keyword. */
  | { readonly kind: "quoted"; readonly text: string; readonly at: number }
  | { readonly kind: "string"; readonly text: string; readonly at: number }
  | { readonly kind: "number"; readonly text: string; readonly at: number }
  | { readonly kind: "symbol"; readonly text: string; readonly at: number }
  | { readonly kind: "end"; readonly text: ""; readonly at: number };

const patterns: readonly (readonly [Exclude<Token["kind"], "end"> | "space", RegExp])[] = [
  ["space", /\s+/y],
  ["word", /[\p{L}_][\p{L}\p{N}\p{M}_]*/uy],
  ["number", /[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}_])/uy],
  ["number", /[+-](?:infinity|inf)\b/iy],
  ["string", /'(?:[^']|'')*'/y],
  ["quoted", /"(?:[^"]|"")*"|`(?:[^`]|``)*`/y],
  ["symbol", /<=|>=|<>|!=|==|[=<>(),.]/y],
];

/** An error that shows where in `text` it lies. */
export function whereError(problem: string, text: string, at: number): OptionsError {
  const near = text.slice(at, at + 20);
  const place = near === "" ? "at its end" : `at character ${at + 1}, "${near}${text.length > at + 20 ? "…" : ""}"`;
  return new OptionsError(`the condition is not understood: ${problem} ${place}`, {
    remedy: `Write it like: date >= '2001-01-03' and origin in ('LAX', 'SFO') and not (delay is null).`,
  });
}

/** @throws OptionsError at a character that begins nothing. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const start = at;
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = start;
      const match = pattern.exec(text)?.[0];
      if (match === undefined) continue;
      at += match.length;
      if (kind !== "space") tokens.push({ kind, text: unquote(kind, match), at: start });
      break;
    }
    if (at > start) continue;
    const quote = /^['"`]/.test(text.slice(start)) ? "a quote is not closed" : "an unexpected character";
    throw whereError(quote, text, start);
  }
  tokens.push({ kind: "end", text: "", at });
  return tokens;
}

function unquote(kind: string, match: string): string {
  if (kind !== "string" && kind !== "quoted") return match;
  const quote = match.charAt(0);
  return match.slice(1, -1).replaceAll(quote + quote, quote);
}
