import type { DoctorFinding } from "../../rpc/generated/patchbay/host/v1/DoctorFinding.ts";
import type { HostContext } from "../core/context.ts";
import type { RegisteredPlugin } from "../registry.ts";
import { listNetworkPlugins } from "./plugin-status.ts";

/** Plugins that cannot be called, with what waits for them. */
export function examinePlugins(
  context: HostContext,
  registered: readonly RegisteredPlugin[],
): DoctorFinding[] {
  const statuses = listNetworkPlugins(context, registered);
  const noted = statuses
    .filter(({ note }) => (note ?? "") !== "")
    .map(({ name, note }) => ({
      check: `plugin-${name}`,
      severity: "warning",
      message: `Plugin ${name}: ${note}`,
      remedy: "See its own log; pods wait for what it does not end",
    }));
  const broken = statuses.filter(({ trouble }) => (trouble ?? "") !== "");
  if (broken.length === 0) {
    const message = `${statuses.length} network plugins can be called`;
    return [{ check: "plugins", severity: "ok", message, remedy: "" }, ...noted];
  }
  const errors = broken.map(({ name, trouble, networks = [], attachments = 0, socket = "" }) => ({
    check: `plugin-${name}`,
    severity: "error",
    message: `Plugin ${name}: ${trouble}; its networks (${networks.join(", ") || "none"}; attachments: ${attachments}) take and release no pods`,
    remedy:
      socket === ""
        ? "Start it, or correct the name in the network's configuration"
        : "See its own log, and restart it; what waits for it is done when it is back. `patchbay attachments --network NAME` names the pods",
  }));
  return [...errors, ...noted];
}
