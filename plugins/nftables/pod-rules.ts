import { hash } from "node:crypto";
import type { Family } from "../../src/ip/address.ts";
import type { NamespacePlan } from "../../src/services/namespace-plane.ts";
import type {
  NetworkRoute,
  PlannedEndpoint,
  PlannedFrontend,
} from "../../src/services/plan-types.ts";
import { TABLE } from "./skeleton.ts";

/** Longest name of an interface (linux/if.h, IFNAMSIZ), of letters that mean nothing else to nft. */
const IFNAME = /^[A-Za-z0-9_.@-]{1,15}$/;

/**
 * The rules of a pod's namespace, both families, as one transaction for `nft -f` that replaces whatever was there. A pod has few
 * Services on its networks, and one client: they are rules, not maps as in the node (docs/decisions/0018). Throws RangeError for an
 * interface with a name that nft would read otherwise.
 */
export function podRules(plan: NamespacePlan): string {
  return ([4, 6] as const).flatMap((family) => [...tableOf(plan, family), ""]).join("\n");
}

function tableOf(plan: NamespacePlan, family: Family): string[] {
  const table = `${family === 4 ? "ip" : "ip6"} ${TABLE}`;
  // Without the first line the second one fails where there is no table.
  const clear = [`add table ${table}`, `delete table ${table}`];
  const frontends = plan.frontends.filter((each) => each.family === family && each.onNetwork);
  if (frontends.length === 0) return clear;
  const ip = family === 4 ? "ip" : "ip6";
  const addresses = [...new Set(frontends.map(({ address }) => address))];
  const elements = frontends.map(
    ({ address, protocol, port }, index) =>
      `${address} . ${protocol.toLowerCase()} . ${port} : goto service-${index}`,
  );
  return [
    ...clear,
    `table ${table} {`,
    'comment "Services on networks; written by patchbay, do not edit: changes are undone"',
    ...frontends.map((frontend, index) => serviceChain(frontend, { index, client: plan.client })),
    ...chain("refuse", ["meta l4proto tcp reject with tcp reset", "reject"]),
    ...chain("discard", ["drop"]),
    ...chain("output", [
      "type nat hook output priority -100; policy accept;",
      `${ip} daddr . meta l4proto . th dport vmap { ${elements.join(", ")} }`,
      // Ports that the Services do not have: as on the node, and never out by the network.
      `${ip} daddr { ${addresses.join(", ")} } goto refuse`,
    ]),
    ...chain("postrouting", [
      "type nat hook postrouting priority 100; policy accept;",
      ...masquerades(plan, { ip, frontends }),
    ]),
    "}",
  ];
}

/**
 * The source of a connection was chosen by the way to the cluster IP, mostly the default network's: it becomes the pod's address on
 * the network by which it leaves.
 */
function masquerades(
  { ifnames }: NamespacePlan,
  { ip, frontends }: { readonly ip: string; readonly frontends: readonly PlannedFrontend[] },
): string[] {
  const byNetwork = Map.groupBy(frontends, ({ onNetwork }) => onNetwork?.network ?? "");
  return [...byNetwork].flatMap(([network, members]) => {
    const names = (ifnames.get(network) ?? []).map(quoted);
    if (names.length === 0) return [];
    const addresses = [...new Set(members.map(({ address }) => address))];
    const original = `ct original ${ip} daddr { ${addresses.join(", ")} }`;
    return [`oifname { ${names.join(", ")} } ct status & dnat == dnat ${original} masquerade`];
  });
}

function serviceChain(
  { family, protocol, service, portName, onNetwork }: PlannedFrontend,
  { index, client }: { readonly index: number; readonly client: string },
): string {
  const route = onNetwork?.route ?? { kind: "reject" };
  const verdict = verdictOf(route, { family, protocol: protocol.toLowerCase(), client });
  return chain(`service-${index}`, [
    // Read by people; what a Service is called says nothing to nft but this.
    `${verdict} comment "${`${service}:${portName}`.replaceAll(/[^\w/:.-]/g, "?").slice(0, 127)}"`,
  ]).join("\n");
}

function verdictOf(
  route: NetworkRoute,
  { family, protocol, client }: { family: Family; protocol: string; client: string },
): string {
  switch (route.kind) {
    case "reject":
      return "goto refuse";
    case "drop":
      return "goto discard";
    case "forward": {
      const dnat = `meta l4proto ${protocol} dnat ${family === 4 ? "ip" : "ip6"} to`;
      const endpoints =
        route.pick === "same" ? [favouriteOf(route.endpoints, client)] : route.endpoints;
      const [only, ...others] = endpoints;
      if (only && others.length === 0) {
        const host = family === 4 ? only.address : `[${only.address}]`;
        return `${dnat} ${host}:${only.port}`;
      }
      return `${dnat} ${drawOf(endpoints)}`;
    }
  }
}

/** Each endpoint has as many numbers as it has weight. */
function drawOf(endpoints: readonly PlannedEndpoint[]): string {
  let next = 0;
  const elements = endpoints.map(({ address, port, weight }) => {
    const first = next;
    next += weight;
    const numbers = weight === 1 ? `${first}` : `${first}-${next - 1}`;
    return `${numbers} : ${address} . ${port}`;
  });
  return `numgen random mod ${next} map { ${elements.join(", ")} }`;
}

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): a client keeps its endpoint while that is there, wherever it runs, and of
 * those that come it may prefer one. Weights as in draft-ietf-bess-weighted-hrw.
 */
function favouriteOf(endpoints: readonly PlannedEndpoint[], client: string): PlannedEndpoint {
  const [first, ...others] = endpoints;
  if (first === undefined) throw new RangeError("A list without endpoints");
  let best = { endpoint: first, score: scoreOf(first, client) };
  for (const endpoint of others) {
    const score = scoreOf(endpoint, client);
    if (score > best.score) best = { endpoint, score };
  }
  return best.endpoint;
}

function scoreOf({ address, port, weight }: PlannedEndpoint, client: string): number {
  const bits = Number.parseInt(hash("sha256", `${client}\0${address}|${port}`).slice(0, 12), 16);
  return -weight / Math.log((bits + 0.5) / 2 ** 48);
}

function quoted(ifname: string): string {
  if (IFNAME.test(ifname)) return JSON.stringify(ifname);
  throw new RangeError(`Interface ${JSON.stringify(ifname)} has a name that nft cannot be told`);
}

function chain(name: string, lines: readonly string[]): string[] {
  return [`chain ${name} {`, ...lines, "}"];
}
