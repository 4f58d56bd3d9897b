import type {
  EndpointSlice,
  ObjectMeta,
  SliceEndpoint,
  SlicePort,
} from "../../services/objects.ts";
import {
  asMapping,
  asText,
  choiceIn,
  defined,
  flagIn,
  integerIn,
  itemsIn,
  mappingIn,
  type Place,
  required,
  type TextRule,
  textIn,
} from "./fields.ts";
import { ADDRESS, DNS_LABEL, DNS_SUBDOMAIN, SHORT_TEXT } from "./rules.ts";

/** Bounds of the API (discovery/validation: maxEndpoints, maxAddresses, maxPorts). */
const ENDPOINTS_MAX = 1_000;
const ADDRESSES_MAX = 100;
const PORTS_MAX = 20_000;
const HINTS_MAX = 8;

/** discovery.k8s.io/v1 EndpointSlice. Throws FieldError. */
export function parseEndpointSlice(place: Place, metadata: ObjectMeta): EndpointSlice {
  const addressType = required(
    choiceIn(place, "addressType", ["IPv4", "IPv6", "FQDN"] as const),
    place,
    { key: "addressType", expected: "IPv4, IPv6 or FQDN" },
  );
  const rule = addressType === "FQDN" ? SHORT_TEXT : ADDRESS;
  return {
    kind: "EndpointSlice",
    metadata,
    addressType,
    endpoints: itemsIn(place, "endpoints", { max: ENDPOINTS_MAX }).map((item) =>
      parseEndpoint(asMapping(item), rule),
    ),
    ports: itemsIn(place, "ports", { max: PORTS_MAX }).map((item) => parsePort(asMapping(item))),
  };
}

function parseEndpoint(place: Place, rule: TextRule): SliceEndpoint {
  const addresses = itemsIn(place, "addresses", { max: ADDRESSES_MAX });
  return defined({
    addresses: required(addresses.length === 0 ? undefined : addresses, place, {
      key: "addresses",
      expected: "a list of addresses",
    }).map((address) => asText(address, rule)),
    conditions: parseConditions(place),
    nodeName: textIn(place, "nodeName", DNS_SUBDOMAIN),
    // The API takes any text (discovery/validation).
    zone: textIn(place, "zone", SHORT_TEXT),
    targetRef: parseTargetRef(place),
    hints: parseHints(place),
  });
}

function parseConditions(place: Place): SliceEndpoint["conditions"] {
  const conditions = mappingIn(place, "conditions");
  return (
    conditions &&
    defined({
      ready: flagIn(conditions, "ready"),
      serving: flagIn(conditions, "serving"),
      terminating: flagIn(conditions, "terminating"),
    })
  );
}

function parseTargetRef(place: Place): SliceEndpoint["targetRef"] {
  const target = mappingIn(place, "targetRef");
  return (
    target &&
    defined({ kind: textIn(target, "kind", SHORT_TEXT), name: textIn(target, "name", SHORT_TEXT) })
  );
}

function parseHints(place: Place): SliceEndpoint["hints"] {
  const hints = mappingIn(place, "hints");
  return (
    hints &&
    defined({
      forZones: parseHintNames(hints, "forZones"),
      forNodes: parseHintNames(hints, "forNodes"),
    })
  );
}

function parseHintNames(hints: Place, key: string): { name: string }[] | undefined {
  const names = itemsIn(hints, key, { max: HINTS_MAX }).map((item) => {
    const hint = asMapping(item);
    return {
      name: required(textIn(hint, "name", SHORT_TEXT), hint, { key: "name", expected: "a name" }),
    };
  });
  return names.length === 0 ? undefined : names;
}

const PORT_NAME: TextRule = {
  expected: DNS_LABEL.expected,
  test: (text) => text === "" || DNS_LABEL.test(text),
};

function parsePort(port: Place): SlicePort {
  return defined({
    // As the API server fills it in.
    name: textIn(port, "name", PORT_NAME) ?? "",
    protocol: choiceIn(port, "protocol", ["TCP", "UDP", "SCTP"] as const),
    port: integerIn(port, "port", { min: 0, max: 65_535 }),
  });
}
