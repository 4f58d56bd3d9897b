import {
  type Family,
  formatAddress,
  type IpAddress,
  type IpPrefix,
  parseAddress,
  parsePrefix,
  prefixContains,
} from "../../ip/address.ts";
import type { ApplyServicesRequest__Output } from "../../rpc/generated/patchbay/host/v1/ApplyServicesRequest.ts";
import type { Endpoint__Output } from "../../rpc/generated/patchbay/host/v1/Endpoint.ts";
import type { EndpointGroup__Output } from "../../rpc/generated/patchbay/host/v1/EndpointGroup.ts";
import type { Frontend__Output } from "../../rpc/generated/patchbay/host/v1/Frontend.ts";
import type {
  AddressText,
  Endpoint,
  EndpointGroup,
  EndpointPort,
  Frontend,
  FrontendKind,
  FrontendPolicy,
  Protocol,
} from "../../services/model.ts";
import type { ModelChange } from "../../services/table-types.ts";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** A message of ApplyServices, checked from end to end. */
export interface ServicesRequest {
  readonly source: string;
  readonly change: ModelChange;
}

/** Kubernetes API, core/v1 ClientIPConfig. */
const AFFINITY_SECONDS_MAX = 86_400;
/** KEP-536. */
const TOPOLOGY_KEYS_MAX = 16;
const WEIGHT_MAX = 256;
const SOURCE_RANGES_MAX = 1_024;
const ENDPOINT_PORTS_MAX = 100;
const SOURCE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
/** Printable, without blanks: ids stand in lists and logs. */
const ID = /^[!-~]{1,253}$/;

/** Checks everything before anything changes. Throws PatchbayError INVALID_SERVICES that names the field. */
export function parseServicesRequest(
  request: ApplyServicesRequest__Output,
  options: { readonly nowMs: number },
): ServicesRequest {
  const { source } = request;
  if (!SOURCE_NAME.test(source)) {
    throw invalid("source", source, "an alphanumeric, then alphanumerics, '_', '.' or '-'");
  }
  const lists = ["putGroups", "removeGroups", "putFrontends", "removeFrontends"] as const;
  const size = lists.reduce((sum, list) => sum + request[list].length, 0);
  if (size > LIMITS.servicesPerMessageMax) {
    const message = `The message names ${size} groups and frontends, at most ${LIMITS.servicesPerMessageMax} are read`;
    throw new PatchbayError("INVALID_SERVICES", message);
  }
  const putGroups = request.putGroups.map((group, index) =>
    parseGroup(group, `put_groups[${index}]`),
  );
  const putFrontends = request.putFrontends.map((frontend, index) =>
    parseFrontend(frontend, { ...options, source, field: `put_frontends[${index}]` }),
  );
  const { removeGroups, removeFrontends } = request;
  for (const [field, ids] of Object.entries({ removeGroups, removeFrontends })) {
    for (const [index, id] of ids.entries()) parseId(id, `${snakeCase(field)}[${index}]`);
  }
  requireOnce(putGroups, removeGroups, "groups");
  requireOnce(putFrontends, removeFrontends, "frontends");
  return {
    source,
    change: { replace: request.replace, putGroups, removeGroups, putFrontends, removeFrontends },
  };
}

function parseGroup(group: EndpointGroup__Output, field: string): EndpointGroup {
  const id = parseId(group.id, `${field}.id`);
  const endpoints = group.endpoints.map((endpoint, index) =>
    parseEndpoint(endpoint, `${field}.endpoints[${index}]`),
  );
  const family = endpoints[0]?.family ?? 4;
  const other = endpoints.findIndex((endpoint) => endpoint.family !== family);
  if (other >= 0) {
    const address = group.endpoints[other]?.address;
    throw invalid(`${field}.endpoints[${other}].address`, address, `IPv${family}, as those before`);
  }
  return { id, family, endpoints: endpoints.map((parsed) => parsed.endpoint) };
}

