/** Frontends and groups for ApplyServices: for Services that change while a test looks on. */
import type { Family } from "../../src/ip/address.ts";
import type { EndpointGroup } from "../../src/rpc/generated/patchbay/host/v1/EndpointGroup.ts";
import type { Frontend } from "../../src/rpc/generated/patchbay/host/v1/Frontend.ts";
import type { Transport } from "./protocol.ts";
import { ADDRESSES, LOCAL_PORT, manyAddress } from "./topology.ts";

/** Cluster IPs of these Services: beside those of objects.ts. */
export function clusterIp(family: Family, number: number): string {
  return family === 4 ? `10.96.2.${number}` : `fd00:96::2${number.toString(16).padStart(2, "0")}`;
}

/** Addresses of local pods as endpoints, ready. */
export function localEndpoints(
  family: Family,
  names: readonly ("local-1" | "local-2")[],
): string[] {
  return names.map((name) => ADDRESSES[name][family]);
}

/** Numbers of MANY_PREFIXES, from 1. */
export function manyEndpoints(family: Family, count: number): string[] {
  return Array.from({ length: count }, (_, index) => manyAddress(family, index + 1));
}

/** A group of ready endpoints on node-a that serve LOCAL_PORT by TCP and UDP. */
export function group(
  id: string,
  addresses: readonly string[],
  weightOf: (address: string) => number = () => 1,
): EndpointGroup {
  return {
    id,
    endpoints: addresses.map((address) => ({
      address,
      ports: (["TCP", "UDP"] as const).map((protocol) => ({
        name: protocol.toLowerCase(),
        protocol,
        port: LOCAL_PORT,
      })),
      node: "node-a",
      weight: weightOf(address),
    })),
  };
}

/** A frontend of a group by one protocol. */
export function frontend(
  groupId: string,
  place: { readonly address: string; readonly port: number; readonly protocol: Transport },
  more: Omit<Frontend, "id" | "group"> = {},
): Frontend {
  const { address, port, protocol } = place;
  return {
    id: `${groupId}/${address}/${port}/${protocol}`,
    kind: "clusterIP",
    group: groupId,
    portName: protocol.toLowerCase(),
    address,
    port,
    protocol,
    ...more,
  };
}
