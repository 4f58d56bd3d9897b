import type { NetworkPlugin } from "../../plugin-sdk/network-plugin.ts";
import { PatchbayError } from "../errors.ts";
import type { KeyedLock } from "./keyed-lock.ts";
import type { LeakWatch } from "./leak-watch.ts";
import type { PluginCalls } from "./plugin-calls.ts";
import type { HostPorts } from "./ports.ts";
import type { HostState } from "./state.ts";

/** What every verb works with. */
export interface HostContext {
  readonly ports: HostPorts;
  readonly state: HostState;
  /** By container id: the runtime promises one call at a time for a container, but breaks it. */
  readonly locks: KeyedLock;
  readonly leaks: LeakWatch;
  /** Attach and Detach, one at a time for each attachment, those past their deadline included. */
  readonly pluginCalls: PluginCalls;
  /** "device:inode" of the node's own network namespace; no pod may have it. */
  readonly ownNetns: string;
}

/** The plugin, or PLUGIN_UNAVAILABLE. */
export function requirePlugin(context: HostContext, name: string): NetworkPlugin {
  const plugin = context.ports.plugins.find(name);
  if (plugin) return plugin;
  const known = context.ports.plugins.names().join(", ");
  throw new PatchbayError(
    "PLUGIN_UNAVAILABLE",
    `Plugin ${JSON.stringify(name)} is not connected (connected: ${known})`,
  );
}
