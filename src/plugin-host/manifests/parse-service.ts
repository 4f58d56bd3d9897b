import type { ObjectMeta, Service, ServicePort } from "../../services/objects.ts";
import {
  asMapping,
  asText,
  choiceIn,
  defined,
  integerIn,
  itemsIn,
  mappingIn,
  type Place,
  required,
  type TextRule,
  textIn,
} from "./fields.ts";
import { ADDRESS, CLUSTER_IP, DNS_LABEL, SHORT_TEXT, SPACED_PREFIX } from "./rules.ts";

const PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;
const POLICIES = ["Cluster", "Local"] as const;
const TYPES = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] as const;

/** Items of one list of a Service. More than anybody has: the API bounds an object by its bytes. */
const ITEMS_MAX = 10_000;

/** core/v1 Service. Throws FieldError. */
export function parseService(place: Place, metadata: ObjectMeta): Service {
  const spec = required(mappingIn(place, "spec"), place, { key: "spec", expected: "a mapping" });
  return defined({
    kind: "Service" as const,
    metadata,
    spec: defined({
      type: choiceIn(spec, "type", TYPES),
      clusterIP: textIn(spec, "clusterIP", CLUSTER_IP_OR_EMPTY),
      clusterIPs: textsIn(spec, "clusterIPs", { rule: CLUSTER_IP, max: 2 }) ?? clusterIpAlone(spec),
      externalIPs: textsIn(spec, "externalIPs", { rule: ADDRESS, max: ITEMS_MAX }),
      loadBalancerSourceRanges: textsIn(spec, "loadBalancerSourceRanges", {
        rule: SPACED_PREFIX,
        max: ITEMS_MAX,
      }),
      ports: present(itemsIn(spec, "ports", { max: ITEMS_MAX }).map(parsePort)),
      sessionAffinity: choiceIn(spec, "sessionAffinity", ["None", "ClientIP"] as const),
      sessionAffinityConfig: parseAffinity(spec),
      internalTrafficPolicy: choiceIn(spec, "internalTrafficPolicy", POLICIES),
      externalTrafficPolicy: choiceIn(spec, "externalTrafficPolicy", POLICIES),
      healthCheckNodePort: portOrNone(spec, "healthCheckNodePort"),
      trafficDistribution: textIn(spec, "trafficDistribution", SHORT_TEXT),
    }),
    status: parseStatus(place),
  });
}

/** As the API server fills in what people write. */
function clusterIpAlone(spec: Place): readonly string[] | undefined {
  const clusterIp = textIn(spec, "clusterIP", CLUSTER_IP_OR_EMPTY);
  return clusterIp === undefined || clusterIp === "" ? undefined : [clusterIp];
}

const CLUSTER_IP_OR_EMPTY: TextRule = {
  expected: CLUSTER_IP.expected,
  test: (text) => text === "" || CLUSTER_IP.test(text),
};

const PORT_NAME: TextRule = {
  expected: DNS_LABEL.expected,
  test: (text) => text === "" || DNS_LABEL.test(text),
};

function parsePort(place: Place): ServicePort {
  const port = asMapping(place);
  return defined({
    name: textIn(port, "name", PORT_NAME),
    protocol: choiceIn(port, "protocol", PROTOCOLS),
    port: required(integerIn(port, "port", { min: 1, max: 65_535 }), port, {
      key: "port",
      expected: "1 to 65535",
    }),
    nodePort: portOrNone(port, "nodePort"),
  });
}

/** 0 is how Go writes that there is none. */
function portOrNone(place: Place, key: string): number | undefined {
  return integerIn(place, key, { min: 0, max: 65_535 }) || undefined;
}

function parseAffinity(spec: Place): Service["spec"]["sessionAffinityConfig"] {
  const config = mappingIn(spec, "sessionAffinityConfig");
  const clientIP = config && mappingIn(config, "clientIP");
  if (clientIP === undefined) return undefined;
  const timeoutSeconds = integerIn(clientIP, "timeoutSeconds", { min: 1, max: 86_400 });
  return { clientIP: defined({ timeoutSeconds }) };
}

function parseStatus(place: Place): Service["status"] {
  const status = mappingIn(place, "status");
  const loadBalancer = status && mappingIn(status, "loadBalancer");
  if (loadBalancer === undefined) return undefined;
  const ingress = itemsIn(loadBalancer, "ingress", { max: ITEMS_MAX }).map((item) => {
    const entry = asMapping(item);
    return defined({
      ip: textIn(entry, "ip", ADDRESS),
      hostname: textIn(entry, "hostname", SHORT_TEXT),
      ipMode: choiceIn(entry, "ipMode", ["VIP", "Proxy"] as const),
    });
  });
  return ingress.length === 0 ? undefined : { loadBalancer: { ingress } };
}

function textsIn(
  place: Place,
  key: string,
  options: { readonly rule: TextRule; readonly max: number },
): string[] | undefined {
  return present(itemsIn(place, key, options).map((item) => asText(item, options.rule)));
}

/** An empty list says as much as none. */
function present<Item>(items: Item[]): Item[] | undefined {
  return items.length === 0 ? undefined : items;
}
