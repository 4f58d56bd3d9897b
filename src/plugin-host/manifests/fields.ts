import type { PathPart } from "./plain-yaml.ts";

/** A field that is not what it must be. */
export class FieldError extends Error {
  readonly path: readonly PathPart[];

  constructor(path: readonly PathPart[], message: string) {
    super(`${formatPath(path)}${message}`);
    this.name = "FieldError";
    this.path = path;
  }
}

/** A value and how it is reached; paths are made only for errors. */
export interface Place {
  readonly value: unknown;
  readonly key: PathPart;
  readonly parent: Place | undefined;
}

/** What text must be: a test, and how to say it. */
export interface TextRule {
  readonly expected: string;
  readonly test: (text: string) => boolean;
}

export function rootPlace(value: unknown): Place {
  return { value, key: "", parent: undefined };
}

/** A field of a mapping. null counts as absent, as the API has it. */
export function fieldOf(place: Place, key: string): Place | undefined {
  const record = place.value as Record<string, unknown>;
  const value = Object.hasOwn(record, key) ? record[key] : undefined;
  return value === undefined || value === null ? undefined : { value, key, parent: place };
}

/** A mapping in a mapping. Throws FieldError for anything else, as all of these do. */
export function mappingIn(place: Place, key: string): Place | undefined {
  const field = fieldOf(place, key);
  return field && asMapping(field);
}

export function asMapping(place: Place): Place {
  const { value } = place;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw unexpected(place, "a mapping");
  }
  return place;
}

/** Items of a sequence; none when it is absent. */
export function itemsIn(place: Place, key: string, options: { readonly max: number }): Place[] {
  const field = fieldOf(place, key);
  if (field === undefined) return [];
  const items: unknown = field.value;
  if (!Array.isArray(items)) throw unexpected(field, "a list");
  if (items.length > options.max) {
    throw failure(field, `has ${items.length} items, expected at most ${options.max}`);
  }
  return items.map((value: unknown, index) => ({ value, key: index, parent: field }));
}

export function textIn(place: Place, key: string, rule: TextRule): string | undefined {
  const field = fieldOf(place, key);
  return field && asText(field, rule);
}

export function asText(place: Place, rule: TextRule): string {
  const { value } = place;
  if (typeof value !== "string" || !rule.test(value)) throw unexpected(place, rule.expected);
  return value;
}

export function integerIn(
  place: Place,
  key: string,
  range: { readonly min: number; readonly max: number },
): number | undefined {
  const field = fieldOf(place, key);
  if (field === undefined) return undefined;
  const { value } = field;
  if (!Number.isInteger(value) || (value as number) < range.min || (value as number) > range.max) {
    throw unexpected(field, `${range.min} to ${range.max}`);
  }
  return value as number;
}

export function flagIn(place: Place, key: string): boolean | undefined {
  const field = fieldOf(place, key);
  if (field === undefined) return undefined;
  if (typeof field.value !== "boolean") throw unexpected(field, "true or false");
  return field.value;
}

/** One of some words. "" counts as absent, as the API has it. */
export function choiceIn<Choice extends string>(
  place: Place,
  key: string,
  choices: readonly Choice[],
): Choice | undefined {
  const field = fieldOf(place, key);
  if (field === undefined || field.value === "") return undefined;
  const choice = choices.find((each) => each === field.value);
  if (choice === undefined) throw unexpected(field, oneOf(choices));
  return choice;
}

/** The value, or an error that the field is missing. */
export function required<Value>(
  value: Value | undefined,
  place: Place,
  missing: { readonly key: string; readonly expected: string },
): Value {
  if (value !== undefined) return value;
  const field = { value: undefined, key: missing.key, parent: place };
  throw failure(field, `is missing, expected ${missing.expected}`);
}

export function unexpected(place: Place, expected: string): FieldError {
  return failure(place, `is ${show(place.value)}, expected ${expected}`);
}

export function failure(place: Place, message: string): FieldError {
  return new FieldError(pathOf(place), message);
}

/** The object without what is undefined: itself, where that is nothing. */
export function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  if (isWhole(fields)) return fields;
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) {
    const value: unknown = fields[key as keyof Fields];
    if (value !== undefined) result[key] = value;
  }
  return result as Defined<Fields>;
}

function isWhole(fields: object): boolean {
  for (const key in fields) if (fields[key as keyof object] === undefined) return false;
  return true;
}

export type Defined<Fields> = {
  [Key in keyof Fields as undefined extends Fields[Key] ? never : Key]: Fields[Key];
} & {
  [Key in keyof Fields as undefined extends Fields[Key] ? Key : never]?: Exclude<
    Fields[Key],
    undefined
  >;
};

function pathOf(place: Place): PathPart[] {
  const path: PathPart[] = [];
  for (let at = place; at.parent !== undefined; at = at.parent) path.push(at.key);
  return path.reverse();
}

function formatPath(path: readonly PathPart[]): string {
  if (path.length === 0) return "document ";
  const parts = path.map((part, index) => {
    if (typeof part === "number") return `[${part}]`;
    if (!/^[A-Za-z][A-Za-z0-9-]{0,62}$/.test(part)) return `[${clip(JSON.stringify(part))}]`;
    return index === 0 ? part : `.${part}`;
  });
  return `${parts.join("")} `;
}

function oneOf(choices: readonly string[]): string {
  return `${choices.slice(0, -1).join(", ")} or ${choices.at(-1) ?? ""}`;
}

/** A value in few words: it comes from a file that is wrong. */
function show(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a mapping";
  return clip(JSON.stringify(value) ?? "absent");
}

function clip(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
