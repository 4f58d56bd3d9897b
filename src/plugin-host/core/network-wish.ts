import type { IpAddress } from "../../ip/address.ts";
import type { Bandwidth } from "../../plugin-sdk/network-plugin.ts";
import type { NetworkConfig, PortMapping } from "../cni/network-config.ts";
import type { ClaimId } from "./attachment.ts";

/** One attachment that a pod is to get, before anything is done. */
export interface NetworkWish {
  /** The network as configured; its name is the network's identity. */
  readonly config: NetworkConfig;
  readonly ifname: string;
  readonly addresses: readonly IpAddress[];
  /** The same as given: for a network without IPAM of the host's. */
  readonly addressTexts: readonly string[];
  readonly mac: string | undefined;
  readonly infinibandGuid: string;
  readonly deviceId: string;
  readonly bandwidth: Bandwidth | undefined;
  readonly portMappings: readonly PortMapping[];
  readonly cniArgs: Readonly<Record<string, unknown>> | undefined;
  readonly defaultRoute: DefaultRouteWish;
  readonly claim: ClaimId | undefined;
  /** Where it was asked for, for errors: "" for the CNI call itself. */
  readonly field: string;
}

/** The network's own choice, none, or by these gateways. */
export type DefaultRouteWish = "network" | "none" | readonly IpAddress[];

/** What nobody asked for. */
export const NO_WISH: Omit<NetworkWish, "config" | "ifname"> = {
  addresses: [],
  addressTexts: [],
  mac: undefined,
  infinibandGuid: "",
  deviceId: "",
  bandwidth: undefined,
  portMappings: [],
  cniArgs: undefined,
  defaultRoute: "none",
  claim: undefined,
  field: "",
};
