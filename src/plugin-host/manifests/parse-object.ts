import { failure, fieldOf, type Place, required, textIn } from "./fields.ts";
import { findKind, KINDS, type KindName } from "./kinds.ts";
import type { ManifestObject } from "./manifest-object.ts";
import { parseMetadata } from "./parse-metadata.ts";
import { SHORT_TEXT } from "./rules.ts";

/** "discovery.k8s.io/v1" and "EndpointSlice". */
export interface TypeName {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The apiVersion and kind of a mapping; those of the list it lies in where it has none itself. */
export function typeOf(place: Place, ofList?: TypeName): TypeName {
  return {
    apiVersion: required(textIn(place, "apiVersion", SHORT_TEXT) ?? ofList?.apiVersion, place, {
      key: "apiVersion",
      expected: "text such as v1",
    }),
    kind: required(textIn(place, "kind", SHORT_TEXT) ?? ofList?.kind, place, {
      key: "kind",
      expected: "text such as Service",
    }),
  };
}

/** What somebody may have meant by a kind that is not read. */
export interface Doubt {
  /** The kind that is read. */
  readonly meant: string;
  readonly text: string;
}

/** undefined: it is just another kind. */
export function doubtOf({ apiVersion, kind }: TypeName): Doubt | undefined {
  if (findKind(kind) !== undefined) return undefined;
  if (apiVersion === "v1" && kind === "Endpoints") {
    const text = "is not read: EndpointSlices tell where endpoints are";
    return { meant: "EndpointSlice", text };
  }
  const letters = lettersOf(kind);
  for (const known of Object.keys(KINDS)) {
    const others = lettersOf(known);
    // "Servcie", "service", "Services", "Servic".
    if (letters === others || lettersOf(`${known}s`) === letters || kind === known.slice(0, -1)) {
      return { meant: known, text: `is not read, did you mean ${known}?` };
    }
  }
  return undefined;
}

function lettersOf(kind: string): string {
  return kind.slice(0, 63).toLowerCase().split("").sort().join("");
}

/** The subset of an object that Patchbay reads; undefined for a kind that it does not. Throws FieldError. */
export function parseObject(place: Place, type: TypeName): ManifestObject | undefined {
  const kind = findKind(type.kind);
  const slash = type.apiVersion.indexOf("/");
  if (kind === undefined || kind.group !== type.apiVersion.slice(0, Math.max(slash, 0))) {
    return undefined;
  }
  if (!kind.versions.includes(type.apiVersion.slice(slash + 1))) {
    const names = kind.versions.map((version) =>
      kind.group ? `${kind.group}/${version}` : version,
    );
    const field = fieldOf(place, "apiVersion") ?? place;
    throw failure(
      field,
      `is "${type.apiVersion}", expected ${names.join(" or ")} of a ${type.kind}`,
    );
  }
  return kind.parse(place, parseMetadata(place, type.kind as KindName));
}
