import { formatPrefix, networkOf, parseAddress, parsePrefix } from "../ip/address.ts";
import type { KernelOperation } from "../kernel/kernel.ts";
import { type AttachRequest, PluginError } from "./network-plugin.ts";

type Route = AttachRequest["routes"][number];

/**
 * All routes of an attachment, for Attach to set and to answer: the default route of each family whose
 * address has a gateway, unless the order names it or says DEFAULT_ROUTE_NONE, and those that the order
 * names, by the gateway of their family where they name none. Destinations are canonical, gateway ""
 * means on-link. Throws PluginError "invalid-config" for what is no address.
 */
export function wantedRoutes(
  order: Pick<AttachRequest, "addresses" | "routes" | "defaultRoute">,
): Route[] {
  return orInvalid(() => routesOf(order));
}

/**
 * What is to be done in the pod's namespace once its interface is there: sets it up, with the order's
 * addresses and wantedRoutes(). A repeat changes nothing. Throws PluginError "invalid-config".
 */
export function podOperations(
  order: Pick<AttachRequest, "ifname" | "addresses" | "routes" | "defaultRoute">,
): KernelOperation[] {
  const { ifname: link, addresses } = order;
  return orInvalid(() => [
    { kind: "set-link", name: "lo", up: true },
    { kind: "set-link", name: link, up: true },
    ...addresses.map(
      ({ address }): KernelOperation => ({
        kind: "add-address",
        link,
        address: parsePrefix(address),
        ifExists: "keep",
      }),
    ),
    ...routesOf(order).map(
      (route): KernelOperation => ({
        kind: "add-route",
        destination: parsePrefix(route.destination),
        // The gateway may lie outside the address's subnet.
        ...(route.gateway ? { gateway: parseAddress(route.gateway), onlink: true } : {}),
        link,
        ...(route.mtu ? { mtu: route.mtu } : {}),
        ...(route.advmss ? { advmss: route.advmss } : {}),
        ...(route.priority ? { metric: route.priority } : {}),
        ...(route.table ? { table: route.table } : {}),
        ifExists: "replace",
      }),
    ),
  ]);
}

function routesOf({
  addresses,
  routes,
  defaultRoute,
}: Pick<AttachRequest, "addresses" | "routes" | "defaultRoute">): Route[] {
  const gateways = new Map(
    addresses.flatMap(({ gateway }): [number, string][] =>
      gateway === "" ? [] : [[parseAddress(gateway).family, gateway]],
    ),
  );
  const named = routes.map((route): Route => {
    const destination = networkOf(parsePrefix(route.destination));
    const gateway = route.gateway || (gateways.get(destination.family) ?? "");
    return { ...route, destination: formatPrefix(destination), gateway };
  });
  if (defaultRoute === "DEFAULT_ROUTE_NONE") return named;
  const defaults = [...gateways].flatMap(([family, gateway]): Route[] => {
    const destination = family === 4 ? "0.0.0.0/0" : "::/0";
    if (named.some((route) => route.destination === destination)) return [];
    return [{ destination, gateway, mtu: 0, advmss: 0, priority: 0, table: 0, scope: 0 }];
  });
  return [...defaults, ...named];
}

function orInvalid<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const message = "addresses must be CIDR, gateways plain addresses";
    throw new PluginError("invalid-config", message, { cause });
  }
}
