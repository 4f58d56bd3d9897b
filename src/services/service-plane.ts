import type { FrontendKey } from "./model.ts";
import type { PlanChanges, PlannedEndpoint, Route, ServicePlan } from "./plan-types.ts";

/**
 * A data plane for Services: the built-in nftables one, or a third party's behind its stream. The
 * host makes one call at a time and waits for it, with a deadline.
 */
export interface ServicePlane {
  readonly name: string;
  /**
   * Brings whatever the plane holds (of an earlier process, of somebody who deleted half of it, of
   * nobody) to exactly this plan. Flows, and affinity of endpoints that stay, survive. Throws
   * KernelError or PatchbayError; what it holds is undefined then, until a reset succeeds.
   */
  reset(plan: ServicePlan, revision: number): Promise<ProgramOutcome>;
  /** Programs a difference to what it holds. Throws as reset does; the host answers with a reset. */
  apply(changes: PlanChanges): Promise<ProgramOutcome>;
  /** What the kernel itself says of a frontend, read now. undefined: it holds none. */
  held(key: FrontendKey): Promise<HeldFrontend | undefined>;
  /** Where it programs namespaces of pods, "device:inode": why one does not hold what it should; "": it does. */
  troubleInside?(netnsIdentity: string): string;
  /** Called when somebody else changed what the plane holds; the host answers with a reset. */
  onTamper(listener: (what: string) => void): void;
  /** New connections since the plane was made, of frontends that count. */
  connectionCounts(): Promise<ReadonlyMap<FrontendKey, bigint>>;
  /** Takes everything out of the kernel (`patchbay uninstall`). */
  remove(): Promise<void>;
  close(): Promise<void>;
}

export interface ProgramOutcome {
  readonly revision: number;
  /** Frontends that could not be programmed, and why; the rest is. */
  readonly refused: readonly { readonly key: FrontendKey; readonly reason: string }[];
}

export interface HeldFrontend {
  readonly inside: HeldRoute;
  readonly outside: HeldRoute;
}

export type HeldRoute =
  | { readonly kind: Exclude<Route["kind"], "list"> }
  | { readonly kind: "list"; readonly endpoints: readonly PlannedEndpoint[] };
