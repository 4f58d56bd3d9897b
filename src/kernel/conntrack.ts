import type { Family, IpAddress } from "../ip/address.ts";

/**
 * Connection tracking over ctnetlink (linux/netfilter/nfnetlink_conntrack.h). Every failure is a
 * KernelError. openNetfilter() makes the real one; it and FakeConntrack pass conntrack-suite.ts.
 */
export interface Conntrack {
  /**
   * Entries of a family and protocol, asked of the kernel with a filter where it can (5.8). Of large
   * tables only what `keep` says true to takes memory; it is asked in slices between other work.
   */
  flows(filter: FlowFilter, keep?: (flow: Flow) => boolean): Promise<readonly Flow[]>;
  /** Deletes by exact original tuple and id; those already gone are success. Returns how many it deleted. */
  remove(flows: readonly Flow[]): Promise<number>;
  close(): Promise<void>;
}

export interface FlowFilter {
  readonly family: Family;
  readonly protocol: "TCP" | "UDP" | "SCTP";
}

export interface Flow {
  readonly family: Family;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  /** CTA_ID: tells an entry from a later one with the same tuple. */
  readonly id: number;
  /** CTA_ZONE, where it is not 0: the same tuple may be there once in each zone. */
  readonly zone?: number;
  readonly original: FlowTuple;
  /** As the answer comes: its source is the endpoint. */
  readonly reply: FlowTuple;
}

export interface FlowTuple {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly sourcePort: number;
  readonly destinationPort: number;
}
