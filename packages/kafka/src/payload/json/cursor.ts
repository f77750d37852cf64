/** Why a text is no JSON, or does not fit its column. Plain: the decoder adds topic, partition and offset. */
export class JsonFault extends Error {
  /** Bytes from the start of the record's value. */
  readonly at: number;
  /** Names and item numbers from the outside in. */
  readonly path: (string | number)[] = [];

  constructor(what: string, at: number) {
    super(what);
    this.name = "JsonFault";
    this.at = at;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Longer numbers than any type can hold would only cost time. */
const MOST_NUMBER_BYTES = 4096;
const MOST_DEPTH = 128;

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** What a JSON value begins with. */
export type JsonKind = "object" | "array" | "string" | "number" | "true" | "false" | "null";

/** A reader of JSON text (RFC 8259) in bytes: strict, without recursion limits of its own but MOST_DEPTH, and without objects. */
export class JsonCursor {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #from = 0;
  #end = 0;

  /** Starts at value [from, end) of `bytes`. */
  reset(bytes: Uint8Array, from: number, end: number): void {
    this.#bytes = bytes;
    this.#at = from;
    this.#from = from;
    this.#end = end;
  }

  fault(what: string): JsonFault {
    return new JsonFault(what, this.#at - this.#from);
  }

  #space(): void {
    while (this.#at < this.#end) {
      const byte = this.#bytes[this.#at] as number;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.#at++;
    }
  }

  /** @throws JsonFault when only white space may follow, and something else does */
  finish(): void {
    this.#space();
    if (this.#at < this.#end) throw this.fault("text after the value");
  }

  /** The kind of the value that comes next. */
  kind(): JsonKind {
    this.#space();
    if (this.#at >= this.#end) throw this.fault("the text ends where a value should be");
    const byte = this.#bytes[this.#at] as number;
    switch (byte) {
      case 0x7b:
        return "object";
      case 0x5b:
        return "array";
      case QUOTE:
        return "string";
      case 0x74:
        return "true";
      case 0x66:
        return "false";
      case 0x6e:
        return "null";
      default:
        if (byte === 0x2d || isDigit(byte)) return "number";
        throw this.fault(`a value cannot begin with the byte 0x${byte.toString(16).padStart(2, "0")}`);
    }
  }

  #literal(word: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.#at + i >= this.#end || this.#bytes[this.#at + i] !== word.charCodeAt(i))
        throw this.fault("no JSON value");
    }
    this.#at += word.length;
  }

  /** Takes `null`, `true` or `false`, which comes next. */
  word(kind: "null" | "true" | "false"): void {
    this.#literal(kind);
  }

  #expect(byte: number, what: string): void {
    this.#space();
    if (this.#at >= this.#end || this.#bytes[this.#at] !== byte) throw this.fault(what);
    this.#at++;
  }

  /** Whether `byte` is next; takes it if so. */
  #take(byte: number): boolean {
    this.#space();
    if (this.#at >= this.#end || this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  /** Calls `item` at the start of every item of the array that comes next; it has to take the item. */
  array(item: (index: number) => void): void {
    this.#expect(0x5b, "no array");
    if (this.#take(0x5d)) return;
    for (let index = 0; ; index++) {
      item(index);
      if (this.#take(0x5d)) return;
      this.#expect(0x2c, "a comma or ] should follow");
    }
  }

  /** Calls `member` at the value of every member of the object that comes next; it has to take the value. */
  object(member: (name: string) => void): void {
    this.#expect(0x7b, "no object");
    if (this.#take(0x7d)) return;
    for (;;) {
      this.#space();
      if (this.#at >= this.#end || this.#bytes[this.#at] !== QUOTE) throw this.fault("a name in quotes should follow");
      const name = this.string();
      this.#expect(0x3a, "a colon should follow");
      member(name);
      if (this.#take(0x7d)) return;
      this.#expect(0x2c, "a comma or } should follow");
    }
  }

  /** The text of the number that comes next, which follows JSON's grammar. */
  number(): string {
    const from = this.#at;
    if (this.#bytes[this.#at] === 0x2d) this.#at++;
    const first = this.#digits();
    if (first > 1 && this.#bytes[this.#at - first] === 0x30) throw this.fault("a number with a leading zero");
    if (this.#at < this.#end && this.#bytes[this.#at] === 0x2e) {
      this.#at++;
      this.#digits();
    }
    if (this.#at < this.#end && ((this.#bytes[this.#at] as number) | 0x20) === 0x65) {
      this.#at++;
      const sign = this.#bytes[this.#at];
      if (this.#at < this.#end && (sign === 0x2b || sign === 0x2d)) this.#at++;
      this.#digits();
    }
    if (this.#at - from > MOST_NUMBER_BYTES) throw this.fault(`a number of more than ${MOST_NUMBER_BYTES} digits`);
    let text = "";
    for (let i = from; i < this.#at; i++) text += String.fromCharCode(this.#bytes[i] as number);
    return text;
  }

  /** Takes one or more digits; how many. */
  #digits(): number {
    const from = this.#at;
    while (this.#at < this.#end && isDigit(this.#bytes[this.#at] as number)) this.#at++;
    if (this.#at === from) throw this.fault("a digit should follow");
    return this.#at - from;
  }

  /**
   * The bytes of the string that comes next when it has no escapes; undefined, and nothing taken, when it has some.
   * Valid UTF-8 without control characters.
   */
  plainString(): Uint8Array | undefined {
    const bytes = this.#bytes;
    let ascii = true;
    for (let at = this.#at + 1; at < this.#end; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        const content = bytes.subarray(this.#at + 1, at);
        if (!ascii) this.#decode(content);
        this.#at = at + 1;
        return content;
      }
      if (byte === BACKSLASH) return undefined;
      if (byte < 0x20) throw this.#inString("a control character in a string", at);
      if (byte >= 0x80) ascii = false;
    }
    throw this.#inString("a string does not end", this.#end);
  }

  #inString(what: string, at: number): JsonFault {
    this.#at = at;
    return this.fault(what);
  }

  #decode(bytes: Uint8Array): string {
    try {
      return strict.decode(bytes);
    } catch {
      throw this.fault("a string that is not UTF-8");
    }
  }

  /** The string that comes next, without its escapes. */
  string(): string {
    const plain = this.plainString();
    if (plain !== undefined) return this.#decode(plain);
    let text = "";
    let from = this.#at + 1;
    for (let at = from; at < this.#end; at++) {
      const byte = this.#bytes[at] as number;
      if (byte < 0x20) throw this.#inString("a control character in a string", at);
      if (byte !== QUOTE && byte !== BACKSLASH) continue;
      text += this.#decode(this.#bytes.subarray(from, at));
      if (byte === QUOTE) {
        this.#at = at + 1;
        // A lone half of a surrogate pair has no UTF-8.
        if (/\p{Surrogate}/u.test(text)) throw this.fault("a string with half of a surrogate pair");
        return text;
      }
      const [char, length] = this.#escape(at + 1);
      text += char;
      at += length;
      from = at + 1;
    }
    throw this.#inString("a string does not end", this.#end);
  }

  /** The character of the escape whose letter is at `at`, and how many bytes it takes behind the backslash. */
  #escape(at: number): readonly [string, number] {
    const letter = at < this.#end ? String.fromCharCode(this.#bytes[at] as number) : "";
    const simple = escapes.get(letter);
    if (simple !== undefined) return [simple, 1];
    let digits = "";
    if (letter === "u") {
      for (let i = at + 1; i < Math.min(at + 5, this.#end); i++)
        digits += String.fromCharCode(this.#bytes[i] as number);
    }
    if (!/^[\da-f]{4}$/i.test(digits)) throw this.#inString("an escape that JSON does not have", at);
    return [String.fromCharCode(Number.parseInt(digits, 16)), 5];
  }

  /** Takes the value that comes next, whatever it is. */
  skip(depth = 0): void {
    if (depth > MOST_DEPTH) throw this.fault(`values nested more than ${MOST_DEPTH} deep`);
    const kind = this.kind();
    if (kind === "object") this.object(() => this.skip(depth + 1));
    else if (kind === "array") this.array(() => this.skip(depth + 1));
    else if (kind === "string") this.string();
    else if (kind === "number") this.number();
    else this.#literal(kind);
  }
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);
