import type { IpAddress } from "../../ip/address.ts";
import type { Bandwidth } from "../../plugin-sdk/network-plugin.ts";
import type { PortMapping } from "../cni/network-config.ts";

/** Annotation that names a pod's networks (multi-network standard 1.3, section 4.1). */
export const NETWORKS_ANNOTATION = "k8s.v1.cni.cncf.io/networks";
/** Annotation that names the network to take instead of the default one (Multus). */
export const DEFAULT_NETWORK_ANNOTATION = "v1.multus-cni.io/default-network";

/** One network that a pod asks for, checked. Absent: not asked for. */
export interface NetworkSelection {
  /** Where in the annotation, for errors: "k8s.v1.cni.cncf.io/networks[1]". */
  readonly field: string;
  readonly namespace: string;
  readonly name: string;
  /** Name of the interface inside the pod. Absent: net1, net2 ... as free. */
  readonly ifname?: string;
  readonly ips: readonly IpAddress[];
  /** As given, with prefix length where one was: what a network without IPAM of the host's gets. */
  readonly ipTexts: readonly string[];
  readonly mac?: string;
  readonly infinibandGuid?: string;
  readonly portMappings: readonly PortMapping[];
  readonly bandwidth?: Bandwidth;
  readonly cniArgs?: Readonly<Record<string, unknown>>;
  /** Gateways of the pod's default routes by this network; empty list: not asked for. */
  readonly defaultRoute: readonly IpAddress[];
  readonly ipamClaim?: string;
  readonly deviceId?: string;
}
