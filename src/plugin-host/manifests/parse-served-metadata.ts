import type { ObjectMeta } from "../../services/objects.ts";
import { READ_ANNOTATIONS, READ_LABELS } from "../../services/read-metadata.ts";
import {
  asText,
  failure,
  mappingIn,
  type Place,
  required,
  type TextRule,
  textIn,
} from "./fields.ts";
import { KINDS, type KindName } from "./kinds.ts";
import { isWanted, metadataIn, nameIn, type Wanted } from "./parse-metadata.ts";
import { DNS_LABEL, LABEL_VALUE, META_KEY, SHORT_TEXT, TIMESTAMP } from "./rules.ts";

/** Bytes of all annotations of an object, as the API has it (TotalAnnotationSizeLimitB), are at most as many. */
const ANNOTATION_CHARACTERS_MAX = 256 << 10;

const ANNOTATION_VALUE: TextRule = {
  expected: `text of at most ${ANNOTATION_CHARACTERS_MAX} characters`,
  test: (text) => text.length <= ANNOTATION_CHARACTERS_MAX,
};

/**
 * Metadata as an API server sends it, with the resourceVersion, and of labels and annotations only those that somebody
 * reads: read-metadata.ts. What is dropped is not looked at. Throws FieldError.
 */
export function parseServedMetadata(
  place: Place,
  kindName: KindName,
): ObjectMeta & { readonly resourceVersion: string } {
  const kind = KINDS[kindName];
  const metadata = metadataIn(place);
  const namespace = kind.namespaced ? textIn(metadata, "namespace", DNS_LABEL) : "";
  const resourceVersion = textIn(metadata, "resourceVersion", SHORT_TEXT);
  const name = nameIn(metadata, kind);
  const read: { -readonly [Key in keyof ObjectMeta]: ObjectMeta[Key] } & {
    resourceVersion: string;
  } = {
    name,
    namespace: required(namespace, metadata, { key: "namespace", expected: DNS_LABEL.expected }),
    resourceVersion: required(resourceVersion || undefined, metadata, {
      key: "resourceVersion",
      expected: "text",
    }),
  };
  const uid = textIn(metadata, "uid", SHORT_TEXT);
  if (uid !== undefined) read.uid = uid;
  // Of two Services with one address the older has it.
  if (kindName === "Service") {
    const created = textIn(metadata, "creationTimestamp", TIMESTAMP);
    if (created !== undefined) read.creationTimestamp = created;
  }
  const labels = pick(mappingIn(metadata, "labels"), {
    wanted: READ_LABELS[kindName],
    rule: LABEL_VALUE,
  });
  if (labels !== undefined) read.labels = labels;
  const annotations = pick(mappingIn(metadata, "annotations"), {
    wanted: READ_ANNOTATIONS[kindName],
    rule: ANNOTATION_VALUE,
  });
  if (annotations !== undefined) read.annotations = annotations;
  return read;
}

function pick(
  mapping: Place | undefined,
  { wanted, rule }: { readonly wanted: Wanted; readonly rule: TextRule },
): Record<string, string> | undefined {
  if (mapping === undefined || wanted.length === 0) return undefined;
  const all = mapping.value as Record<string, unknown>;
  let picked: Record<string, string> | undefined;
  for (const key of Object.keys(all)) {
    if (!isWanted(key, wanted)) continue;
    const entry = { value: all[key], key, parent: mapping };
    if (!META_KEY.test(key)) throw failure(entry, `is no key, expected ${META_KEY.expected}`);
    picked ??= {};
    picked[key] = asText(entry, rule);
  }
  return picked;
}
