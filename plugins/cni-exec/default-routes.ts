import { parseAddress, parsePrefix } from "../../src/ip/address.ts";
import type { Kernel, KernelOperation, NetnsPath, Route } from "../../src/kernel/kernel.ts";
import type { AttachRequest } from "../../src/plugin-sdk/network-plugin.ts";
import { gatewayOf } from "./pod-link.ts";
import type { CniResult, ResultRoute } from "./result.ts";

/** linux/rtnetlink.h */
const RT_TABLE_MAIN = 254;

type Order = Pick<AttachRequest, "netns" | "ifname" | "routes" | "defaultRoute">;

/**
 * Brings the pod's routes in line with the order: delegates set default routes as their own
 * configuration says and know nothing of other networks. Returns the result as it is then, so that
 * a CHECK looks for the routes that are there.
 */
export async function applyRoutes(
  kernel: Kernel,
  order: Order,
  result: CniResult,
): Promise<CniResult> {
  const { routes, defaultRoute } = order;
  const takesDefaults = defaultRoute === "DEFAULT_ROUTE_NONE" || routes.some(isDefault);
  if (!takesDefaults && routes.length === 0) return result;
  const netns = order.netns as NetnsPath;
  const operations = [
    ...(takesDefaults ? await removals(kernel, order) : []),
    ...routes.map((route) => toAddRoute(route, order.ifname, result)),
  ];
  if (operations.length > 0) await kernel.apply([{ netns, operations }]);
  const kept = takesDefaults
    ? result.routes.filter(({ dst, table }) => !isDefaultText(dst) || isOtherTable(table))
    : result.routes;
  return { ...result, routes: [...kept, ...routes.map(toResultRoute)] };
}

/** Default routes of the main table: those of other tables are sbr's or vrf's, and harm nobody. */
async function removals(kernel: Kernel, { netns, ifname }: Order): Promise<KernelOperation[]> {
  const [link, routes] = await Promise.all([
    kernel.findLink(ifname, netns as NetnsPath),
    kernel.routes(netns as NetnsPath),
  ]);
  const isOwnDefault = ({ ifindex, destination, table }: Route) =>
    ifindex === link?.ifindex && destination.prefixLength === 0 && table === RT_TABLE_MAIN;
  return routes.filter(isOwnDefault).map((route) => ({
    kind: "delete-route",
    destination: route.destination,
    link: ifname,
    ...(route.gateway && { gateway: route.gateway }),
    ...(route.metric !== undefined && { metric: route.metric }),
  }));
}

function toAddRoute(
  route: AttachRequest["routes"][number],
  ifname: string,
  result: CniResult,
): KernelOperation {
  const destination = parsePrefix(route.destination);
  const gateway = route.gateway || gatewayOf(result, destination.family);
  return {
    kind: "add-route",
    destination,
    link: ifname,
    ...(gateway && { gateway: parseAddress(gateway) }),
    ...(route.mtu > 0 && { mtu: route.mtu }),
    ...(route.advmss > 0 && { advmss: route.advmss }),
    ...(route.priority > 0 && { metric: route.priority }),
    ...(route.table > 0 && { table: route.table }),
    ifExists: "replace",
  };
}

function toResultRoute(route: AttachRequest["routes"][number]): ResultRoute {
  const { destination, gateway, mtu, advmss, priority, table } = route;
  return {
    dst: destination,
    ...(gateway && { gw: gateway }),
    ...(mtu > 0 && { mtu }),
    ...(advmss > 0 && { advmss }),
    ...(priority > 0 && { priority }),
    ...(table > 0 && { table }),
  };
}

function isDefault({ destination }: { readonly destination: string }): boolean {
  return isDefaultText(destination);
}

function isDefaultText(text: string): boolean {
  return text.endsWith("/0");
}

function isOtherTable(table: number | undefined): boolean {
  return Boolean(table) && table !== RT_TABLE_MAIN;
}
