import { parseAddress, parsePrefix } from "../ip/address.ts";
import type { Kernel, NetnsPath } from "../kernel/kernel.ts";
import type { CheckOrder } from "./define-plugin.ts";
import {
  compareAddresses,
  compareLink,
  compareRoutes,
  type ExpectedRoute,
  MAIN_TABLE,
} from "./findings.ts";
import type { Finding } from "./network-plugin.ts";

/**
 * Every difference between what Attach answered and what the kernel holds: its interfaces, with MAC
 * address and MTU where the answer says them, their addresses, and the pod's routes. For plugins whose
 * networks are links of Linux. Rejects with KernelError where a namespace is gone.
 */
export async function checkAttached(
  kernel: Pick<Kernel, "findLink" | "addresses" | "routes">,
  { attachment, attached }: CheckOrder,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [index, { name, mac, mtu, sandbox }] of attached.interfaces.entries()) {
    const netns = (sandbox || undefined) as NetnsPath | undefined;
    const link = await kernel.findLink(name, netns);
    findings.push(...compareLink({ name, mtu, ...(mac ? { mac } : {}) }, link));
    if (!link) continue;
    const expected = attached.addresses.filter(({ interfaceIndex }) => interfaceIndex === index);
    if (expected.length > 0) {
      const prefixes = expected.map(({ address }) => parsePrefix(address));
      findings.push(...compareAddresses(prefixes, link, await kernel.addresses(netns)));
    }
    if (name !== attachment.ifname || sandbox !== attachment.netns) continue;
    const routes = attached.routes.map(
      ({ destination, gateway, table }): ExpectedRoute => ({
        destination: parsePrefix(destination),
        ...(gateway ? { gateway: parseAddress(gateway) } : {}),
        ifindex: link.ifindex,
        table: table || MAIN_TABLE,
      }),
    );
    if (routes.length > 0) findings.push(...compareRoutes(routes, await kernel.routes(netns)));
  }
  return findings;
}
