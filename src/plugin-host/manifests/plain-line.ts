/** Deeper nesting is not plain. */
export const DEPTH_MAX = 32;

/** Thrown, always the same, by what is not plain. */
export const NOT_PLAIN = new Error("Not plain YAML");

export const SPACE = 32;
export const DOUBLE_QUOTE = 34;
export const HASH = 35;
export const SINGLE_QUOTE = 39;
const COMMA = 44;
export const COLON = 58;
export const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
export const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

const WORDS = new Map<string, null | boolean>([
  ...["null", "Null", "NULL"].map((word) => [word, null] as const),
  ...["true", "True", "TRUE"].map((word) => [word, true] as const),
  ...["false", "False", "FALSE"].map((word) => [word, false] as const),
]);

/** What JSON and YAML escape alike. */
const JSON_STRING = /^"(?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"$/;
const SHORT_INTEGER = /^(?:0|[1-9]\d{0,14})$/;
/** Every number of the core schema that starts with a digit. */
const NUMBER = /^(?:\d+|0o[0-7]+|0x[0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)$/;

/** Scalars and flow collections that end on the line they start on. */
export class LineReader {
  readonly #text: string;
  readonly #end: number;
  #at: number;

  constructor(text: string, start: number, end: number) {
    this.#text = text;
    this.#at = start;
    this.#end = end;
  }

  /** Holds that nothing but space and a comment is left. */
  finish(): void {
    const rest = skipSpaces(this.#text, this.#at);
    if (rest >= this.#end) return;
    if (rest === this.#at || this.#text.charCodeAt(rest) !== HASH) throw NOT_PLAIN;
  }

  plain(): unknown {
    const start = this.#at;
    if (!isWordStart(this.#text.charCodeAt(start))) throw NOT_PLAIN;
    let last = start;
    let before = 0;
    for (let at = start; at < this.#end; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === HASH && before === SPACE) break;
      if (code === COLON && (at + 1 >= this.#end || this.#text.charCodeAt(at + 1) === SPACE)) {
        throw NOT_PLAIN;
      }
      if (isControl(code)) throw NOT_PLAIN;
      if (code !== SPACE) last = at;
      before = code;
    }
    this.#at = last + 1;
    return resolvePlain(this.#text.slice(start, this.#at));
  }

  quoted(): string {
    const start = this.#at;
    const quote = this.#text.charCodeAt(start);
    const end = quote === SINGLE_QUOTE ? this.#endOfSingle(start) : this.#endOfDouble(start);
    this.#at = end + 1;
    const inner = this.#text.slice(start + 1, end);
    if (hasControl(inner)) throw NOT_PLAIN;
    if (quote === SINGLE_QUOTE) return inner.includes("''") ? inner.replaceAll("''", "'") : inner;
    if (!inner.includes("\\")) return inner;
    const whole = this.#text.slice(start, this.#at);
    if (!JSON_STRING.test(whole)) throw NOT_PLAIN;
    return JSON.parse(whole) as string;
  }

  flow(depth: number): unknown {
    if (depth > DEPTH_MAX) throw NOT_PLAIN;
    const code = this.#text.charCodeAt(this.#at);
    if (code === OPEN_BRACKET) return this.#flowSequence(depth);
    if (code === OPEN_BRACE) return this.#flowMapping(depth);
    if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) return this.quoted();
    return resolvePlain(this.#flowWord());
  }

  #flowSequence(depth: number): unknown[] {
    const result: unknown[] = [];
    this.#at++;
    while (!this.#closes(CLOSE_BRACKET)) {
      result.push(this.flow(depth + 1));
      this.#separate(CLOSE_BRACKET);
    }
    return result;
  }

  #flowMapping(depth: number): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    this.#at++;
    while (!this.#closes(CLOSE_BRACE)) {
      const key = this.#flowWord();
      if (!isLetter(key.charCodeAt(0)) || isWord(key) || Object.hasOwn(result, key)) {
        throw NOT_PLAIN;
      }
      const behind = this.#at + 1;
      if (this.#text.charCodeAt(this.#at) !== COLON || this.#text.charCodeAt(behind) !== SPACE) {
        throw NOT_PLAIN;
      }
      this.#at = skipSpaces(this.#text, behind);
      result[key] = this.flow(depth + 1);
      this.#separate(CLOSE_BRACE);
    }
    return result;
  }

  #closes(close: number): boolean {
    this.#at = skipSpaces(this.#text, this.#at);
    if (this.#at >= this.#end) throw NOT_PLAIN;
    if (this.#text.charCodeAt(this.#at) !== close) return false;
    this.#at++;
    return true;
  }

  /** After an item: a comma, or what closes. */
  #separate(close: number): void {
    this.#at = skipSpaces(this.#text, this.#at);
    if (this.#at >= this.#end) throw NOT_PLAIN;
    const code = this.#text.charCodeAt(this.#at);
    if (code === COMMA) this.#at++;
    else if (code !== close) throw NOT_PLAIN;
  }

  /** Letters, digits and what addresses, names and prefixes are made of; a colon only inside. */
  #flowWord(): string {
    const start = this.#at;
    while (this.#at < this.#end && isFlowWord(this.#text.charCodeAt(this.#at))) this.#at++;
    if (this.#text.charCodeAt(this.#at - 1) === COLON) this.#at--;
    const first = this.#text.charCodeAt(start);
    if (this.#at <= start || !isWordStart(first)) throw NOT_PLAIN;
    const word = this.#text.slice(start, this.#at);
    if (word.endsWith(":")) throw NOT_PLAIN;
    return word;
  }

  #endOfSingle(start: number): number {
    for (let at = start + 1; at < this.#end; at++) {
      if (this.#text.charCodeAt(at) !== SINGLE_QUOTE) continue;
      if (this.#text.charCodeAt(at + 1) !== SINGLE_QUOTE) return at;
      at++;
    }
    throw NOT_PLAIN;
  }

  #endOfDouble(start: number): number {
    for (let at = start + 1; at < this.#end; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === DOUBLE_QUOTE) return at;
      if (code === BACKSLASH) at++;
    }
    throw NOT_PLAIN;
  }
}

/** The longest word is "false". */
export function isWord(text: string): boolean {
  return text.length <= 5 && WORDS.has(text);
}

/** Tags of the core schema (YAML 1.2.2, 10.3.2). */
function resolvePlain(text: string): unknown {
  if (isLetter(text.charCodeAt(0))) {
    return isWord(text) ? WORDS.get(text) : text;
  }
  if (SHORT_INTEGER.test(text)) return Number(text);
  if (NUMBER.test(text)) throw NOT_PLAIN;
  return text;
}

export function skipSpaces(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at++;
  return at;
}

export function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Letters, digits, "/" and "_". */
function isWordStart(code: number): boolean {
  return isLetter(code) || isDigit(code) || code === 47 || code === 95;
}

/** Letters, digits, "-", ".", "/" and "_". */
export function isKeyPart(code: number): boolean {
  return isLetter(code) || isDigit(code) || (code >= 45 && code <= 47) || code === 95;
}

function isFlowWord(code: number): boolean {
  return isKeyPart(code) || code === COLON;
}

function isControl(code: number): boolean {
  return code < SPACE || (code >= 0x7f && code < 0xa0) || code === 0xfeff || code === 0xfffd;
}

export function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (isControl(text.charCodeAt(at))) return true;
  return false;
}
