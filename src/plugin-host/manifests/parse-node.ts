import type { Node, ObjectMeta, ServiceCidr } from "../../services/objects.ts";
import {
  asMapping,
  asText,
  defined,
  itemsIn,
  mappingIn,
  type Place,
  required,
  textIn,
} from "./fields.ts";
import { PREFIX, SHORT_TEXT, TIMESTAMP } from "./rules.ts";

/** Items of one list of a Node. */
const ITEMS_MAX = 1_000;

/** core/v1 Node. Throws FieldError. */
export function parseNode(place: Place, metadata: ObjectMeta): Node {
  const meta = mappingIn(place, "metadata");
  const deletionTimestamp = meta && textIn(meta, "deletionTimestamp", TIMESTAMP);
  return defined({
    kind: "Node" as const,
    metadata: deletionTimestamp === undefined ? metadata : { ...metadata, deletionTimestamp },
    spec: parseSpec(place),
    status: parseStatus(place),
  });
}

/** networking.k8s.io/v1 ServiceCIDR. Throws FieldError. */
export function parseServiceCidr(place: Place, metadata: ObjectMeta): ServiceCidr {
  const missing = { key: "spec", expected: "a mapping" };
  const spec = required(mappingIn(place, "spec"), place, missing);
  const cidrs = itemsIn(spec, "cidrs", { max: 2 }).map((item) => asText(item, PREFIX));
  required(cidrs[0], spec, { key: "cidrs", expected: "one or two address ranges" });
  return { kind: "ServiceCIDR", metadata, spec: { cidrs } };
}

function parseSpec(place: Place): Node["spec"] {
  const spec = mappingIn(place, "spec");
  if (spec === undefined) return undefined;
  const podCIDRs = itemsIn(spec, "podCIDRs", { max: ITEMS_MAX }).map((item) =>
    asText(item, PREFIX),
  );
  const taints = itemsIn(spec, "taints", { max: ITEMS_MAX }).map((item) => {
    const taint = asMapping(item);
    const key = textIn(taint, "key", SHORT_TEXT);
    return defined({
      key: required(key, taint, { key: "key", expected: "text" }),
      effect: textIn(taint, "effect", SHORT_TEXT),
    });
  });
  return defined({
    podCIDR: textIn(spec, "podCIDR", PREFIX),
    podCIDRs: podCIDRs.length === 0 ? undefined : podCIDRs,
    taints: taints.length === 0 ? undefined : taints,
  });
}

function parseStatus(place: Place): Node["status"] {
  const status = mappingIn(place, "status");
  if (status === undefined) return undefined;
  const addresses = itemsIn(status, "addresses", { max: ITEMS_MAX }).map((item) => {
    const entry = asMapping(item);
    const type = textIn(entry, "type", SHORT_TEXT);
    const address = textIn(entry, "address", SHORT_TEXT);
    return {
      type: required(type, entry, { key: "type", expected: "text such as InternalIP" }),
      address: required(address, entry, { key: "address", expected: "an address" }),
    };
  });
  return addresses.length === 0 ? undefined : { addresses };
}
