import {
  COLON,
  DEPTH_MAX,
  DOUBLE_QUOTE,
  HASH,
  hasControl,
  isKeyPart,
  isLetter,
  isWord,
  LineReader,
  NOT_PLAIN,
  OPEN_BRACE,
  OPEN_BRACKET,
  SINGLE_QUOTE,
  SPACE,
  skipSpaces,
} from "./plain-line.ts";

/**
 * Reads the YAML that people and kubectl write: block mappings and sequences, scalars on one line,
 * flow collections on one line, literal blocks. Everything else (anchors, tags, folded text, tabs,
 * errors) is not plain, and left to the library, which needs thirty times as long. What is plain
 * means exactly what the library says (YAML 1.2, core schema); a property test holds both equal.
 */

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

const NEWLINE = 10;
const DASH = 45;
const PIPE = 124;

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
