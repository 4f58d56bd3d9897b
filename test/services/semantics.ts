/**
 * What becomes of a packet to a Service: source x frontend x policy x endpoints x family x
 * protocol, written down from the upstream semantics (services.md 3.2 to 3.5) and not from the code. The
 * pure table (plan.test.ts) and real packets (packets.test.ts) are held against the same cells.
 */
import type { Family } from "../../src/ip/address.ts";
import type { Protocol } from "../../src/services/model.ts";

export const SOURCES = [
  /** A pod of this node that is no endpoint. */
  "client-pod",
  /** A pod of this node that is an endpoint of the Service: local-1. */
  "endpoint-pod",
  /** A process of this node. */
  "node-process",
  /** A pod of the other node that comes in through this one. */
  "remote-pod",
  /** Neither pod nor node. */
  "outside",
] as const;
export type Source = (typeof SOURCES)[number];

export const FRONTENDS = [
  "clusterIP",
  "nodePort",
  "externalIP",
  /** Load-balancer address that anyone may use. */
  "loadBalancer",
  /** Load-balancer address with source ranges that name every source, and with some that name none. */
  "loadBalancer-allowed",
  "loadBalancer-denied",
  /** NodePort on 127.0.0.1 and ::1. */
  "nodePort-loopback",
  /** CNI portMappings of one pod: local-1. */
  "hostPort",
] as const;
export type FrontendName = (typeof FRONTENDS)[number];

export const POLICIES = ["Cluster", "Local"] as const;
export type Policy = (typeof POLICIES)[number];

export const ENDPOINTS = ["local-1", "local-2", "remote-1"] as const;
export type EndpointName = (typeof ENDPOINTS)[number];

/**
 * What the slices say, and by it who may answer (3.2): the list for anyone ("cluster") and the list of this node
 * ("local"), which fall back to terminating endpoints independently of each other.
 */
export const SITUATIONS = {
  /** local-1, local-2 and remote-1 are ready. */
  both: { cluster: ["local-1", "local-2", "remote-1"], local: ["local-1", "local-2"] },
  /** remote-1 is ready; no other is there. */
  remote: { cluster: ["remote-1"], local: [] },
  /** local-1 and local-2 are ready; no other is there. */
  local: { cluster: ["local-1", "local-2"], local: ["local-1", "local-2"] },
  /** Slices without endpoints. */
  none: { cluster: [], local: [] },
  /** All three terminate and serve. */
  terminating: { cluster: ["local-1", "local-2", "remote-1"], local: ["local-1", "local-2"] },
  /** local-1 is not ready, local-2 serves without being ready or terminating, remote-1 terminates and serves not. */
  unready: { cluster: [], local: [] },
  /** remote-1 is ready; local-1 and local-2 terminate and serve. */
  draining: { cluster: ["remote-1"], local: ["local-1", "local-2"] },
} as const satisfies Record<
  string,
  { readonly cluster: readonly EndpointName[]; readonly local: readonly EndpointName[] }
>;
export type Situation = keyof typeof SITUATIONS;
export const SITUATION_NAMES = Object.keys(SITUATIONS) as readonly Situation[];

export const PROTOCOLS: readonly Protocol[] = ["TCP", "UDP", "SCTP"];

export interface Cell {
  readonly source: Source;
  readonly frontend: FrontendName;
  /** internalTrafficPolicy and externalTrafficPolicy. */
  readonly internal: Policy;
  readonly external: Policy;
  readonly situation: Situation;
  readonly family: Family;
  readonly protocol: Protocol;
}

/** Whose address the server sees. */
export type Peer = "source" | "node";

export type Expectation =
  | {
      readonly kind: "forward";
      /** Exactly these answer, and this is the peer that each sees. */
      readonly endpoints: readonly { readonly name: EndpointName; readonly peer: Peer }[];
      /**
       * Endpoints whose answer cannot come back: a pod of the other node keeps its address, and so the
       * answer of an endpoint of the other node does not pass this node and its connection tracking.
       */
      readonly mute: readonly EndpointName[];
    }
  | { readonly kind: "reject" }
  | { readonly kind: "drop" };

/** No cell of its own, and why: impossible, or the same as another one. */
export interface Excluded {
  readonly kind: "excluded";
  readonly reason: string;
}

const LOOPBACK = "a loopback address is reached from its own node only";
const FOREIGN_CLUSTER_IP =
  "the other node's own data plane answers for cluster IPs: such a packet leaves no node";
const NO_ENDPOINT = "the source is no endpoint of the Service then: the cell of client-pod";
const ONE_POD = "a hostPort leads to the one pod that asked for it, without policies or slices";
const FEW_SCTP = "SCTP shares all entries but the protocol with TCP: a few cells show it";
const RELAY_SCTP =
  "an address that does not leave the node needs a relay with sockets: none for SCTP";

