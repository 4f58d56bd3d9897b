/**
 * Every rule that decides what becomes of a packet, with its sentence and where it is written
 * (services.md). The words are stable: people and scripts match them.
 */
export interface Rule {
  readonly section: string;
  readonly text: string;
}

/** Why a packet goes where it goes. */
export const verdictRules = {
  "cluster-ip-cluster": {
    section: "3.2.5",
    text: "A cluster IP with internal traffic policy Cluster leads to the Service's endpoints wherever they are.",
  },
  "cluster-ip-local": {
    section: "3.2.5",
    text: "A cluster IP with internal traffic policy Local leads to endpoints of this node only.",
  },
  "external-cluster": {
    section: "3.2.5",
    text: "An external address with external traffic policy Cluster leads to the Service's endpoints wherever they are.",
  },
  "external-local": {
    section: "3.2.5",
    text: "An external address with external traffic policy Local leads outside clients to endpoints of this node only.",
  },
  "external-local-short-circuit": {
    section: "3.4",
    text: "Pods and processes of this node reach an external address with policy Local as if they dialled from inside: all endpoints count.",
  },
  "host-port": {
    section: "hostPort",
    text: "A hostPort leads to its pod.",
  },
  "network-cluster": {
    section: "networks",
    text: "The Service is on a network that the source is on, too: rules in the pod's own namespace lead to the endpoints' addresses on it.",
  },
  "network-local": {
    section: "networks",
    text: "The Service is on a network that the source is on, too, and its internal traffic policy is Local: rules in the pod's own namespace lead to endpoints of this node only.",
  },
  "on-network": {
    section: "networks",
    text: "The Service is on a network of its own, and only pods on it reach it, by rules in their own namespaces: the node refuses.",
  },
  "no-endpoint": {
    section: "3.3",
    text: "No endpoint can be used anywhere, so the connection is refused.",
  },
  "topology-no-endpoint": {
    section: "3.3",
    text: "No usable endpoint matches the Service's topology keys, so the connection is refused.",
  },
  "internal-local-no-endpoint": {
    section: "3.3",
    text: "Internal traffic policy is Local and no endpoint is on this node: the packet is dropped.",
  },
  "external-local-no-endpoint": {
    section: "3.3",
    text: "External traffic policy is Local and no endpoint is on this node: the packet is dropped, so that load balancers do not take the Service for gone.",
  },
  "source-ranges": {
    section: "3.3",
    text: "The source is not in the Service's loadBalancerSourceRanges: the packet is dropped.",
  },
  "cluster-ip-wrong-port": {
    section: "3.3",
    text: "The address is a cluster IP, but of no Service at this port and protocol: the connection is refused.",
  },
  "unknown-service-address": {
    section: "3.3",
    text: "The address lies in a Service range and belongs to no Service: the packet is dropped.",
  },
  "node-port-localhost": {
    section: "localhost",
    text: "The host's own proxy serves NodePorts on loopback: it answers, and dials an endpoint as this node's processes would.",
  },
  "node-port-elsewhere": {
    section: "3.3",
    text: "The port is a Service's NodePort, but not at this address: the packet goes on as it is.",
  },
  "no-service": {
    section: "3.3",
    text: "No Service is at this address and port: the packet goes on as it is.",
  },
} as const satisfies Record<string, Rule>;

/** Why a list holds the endpoints that it holds. */
export const choiceRules = {
  ready: { section: "3.2.1", text: "All ready endpoints count." },
  local: { section: "3.2.2", text: "The ready endpoints of this node count." },
  "same-node": {
    section: "3.2.3",
    text: "Every ready endpoint has a node hint: those that name this node count.",
  },
  "same-zone": {
    section: "3.2.3",
    text: "Every ready endpoint has a zone hint: those that name this node's zone count.",
  },
  "topology-keys": {
    section: "4",
    text: "The first topology key for which an endpoint's node has this node's value decides.",
  },
  "serving-terminating": {
    section: "3.2.1",
    text: "No endpoint is ready, so those that terminate and still serve count.",
  },
} as const satisfies Record<string, Rule>;

/** Why the source address becomes the node's, or not. */
export const masqueradeRules = {
  "not-forwarded": { section: "3.4", text: "Nothing is forwarded." },
  "own-process": {
    section: "3.4",
    text: "Connections of the node's own processes get the node's address.",
  },
  "localhost-proxy": {
    section: "localhost",
    text: "The host's proxy dials the endpoint itself, so the node's address is what the endpoint sees.",
  },
  hairpin: {
    section: "3.4",
    text: "The source is the only endpoint: a connection to itself needs another source address to find its way back.",
  },
  "maybe-hairpin": {
    section: "3.4",
    text: "The source is one of the endpoints: its address changes only where the connection leads back to itself.",
  },
  "from-pod": { section: "3.4", text: "A pod that dials a cluster IP keeps its address." },
  "from-outside": {
    section: "3.4",
    text: "A source that is no pod gets the node's address when it dials a cluster IP.",
  },
  "masquerade-all": {
    section: "3.4",
    text: "masqueradeAll is set: every connection to a cluster IP gets the node's address.",
  },
  "external-cluster-policy": {
    section: "3.4",
    text: "Every connection to an external address with policy Cluster gets the node's address.",
  },
  "external-local-policy": {
    section: "3.4",
    text: "External traffic policy Local keeps the client's address.",
  },
  "network-source": {
    section: "networks",
    text: "The connection leaves by the pod's interface on the network, with the pod's address there.",
  },
  "host-port-source": { section: "hostPort", text: "A hostPort keeps the client's address." },
} as const satisfies Record<string, Rule>;

/** Why an endpoint is not used. */
export const unusedRules = {
  "not-ready": { section: "3.2.4", text: "not ready" },
  terminating: { section: "3.2.1", text: "terminating, and others are ready" },
  "not-serving": { section: "3.2.4", text: "terminating and not serving" },
  "not-local": { section: "3.2.2", text: "not on this node" },
  "other-node-hint": { section: "3.2.3", text: "its hints name other nodes" },
  "other-zone-hint": { section: "3.2.3", text: "its hints name other zones" },
  "topology-keys": { section: "4", text: "not chosen by the topology keys" },
  "no-port": {
    section: "3.2.4",
    text: "none of its ports has the Service port's name and protocol",
  },
  "no-network-address": {
    section: "networks",
    text: "its pod has no address of this family on the Service's network",
  },
  "weight-zero": { section: "weights", text: "its weight is 0" },
} as const satisfies Record<string, Rule>;

export type VerdictRule = keyof typeof verdictRules;
export type ChoiceRule = keyof typeof choiceRules;
export type MasqueradeRule = keyof typeof masqueradeRules;
export type UnusedRule = keyof typeof unusedRules;
