import { type IpAddress, type IpPrefix, parseAddress, parsePrefix } from "../ip/address.ts";
import type { AttachRequest } from "./network-plugin.ts";

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
