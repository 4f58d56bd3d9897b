/** An object of the API, as JSON has it. */
export interface FakeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: FakeMetadata;
  readonly [field: string]: unknown;
}

export interface FakeMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly generateName?: string;
  readonly [field: string]: unknown;
}

/** Label selectors as the API server reads them: "a,!b,c=d,e!=f,g in (h,i),j notin (k)". */
export function matchesLabels(selector: string, labels: Readonly<Record<string, string>>): boolean {
  return requirementsOf(selector).every((requirement) => {
    const set = /^(\S+)\s+(in|notin)\s+\((.*)\)$/.exec(requirement);
    if (set) {
      const [, key = "", operator, values = ""] = set;
      const has = key in labels && values.split(",").some((value) => value.trim() === labels[key]);
      return operator === "in" ? has : !has;
    }
    if (requirement.startsWith("!")) return !(requirement.slice(1) in labels);
    const comparison = /^([^=!]+)(!=|==|=)(.*)$/.exec(requirement);
    if (!comparison) return requirement in labels;
    const [, key = "", operator, value] = comparison;
    return operator === "!=" ? labels[key] !== value : labels[key] === value;
  });
}

/** Field selectors: "metadata.name=a,spec.nodeName!=b". A field that is absent is "". */
export function matchesFields(selector: string, object: FakeObject): boolean {
  return requirementsOf(selector).every((requirement) => {
    const comparison = /^([^=!]+)(!=|==|=)(.*)$/.exec(requirement);
    if (!comparison) return false;
    const [, path = "", operator, value] = comparison;
    const found = fieldOf(object, path);
    return operator === "!=" ? found !== value : found === value;
  });
}

function fieldOf(object: FakeObject, path: string): string {
  let value: unknown = object;
  for (const key of path.split(".")) {
    value = (value as Record<string, unknown> | undefined)?.[key];
  }
  return typeof value === "string" ? value : "";
}

/** Splits at commas that are not inside brackets. */
function requirementsOf(selector: string): string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((requirement) => requirement.trim())
    .filter((requirement) => requirement !== "");
}