function parseEndpoint(
  endpoint: Endpoint__Output,
  field: string,
): { readonly family: Family; readonly endpoint: Endpoint } {
  const address = parseUnicast(endpoint.address, `${field}.address`);
  const { ports, weight, state, node, zone, pod } = endpoint;
  if (ports.length > ENDPOINT_PORTS_MAX) {
    throw invalid(`${field}.ports`, ports.length, `at most ${ENDPOINT_PORTS_MAX} ports`);
  }
  if (weight > WEIGHT_MAX) throw invalid(`${field}.weight`, weight, `0 to ${WEIGHT_MAX}`);
  return {
    family: address.family,
    endpoint: {
      address: formatAddress(address) as AddressText,
      ports: ports.map((port, index): EndpointPort => {
        const at = `${field}.ports[${index}]`;
        return {
          name: parseText(port.name, `${at}.name`),
          protocol: parseProtocol(port.protocol, `${at}.protocol`),
          port: parsePort(port.port, `${at}.port`),
        };
      }),
      ...(node !== "" && { nodeName: parseText(node, `${field}.node`) }),
      ...(zone !== "" && { zone: parseText(zone, `${field}.zone`) }),
      ...(pod !== "" && { podName: parseText(pod, `${field}.pod`) }),
      ...parseState(state, `${field}.state`),
      weight: weight === 0 ? 1 : weight,
    },
  };
}

function parseState(
  state: Endpoint__Output["state"] | number,
  field: string,
): Pick<Endpoint, "ready" | "serving" | "terminating"> {
  switch (state) {
    case "ENDPOINT_STATE_READY":
      return { ready: true, serving: true, terminating: false };
    case "ENDPOINT_STATE_SERVING_TERMINATING":
      return { ready: false, serving: true, terminating: true };
    case "ENDPOINT_STATE_NOT_READY":
      return { ready: false, serving: false, terminating: false };
    default:
      throw invalid(field, state, "a state of EndpointState");
  }
}

function parseFrontend(
  frontend: Frontend__Output,
  place: { readonly source: string; readonly field: string; readonly nowMs: number },
): Frontend {
  const { source, field, nowMs } = place;
  const kind = parseKind(frontend.kind, `${field}.kind`);
  const group = parseId(frontend.group, `${field}.group`);
  const where = parsePlace(frontend, { kind, field });
  return {
    id: parseId(frontend.id, `${field}.id`),
    ...where,
    kind,
    protocol: parseProtocol(frontend.protocol, `${field}.protocol`),
    port: parsePort(frontend.port, `${field}.port`),
    group,
    portName: parseText(frontend.portName, `${field}.port_name`),
    policy: parsePolicy(frontend, { family: where.family, field }),
    service: `${source}/${group}`,
    createdMs: nowMs,
  };
}

function parsePlace(
  { address, family }: Frontend__Output,
  { kind, field }: { readonly kind: FrontendKind; readonly field: string },
): Pick<Frontend, "family" | "address"> {
  if (address === "") {
    if (kind !== "nodePort") throw invalid(`${field}.address`, address, "an IP address");
    if (family !== 4 && family !== 6) throw invalid(`${field}.family`, family, "4 or 6");
    return { family };
  }
  const parsed = parseUnicast(address, `${field}.address`);
  if (family !== 0 && family !== parsed.family) {
    throw invalid(`${field}.family`, family, `${parsed.family}, that of the address`);
  }
  return { family: parsed.family, address: formatAddress(parsed) as AddressText };
}

function parsePolicy(
  frontend: Frontend__Output,
  { family, field }: { readonly family: Family; readonly field: string },
): FrontendPolicy {
  const { affinitySeconds, pick, sourceRanges } = frontend;
  if (affinitySeconds > AFFINITY_SECONDS_MAX) {
    throw invalid(`${field}.affinity_seconds`, affinitySeconds, `0 to ${AFFINITY_SECONDS_MAX}`);
  }
  if (pick !== "" && pick !== "random" && pick !== "consistent-hash") {
    throw invalid(`${field}.pick`, pick, '"random" or "consistent-hash"');
  }
  return {
    internalTrafficPolicy: frontend.internalLocal ? "Local" : "Cluster",
    externalTrafficPolicy: frontend.externalLocal ? "Local" : "Cluster",
    ...(affinitySeconds > 0 && { affinitySeconds }),
    ...(sourceRanges.length > 0 && {
      sourceRanges: parseRanges(sourceRanges, { family, field: `${field}.source_ranges` }),
    }),
    pick: pick === "" ? "random" : pick,
    topologyKeys: parseTopologyKeys(frontend.topologyKeys, `${field}.topology_keys`),
    countConnections: frontend.countConnections,
    closeTcpFlows: false,
  };
}

