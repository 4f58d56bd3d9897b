import type { Family } from "../../../ip/address.ts";
import type { PlannedEndpoint } from "../../../services/plan-types.ts";

/** Where to listen on loopback. */
export interface Place {
  readonly family: Family;
  readonly port: number;
}

/** What becomes of one connection, or of one client's datagrams. */
export type Target =
  | {
      readonly kind: "endpoint";
      readonly endpoint: PlannedEndpoint;
      /** The endpoint did not take it. */
      readonly failed: () => void;
    }
  | { readonly kind: "reject" }
  | { readonly kind: "drop" };

export function loopbackOf(family: Family): string {
  return family === 4 ? "127.0.0.1" : "::1";
}
