import { formatPrefix } from "../../../ip/address.ts";
import { canonicalPrefix } from "../../../services/address-text.ts";
import type { Node } from "../../../services/objects.ts";
import {
  asMapping,
  choiceIn,
  itemsIn,
  mappingIn,
  type Place,
  required,
  type TextRule,
  textIn,
} from "../../manifests/fields.ts";
import { SHORT_TEXT } from "../../manifests/rules.ts";
import type { NodeCondition, OwnNode } from "../view.ts";

const CONDITIONS_MAX = 1_000;

/** What the host reads of its own Node beside what Services do. Throws FieldError. */
export function parseOwnNode(place: Place, node: Node): OwnNode {
  const { name, uid } = node.metadata;
  const missing = { key: "uid", expected: "text" };
  const metadata = { value: node.metadata, key: "metadata", parent: place };
  return {
    name,
    uid: required(uid || undefined, metadata, missing),
    podCidrs: firstOfEach(node.spec),
    networkUnavailable: parseNetworkUnavailable(place),
  };
}

/** Pod ranges, canonical, the first of each family. spec.podCIDR is podCIDRs[0], and all that old ones have. */
function firstOfEach(spec: Node["spec"]): string[] {
  const { podCIDR, podCIDRs = podCIDR ? [podCIDR] : [] } = spec ?? {};
  const found = new Map<4 | 6, string>();
  for (const text of podCIDRs) {
    const prefix = canonicalPrefix(text);
    if (!found.has(prefix.family)) found.set(prefix.family, formatPrefix(prefix));
  }
  return [...found.values()];
}

function parseNetworkUnavailable(place: Place): NodeCondition | undefined {
  const status = mappingIn(place, "status");
  if (status === undefined) return undefined;
  for (const item of itemsIn(status, "conditions", { max: CONDITIONS_MAX })) {
    const condition = asMapping(item);
    if (textIn(condition, "type", SHORT_TEXT) !== "NetworkUnavailable") continue;
    return {
      status: required(choiceIn(condition, "status", STATUSES), condition, {
        key: "status",
        expected: "True, False or Unknown",
      }),
      reason: textIn(condition, "reason", SHORT_TEXT) ?? "",
      message: textIn(condition, "message", ANY_TEXT) ?? "",
    };
  }
  return undefined;
}

const STATUSES = ["True", "False", "Unknown"] as const;
const ANY_TEXT: TextRule = { expected: "text", test: () => true };
