import { hash } from "node:crypto";

/** IFNAMSIZ less the closing zero, linux/if.h. */
const IFNAME_LENGTH_MAX = 15;

/** Leaves room for a plugin's name with its host's and an attachment id. */
const ALIAS_NETWORK_LENGTH = 128;

/** Link that holds the gateway addresses of all routed networks. */
export const GATEWAY_LINK = "patchbay0";

/** Whose a link is. */
export interface LinkOwner {
  /** Name of the plugin, by holderName() where several hosts may share a node. */
  readonly plugin: string;
  readonly network: string;
  readonly attachmentId: string;
}

/** What an attachment's links are called and addressed by: all derived from its id, so that a repeat finds them. */
export interface LinkNames {
  /** The node's end: "pb" and 13 hex digits. */
  readonly hostIfname: string;
  /** Locally administered, unicast. */
  readonly hostMac: string;
  readonly podMac: string;
}

/** The names for an attachment id. */
export function linkNamesOf(attachmentId: string): LinkNames {
  const digits = hash("sha256", attachmentId, "hex");
  return {
    hostIfname: `pb${digits.slice(0, IFNAME_LENGTH_MAX - 2)}`,
    hostMac: macFrom(digits.slice(16, 26)),
    podMac: macFrom(digits.slice(26, 36)),
  };
}

/**
 * The plugin as the links' owner. Hosts with different roots may share a network namespace by
 * accident: without its host's name each would take the other's links for orphans and remove them.
 */
export function holderName(plugin: string, hostId = ""): string {
  return hostId === "" ? plugin : `${plugin}@${hostId}`;
}

/** IFLA_IFALIAS of the node's end: by it the links of lost records are found. */
export function formatAlias(owner: LinkOwner): string {
  return `patchbay:${owner.plugin}:${aliasNetworkOf(owner.network)}:${owner.attachmentId}`;
}

/** A network in an alias: "namespace/name" may have 317 characters, an alias 255. */
export function aliasNetworkOf(network: string): string {
  if (network.length <= ALIAS_NETWORK_LENGTH) return network;
  const digits = hash("sha256", network, "hex").slice(0, 16);
  return `${network.slice(0, ALIAS_NETWORK_LENGTH - digits.length - 1)}~${digits}`;
}

/** Whose a link is by its alias; undefined for the links of others. */
export function findLinkOwner(alias: string): LinkOwner | undefined {
  const [prefix, plugin, network, attachmentId] = alias.split(":");
  if (prefix !== "patchbay" || !plugin || !network || !attachmentId) return undefined;
  return { plugin, network, attachmentId };
}

/** Alias of a link that is a whole network's on this node, not an attachment's. */
export function formatSegmentAlias(owner: Pick<LinkOwner, "plugin" | "network">): string {
  return `patchbay-segment:${owner.plugin}:${aliasNetworkOf(owner.network)}`;
}

/** Network of a segment by its link's alias, as aliasNetworkOf() has it; undefined for other links. */
export function findSegmentNetwork(alias: string): string | undefined {
  const [prefix, plugin, network] = alias.split(":");
  return prefix === "patchbay-segment" && plugin && network ? network : undefined;
}

/** A stable MAC address for something with a name, a bridge for example. */
export function macOfName(name: string): string {
  return macFrom(hash("sha256", name, "hex").slice(0, 10));
}

/** A stable route metric for something with a name, above those that people and the kernel choose. */
export function metricOfName(name: string): number {
  return 0x0100_0000 + Number.parseInt(hash("sha256", name, "hex").slice(0, 6), 16);
}

/** IPv6 link-local address that EUI-64 makes of a MAC address (RFC 4291, appendix A), as a number. */
export function linkLocalOfMac(mac: string): bigint {
  const bytes = mac.split(":").map((part) => Number.parseInt(part, 16));
  const [first = 0, second = 0, third = 0, ...rest] = bytes;
  const interfaceId = [first ^ 2, second, third, 0xff, 0xfe, ...rest];
  return interfaceId.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) | (0xfe80n << 112n);
}

function macFrom(tenDigits: string): string {
  return ["02", ...(tenDigits.match(/../g) ?? [])].join(":");
}
