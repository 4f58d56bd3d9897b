import type { ObjectKey } from "../../../services/objects.ts";
import {
  asMapping,
  FieldError,
  fieldOf,
  type Place,
  rootPlace,
  unexpected,
} from "../../manifests/fields.ts";
import { KINDS, type KindName } from "../../manifests/kinds.ts";
import type { ManifestObject } from "../../manifests/manifest-object.ts";
import { parseServedMetadata } from "../../manifests/parse-served-metadata.ts";
import { DNS_LABEL } from "../../manifests/rules.ts";
import type { Kept, Unreadable } from "./kept.ts";
import { parseOwnNode } from "./own-node.ts";
import { parseOwnPod } from "./own-pod.ts";
import type { SharedValues } from "./shared-values.ts";

/** What is made of an object. */
export type Keeping = "object" | "own-node" | "own-pod";

export interface KeepOptions {
  /** "services": names the object where it is wrong. */
  readonly resource: string;
  readonly kind: KindName;
  readonly keeping: Keeping;
  readonly shared: SharedValues;
}

/** Keeps of an object, as the API server sends it, what the host reads. Never throws. */
export function keepObject(json: unknown, options: KeepOptions): Kept | Unreadable {
  const { resource, kind } = options;
  const place = rootPlace(json);
  try {
    requireKind(asMapping(place), kind);
    return parse(place, options);
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    const key = findKey(json, kind);
    const name = key === undefined ? "" : ` ${nameOf(key)}`;
    const problem = { place: `${resource}${name}`, message: error.message, kind };
    return { kind: "unreadable", key, problem };
  }
}

/** The key of an object that may be wrong everywhere else; undefined: it does not say which one it is. */
export function findKey(json: unknown, kindName: KindName): ObjectKey | undefined {
  const metadata = fieldOfAny(json, "metadata");
  const name = fieldOfAny(metadata, "name");
  const kind = KINDS[kindName];
  if (typeof name !== "string" || !kind.name.test(name)) return undefined;
  const namespace = kind.namespaced ? fieldOfAny(metadata, "namespace") : "";
  if (typeof namespace !== "string") return undefined;
  if (kind.namespaced && !DNS_LABEL.test(namespace)) return undefined;
  return `${kindName}/${namespace}/${name}` as ObjectKey;
}

/** metadata.resourceVersion of an object, a bookmark or a list, whatever else it is; undefined: it has none. */
export function findResourceVersion(json: unknown): string | undefined {
  const version = fieldOfAny(fieldOfAny(json, "metadata"), "resourceVersion");
  return typeof version === "string" && version !== "" ? version : undefined;
}

function parse(place: Place, { kind, keeping, shared }: KeepOptions): Kept {
  const metadata = parseServedMetadata(place, kind);
  const key = `${kind}/${metadata.namespace}/${metadata.name}` as ObjectKey;
  if (keeping === "own-pod") return { kind: keeping, key, pod: parseOwnPod(place, metadata) };
  const object: ManifestObject = KINDS[kind].parse(place, metadata);
  if (keeping === "own-node" && object.kind === "Node") {
    return { kind: keeping, key, object, node: parseOwnNode(place, object) };
  }
  if (object.kind !== "NetworkAttachmentDefinition") {
    return { kind: "object", key, object: shared.share(object) };
  }
  return { kind: "object", key, object: { ...object, place: placeOf(metadata) } };
}

/** Where a person looks for a definition. */
function placeOf({ namespace, name }: { readonly namespace: string; readonly name: string }) {
  return `networkattachmentdefinition ${namespace}/${name}`;
}

/** Items of a list need not say what they are; what does must be right. */
function requireKind(place: Place, kind: KindName): void {
  const field = fieldOf(place, "kind");
  if (field === undefined || field.value === kind || field.value === PARTIAL) return;
  throw unexpected(field, kind);
}

/** What an object is called of which only the metadata is asked for. */
const PARTIAL = "PartialObjectMetadata";

function nameOf(key: ObjectKey): string {
  const [, namespace = "", name = ""] = key.split("/");
  return namespace === "" ? name : `${namespace}/${name}`;
}

function fieldOfAny(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}
