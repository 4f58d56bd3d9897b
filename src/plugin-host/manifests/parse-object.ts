import type { ObjectMeta } from "../../services/objects.ts";
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
import type { ManifestObject } from "./manifest-object.ts";
import { parseEndpointSlice } from "./parse-endpoint-slice.ts";
import { parseIpamClaim, parseNetworkAttachmentDefinition } from "./parse-network-objects.ts";
import { parseNode, parseServiceCidr } from "./parse-node.ts";
import { parsePod } from "./parse-pod.ts";
import { parseService } from "./parse-service.ts";
import { DNS_LABEL, DNS_SUBDOMAIN, LABEL_VALUE, META_KEY, SHORT_TEXT, TIMESTAMP } from "./rules.ts";

/** Bytes of all annotations of an object, as the API has it (TotalAnnotationSizeLimitB). */
const ANNOTATIONS_BYTES_MAX = 256 << 10;

/** Nobody here reads it, and it is as large as the object. */
const DROPPED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";

interface Kind {
  readonly group: string;
  readonly versions: readonly string[];
  readonly namespaced: boolean;
  readonly name: TextRule;
  readonly parse: (place: Place, metadata: ObjectMeta) => ManifestObject;
}

const KINDS = new Map<string, Kind>([
  [
    "Service",
    { group: "", versions: ["v1"], namespaced: true, name: DNS_LABEL, parse: parseService },
  ],
  [
    "EndpointSlice",
    {
      group: "discovery.k8s.io",
      versions: ["v1"],
      namespaced: true,
      name: DNS_SUBDOMAIN,
      parse: parseEndpointSlice,
    },
  ],
  [
    "Node",
    { group: "", versions: ["v1"], namespaced: false, name: DNS_SUBDOMAIN, parse: parseNode },
  ],
  ["Pod", { group: "", versions: ["v1"], namespaced: true, name: DNS_SUBDOMAIN, parse: parsePod }],
  [
    "ServiceCIDR",
    {
      group: "networking.k8s.io",
      versions: ["v1", "v1beta1"],
      namespaced: false,
      name: DNS_SUBDOMAIN,
      parse: parseServiceCidr,
    },
  ],
  [
    "NetworkAttachmentDefinition",
    {
      group: "k8s.cni.cncf.io",
      versions: ["v1"],
      namespaced: true,
      name: DNS_SUBDOMAIN,
      parse: parseNetworkAttachmentDefinition,
    },
  ],
  [
    "IPAMClaim",
    {
      group: "k8s.cni.cncf.io",
      versions: ["v1alpha1"],
      namespaced: true,
      name: DNS_SUBDOMAIN,
      parse: parseIpamClaim,
    },
  ],
]);

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
  if (KINDS.has(kind)) return undefined;
  if (apiVersion === "v1" && kind === "Endpoints") {
    const text = "is not read: EndpointSlices tell where endpoints are";
    return { meant: "EndpointSlice", text };
  }
  const letters = lettersOf(kind);
  for (const known of KINDS.keys()) {
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
  const kind = KINDS.get(type.kind);
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
  return kind.parse(place, parseMetadata(place, kind));
}

function parseMetadata(place: Place, kind: Kind): ObjectMeta {
  const metadata = required(mappingIn(place, "metadata"), place, {
    key: "metadata",
    expected: "a mapping",
  });
  const name = required(textIn(metadata, "name", kind.name), metadata, {
    key: "name",
    expected: kind.name.expected,
  });
  return defined({
    name,
    namespace: kind.namespaced ? (textIn(metadata, "namespace", DNS_LABEL) ?? "default") : "",
    uid: textIn(metadata, "uid", SHORT_TEXT),
    // A file that was written by kubectl and edited since says the resourceVersion of before.
    creationTimestamp: textIn(metadata, "creationTimestamp", TIMESTAMP),
    labels: textsIn(metadata, "labels", LABEL_VALUE),
    annotations: annotationsIn(metadata),
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
  return Object.keys(annotations).length === 0 ? undefined : annotations;
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