function parseRanges(
  ranges: readonly string[],
  { family, field }: { readonly family: Family; readonly field: string },
): IpPrefix[] {
  if (ranges.length > SOURCE_RANGES_MAX) {
    throw invalid(field, ranges.length, `at most ${SOURCE_RANGES_MAX} prefixes`);
  }
  return ranges.map((text, index) => {
    const prefix = tryParse(() => parsePrefix(text.trim()));
    if (prefix?.family === family) return prefix;
    throw invalid(`${field}[${index}]`, text, `an IPv${family} prefix`);
  });
}

/** KEP-536: at most 16, each once, "*" last. */
function parseTopologyKeys(keys: readonly string[], field: string): readonly string[] {
  if (keys.length > TOPOLOGY_KEYS_MAX) {
    throw invalid(field, keys.length, `at most ${TOPOLOGY_KEYS_MAX} keys`);
  }
  for (const [index, key] of keys.entries()) {
    const at = `${field}[${index}]`;
    if (key === "*" && index < keys.length - 1) throw invalid(at, key, '"*" as the last key only');
    if (keys.indexOf(key) < index) throw invalid(at, key, "each key once");
    parseId(key, at);
  }
  return keys;
}

function parseKind(text: string, field: string): FrontendKind {
  switch (text) {
    case "clusterIP":
    case "nodePort":
    case "externalIP":
    case "loadBalancer":
      return text;
    default:
      throw invalid(field, text, "clusterIP, nodePort, externalIP or loadBalancer");
  }
}

function parseProtocol(text: string, field: string): Protocol {
  if (text === "") return "TCP";
  if (text === "TCP" || text === "UDP" || text === "SCTP") return text;
  throw invalid(field, text, "TCP, UDP or SCTP");
}

function parsePort(port: number, field: string): number {
  if (port >= 1 && port <= 65_535) return port;
  throw new PatchbayError("INVALID_SERVICES", `${field} is ${port}, expected 1 to 65535`);
}

function parseId(id: string, field: string): string {
  if (ID.test(id)) return id;
  throw invalid(field, id, "1 to 253 printable characters without blanks");
}

function parseText(text: string, field: string): string {
  if (text === "" || ID.test(text)) return text;
  throw invalid(field, text, "at most 253 printable characters without blanks");
}

/** RFC 4291, 2.4 to 2.7, and their IPv4 likes: what no connection can go to from another machine. */
const NO_UNICAST: readonly IpPrefix[] = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/3",
  "::/127",
  "::ffff:0:0/96",
  "fe80::/10",
  "ff00::/8",
].map(parsePrefix);

function parseUnicast(text: string, field: string): IpAddress {
  const address = tryParse(() => parseAddress(text));
  if (address && !NO_UNICAST.some((prefix) => prefixContains(prefix, address))) return address;
  throw invalid(field, text, "a unicast IP address, neither loopback nor link-local");
}

function tryParse<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

/** One id, one meaning: what a message puts twice, or puts and removes, has none. */
function requireOnce(
  puts: readonly { readonly id: string }[],
  removes: readonly string[],
  what: string,
): void {
  const seen = new Map<string, string>();
  const note = (id: string, field: string) => {
    const before = seen.get(id);
    if (before !== undefined) throw invalid(field, id, `an id that ${before} has not`);
    seen.set(id, field);
  };
  for (const [index, { id }] of puts.entries()) note(id, `put_${what}[${index}].id`);
  for (const [index, id] of removes.entries()) note(id, `remove_${what}[${index}]`);
}

function snakeCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function invalid(field: string, value: unknown, expected: string): PatchbayError {
  const text = JSON.stringify(value) ?? "nothing";
  const shown = text.length <= 80 ? text : `${text.slice(0, 77)}...`;
  return new PatchbayError("INVALID_SERVICES", `${field} is ${shown}, expected ${expected}`);
}
