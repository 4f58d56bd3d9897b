import type { ObjectKey } from "../../services/objects.ts";
import { DocumentError, type ManifestDocument, readJson, readYaml } from "./documents.ts";
import { asMapping, FieldError, failure, itemsIn, type Place, rootPlace } from "./fields.ts";
import { type ManifestObject, manifestKey } from "./manifest-object.ts";
import type { SourceProblem } from "./object-source.ts";
import { doubtOf, parseObject, type TypeName, typeOf } from "./parse-object.ts";
import type { PathPart } from "./plain-yaml.ts";

/** What a file says. */
export interface ParsedManifest {
  /**
   * "partial": some objects could not be read, and the others count; "unreadable": it is no YAML or JSON, or too much,
   * and nothing of it counts.
   */
  readonly state: "whole" | "partial" | "unreadable";
  readonly objects: ReadonlyMap<ObjectKey, ManifestObject>;
  readonly problems: readonly SourceProblem[];
  /** What may be a mistake; it is no object that is missing. */
  readonly notes: readonly SourceProblem[];
  /** Documents and items of kinds that Patchbay does not read. */
  readonly others: number;
  /** Strings of the objects may hold the whole text in memory: copy what is kept. */
  readonly isSliced: boolean;
}

/** What a text shorter than this would hold in memory is not worth copying objects for. */
const SLICED_CHARACTERS_MIN = 64 << 10;

interface ManifestOptions {
  /** Name of the file: its ending says whether it is JSON or YAML, and problems begin with it. */
  readonly name: string;
  readonly objectsMax: number;
  readonly problemsMax: number;
  /** Called between objects; lets others run when it is time. */
  readonly breathe: () => Promise<void> | undefined;
}

/** Reads the text of one manifest. */
export async function parseManifest(
  text: string,
  options: ManifestOptions,
): Promise<ParsedManifest> {
  const objects = new Map<ObjectKey, ManifestObject>();
  const problems: SourceProblem[] = [];
  const notes: SourceProblem[] = [];
  let state: ParsedManifest["state"] = "whole";
  let others = 0;
  // JSON.parse copies.
  const isSliced = !isJson(options.name) && text.length >= SLICED_CHARACTERS_MIN;
  const lineAt = lineCounter(text);
  const withPlace = (object: ManifestObject, document: ManifestDocument, { parent }: Place) => {
    if (object.kind !== "NetworkAttachmentDefinition") return object;
    // To find an item of a list means to read the list again.
    const line = parent === undefined ? `:${lineAt(document.locate([]))}` : "";
    return { ...object, place: `${options.name}${line}` };
  };
  const placeOf = (offset: number) => `${options.name}:${positionOf(text, offset)}`;
  /** Finding the line of each of very many would take longer than reading. */
  const report = (document: ManifestDocument, { path, message }: FieldError, kind?: string) => {
    if (problems.length >= options.problemsMax) return;
    const place = placeOf(document.locate(path));
    problems.push({ place, message, ...(kind !== undefined && { kind }) });
  };
  try {
    for await (const document of documentsOf(text, options.name)) {
      for (const item of itemsOfDocument(document)) {
        const pause = options.breathe();
        if (pause !== undefined) await pause;
        try {
          if (item.kind === "error") throw item.error;
          const object = parseObject(item.place, item.type);
          if (object === undefined) {
            others++;
            const doubt = doubtOf(item.type);
            if (doubt !== undefined && notes.length < options.problemsMax) {
              const place = placeOf(locateKind(document, item.place));
              const message = `kind "${item.type.kind}" ${doubt.text}`;
              notes.push({ place, message, kind: doubt.meant });
            }
          } else {
            const twice = keep(objects, withPlace(object, document, item.place), item.place);
            if (twice !== undefined) report(document, twice, object.kind);
          }
          if (objects.size > options.objectsMax) {
            throw new DocumentError(0, `more than ${options.objectsMax} objects`);
          }
        } catch (error) {
          if (!(error instanceof FieldError)) throw error;
          state = "partial";
          report(document, error, item.kind === "error" ? undefined : item.type.kind);
        }
      }
    }
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    state = "unreadable";
    // It is the reason why nothing counts: the last to be left out.
    problems.splice(options.problemsMax - 1);
    problems.push({ place: placeOf(error.offset), message: error.message });
  }
  return { state, objects, problems, notes, others, isSliced };
}

/** Whether a file is read as JSON: one value, whose end can be told. */
export function isJson(name: string): boolean {
  return name.endsWith(".json");
}

