import type { Conntrack } from "../kernel/conntrack.ts";
import type { NetnsPlace } from "../kernel/netns-netfilter.ts";
import type { PlannedFrontend } from "./plan-types.ts";

/** What the namespace of a pod must hold: Services on the networks that it is on. */
export interface NamespacePlan {
  /** Each has `onNetwork`, of one of `ifnames`; in the order of their keys. */
  readonly frontends: readonly PlannedFrontend[];
  /** Interfaces by network, at least one each. */
  readonly ifnames: ReadonlyMap<string, readonly string[]>;
  /** Who dials, "namespace/pod": the same always meets the same endpoint where a frontend wants that. */
  readonly client: string;
}

/**
 * Writes Services down inside namespaces of pods. Calls for one namespace come one after the other. Throws KernelError, of
 * ENOENT where the namespace is gone.
 */
export interface NamespacePlane {
  /**
   * Brings what a namespace holds, whatever that is, to exactly this, all at once; connections that are there go on. Answers
   * what inspect() says until somebody changes it.
   */
  program(netns: NetnsPlace, plan: NamespacePlan): Promise<string>;
  /** A text that is another one once somebody changed what program() left, or what it depends on. */
  inspect(netns: NetnsPlace, plan: NamespacePlan): Promise<string>;
  conntrack(netns: NetnsPlace): Pick<Conntrack, "flows" | "remove">;
  close(): Promise<void>;
}
