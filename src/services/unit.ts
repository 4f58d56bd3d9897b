import type { EndpointGroup, Frontend } from "./model.ts";
import type { UnitPlan } from "./plan-unit.ts";

/** One Service of one source: what is planned, and planned anew, as a whole. */
export interface Unit {
  /** "namespace/name" as people say it. */
  readonly service: string;
  /** Where an address of it is written, for people. */
  readonly addressField: string;
  /** What makes the ids of its groups unique among sources. */
  readonly scope: string;
  /** As of now; the plan may be older. */
  readonly frontends: readonly Frontend[];
  group(id: string): EndpointGroup | undefined;
  readonly healthCheckPort: number | undefined;
  /** True: nothing is left of it, not even slices that wait for a Service. */
  readonly isEmpty: boolean;
  /** As of the last takeChanges(); undefined: not planned yet. */
  planned: UnitPlan | undefined;
  /** Revision of its last change. */
  revision: number;
  /** Newest trigger time since the last takeChanges(), ms since 1970. */
  triggeredMs: number | undefined;
}