async function* documentsOf(text: string, name: string): AsyncGenerator<ManifestDocument> {
  if (isJson(name)) yield readJson(text);
  else yield* readYaml(text);
}

type ManifestItem =
  | { readonly kind: "object"; readonly place: Place; readonly type: TypeName }
  | { readonly kind: "error"; readonly error: FieldError };

/** The object of a document, or those of a list. Errors come as items: one does not hide the next. */
function* itemsOfDocument(document: ManifestDocument): Generator<ManifestItem> {
  if (document.value === null || document.value === undefined) return;
  const root = rootPlace(document.value);
  let type: TypeName;
  try {
    type = typeOf(asMapping(root));
    if (!type.kind.endsWith("List")) {
      yield { kind: "object", place: root, type };
      return;
    }
  } catch (error) {
    yield asItem(error);
    return;
  }
  yield* itemsOfList(root, type);
}

/** "List" holds anything; "ServiceList" holds Services that need not say so. */
function* itemsOfList(root: Place, type: TypeName): Generator<ManifestItem> {
  const kind = type.kind.slice(0, -"List".length);
  const ofList = kind === "" ? undefined : { apiVersion: type.apiVersion, kind };
  let items: readonly Place[];
  try {
    items = itemsIn(root, "items", { max: Number.POSITIVE_INFINITY });
  } catch (error) {
    yield asItem(error);
    return;
  }
  for (const place of items) {
    try {
      const itemType = typeOf(asMapping(place), ofList);
      if (itemType.kind === "List") throw failure(place, "is a List, expected an object");
      yield { kind: "object", place, type: itemType };
    } catch (error) {
      yield asItem(error);
    }
  }
}

function asItem(error: unknown): ManifestItem {
  if (error instanceof FieldError) return { kind: "error", error };
  throw error;
}

/** Of two with one name the first counts, as it does of two files; the error says where the other stands. */
function keep(
  objects: Map<ObjectKey, ManifestObject>,
  object: ManifestObject,
  place: Place,
): FieldError | undefined {
  const key = manifestKey(object);
  if (objects.has(key)) {
    return failure(
      {
        value: object.metadata.name,
        key: "name",
        parent: { value: 0, key: "metadata", parent: place },
      },
      `is "${object.metadata.name}", but ${describeKey(key)} is in this file already, which counts`,
    );
  }
  objects.set(key, object);
  return undefined;
}

/** "Service default/web", "Node one". */
export function describeKey(key: ObjectKey): string {
  const [kind = "", namespace = "", name = ""] = key.split("/");
  return namespace === "" ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** Lines of offsets, which mostly grow: no line is counted twice then. */
function lineCounter(text: string): (offset: number) => number {
  let line = 1;
  let counted = 0;
  return (offset) => {
    if (offset < counted) {
      line = 1;
      counted = 0;
    }
    for (;;) {
      const newline = text.indexOf("\n", counted);
      if (newline < 0 || newline >= offset) return line;
      line++;
      counted = newline + 1;
    }
  };
}

/** "12:11" of an offset: line and column, from 1. */
function positionOf(text: string, offset: number): string {
  let line = 1;
  let start = 0;
  for (;;) {
    const newline = text.indexOf("\n", start);
    if (newline < 0 || newline >= offset) break;
    line++;
    start = newline + 1;
  }
  return `${line}:${offset - start + 1}`;
}

/** Where an object's name stands in a manifest: "12:11". undefined: not in it. */
export async function locateObject(
  text: string,
  options: { readonly name: string; readonly key: ObjectKey },
): Promise<string | undefined> {
  const path: PathPart[] = ["metadata", "name"];
  try {
    for await (const document of documentsOf(text, options.name)) {
      for (const item of itemsOfDocument(document)) {
        if (item.kind === "error" || !isObject(item, options.key)) continue;
        return positionOf(text, document.locate([...inList(item.place), ...path]));
      }
    }
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
  }
  return undefined;
}

/** An item of a typed list may have no kind of its own. */
function locateKind(document: ManifestDocument, place: Place): number {
  return document.locate([...inList(place), "kind"]);
}

/** Where a document's object, or one of its list, begins. */
function inList({ parent, key }: Place): PathPart[] {
  return parent === undefined ? [] : ["items", key];
}

function isObject(item: { place: Place; type: TypeName }, key: ObjectKey): boolean {
  if (!key.startsWith(`${item.type.kind}/`)) return false;
  try {
    const object = parseObject(item.place, item.type);
    return object !== undefined && manifestKey(object) === key;
  } catch {
    return false;
  }
}
