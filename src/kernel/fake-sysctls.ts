import { errno } from "./errno.ts";
import { removeIpv6Addresses } from "./fake-addresses.ts";
import { FakeFault, type FakeLink, type FakeNamespace } from "./fake-namespace.ts";
import { removeNeighbours } from "./fake-neighbours.ts";

/** What a namespace starts with, of the values that Patchbay reads; others are unknown until written. */
const defaults: ReadonlyMap<string, string> = new Map([
  ["net/ipv4/ip_forward", "0"],
  ["net/ipv4/conf/*/forwarding", "0"],
  ["net/ipv4/conf/*/rp_filter", "0"],
  ["net/ipv4/conf/*/proxy_arp", "0"],
  ["net/ipv4/conf/*/route_localnet", "0"],
  ["net/ipv4/conf/*/arp_notify", "0"],
  ["net/ipv4/conf/*/arp_ignore", "0"],
  ["net/ipv4/conf/*/arp_announce", "0"],
  ["net/ipv6/conf/*/disable_ipv6", "0"],
  ["net/ipv6/conf/*/forwarding", "0"],
  ["net/ipv6/conf/*/accept_ra", "1"],
  ["net/ipv6/conf/*/accept_dad", "1"],
  ["net/ipv6/conf/*/ndisc_notify", "0"],
  ["net/ipv6/conf/*/proxy_ndp", "0"],
]);

export function writeSysctl(netns: FakeNamespace, path: readonly string[], value: string): void {
  const text = value.trim();
  const link = linkOf(netns, path);
  const [, family, folder, scope, name] = path;
  if (link !== undefined) link.sysctls.set(`${family}/${folder}/${name}`, text);
  else netns.sysctls.set(path.join("/"), text);
  if (family !== "ipv6" || folder !== "conf") return;
  // "all" of these two is handed on to every link and to "default".
  if (scope === "all" && (name === "disable_ipv6" || name === "forwarding")) {
    netns.sysctls.set(`net/ipv6/conf/default/${name}`, text);
    for (const each of netns.links.values()) each.sysctls.set(`ipv6/conf/${name}`, text);
  }
  if (name !== "disable_ipv6" || text !== "1") return;
  for (const each of netns.links.values()) {
    if (scope !== "all" && each !== link) continue;
    removeIpv6Addresses(each);
    removeNeighbours(each, "ipv6");
  }
}

export function readSysctl(netns: FakeNamespace, path: readonly string[]): string {
  const link = linkOf(netns, path);
  const [net, family, folder, , name] = path;
  const own = link?.sysctls.get(`${family}/${folder}/${name}`);
  const inherited = link && netns.sysctls.get(`${net}/${family}/${folder}/default/${name}`);
  const key = path.join("/");
  const value =
    own ??
    inherited ??
    netns.sysctls.get(key) ??
    defaults.get(key) ??
    defaults.get(`${net}/${family}/${folder}/*/${name}`);
  if (value === undefined) throw new FakeFault(errno.ENOENT);
  return value;
}

/** The link whose folder a path leads through. Throws ENOENT where no such link is. */
function linkOf(netns: FakeNamespace, path: readonly string[]): FakeLink | undefined {
  const [, family, folder, scope = ""] = path;
  if (folder !== "conf" && folder !== "neigh") return undefined;
  if (family !== "ipv4" && family !== "ipv6") throw new FakeFault(errno.ENOENT);
  if (scope === "all" || scope === "default") return undefined;
  const link = netns.linksByName.get(scope);
  if (link === undefined) throw new FakeFault(errno.ENOENT);
  return link;
}
