/** The objects behind the cells of semantics.ts: a Service for each mix of situation, policies and source ranges. */
import type { Family } from "../../src/ip/address.ts";
import type { AddressText, NodeFacts } from "../../src/services/model.ts";
import type {
  EndpointSlice,
  Node,
  Service,
  ServiceCidr,
  ServicesObject,
  SliceEndpoint,
} from "../../src/services/objects.ts";
import { parsePrefix } from "../../src/ip/address.ts";
import {
  type Cell,
  type EndpointName,
  POLICIES,
  type Policy,
  type Situation,
  SITUATION_NAMES,
} from "./semantics.ts";
import {
  ADDRESSES,
  FAMILIES,
  LOCAL_PORT,
  POD_PREFIXES,
  REMOTE_PORT,
  SERVICE_PREFIXES,
} from "./topology.ts";

const RANGES = ["open", "allowed", "denied"] as const;
type Ranges = (typeof RANGES)[number];

interface Mix {
  readonly situation: Situation;
  readonly internal: Policy;
  readonly external: Policy;
  readonly ranges: Ranges;
}

const mixes: readonly Mix[] = SITUATION_NAMES.flatMap((situation) =>
  POLICIES.flatMap((internal) =>
    POLICIES.flatMap((external) =>
      RANGES.map((ranges) => ({ situation, internal, external, ranges })),
    ),
  ),
);

export const SERVICE_PORT = 80;
/** The port of a situation's own hostPort, see packets.test.ts. */
export const HOST_PORT = 28_080;

/** A frontend's address and port. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/** Where the packet of a cell is sent. */
export function placeOf(cell: Cell): Place {
  const { family, frontend } = cell;
  const ranges =
    frontend === "loadBalancer-allowed"
      ? "allowed"
      : frontend === "loadBalancer-denied"
        ? "denied"
        : "open";
  const number = numberOf({ ...cell, ranges });
  const addresses = addressesOf(number, family);
  switch (frontend) {
    case "clusterIP":
      return { address: addresses.clusterIp, port: SERVICE_PORT };
    case "externalIP":
      return { address: addresses.externalIp, port: SERVICE_PORT };
    case "loadBalancer":
    case "loadBalancer-allowed":
    case "loadBalancer-denied":
      return { address: addresses.balancerIp, port: SERVICE_PORT };
    case "nodePort":
      return { address: ADDRESSES["node-a"][family], port: nodePortOf(number) };
    case "nodePort-loopback":
      return { address: family === 4 ? "127.0.0.1" : "::1", port: nodePortOf(number) };
    case "hostPort":
      return { address: ADDRESSES["node-a"][family], port: HOST_PORT };
  }
}

/** "default/both-lc-open": iTP Local, eTP Cluster. */
export function serviceNameOf({ situation, internal, external, ranges }: Mix): string {
  return `${situation}-${internal[0]}${external[0]}-${ranges}`.toLowerCase();
}

/** Nodes and ServiceCIDRs. */
export function clusterObjects(): ServicesObject[] {
  return [nodeObject("node-a"), nodeObject("node-b"), serviceCidr()];
}

/** Services and slices of all cells. */
export function cellObjects(): ServicesObject[] {
  return mixes.flatMap((mix) => [serviceOf(mix), ...slicesOf(mix)]);
}

/** What the host finds out by itself, for the pure table. */
export function nodeFacts(): NodeFacts {
  const both = (name: "node-a") => FAMILIES.map((family) => ADDRESSES[name][family] as AddressText);
  return {
    nodeName: "node-a",
    nodeLabels: new Map(),
    nodeAddresses: both("node-a"),
    nodePortAddresses: both("node-a"),
    podPrefixes: FAMILIES.flatMap((family) => [
      parsePrefix(POD_PREFIXES["node-a"][family]),
      parsePrefix(POD_PREFIXES["node-b"][family]),
    ]),
    servicePrefixes: FAMILIES.map((family) => parsePrefix(SERVICE_PREFIXES[family])),
    masqueradeAll: false,
  };
}

function numberOf(mix: Mix): number {
  const name = serviceNameOf(mix);
  return 1 + mixes.findIndex((other) => serviceNameOf(other) === name);
}

function nodePortOf(number: number): number {
  return 30_000 + number;
}

function addressesOf(number: number, family: Family) {
  const hex = number.toString(16);
  return family === 4
    ? {
        clusterIp: `10.96.1.${number}`,
        externalIp: `198.51.100.${number}`,
        balancerIp: `203.0.113.${number}`,
      }
    : {
        clusterIp: `fd00:96::1${hex.padStart(2, "0")}`,
        externalIp: `2001:db8:51::${hex}`,
        balancerIp: `2001:db8:203::${hex}`,
      };
}

