import type { IpAddress } from "../ip/address.ts";
import type { TablePlace } from "./nfnetlink.ts";

/**
 * A table of few rules as data, written over nfnetlink without any `nft` (nf-rule-messages.ts): for namespaces of pods, where
 * starting a program would cost an ADD 10 to 20 ms. `nft list table` reads them.
 */
export interface TableRules extends TablePlace {
  /** Shown by `nft list`; at most 127 bytes. */
  readonly comment: string;
  /** None: the table goes. A chain comes before those whose rules name it. */
  readonly chains: readonly ChainRules[];
}

export interface ChainRules {
  readonly name: string;
  /** Absent: only other chains lead here. */
  readonly hook?: {
    readonly type: "nat";
    readonly hook: "output" | "postrouting";
    readonly priority: number;
  };
  readonly rules: readonly Rule[];
}

/** Every match holds: then the verdict. */
export interface Rule {
  readonly matches: readonly Match[];
  readonly verdict: RuleVerdict;
  /** At most 127 bytes. */
  readonly comment?: string;
}

export type Match =
  /** meta l4proto: 6 TCP, 17 UDP, 132 SCTP. */
  | { readonly kind: "protocol"; readonly protocol: number }
  /** ip daddr, ip6 daddr: of the table's family. */
  | { readonly kind: "destination"; readonly address: IpAddress }
  /** th dport */
  | { readonly kind: "destination-port"; readonly port: number }
  /** oifname */
  | { readonly kind: "output-interface"; readonly name: string }
  /** ct status dnat */
  | { readonly kind: "translated" }
  /** ct original ip daddr */
  | { readonly kind: "original-destination"; readonly address: IpAddress }
  /** numgen random mod `modulus` < `below` */
  | { readonly kind: "draw"; readonly modulus: number; readonly below: number };

export type RuleVerdict =
  | { readonly kind: "goto"; readonly chain: string }
  | { readonly kind: "drop" }
  | { readonly kind: "tcp-reset" }
  | { readonly kind: "port-unreachable" }
  | { readonly kind: "dnat"; readonly address: IpAddress; readonly port: number }
  | { readonly kind: "masquerade" };
