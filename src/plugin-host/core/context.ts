import type { NetworkPlugin } from "../../plugin-sdk/network-plugin.ts";
import { PatchbayError } from "../errors.ts";
import type { NetworkPolicy } from "../networks/visibility.ts";
import type { Chores } from "./chores.ts";
import type { DriftMemory } from "./drift.ts";
import type { KeyedLock } from "./keyed-lock.ts";
import type { LastingTroubles } from "./lasting-troubles.ts";
import type { LeakWatch } from "./leak-watch.ts";
import type { PluginCalls } from "./plugin-calls.ts";
import type { Sightings } from "./pod-lists.ts";
import type { HostPorts } from "./ports.ts";
import type { HostState } from "./state.ts";

/** What every verb works with. */
export interface HostContext {
  readonly ports: HostPorts;
  readonly state: HostState;
  /** By container id: the runtime promises one call at a time for a container, but breaks it. */
  readonly locks: KeyedLock;
  readonly leaks: LeakWatch;
  /** Which attachments lists of pods have had. */
  readonly sightings: Sightings;
  /** Attach and Detach, one at a time for each attachment, those past their deadline included. */
  readonly pluginCalls: PluginCalls;
  /** "device:inode" of the node's own network namespace; no pod may have it. */
  readonly ownNetns: string;
  /** Which networks a pod may ask for. */
  readonly policy: NetworkPolicy;
  /** Whether the slow loop mends drift, or only tells of it. */
  readonly repairsDrift: boolean;
  /** Work beside the calls, each kind at most once at a time. */
  readonly chores: Chores;
  /** What comparisons of attachments with the kernel found before. */
  readonly drift: DriftMemory;
  /** Where reconciliation tells of what fails in every round. */
  readonly troubles: LastingTroubles;
}

/** The plugin, or PLUGIN_UNAVAILABLE: before anything is recorded that only the plugin could undo. */
export function requirePlugin(context: HostContext, name: string): NetworkPlugin {
  const plugin = context.ports.plugins.find(name);
  const trouble = context.ports.plugins.troubleOf?.(name) ?? "";
  if (plugin && trouble === "") return plugin;
  if (plugin) throw new PatchbayError("PLUGIN_UNAVAILABLE", `Plugin ${name}: ${trouble}`);
  const known = context.ports.plugins.names().join(", ");
  throw new PatchbayError(
    "PLUGIN_UNAVAILABLE",
    `Plugin ${JSON.stringify(name)} is not connected (connected: ${known})`,
  );
}

/** True when calls of the plugin would be refused. */
export function isInTrouble({ ports: { plugins } }: HostContext, name: string): boolean {
  return plugins.find(name) === undefined || (plugins.troubleOf?.(name) ?? "") !== "";
}
