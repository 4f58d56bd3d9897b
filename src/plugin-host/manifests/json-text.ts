import type { PathPart } from "./plain-yaml.ts";

/**
 * Finds places in JSON text, once JSON.parse or a check has said that something is wrong. Not
 * recursive: no nesting is too deep.
 */

/** Where JSON (RFC 8259) stops being JSON, and what is missing there. undefined: it is well-formed. */
export function findJsonError(text: string): { offset: number; message: string } | undefined {
  const closers: string[] = [];
  let at = skipSpace(text, 0);
  let state: "value" | "first" | "key" | "after" = "value";
  for (;;) {
    const char = text[at];
    if (state === "after") {
      const closer = closers.at(-1);
      if (closer === undefined) {
        return at < text.length ? wrong(text, at, "nothing after the end") : undefined;
      }
      if (char === ",") {
        at = skipSpace(text, at + 1);
        state = closer === "}" ? "key" : "value";
        continue;
      }
      if (char !== closer) return wrong(text, at, `"," or "${closer}"`);
      closers.pop();
      at = skipSpace(text, at + 1);
      continue;
    }
    if (state === "first" && char === closers.at(-1)) {
      state = "after";
      continue;
    }
    if (state === "key" || (state === "first" && closers.at(-1) === "}")) {
      const end = endOfString(text, at);
      if (end === undefined) return wrong(text, at, "a name in double quotes");
      at = skipSpace(text, end);
      if (text[at] !== ":") return wrong(text, at, `":"`);
      at = skipSpace(text, at + 1);
      state = "value";
      continue;
    }
    if (char === "{" || char === "[") {
      closers.push(char === "{" ? "}" : "]");
      at = skipSpace(text, at + 1);
      state = "first";
      continue;
    }
    const end = endOfString(text, at) ?? endOfWord(text, at);
    if (end === undefined) return wrong(text, at, "a value");
    at = skipSpace(text, end);
    state = "after";
  }
}

/** Offset of the value at a path in well-formed JSON, or of the innermost value around it. */
export function locateInJson(text: string, path: readonly PathPart[]): number {
  let at = skipSpace(text, 0);
  for (const part of path) {
    const next = text[at] === "{" ? findMember(text, at, part) : findItem(text, at, part);
    if (next === undefined) return at;
    at = next;
  }
  return at;
}

/** The last member of a name counts, as for JSON.parse. */
function findMember(text: string, start: number, part: PathPart): number | undefined {
  let found: number | undefined;
  let at = skipSpace(text, start + 1);
  while (text[at] === '"') {
    const end = endOfString(text, at) ?? text.length;
    const name = JSON.parse(text.slice(at, end)) as string;
    const value = skipSpace(text, skipSpace(text, end) + 1);
    if (name === part) found = value;
    at = skipSpace(text, endOfValue(text, value));
    if (text[at] !== ",") break;
    at = skipSpace(text, at + 1);
  }
  return found;
}

function findItem(text: string, start: number, part: PathPart): number | undefined {
  if (text[start] !== "[" || typeof part !== "number") return undefined;
  let at = skipSpace(text, start + 1);
  for (let index = 0; text[at] !== "]" && at < text.length; index++) {
    if (index === part) return at;
    at = skipSpace(text, endOfValue(text, at));
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return undefined;
}

function endOfValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const char = text[at];
    if (char === '"') {
      at = endOfString(text, at) ?? text.length;
    } else if (char === "{" || char === "[") {
      depth++;
      at++;
    } else if (char === "}" || char === "]") {
      depth--;
      at++;
    } else {
      at = depth === 0 ? (endOfWord(text, at) ?? text.length) : at + 1;
    }
    if (depth === 0) return at;
  }
  return at;
}

const STRING = /"(?:[ !#-[\]-\u{10ffff}]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/uy;
const WORD = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;

function endOfString(text: string, at: number): number | undefined {
  return endOfMatch(STRING, text, at);
}

function endOfWord(text: string, at: number): number | undefined {
  return endOfMatch(WORD, text, at);
}

function endOfMatch(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at++;
  return at;
}

function wrong(text: string, offset: number, expected: string) {
  const char = text[offset];
  if (char === '"' && endOfString(text, offset) === undefined) {
    return { offset, message: "text without end, or with a control character or unknown escape" };
  }
  const found = char === undefined ? "the end of the file" : JSON.stringify(char);
  return { offset, message: `found ${found}, expected ${expected}` };
}