/** Why a combination is no cell of its own; undefined: it is one. */
export function findExclusion(cell: Cell): Excluded | undefined {
  const { source, frontend, situation } = cell;
  const excluded = (reason: string): Excluded => ({ kind: "excluded", reason });
  if (frontend === "nodePort-loopback") {
    if (source !== "node-process") return excluded(LOOPBACK);
    if (cell.protocol === "SCTP") return excluded(RELAY_SCTP);
  }
  if (frontend === "hostPort") {
    const isOne =
      situation === "local" && cell.internal === "Cluster" && cell.external === "Cluster";
    if (!isOne) return excluded(ONE_POD);
  }
  if (source === "remote-pod" && frontend === "clusterIP") return excluded(FOREIGN_CLUSTER_IP);
  if (source === "endpoint-pod" && (situation === "none" || situation === "remote")) {
    return excluded(NO_ENDPOINT);
  }
  if (cell.protocol === "SCTP" && !isSctpSample(cell)) return excluded(FEW_SCTP);
  return undefined;
}

/** Every way through the rules once: forward plain, masqueraded and hairpin, reject, drop. */
function isSctpSample({ source, frontend, internal, external, situation }: Cell): boolean {
  if (frontend === "clusterIP") {
    return (
      external === "Cluster" &&
      (situation === "both" || situation === "remote" || situation === "none")
    );
  }
  if (frontend === "nodePort") {
    return internal === "Cluster" && situation === "remote" && source !== "remote-pod";
  }
  return frontend === "loadBalancer-denied" && source === "outside" && situation === "both";
}

/** What the semantics say of a cell that is not excluded. */
export function expectationOf(cell: Cell): Expectation {
  const { source, frontend, internal, external } = cell;
  const isPod = source === "client-pod" || source === "endpoint-pod" || source === "remote-pod";
  switch (frontend) {
    case "clusterIP":
      // 3.3: internalTrafficPolicy is for every source; 3.4: pods keep their address.
      return route(cell, { by: internal, peer: isPod ? "source" : "node" });
    case "loadBalancer-denied":
      // 3.3: checked before the address is translated, so that it comes before "no endpoint".
      return { kind: "drop" };
    case "nodePort":
    case "nodePort-loopback":
    case "externalIP":
    case "loadBalancer":
    case "loadBalancer-allowed":
      // 3.4: with Cluster everyone gets the node's address, with Local nobody from outside; who is
      // inside takes the short circuit to all endpoints.
      if (external === "Cluster") return route(cell, { by: "Cluster", peer: "node" });
      if (source === "node-process") return route(cell, { by: "Cluster", peer: "node" });
      if (isPod) return route(cell, { by: "Cluster", peer: "source" });
      return route(cell, { by: "Local", peer: "source" });
    case "hostPort":
      return {
        kind: "forward",
        endpoints: [
          {
            name: "local-1",
            peer: source === "node-process" || source === "endpoint-pod" ? "node" : "source",
          },
        ],
        mute: [],
      };
  }
}

function route(
  { source, situation }: Cell,
  { by, peer }: { readonly by: Policy; readonly peer: Peer },
): Expectation {
  const lists: { cluster: readonly EndpointName[]; local: readonly EndpointName[] } =
    SITUATIONS[situation];
  const names = by === "Cluster" ? lists.cluster : lists.local;
  if (names.length > 0) {
    return {
      kind: "forward",
      endpoints: names.map((name) => ({
        name,
        // 3.4: a pod that is led back to itself would not know its own address as peer.
        peer: source === "endpoint-pod" && name === "local-1" ? "node" : peer,
      })),
      mute:
        source === "remote-pod" && peer === "source"
          ? names.filter((name) => name === "remote-1")
          : [],
    };
  }
  // 3.3: nobody anywhere is refused; somebody elsewhere is silence, or load balancers give the node up.
  return lists.cluster.length > 0 || lists.local.length > 0 ? { kind: "drop" } : { kind: "reject" };
}

/** The whole cross product. */
export function allCells(): Cell[] {
  const cells: Cell[] = [];
  for (const source of SOURCES) {
    for (const frontend of FRONTENDS) {
      for (const internal of POLICIES) {
        for (const external of POLICIES) {
          for (const situation of SITUATION_NAMES) {
            for (const family of [4, 6] as const) {
              for (const protocol of PROTOCOLS) {
                cells.push({ source, frontend, internal, external, situation, family, protocol });
              }
            }
          }
        }
      }
    }
  }
  return cells;
}

/** Cells that have an expectation. */
export function testedCells(): Cell[] {
  return allCells().filter((cell) => !findExclusion(cell));
}

/** "outside -> nodePort iTP Cluster eTP Local, both, v6 UDP" */
export function describeCell(cell: Cell): string {
  const { source, frontend, internal, external, situation, family, protocol } = cell;
  return `${source} -> ${frontend} iTP ${internal} eTP ${external}, ${situation}, v${family} ${protocol}`;
}
