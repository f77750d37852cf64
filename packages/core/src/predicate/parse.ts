import { type Token, tokenize, whereError } from "./tokens.ts";
import type { ColumnPath, ComparisonOperator, Literal, Predicate } from "./types.ts";

const MAX_DEPTH = 200;

const comparisons: Readonly<Record<string, ComparisonOperator>> = {
  "=": "eq",
  "==": "eq",
  "!=": "ne",
  "<>": "ne",
  "<": "lt",
  "<=": "le",
  ">": "gt",
  ">=": "ge",
};

/** Words that are never columns unless quoted. */
const keywords = new Set(["and", "or", "not", "in", "is", "null", "true", "false"]);
const floatWords: Readonly<Record<string, string>> = { nan: "NaN", inf: "Infinity", infinity: "Infinity" };

/**
 * A condition in words as a tree: `date >= '2001-01-03' and origin in ('LAX', 'SFO') and not (delay is null)`.
 *
 * Columns are words, dotted for fields of structs, in double quotes or backticks where they are not plain words (a
 * quoted name is one name, dots and all). Values are numbers, 'text' ('' for a quote in it), true, false. Comparisons
 * are = == != <> < <= > >=, in (…), not in (…), is null, is not null. `and` binds tighter than `or`, keywords are
 * case-insensitive. Numbers that a JavaScript number would round stay text.
 *
 * @throws OptionsError that shows the place.
 */
export function parseWhere(text: string): Predicate {
  return new Parser(text).parse();
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  parse(): Predicate {
    const predicate = this.#or();
    if (this.#peek().kind !== "end") throw this.#error('"and", "or" or the end is expected');
    return predicate;
  }

  #or(): Predicate {
    return this.#chain("or", () => this.#chain("and", () => this.#not()));
  }

  #chain(word: "and" | "or", part: () => Predicate): Predicate {
    const first = part();
    const parts: Predicate[] = [first];
    while (this.#takeWord(word)) parts.push(part());
    return parts.length === 1 ? first : [word, ...parts];
  }

  #not(): Predicate {
    if (this.#depth++ > MAX_DEPTH) throw this.#error("too many parentheses or nots");
    try {
      if (this.#takeWord("not")) return ["not", this.#not()];
      if (!this.#takeSymbol("(")) return this.#comparison();
      const inner = this.#or();
      if (!this.#takeSymbol(")")) throw this.#error('")" is expected');
      return inner;
    } finally {
      this.#depth--;
    }
  }

  #comparison(): Predicate {
    const column = this.#column();
    if (this.#takeWord("is")) {
      const negated = this.#takeWord("not");
      if (!this.#takeWord("null")) throw this.#error('"null" is expected');
      return negated ? ["not", ["isNull", column]] : ["isNull", column];
    }
    const negated = this.#takeWord("not");
    if (this.#takeWord("in")) {
      const list: Predicate = ["in", column, this.#list()];
      return negated ? ["not", list] : list;
    }
    const token = this.#peek();
    const operator = negated || token.kind !== "symbol" ? undefined : comparisons[token.text];
    if (operator === undefined)
      throw this.#error(negated ? '"in" is expected' : 'a comparison, "in" or "is" is expected');
    this.#next++;
    if (this.#isWord("null")) throw this.#error('a value is expected (for null write "is null" or "is not null")');
    return [operator, column, this.#literal()];
  }

  #column(): ColumnPath {
    const parts: string[] = [];
    let quoted = false;
    do {
      const token = this.#peek();
      const isColumn = token.kind === "quoted" || (token.kind === "word" && !keywords.has(token.text.toLowerCase()));
      if (!isColumn) throw this.#error("a column is expected");
      quoted ||= token.kind === "quoted";
      parts.push(token.text);
      this.#next++;
    } while (this.#takeSymbol("."));
    return quoted ? parts : parts.join(".");
  }

  #list(): Literal[] {
    if (!this.#takeSymbol("(")) throw this.#error('"(" is expected');
    const literals: Literal[] = [];
    do literals.push(this.#takeWord("null") ? null : this.#literal());
    while (this.#takeSymbol(","));
    if (!this.#takeSymbol(")")) throw this.#error('"," or ")" is expected');
    return literals;
  }

  #literal(): Literal {
    const token = this.#peek();
    const literal = literalOf(token);
    if (literal === undefined) {
      throw this.#error(
        token.kind === "quoted" ? "a value is expected (text stands in single quotes)" : "a value is expected",
      );
    }
    this.#next++;
    return literal;
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #isWord(word: string): boolean {
    const token = this.#peek();
    return token.kind === "word" && token.text.toLowerCase() === word;
  }

  #takeWord(word: string): boolean {
    if (!this.#isWord(word)) return false;
    this.#next++;
    return true;
  }

  #takeSymbol(symbol: string): boolean {
    const token = this.#peek();
    if (token.kind !== "symbol" || token.text !== symbol) return false;
    this.#next++;
    return true;
  }

  #error(problem: string): Error {
    return whereError(problem, this.#text, this.#peek().at);
  }
}

function literalOf(token: Token): Literal | undefined {
  if (token.kind === "string") return token.text;
  if (token.kind === "number") return numberLiteral(token.text);
  if (token.kind !== "word") return undefined;
  const word = token.text.toLowerCase();
  if (word === "true" || word === "false") return word === "true";
  return floatWords[word];
}

/** A JSON number where that says the same, else the digits as they are written. */
function numberLiteral(text: string): Literal {
  const plain = text.startsWith("+") ? text.slice(1) : text;
  const infinite = floatWords[plain.replace("-", "").toLowerCase()];
  if (infinite !== undefined) return plain.startsWith("-") ? `-${infinite}` : infinite;
  const value = Number(plain);
  if (/^-?\d+$/.test(plain)) return Number.isSafeInteger(value) ? value + 0 : plain;
  const shortest = plain
    .replace(/^(-?)\./, "$10.")
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");
  return String(value) === shortest ? value : plain;
}