function serviceOf(mix: Mix): Service {
  const number = numberOf(mix);
  const [v4, v6] = FAMILIES.map((family) => addressesOf(number, family));
  if (!v4 || !v6) throw new Error("two families");
  const ports = (["TCP", "UDP", "SCTP"] as const).map((protocol) => ({
    name: protocol.toLowerCase(),
    protocol,
    port: SERVICE_PORT,
    nodePort: nodePortOf(number),
  }));
  return {
    kind: "Service",
    metadata: { name: serviceNameOf(mix), namespace: "default" },
    spec: {
      type: "LoadBalancer",
      clusterIP: v4.clusterIp,
      clusterIPs: [v4.clusterIp, v6.clusterIp],
      externalIPs: [v4.externalIp, v6.externalIp],
      ...(mix.ranges === "open" ? {} : { loadBalancerSourceRanges: sourceRanges[mix.ranges] }),
      internalTrafficPolicy: mix.internal,
      externalTrafficPolicy: mix.external,
      ports,
    },
    status: {
      loadBalancer: { ingress: [{ ip: v4.balancerIp }, { ip: v6.balancerIp, ipMode: "VIP" }] },
    },
  };
}

/** Upstream trims spaces; host bits may be set. */
const sourceRanges: Readonly<Record<"allowed" | "denied", readonly string[]>> = {
  allowed: [" 192.168.0.0/16 ", "10.244.0.0/16", "fd00::/16"],
  denied: ["192.0.2.0/24", "2001:db8:dead::/48"],
};

/** Endpoints of this node and others come in slices of their own, with another port. */
function slicesOf(mix: Mix): EndpointSlice[] {
  return FAMILIES.flatMap((family) =>
    (["local", "remote"] as const).map((side): EndpointSlice => {
      const names = (["local-1", "local-2", "remote-1"] as const).filter(
        (name) => (name === "remote-1") === (side === "remote"),
      );
      const port = side === "local" ? LOCAL_PORT : REMOTE_PORT;
      return {
        kind: "EndpointSlice",
        metadata: {
          name: `${serviceNameOf(mix)}-${side}-v${family}`,
          namespace: "default",
          labels: { "kubernetes.io/service-name": serviceNameOf(mix) },
        },
        addressType: family === 4 ? "IPv4" : "IPv6",
        endpoints: names.flatMap((name) => {
          const conditions = conditionsOf(mix.situation, name);
          return conditions ? [endpointOf(name, { family, conditions })] : [];
        }),
        ports: (["TCP", "UDP", "SCTP"] as const).map((protocol) => ({
          name: protocol.toLowerCase(),
          protocol,
          port,
        })),
      };
    }),
  );
}

export function endpointOf(
  name: EndpointName,
  { family, conditions }: { readonly family: Family; readonly conditions?: Conditions },
): SliceEndpoint {
  return {
    addresses: [ADDRESSES[name][family]],
    nodeName: name === "remote-1" ? "node-b" : "node-a",
    targetRef: { kind: "Pod", name },
    ...(conditions ? { conditions } : {}),
  };
}

type Conditions = NonNullable<SliceEndpoint["conditions"]>;

const READY: Conditions = { ready: true, serving: true, terminating: false };
const LEAVING: Conditions = { ready: false, serving: true, terminating: true };

/** undefined: the endpoint is not there. */
function conditionsOf(situation: Situation, name: EndpointName): Conditions | undefined {
  const isRemote = name === "remote-1";
  switch (situation) {
    case "both":
      return READY;
    case "remote":
      return isRemote ? READY : undefined;
    case "local":
      return isRemote ? undefined : READY;
    case "none":
      return undefined;
    case "terminating":
      return LEAVING;
    case "unready":
      if (isRemote) return { ready: false, serving: false, terminating: true };
      return { ready: false, serving: name === "local-2", terminating: false };
    case "draining":
      return isRemote ? READY : LEAVING;
  }
}

function nodeObject(name: "node-a" | "node-b"): Node {
  return {
    kind: "Node",
    metadata: { name, namespace: "", labels: { "topology.kubernetes.io/zone": name } },
    spec: {
      podCIDR: POD_PREFIXES[name][4],
      podCIDRs: FAMILIES.map((family) => POD_PREFIXES[name][family]),
    },
    status: {
      addresses: FAMILIES.map((family) => ({
        type: "InternalIP",
        address: ADDRESSES[name][family],
      })),
    },
  };
}

function serviceCidr(): ServiceCidr {
  return {
    kind: "ServiceCIDR",
    metadata: { name: "kubernetes", namespace: "" },
    spec: { cidrs: FAMILIES.map((family) => SERVICE_PREFIXES[family]) },
  };
}
