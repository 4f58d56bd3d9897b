import type { Kernel, Link, NetnsPath, Route } from "../kernel/kernel.ts";
import { MAIN_TABLE } from "./findings.ts";

/**
 * The link of the default route, in the node or in a namespace: that of the lowest metric, IPv4
 * before IPv6. Undefined: there is none.
 */
export async function findUplink(
  kernel: Kernel,
  options: { readonly netns?: NetnsPath; readonly family?: 4 | 6 } = {},
): Promise<Link | undefined> {
  const { netns, family } = options;
  const routes = (await kernel.routes(netns)).filter(
    ({ destination, table, ifindex }) =>
      destination.prefixLength === 0 &&
      table === MAIN_TABLE &&
      ifindex !== undefined &&
      (family === undefined || destination.family === family),
  );
  const [first] = routes.toSorted(
    (left, right) =>
      left.destination.family - right.destination.family || metricOf(left) - metricOf(right),
  );
  if (first === undefined) return undefined;
  return (await kernel.links(netns)).find(({ ifindex }) => ifindex === first.ifindex);
}

function metricOf({ metric = 0 }: Route): number {
  return metric;
}
