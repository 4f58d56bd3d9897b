/**
 * Reads the YAML that people and kubectl write: block mappings and sequences, scalars on one line,
 * flow collections on one line, literal blocks. Everything else (anchors, tags, folded text, tabs,
 * errors) is not plain, and left to the library, which needs thirty times as long. What is plain
 * means exactly what the library says (YAML 1.2, core schema); a property test holds both equal.
 */

/** Deeper nesting is not plain. */
const DEPTH_MAX = 32;

export type PathPart = string | number;

/** Part of a text: one document, without its "---". */
export interface TextRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** The value of a document; undefined when it is not plain. An empty document is null. */
export function readPlainYaml(text: string, range: TextRange): { value: unknown } | undefined {
  try {
    return { value: new PlainReader(text, range).read() };
  } catch (error) {
    if (error === NOT_PLAIN) return undefined;
    throw error;
  }
}

/** Offset of the value at a path, or of the innermost value around it that exists. */
export function locateInPlainYaml(
  text: string,
  range: TextRange,
  path: readonly PathPart[],
): number | undefined {
  const reader = new PlainReader(text, range, path);
  try {
    reader.read();
    return reader.found;
  } catch (error) {
    if (error === NOT_PLAIN) return undefined;
    throw error;
  }
}

const NOT_PLAIN = new Error("Not plain YAML");

const NEWLINE = 10;
const SPACE = 32;
const DOUBLE_QUOTE = 34;
const HASH = 35;
const SINGLE_QUOTE = 39;
const COMMA = 44;
const DASH = 45;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const PIPE = 124;
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

class PlainReader {
  readonly #text: string;
  readonly #end: number;
  readonly #path: readonly PathPart[] | undefined;
  /** How many parts of the path lead to where the reader is. */
  #matched = 0;
  found: number | undefined;

  /** Of the current line: end, indentation (-1 behind the last line), and where its content starts. */
  #lineEnd: number;
  #indent = -1;
  #content = 0;
  #depth = 0;

  constructor(text: string, range: TextRange, path?: readonly PathPart[]) {
    this.#text = text;
    this.#end = range.end;
    this.#path = path;
    this.#lineEnd = range.start - 1;
  }

