import type { PluginInfo } from "../../src/plugin-sdk/network-plugin.ts";
import { CONFIG_SCHEMA } from "./config.ts";

/** What cni-exec says of itself. Not attach-in-parallel: CNI forbids two operations at once for one container. */
export const CNI_EXEC_INFO: PluginInfo = {
  name: "cni-exec",
  version: "1.0.0",
  contractVersions: ["patchbay.plugin.v1"],
  roles: ["ROLE_NETWORK"],
  capabilities: [
    "CAPABILITY_PORT_MAPPINGS",
    "CAPABILITY_BANDWIDTH",
    "CAPABILITY_INFINIBAND_GUID",
    "CAPABILITY_REPAIR",
    "CAPABILITY_REPAIR_NETWORK",
  ],
  configSchemaJson: JSON.stringify(CONFIG_SCHEMA),
};
