import { parsePrefix, formatAddress } from "../../ip/address.ts";
import type { AttachResponse } from "../../plugin-sdk/network-plugin.ts";
import type { AttachmentRecord } from "../core/attachment.ts";

/**
 * One element of the annotation k8s.v1.cni.cncf.io/network-status: the keys of the multi-network standard
 * (1.3, section 5) and those of the client library that most readers use, where the two differ.
 */
export interface NetworkStatus {
  readonly name: string;
  readonly interface: string;
  /** Without prefix length. */
  readonly ips: readonly string[];
  readonly mac?: string;
  /** The client library's. */
  readonly mtu?: number;
  /** Only on the pod's default network. */
  readonly default?: true;
  readonly dns: StatusDns;
  /** Gateways of the pod's default routes by this network: the standard's word for them. */
  readonly "default-route"?: readonly string[];
  /** The same: the client library's word. */
  readonly gateway?: readonly string[];
  readonly "device-info"?: unknown;
}

export interface StatusDns {
  readonly nameservers?: readonly string[];
  readonly domain?: string;
  readonly search?: readonly string[];
}

/**
 * What a pod's attachments are, the default network first, then in the order given; one element for each
 * interface that an attachment put into the pod. Those that do not stand are left out.
 */
export function networkStatusOf(records: readonly AttachmentRecord[]): NetworkStatus[] {
  const isPrimary = ({ id, primaryId }: AttachmentRecord): boolean => id === primaryId;
  return [
    ...records.filter(isPrimary).flatMap((record) => markDefault(statusesOf(record))),
    ...records.filter((record) => !isPrimary(record)).flatMap(statusesOf),
  ];
}

/** Exactly one has default: true, however many interfaces the default network has. */
function markDefault([first, ...others]: readonly NetworkStatus[]): readonly NetworkStatus[] {
  return first === undefined ? [] : [{ ...first, default: true }, ...others];
}

function statusesOf(record: AttachmentRecord): NetworkStatus[] {
  const { state, network, ifname, request } = record;
  switch (state.kind) {
    case "attaching":
    case "detaching":
      return [];
    case "adopted":
      return [
        {
          name: network,
          interface: ifname,
          ips: request.addresses.map(({ address }) => bareAddress(address)),
          dns: {},
        },
      ];
    case "attached":
      return attachedStatuses(record, state.response);
  }
}

function attachedStatuses(record: AttachmentRecord, response: AttachResponse): NetworkStatus[] {
  const inside = response.interfaces
    .map((link, index) => ({ link, index }))
    .filter(({ link }) => link.sandbox !== "");
  const common = { name: record.network, dns: dnsOf(response) };
  const more = { ...gatewaysOf(response), ...deviceInfoOf(response) };
  if (inside.length === 0) {
    const ips = response.addresses.map(({ address }) => bareAddress(address));
    return [{ ...common, interface: record.ifname, ips, ...more }];
  }
  return inside.map(({ link, index }, position) => ({
    ...common,
    interface: link.name,
    ips: response.addresses
      .filter(({ interfaceIndex }) => interfaceIndex === index)
      .map(({ address }) => bareAddress(address)),
    ...(link.mac === "" ? {} : { mac: link.mac }),
    ...(link.mtu === 0 ? {} : { mtu: link.mtu }),
    ...(position === 0 ? more : {}),
  }));
}

function dnsOf({ dns }: AttachResponse): StatusDns {
  if (dns === null) return {};
  return {
    ...(dns.nameservers.length === 0 ? {} : { nameservers: dns.nameservers }),
    ...(dns.domain === "" ? {} : { domain: dns.domain }),
    ...(dns.search.length === 0 ? {} : { search: dns.search }),
  };
}

function gatewaysOf(response: AttachResponse): Pick<NetworkStatus, "default-route" | "gateway"> {
  const gateways = response.routes
    .filter(({ destination }) => isDefault(destination))
    .map(({ destination, gateway }) => gateway || gatewayOf(response, destination))
    .filter((gateway) => gateway !== "");
  return gateways.length === 0 ? {} : { "default-route": gateways, gateway: gateways };
}

function isDefault(destination: string): boolean {
  return destination === "0.0.0.0/0" || destination === "::/0";
}

/** A route without gateway goes by that of its family's address (plugin.v1, Route.gateway). */
function gatewayOf({ addresses }: AttachResponse, destination: string): string {
  const isV6 = destination.includes(":");
  return addresses.find(({ address }) => address.includes(":") === isV6)?.gateway ?? "";
}

/** Comes from a plugin, which may be anybody's: what is no JSON is left out. */
function deviceInfoOf({ deviceInfoJson }: AttachResponse): Pick<NetworkStatus, "device-info"> {
  if (deviceInfoJson === "") return {};
  try {
    return { "device-info": JSON.parse(deviceInfoJson) as unknown };
  } catch {
    return {};
  }
}

function bareAddress(cidr: string): string {
  try {
    return formatAddress(parsePrefix(cidr));
  } catch {
    return cidr.split("/", 1)[0] ?? cidr;
  }
}
