import type { NetworkPluginClient } from "../../rpc/network-plugin-client.ts";
import type { CheckedInfo } from "./plugin-info.ts";

/** A plugin that answered on a socket of the plugin folder. */
export interface FoundPlugin {
  readonly info: CheckedInfo;
  readonly socketPath: string;
  /** The connection on which it answered. Who takes it closes it. */
  takeClient(): NetworkPluginClient;
  /** Something else seems to answer there by now: asks again who is there. */
  reconsider(): void;
}

/** What a plugin is to the host in one role, for as long as its socket is there. */
export interface Membership {
  leave(why: string): void;
}

/** A part of the host that works with plugins of one role. */
export interface PluginRole {
  readonly role: "ROLE_NETWORK" | "ROLE_SERVICES";
  /** What the plugin becomes, or the reason against it; it is asked again when another plugin left. */
  accept(found: FoundPlugin): Membership | string;
}