  read(): unknown {
    this.#advance();
    if (this.#indent < 0) return null;
    this.found = this.#content;
    const value = this.#block(this.#indent);
    if (this.#indent >= 0) throw NOT_PLAIN;
    return value;
  }

  /** Goes to the next line that has something beside space and comment. */
  #advance(): void {
    let at = this.#lineEnd + 1;
    while (at < this.#end) {
      const start = at;
      while (this.#text.charCodeAt(at) === SPACE) at++;
      const code = at < this.#end ? this.#text.charCodeAt(at) : NEWLINE;
      if (code === NEWLINE) {
        at++;
        continue;
      }
      this.#lineEnd = this.#endOfLine(at);
      if (code === HASH) {
        at = this.#lineEnd + 1;
        continue;
      }
      this.#indent = at - start;
      this.#content = at;
      return;
    }
    this.#indent = -1;
    this.#lineEnd = this.#end;
  }

  #endOfLine(from: number): number {
    const end = this.#text.indexOf("\n", from);
    return end < 0 || end > this.#end ? this.#end : end;
  }

  #block(indent: number): unknown {
    if (++this.#depth > DEPTH_MAX) throw NOT_PLAIN;
    const value = this.#isDash() ? this.#sequence(indent) : this.#mapping(indent);
    this.#depth--;
    return value;
  }

  #isDash(): boolean {
    if (this.#text.charCodeAt(this.#content) !== DASH) return false;
    const next = this.#content + 1;
    return next >= this.#lineEnd || this.#text.charCodeAt(next) === SPACE;
  }

  #mapping(indent: number): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    do {
      const start = this.#content;
      const colon = endOfKey(this.#text, start);
      const key = this.#text.slice(start, colon);
      this.#checkKey(result, key, colon);
      result[key] = this.#entered(key, () => this.#value(colon + 1, { indent, inMapping: true }));
    } while (this.#goesOn(indent));
    return result;
  }

  #sequence(indent: number): unknown[] {
    const result: unknown[] = [];
    do {
      if (!this.#isDash()) throw NOT_PLAIN;
      const from = this.#content + 1;
      result.push(this.#entered(result.length, () => this.#item(from, indent)));
      // "key:" may be followed by a sequence at its own indentation, and then by the next key.
    } while (this.#indent === indent && !this.#isDash() ? false : this.#goesOn(indent));
    return result;
  }

  #goesOn(indent: number): boolean {
    if (this.#indent > indent) throw NOT_PLAIN;
    return this.#indent === indent;
  }

  /** The rest of a line behind "-". A mapping may start in it. */
  #item(from: number, indent: number): unknown {
    const start = skipSpaces(this.#text, from);
    if (start < this.#lineEnd && startsKey(this.#text, start, this.#lineEnd)) {
      this.#indent += start - this.#content;
      this.#content = start;
      return this.#block(this.#indent);
    }
    return this.#value(from, { indent, inMapping: false });
  }

  #value(from: number, place: { indent: number; inMapping: boolean }): unknown {
    const start = skipSpaces(this.#text, from);
    const code = start < this.#lineEnd ? this.#text.charCodeAt(start) : NEWLINE;
    if (code === NEWLINE || code === HASH) {
      this.#advance();
      const isBelow =
        this.#indent > place.indent ||
        (place.inMapping && this.#indent === place.indent && this.#isDash());
      if (!isBelow) return null;
      this.#find(this.#content);
      return this.#block(this.#indent);
    }
    this.#find(start);
    if (code === PIPE) return this.#literal(start, place.indent);
    const line = new LineReader(this.#text, start, this.#lineEnd);
    const value =
      code === OPEN_BRACKET || code === OPEN_BRACE ? line.flow(0) : this.#scalar(line, code);
    line.finish();
    this.#advance();
    return value;
  }

  #scalar(line: LineReader, code: number): unknown {
    return code === DOUBLE_QUOTE || code === SINGLE_QUOTE ? line.quoted() : line.plain();
  }

  /** "|" and "|-": the lines as they are, less their indentation. */
  #literal(start: number, parentIndent: number): string {
    const header = this.#text.slice(start, this.#lineEnd);
    if (header !== "|" && header !== "|-") throw NOT_PLAIN;
    const lines: string[] = [];
    let kept = 0;
    let indent = -1;
    let at = this.#lineEnd + 1;
    while (at < this.#end) {
      const end = this.#endOfLine(at);
      const content = skipSpaces(this.#text, at);
      const isBlank = content >= end;
      if (isBlank) {
        if (indent < 0 ? end > at : end - at > indent) throw NOT_PLAIN;
        lines.push("");
      } else {
        if (indent < 0) indent = content - at;
        if (indent <= parentIndent) throw NOT_PLAIN;
        if (content - at < indent) {
          if (content - at > parentIndent) throw NOT_PLAIN;
          break;
        }
        // Without a last newline, and with tabs, the rules are finer than this.
        if (end >= this.#end && this.#text.charCodeAt(end - 1) !== NEWLINE) throw NOT_PLAIN;
        const line = this.#text.slice(at + indent, end);
        if (hasControl(line)) throw NOT_PLAIN;
        lines.push(line);
        kept = lines.length;
      }
      at = end + 1;
    }
    if (kept === 0) throw NOT_PLAIN;
    this.#lineEnd = at - 1;
    this.#advance();
    return lines.slice(0, kept).join("\n") + (header === "|" ? "\n" : "");
  }

  #checkKey(result: object, key: string, colon: number): void {
    const behind = colon + 1;
    if (
      this.#text.charCodeAt(colon) !== COLON ||
      (behind < this.#lineEnd && this.#text.charCodeAt(behind) !== SPACE) ||
      isWord(key) ||
      Object.hasOwn(result, key)
    ) {
      throw NOT_PLAIN;
    }
  }

  /** Follows the path that is looked for while the reader is inside one of its parts. */
  #entered(part: PathPart, readValue: () => unknown): unknown {
    const path = this.#path;
    if (path === undefined) return readValue();
    const level = this.#depth;
    if (this.#matched !== level - 1 || path[level - 1] !== part) return readValue();
    this.#matched = level;
    // A compact mapping behind "-" starts on this very line.
    if (typeof part === "number") this.found = skipSpaces(this.#text, this.#content + 1);
    const value = readValue();
    // The way is gone to its end, or as far as it goes.
    this.#matched = Number.NaN;
    return value;
  }

  #find(offset: number): void {
    if (this.#path !== undefined && this.#matched === this.#depth) this.found = offset;
  }
}

/** Scalars and flow collections that end on the line they start on. */
class LineReader {
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
function isWord(text: string): boolean {
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

function endOfKey(text: string, start: number): number {
  if (!isLetter(text.charCodeAt(start))) throw NOT_PLAIN;
  let at = start + 1;
  while (isKeyPart(text.charCodeAt(at))) at++;
  return at;
}

/** True when a line goes on with a key, as in "- name: http". */
function startsKey(text: string, start: number, end: number): boolean {
  if (!isLetter(text.charCodeAt(start))) return false;
  let at = start + 1;
  while (isKeyPart(text.charCodeAt(at))) at++;
  if (text.charCodeAt(at) !== COLON) return false;
  return at + 1 >= end || text.charCodeAt(at + 1) === SPACE;
}

function skipSpaces(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at++;
  return at;
}

function isLetter(code: number): boolean {
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
function isKeyPart(code: number): boolean {
  return isLetter(code) || isDigit(code) || (code >= 45 && code <= 47) || code === 95;
}

function isFlowWord(code: number): boolean {
  return isKeyPart(code) || code === COLON;
}

function isControl(code: number): boolean {
  return code < SPACE || (code >= 0x7f && code < 0xa0) || code === 0xfeff || code === 0xfffd;
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (isControl(text.charCodeAt(at))) return true;
  return false;
}
