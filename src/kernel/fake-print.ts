import { formatAddress, formatPrefix } from "../ip/address.ts";
import type { FakeLink, FakeNamespace, FakeNeighbour, FakeRoute } from "./fake-namespace.ts";

/** All namespaces as text, each sorted. Numbers that depend on the order of calls are left out. */
export function printNamespaces(
  node: FakeNamespace,
  named: ReadonlyMap<string, FakeNamespace>,
): string {
  const paths = [...named.keys()].sort();
  return ["node", ...paths]
    .map((path, index) => {
      const netns = index === 0 ? node : named.get(path);
      return netns === undefined ? "" : `${path}\n${printNamespace(netns)}`;
    })
    .join("");
}

function printNamespace(netns: FakeNamespace): string {
  const lines = [
    ...[...netns.links.values()].flatMap((link) => [
      `link ${printLink(link)}`,
      ...link.addresses.map(({ address }) => `address ${link.name} ${formatPrefix(address)}`),
      ...[...link.sysctls].map(([key, value]) => `sysctl ${link.name} ${key} ${value}`),
    ]),
    ...[...netns.routes.values()].map(printRoute),
    ...[...netns.neighbours.values()].map(printNeighbour),
    ...[...netns.sysctls].map(([key, value]) => `sysctl ${key.replaceAll("/", ".")} ${value}`),
  ];
  return lines
    .sort()
    .map((line) => `  ${line}\n`)
    .join("");
}

function printLink(link: FakeLink): string {
  const words = [link.name, link.kind, link.up ? "up" : "down", `mtu ${link.mtu}`, link.mac];
  if (link.detail) words.push(link.detail);
  if (link.lower) words.push(`on ${link.lower.name}`);
  if (link.master) words.push(`master ${link.master.name}`);
  if (link.hairpin) words.push("hairpin");
  if (link.isolated) words.push("isolated");
  if (link.neighSuppress) words.push("neigh-suppress");
  if (link.vlanFiltering) words.push("vlan-filtering");
  if (link.accessVlan !== undefined) words.push(`vlan ${link.accessVlan}`);
  if (link.addrGenMode !== 0) words.push(`addr-gen-mode ${link.addrGenMode}`);
  if (link.promisc) words.push("promisc");
  if (link.allMulticast) words.push("allmulticast");
  if (link.tokenBucket) {
    const { rateBytesPerSecond, burstBytes, limitBytes } = link.tokenBucket;
    words.push(`tbf ${rateBytesPerSecond} ${burstBytes} ${limitBytes}`);
  }
  if (link.hasIngress) words.push("ingress");
  if (link.redirect) words.push(`redirect ${link.redirect.name}`);
  if (link.alias) words.push(`alias ${JSON.stringify(link.alias)}`);
  return words.join(" ");
}

function printRoute(route: FakeRoute): string {
  const words = [`route ${formatPrefix(route.destination)}`];
  if (route.gateway) words.push(`via ${formatAddress(route.gateway)}`);
  words.push(`dev ${route.link.name}`, `table ${route.table}`, `proto ${route.protocol}`);
  if (route.metric !== 0) words.push(`metric ${route.metric}`);
  if (route.source) words.push(`src ${formatAddress(route.source)}`);
  if (route.mtu !== undefined) words.push(`mtu ${route.mtu}`);
  if (route.advmss !== undefined) words.push(`advmss ${route.advmss}`);
  if (route.onlink) words.push("onlink");
  return words.join(" ");
}

function printNeighbour(entry: FakeNeighbour): string {
  const words = [`neighbour ${entry.link.name} ${formatAddress(entry.address)}`];
  if (entry.mac) words.push(entry.mac);
  if (entry.proxy) words.push("proxy");
  if (entry.forwarding) words.push("forwarding");
  return words.join(" ");
}
