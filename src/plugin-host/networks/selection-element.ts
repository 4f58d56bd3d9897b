import {
  formatAddress,
  type IpAddress,
  parseAddress,
  parsePrefix,
  prefixContains,
} from "../../ip/address.ts";
import type { Bandwidth } from "../../plugin-sdk/network-plugin.ts";
import { MAC_PATTERN, type PortMapping } from "../cni/network-config.ts";
import { isIfname } from "../cni/request.ts";
import { LIMITS } from "../limits.ts";
import {
  asMapping,
  asText,
  defined,
  failure,
  fieldOf,
  integerIn,
  itemsIn,
  mappingIn,
  type Place,
  required,
  type TextRule,
  unexpected,
} from "../manifests/fields.ts";
import { DNS_LABEL, DNS_SUBDOMAIN } from "../manifests/rules.ts";
import { isDeeperThan } from "./json-depth.ts";
import type { NetworkSelection } from "./network-selection.ts";

/** Multi-network standard 1.3, 4.1.2; hostIP and deviceID are Multus'. */
const KEYS = [
  "name",
  "namespace",
  "interface",
  "ips",
  "mac",
  "infiniband-guid",
  "portMappings",
  "bandwidth",
  "cni-args",
  "default-route",
  "ipam-claim-reference",
  "deviceID",
];
const PORT_MAPPING_KEYS = ["hostPort", "containerPort", "protocol", "hostIP"];
const BANDWIDTH_KEYS = ["ingressRate", "ingressBurst", "egressRate", "egressBurst"];

/** Keys of others: the standard wants them to have names like this. */
const REVERSE_DNS = /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:\/[-A-Za-z0-9_.]+)?$/;

/** Nested objects and lists of cni-args. */
const CNI_ARGS_DEPTH_MAX = 32;

/** Addresses of one selection. */
const IPS_MAX = 16;

export const IFNAME: TextRule = {
  expected: "1 to 15 ASCII characters without blank, '/', ':' or '%', not 'all' or 'default'",
  test: isIfname,
};

const MAC: TextRule = {
  expected: "a unicast MAC address like 02:00:5e:00:53:01",
  test: (text) => new RegExp(MAC_PATTERN).test(text),
};

const GUID: TextRule = {
  expected: "eight bytes like 02:00:00:00:00:00:00:01, neither all 00 nor all ff",
  test: (text) =>
    /^[0-9a-f]{2}(?::[0-9a-f]{2}){7}$/i.test(text) && !/^(?:00:){7}00$|^(?:ff:){7}ff$/i.test(text),
};

/** Kubelet's device ids: device plugin API v1beta1, Device.ID, with room. */
const DEVICE_ID: TextRule = {
  expected: "1 to 253 printable characters without blank",
  test: (text) => /^[!-~]{1,253}$/.test(text),
};

const ADDRESS: TextRule = { expected: "an IP address", test: (text) => reads(parseAddress, text) };

const ADDRESS_OR_PREFIX: TextRule = {
  expected: "an IP address, with or without prefix length",
  test: (text) => reads(text.includes("/") ? parsePrefix : parseAddress, text),
};

/** What no neighbour has: RFC 6890, and RFC 4291, 2.5.5.2 for what is IPv4's. */
const NO_GATEWAYS = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "224.0.0.0/3",
  "::/127",
  "::ffff:0:0/96",
  "ff00::/8",
].map(parsePrefix);

const GATEWAY: TextRule = {
  expected: "the IP address of a router",
  test: (text) =>
    ADDRESS.test(text) && !NO_GATEWAYS.some((prefix) => prefixContains(prefix, parseAddress(text))),
};

const PROTOCOL: TextRule = {
  expected: "tcp, udp or sctp",
  test: (text) => /^(?:tcp|udp|sctp)$/i.test(text),
};

/** One object of the annotation's list. Throws FieldError. */
export function readSelection(
  place: Place,
  { field, podNamespace }: { readonly field: string; readonly podNamespace: string },
): NetworkSelection {
  asMapping(place);
  refuseUnknownKeys(place, KEYS, { allowsForeign: true });
  const name = required(wordIn(place, "name", DNS_SUBDOMAIN), place, {
    key: "name",
    expected: "the name of a NetworkAttachmentDefinition",
  });
  const ipTexts = itemsIn(place, "ips", { max: IPS_MAX }).map((item) =>
    asText(item, ADDRESS_OR_PREFIX),
  );
  const ipamClaim = wordIn(place, "ipam-claim-reference", DNS_SUBDOMAIN);
  if (ipamClaim !== undefined && ipTexts.length > 0) {
    const claim = { value: ipamClaim, key: "ipam-claim-reference", parent: place };
    throw failure(claim, "is given, and so is ips, expected one of them");
  }
  return {
    field,
    name,
    namespace: wordIn(place, "namespace", DNS_LABEL) ?? podNamespace,
    ips: ipTexts.map(addressOf),
    ipTexts,
    portMappings: readPortMappings(place),
    defaultRoute: readDefaultRoute(place),
    ...defined({
      ifname: wordIn(place, "interface", IFNAME),
      mac: wordIn(place, "mac", MAC)?.toLowerCase(),
      infinibandGuid: wordIn(place, "infiniband-guid", GUID)?.toLowerCase(),
      bandwidth: readBandwidth(place),
      cniArgs: readCniArgs(place),
      ipamClaim,
      deviceId: wordIn(place, "deviceID", DEVICE_ID),
    }),
  };
}

