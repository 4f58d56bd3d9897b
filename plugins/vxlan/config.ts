import { type IpAddress, parseAddress } from "../../src/ip/address.ts";
import { PluginError } from "../../src/plugin-sdk/network-plugin.ts";

/** The keys that this plugin adds to a network's configuration. */
export interface VxlanConfig {
  readonly vni: number;
  readonly port: number;
  /** Of this node's end. Undefined: the first of the parent. */
  readonly local: IpAddress | undefined;
  /** The link that carries the segment. "": by `local`, or that of the default route. */
  readonly parent: string;
  /** Ends on other nodes; this node's own may be among them. */
  readonly peers: readonly IpAddress[];
  /** Where a MAC address is, for segments that do not learn it. */
  readonly fdb: readonly { readonly mac: string; readonly peer: IpAddress }[];
  readonly bridge: string;
  /** The bridge has the gateway addresses, on each node. */
  readonly isGateway: boolean;
}

const IFNAME = "^(?!\\.{1,2}$)[^\\s/:]{1,15}$";

export const CONFIG_SCHEMA = {
  type: "object",
  required: ["vni"],
  properties: {
    vni: { type: "integer", minimum: 1, maximum: 16_777_215 },
    port: { type: "integer", minimum: 1, maximum: 65_535 },
    local: { type: "string" },
    parent: { type: "string", pattern: IFNAME },
    peers: { type: "array", maxItems: 4096, items: { type: "string" } },
    fdb: {
      type: "array",
      maxItems: 65_536,
      items: {
        type: "object",
        required: ["mac", "peer"],
        properties: {
          mac: { type: "string", pattern: "^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$" },
          peer: { type: "string" },
        },
      },
    },
    bridge: { type: "string", pattern: IFNAME },
    isGateway: { type: "boolean" },
  },
} as const;

interface VxlanJson {
  readonly vni?: number;
  readonly port?: number;
  readonly local?: string;
  readonly parent?: string;
  readonly peers?: readonly string[];
  readonly fdb?: readonly { readonly mac: string; readonly peer: string }[];
  readonly bridge?: string;
  readonly isGateway?: boolean;
}

/** Reads what the host has checked by CONFIG_SCHEMA. Throws PluginError "invalid-config" for what is no address. */
export function readVxlanConfig(configJson: string): VxlanConfig {
  const json = JSON.parse(configJson) as VxlanJson;
  const { vni } = json;
  if (vni === undefined) throw new PluginError("invalid-config", "vni is missing");
  return {
    vni,
    port: json.port ?? 4789,
    local: json.local === undefined ? undefined : readAddress("local", json.local),
    parent: json.parent ?? "",
    peers: (json.peers ?? []).map((peer, index) => readAddress(`peers[${index}]`, peer)),
    fdb: (json.fdb ?? []).map(({ mac, peer }, index) => ({
      mac: mac.toLowerCase(),
      peer: readAddress(`fdb[${index}].peer`, peer),
    })),
    bridge: json.bridge ?? bridgeOf(vni),
    isGateway: json.isGateway ?? false,
  };
}

/** At most 15 characters with the largest VNI. */
export function bridgeOf(vni: number): string {
  return `vxbr${vni}`;
}

function readAddress(field: string, text: string): IpAddress {
  try {
    return parseAddress(text);
  } catch (cause) {
    throw new PluginError("invalid-config", `${field} is ${JSON.stringify(text)}, no IP address`, {
      cause,
    });
  }
}
