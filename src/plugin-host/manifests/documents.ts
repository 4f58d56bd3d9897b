import type { Document, YAMLMap } from "yaml";
import { findJsonError, locateInJson } from "./json-text.ts";
import { locateInPlainYaml, type PathPart, readPlainYaml, type TextRange } from "./plain-yaml.ts";

/**
 * Characters of one YAML document that is not plain. The library takes half a second for a megabyte
 * of what is well meant, and minutes and gigabytes for what is not.
 */
export const LIBRARY_CHARACTERS_MAX = 256 << 10;

/** Documents of one file. */
const DOCUMENTS_MAX = 200_000;

/** Aliases that one document may expand to, all in all. */
const ALIASES_MAX = 100;

/** One document of a file. */
export interface ManifestDocument {
  /** Plain data; null for an empty document. */
  readonly value: unknown;
  /** Offset in the file of the value at a path, or of the innermost one around it. */
  locate(path: readonly PathPart[]): number;
}

/** A text that is no YAML or JSON. */
export class DocumentError extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.name = "DocumentError";
    this.offset = offset;
  }
}

/** The one value of a JSON file. Throws DocumentError. */
export function readJson(text: string): ManifestDocument {
  try {
    return { value: JSON.parse(text) as unknown, locate: (path) => locateInJson(text, path) };
  } catch (error) {
    const found = findJsonError(text);
    throw new DocumentError(found?.offset ?? 0, `JSON: ${found?.message ?? String(error)}`);
  }
}

/** The documents of a YAML file, one after the other. Throws DocumentError. */
export async function* readYaml(text: string): AsyncGenerator<ManifestDocument> {
  // Directives and "..." are rare, and change what follows.
  if (hasLine(text, "%") || hasLine(text, "...")) {
    yield* readWithLibrary(text, { start: 0, end: text.length });
    return;
  }
  let count = 0;
  for (const range of splitDocuments(text)) {
    if (++count > DOCUMENTS_MAX) {
      throw new DocumentError(range.start, `more than ${DOCUMENTS_MAX} documents`);
    }
    const content = { start: contentStart(text, range), end: range.end };
    const plain = content.start < 0 ? undefined : readPlainYaml(text, content);
    if (plain === undefined) {
      yield* readWithLibrary(text, range);
    } else {
      const locate = (path: readonly PathPart[]) =>
        locateInPlainYaml(text, content, path) ?? content.start;
      yield { value: plain.value, locate };
    }
  }
}

/** Ranges that start at a "---" line or at the start of the text. A "---" line ends any scalar. */
function* splitDocuments(text: string): Generator<TextRange> {
  let start = 0;
  let from = 0;
  for (;;) {
    const newline = text.indexOf("\n---", from);
    if (newline < 0) break;
    from = newline + 4;
    if (!isSpaceOrEnd(text, from)) continue;
    yield { start, end: newline + 1 };
    start = newline + 1;
  }
  yield { start, end: text.length };
}

/** Behind the "---" line; -1 when that line has content, which is not plain. */
function contentStart(text: string, range: TextRange): number {
  if (!text.startsWith("---", range.start) || !isSpaceOrEnd(text, range.start + 3)) {
    return range.start;
  }
  const newline = text.indexOf("\n", range.start);
  const end = newline < 0 || newline >= range.end ? range.end : newline;
  const rest = text.slice(range.start + 3, end);
  if (!/^ *(?: #.*)?$/.test(rest)) return -1;
  return Math.min(end + 1, range.end);
}

function isSpaceOrEnd(text: string, at: number): boolean {
  return at >= text.length || " \t\n\r".includes(text.charAt(at));
}

function hasLine(text: string, start: string): boolean {
  return text.startsWith(start) || text.includes(`\n${start}`);
}

/** Loaded when first needed: most hosts never pay its memory. */
async function* readWithLibrary(text: string, range: TextRange): AsyncGenerator<ManifestDocument> {
  if (range.end - range.start > LIBRARY_CHARACTERS_MAX) {
    throw new DocumentError(
      range.start,
      `a document of more than ${LIBRARY_CHARACTERS_MAX} characters with anchors, tags, folded text or an error; write it as JSON or as several documents`,
    );
  }
  const { isScalar, parseAllDocuments, visit } = await import("yaml");
  const documents = guarded(range.start, () =>
    parseAllDocuments(text.slice(range.start, range.end), {
      prettyErrors: false,
      merge: true,
      // The library compares each key with each.
      uniqueKeys: false,
      schema: "core",
      logLevel: "silent",
    }),
  );
  for (const document of documents) {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) {
      throw new DocumentError(range.start + problem.pos[0], `YAML: ${firstLine(problem.message)}`);
    }
    const repeated = guarded(range.start, () => {
      let found: number | undefined;
      visit(document, {
        Map(_, map) {
          found ??= findRepeatedKey(map, isScalar);
        },
      });
      return found;
    });
    if (repeated !== undefined) {
      throw new DocumentError(range.start + repeated, "YAML: Map keys must be unique");
    }
    const value = guarded(
      range.start,
      () => document.toJS({ maxAliasCount: ALIASES_MAX }) as unknown,
    );
    yield { value, locate: (path) => range.start + locateInDocument(document, path) };
  }
}

/** Offset of the first key that the mapping has already; undefined: none. */
function findRepeatedKey(
  map: YAMLMap,
  isScalar: (node: unknown) => node is { value: unknown; range?: readonly number[] | null },
): number | undefined {
  const seen = new Set<unknown>();
  for (const { key } of map.items) {
    if (!isScalar(key) || key.value === "<<") continue;
    if (seen.has(key.value)) return key.range?.[0] ?? 0;
    seen.add(key.value);
  }
  return undefined;
}

/** The library is recursive, and throws for what has too many aliases. */
function guarded<Result>(offset: number, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const isDeep = error instanceof RangeError;
    throw new DocumentError(
      offset,
      `YAML: ${isDeep ? "nested too deep" : firstLine((error as Error).message)}`,
    );
  }
}

function locateInDocument(document: Document, path: readonly PathPart[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as
      | { range?: readonly number[] }
      | undefined;
    const offset = node?.range?.[0];
    if (offset !== undefined) return offset;
  }
  return document.contents?.range?.[0] ?? 0;
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? message;
}
