import type { ObjectMeta } from "../../services/objects.ts";
import { READ_ANNOTATIONS, READ_LABELS } from "../../services/read-metadata.ts";
import {
  defined,
  failure,
  fieldOf,
  mappingIn,
  type Place,
  required,
  type TextRule,
  textIn,
  unexpected,
} from "./fields.ts";
import { type Kind, KINDS, type KindName } from "./kinds.ts";
import { DNS_LABEL, LABEL_VALUE, META_KEY, SHORT_TEXT, TIMESTAMP } from "./rules.ts";

/** Bytes of all annotations of an object, as the API has it (TotalAnnotationSizeLimitB). */
const ANNOTATIONS_BYTES_MAX = 256 << 10;

/** Nobody here reads it, and it is as large as the object. */
const DROPPED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * Metadata as a person writes it in a manifest: all of it is checked, and of labels and annotations those kept that
 * somebody reads (read-metadata.ts). Without the resourceVersion: a file that was written
 * by kubectl and edited since says the one of before. Throws FieldError.
 */
export function parseMetadata(place: Place, kindName: KindName): ObjectMeta {
  const kind = KINDS[kindName];
  const metadata = metadataIn(place);
  return defined({
    name: nameIn(metadata, kind),
    namespace: kind.namespaced ? (textIn(metadata, "namespace", DNS_LABEL) ?? "default") : "",
    uid: textIn(metadata, "uid", SHORT_TEXT),
    creationTimestamp: textIn(metadata, "creationTimestamp", TIMESTAMP),
    labels: pickRead(textsIn(metadata, "labels", LABEL_VALUE), READ_LABELS[kindName]),
    annotations: pickRead(annotationsIn(metadata), READ_ANNOTATIONS[kindName]),
  });
}

/** Throws FieldError. */
export function metadataIn(place: Place): Place {
  return required(mappingIn(place, "metadata"), place, {
    key: "metadata",
    expected: "a mapping",
  });
}

export function nameIn(metadata: Place, kind: Kind): string {
  return required(textIn(metadata, "name", kind.name), metadata, {
    key: "name",
    expected: kind.name.expected,
  });
}

function annotationsIn(metadata: Place): Record<string, string> | undefined {
  const annotations = textsIn(metadata, "annotations", ANY_TEXT);
  if (annotations === undefined) return undefined;
  delete annotations[DROPPED_ANNOTATION];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) bytes += key.length + value.length;
  if (bytes > ANNOTATIONS_BYTES_MAX) {
    const place = fieldOf(metadata, "annotations") ?? metadata;
    throw failure(place, `has ${bytes} characters, expected at most ${ANNOTATIONS_BYTES_MAX}`);
  }
  return annotations;
}

function pickRead(
  texts: Readonly<Record<string, string>> | undefined,
  wanted: Wanted,
): Record<string, string> | undefined {
  if (texts === undefined) return undefined;
  const read = Object.entries(texts).filter(([name]) => isWanted(name, wanted));
  return read.length === 0 ? undefined : Object.fromEntries(read);
}

/** Names of labels or annotations; one that ends in "/" stands for all that begin so. */
export type Wanted = "all" | readonly string[];

export function isWanted(name: string, wanted: Wanted): boolean {
  if (wanted === "all") return true;
  for (const each of wanted) {
    if (each.endsWith("/") ? name.startsWith(each) : name === each) return true;
  }
  return false;
}

const ANY_TEXT: TextRule = { expected: "text", test: () => true };

/** A mapping of texts, such as labels. */
function textsIn(place: Place, key: string, rule: TextRule): Record<string, string> | undefined {
  const mapping = mappingIn(place, key);
  if (mapping === undefined) return undefined;
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(mapping.value as object)) {
    const entry: Place = { value: value as unknown, key: name, parent: mapping };
    if (!META_KEY.test(name)) throw failure(entry, `is no key, expected ${META_KEY.expected}`);
    if (typeof value !== "string" || !rule.test(value)) throw unexpected(entry, rule.expected);
    texts[name] = value;
  }
  return texts;
}
