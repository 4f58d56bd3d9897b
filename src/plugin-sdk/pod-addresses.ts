import { type IpAddress, type IpPrefix, parseAddress, parsePrefix } from "../ip/address.ts";
import { type AttachRequest, PluginError } from "./network-plugin.ts";

/** An allocated address, read. */
export interface PodAddress {
  readonly address: IpPrefix;
  readonly gateway: IpAddress | undefined;
}

/** A route wish, read. */
export interface PodRoute {
  readonly destination: IpPrefix;
  /** Undefined: by the family's gateway. */
  readonly gateway: IpAddress | undefined;
  readonly mtu: number;
  readonly advmss: number;
  readonly metric: number;
  readonly table: number;
}

/** Addresses of a request. Throws RangeError for what is no address. */
export function readAddresses(request: Pick<AttachRequest, "addresses">): PodAddress[] {
  return request.addresses.map(({ address, gateway }) => ({
    address: parsePrefix(address),
    gateway: gateway === "" ? undefined : parseAddress(gateway),
  }));
}

/**
 * Addresses that the pod asks for where the host has no IPAM, to be set as they are given. Throws
 * PluginError "invalid-config" for one that is no address or has no prefix length.
 */
export function readRequestedAddresses(
  request: Pick<AttachRequest, "addresses" | "requestedAddresses" | "network">,
): PodAddress[] {
  return missingAddresses(request).map((text): PodAddress => {
    if (!text.includes("/")) {
      const wanted = `${text} is asked for without prefix length`;
      throw new PluginError(
        "invalid-config",
        `${wanted}, and network ${request.network} has no IPAM that knows it`,
      );
    }
    return { address: requestedAddress(text, parsePrefix), gateway: undefined };
  });
}

/** For a plugin that sets what IPAM gave and nothing else. Throws PluginError "invalid-config". */
export function refuseRequestedAddresses(
  request: Pick<AttachRequest, "addresses" | "requestedAddresses" | "network">,
): void {
  const [first] = missingAddresses(request);
  if (first === undefined) return;
  throw new PluginError(
    "invalid-config",
    `${first} is asked for, but network ${request.network} has no IPAM to give it`,
  );
}

/** Routes of a request. Throws RangeError for what is no address. */
export function readRoutes(request: Pick<AttachRequest, "routes">): PodRoute[] {
  return request.routes.map((route) => ({
    destination: parsePrefix(route.destination),
    gateway: route.gateway === "" ? undefined : parseAddress(route.gateway),
    mtu: route.mtu,
    advmss: route.advmss,
    metric: route.priority,
    table: route.table,
  }));
}

/** Those asked for that are not among the allocated ones. */
function missingAddresses(
  request: Pick<AttachRequest, "addresses" | "requestedAddresses">,
): string[] {
  const given = new Set(request.addresses.map(({ address }) => keyOf(parsePrefix(address))));
  return request.requestedAddresses.filter((text) => {
    const bare = text.split("/", 1)[0] ?? "";
    return !given.has(keyOf(requestedAddress(bare, parseAddress)));
  });
}

function keyOf({ family, value }: IpAddress): string {
  return `${family}/${value}`;
}

function requestedAddress<Address>(text: string, parse: (text: string) => Address): Address {
  try {
    return parse(text);
  } catch (cause) {
    throw new PluginError("invalid-config", `${text} is asked for and no address`, { cause });
  }
}
