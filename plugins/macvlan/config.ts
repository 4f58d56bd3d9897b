import type { MacvlanMode } from "../../src/kernel/kernel.ts";

/** The keys that this plugin adds to a network's configuration, named as in the CNI macvlan plugin. */
export interface MacvlanConfig {
  /** "": the link of the default route. */
  readonly master: string;
  readonly mode: MacvlanMode;
  /** The master is a link of the pod. */
  readonly linkInContainer: boolean;
  /** Mode "source": whom the pod hears. */
  readonly sourceMacs: readonly string[];
}

export const CONFIG_SCHEMA = {
  type: "object",
  properties: {
    master: { type: "string", pattern: "^(?!\\.{1,2}$)[^\\s/:]{1,15}$" },
    mode: { type: "string", enum: ["bridge", "private", "vepa", "passthru", "source"] },
    linkInContainer: { type: "boolean" },
    sourceMacs: {
      type: "array",
      maxItems: 256,
      items: { type: "string", pattern: "^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$" },
    },
  },
} as const;

/** Reads what the host has checked by CONFIG_SCHEMA. */
export function readMacvlanConfig(configJson: string): MacvlanConfig {
  const json = JSON.parse(configJson) as Partial<MacvlanConfig>;
  return {
    master: json.master ?? "",
    mode: json.mode ?? "bridge",
    linkInContainer: json.linkInContainer ?? false,
    sourceMacs: json.sourceMacs ?? [],
  };
}