function refuseUnknownKeys(
  place: Place,
  keys: readonly string[],
  options: { readonly allowsForeign?: boolean } = {},
): void {
  for (const [key, value] of Object.entries(place.value as object)) {
    if (keys.includes(key)) continue;
    if (options.allowsForeign && REVERSE_DNS.test(key)) continue;
    const more = options.allowsForeign ? ", or a name of your own like org.example.key" : "";
    const expected = `expected one of ${keys.join(", ")}${more}`;
    throw failure({ value, key, parent: place }, `is not a known key, ${expected}`);
  }
}

/** Text; "" counts as absent, as in the programs that others write annotations with. */
function wordIn(place: Place, key: string, rule: TextRule): string | undefined {
  const field = fieldOf(place, key);
  return field === undefined || field.value === "" ? undefined : asText(field, rule);
}

function readDefaultRoute(place: Place): IpAddress[] {
  const items = itemsIn(place, "default-route", { max: IPS_MAX });
  const gateways: IpAddress[] = [];
  for (const item of items) {
    const gateway = addressOf(asText(item, GATEWAY));
    if (gateways.some(({ family }) => family === gateway.family)) {
      throw unexpected(item, `one gateway for IPv${gateway.family}`);
    }
    gateways.push(gateway);
  }
  return gateways;
}

/** A host port of 0 is none, as Kubernetes has it; saying the same twice is saying it once. */
function readPortMappings(place: Place): PortMapping[] {
  const mappings = new Map<string, PortMapping>();
  for (const item of itemsIn(place, "portMappings", { max: LIMITS.hostPortsMax })) {
    asMapping(item);
    refuseUnknownKeys(item, PORT_MAPPING_KEYS);
    const hostPort = required(integerIn(item, "hostPort", { min: 0, max: 65535 }), item, {
      key: "hostPort",
      expected: "a port of the node",
    });
    const containerPort = required(integerIn(item, "containerPort", { min: 1, max: 65535 }), item, {
      key: "containerPort",
      expected: "a port of the pod",
    });
    const protocol = (wordIn(item, "protocol", PROTOCOL) ?? "tcp").toUpperCase();
    const hostIp = wordIn(item, "hostIP", ADDRESS);
    if (hostPort === 0) continue;
    const mapping: PortMapping = {
      hostPort,
      containerPort,
      protocol: protocol as PortMapping["protocol"],
      hostIp: hostIp === undefined ? "" : formatAddress(parseAddress(hostIp)),
    };
    const key = `${mapping.protocol} ${mapping.hostPort} ${mapping.hostIp}`;
    const before = mappings.get(key);
    if (before !== undefined && before.containerPort !== containerPort) {
      const port = { value: hostPort, key: "hostPort", parent: item };
      throw failure(
        port,
        `is ${hostPort}, which container port ${before.containerPort} has already`,
      );
    }
    mappings.set(key, mapping);
  }
  return [...mappings.values()];
}

/** Bits each second, and bits: CNI conventions, "bandwidth". */
function readBandwidth(place: Place): Bandwidth | undefined {
  const rates = mappingIn(place, "bandwidth");
  if (rates === undefined) return undefined;
  refuseUnknownKeys(rates, BANDWIDTH_KEYS);
  const read = (key: string): number =>
    integerIn(rates, key, { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 0;
  const bandwidth: Bandwidth = {
    ingressRate: read("ingressRate"),
    ingressBurst: read("ingressBurst"),
    egressRate: read("egressRate"),
    egressBurst: read("egressBurst"),
  };
  for (const way of ["ingress", "egress"] as const) {
    if (bandwidth[`${way}Rate`] > 0 || bandwidth[`${way}Burst`] === 0) continue;
    const burst = { value: undefined, key: `${way}Burst`, parent: rates };
    throw failure(burst, `is given without ${way}Rate`);
  }
  return Object.values(bandwidth).every((rate) => rate === 0) ? undefined : bandwidth;
}

function readCniArgs(place: Place): Readonly<Record<string, unknown>> | undefined {
  const args = mappingIn(place, "cni-args");
  if (args === undefined) return undefined;
  if (isDeeperThan(args.value, CNI_ARGS_DEPTH_MAX)) {
    throw failure(args, `is nested too deep, expected at most ${CNI_ARGS_DEPTH_MAX} levels`);
  }
  return args.value as Readonly<Record<string, unknown>>;
}

function addressOf(text: string): IpAddress {
  const { family, value } = text.includes("/") ? parsePrefix(text) : parseAddress(text);
  return { family, value };
}

function reads(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}
