import type { NetnsIdentity } from "../../src/kernel/kernel.ts";
import type { NetworkPlugin } from "../../src/plugin-sdk/network-plugin.ts";
import type { CallOwner, PortCalls } from "./port-calls.ts";

/** What a pod holds of an attachment, as the kernel would say it. */
export interface Held {
  readonly id: string;
  readonly network: string;
  readonly netns: string;
  readonly ifname: string;
  /** CIDR, as in the pod. */
  readonly addresses: readonly string[];
}

/** Told of what changed, at the moment when it changed. */
export interface WorldListener {
  appeared(held: Held): void;
  disappeared(held: Held): void;
}

/** The node below the plugin host: namespaces, and what plugins made in them. */
export interface World {
  makeNetns(path: string): Promise<void>;
  /** With all links inside. */
  removeNetns(path: string): Promise<void>;
  /** Every namespace and link is gone. */
  reboot(): Promise<void>;
  identify(path: string): Promise<NetnsIdentity | undefined>;
  /** Plugins as one host process sees them; each of their calls goes through the scheduler. */
  plugins(owner: CallOwner, calls: PortCalls): ReadonlyMap<string, NetworkPlugin>;
  /** Something that a plugin holds and no record knows. */
  injectOrphan(id: string, plugin: string): Promise<void>;
  /** Complete attachments and halves of such, by id. */
  held(): ReadonlyMap<string, Held>;
  toString(): string;
}
