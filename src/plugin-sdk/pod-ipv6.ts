import type { IpPrefix } from "../ip/address.ts";
import type { Kernel, NetnsPath, Route } from "../kernel/kernel.ts";
import { isRefusal } from "../kernel/kernel-error.ts";
import { LOCAL_TABLE } from "./findings.ts";

/** True when an address could not be set because IPv6 is switched off, as some runtimes (Docker) make namespaces. */
export function isIpv6Off(error: unknown): boolean {
  return isRefusal(error, "add-address", "EACCES");
}

/** Throws KernelError. */
export async function enableIpv6(
  kernel: Kernel,
  { ifname, netns }: { readonly ifname: string; readonly netns: NetnsPath },
): Promise<void> {
  const path = ["net", "ipv6", "conf", ifname, "disable_ipv6"];
  await kernel.apply([{ netns, operations: [{ kind: "set-sysctl", path, value: "0" }] }]);
}

/**
 * True when the IPv6 addresses are the pod's own: each is when the route to it is there, which the kernel
 * adds from a work queue (addrconf_dad_work() of net/ipv6/addrconf.c, without DAD as well).
 */
export function hasLocalRoutes(routes: readonly Route[], addresses: readonly IpPrefix[]): boolean {
  return addresses.every(
    ({ family, value }) =>
      family !== 6 ||
      routes.some(
        ({ table, destination }) =>
          table === LOCAL_TABLE && destination.family === 6 && destination.value === value,
      ),
  );
}
