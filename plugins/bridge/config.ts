/** The keys that this plugin adds to a network's configuration, named as in the CNI bridge plugin. */
export interface BridgeConfig {
  readonly bridge: string;
  readonly hairpinMode: boolean;
  /** Pods of this network do not reach each other, only the gateway. */
  readonly portIsolation: boolean;
  /** 0: no VLAN filtering. */
  readonly vlan: number;
}

export const CONFIG_SCHEMA = {
  type: "object",
  properties: {
    bridge: { type: "string", pattern: "^(?!\\.{1,2}$)[A-Za-z0-9_.-]{1,15}$" },
    hairpinMode: { type: "boolean" },
    portIsolation: { type: "boolean" },
    vlan: { type: "integer", minimum: 0, maximum: 4094 },
  },
} as const;

/** Reads what the host has checked by CONFIG_SCHEMA. */
export function readBridgeConfig(configJson: string): BridgeConfig {
  const json = JSON.parse(configJson) as Partial<BridgeConfig>;
  return {
    bridge: json.bridge ?? "cni0",
    hairpinMode: json.hairpinMode ?? false,
    portIsolation: json.portIsolation ?? false,
    vlan: json.vlan ?? 0,
  };
}
