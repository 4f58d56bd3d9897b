/**
 * The network of the laboratory: two nodes and an outside client behind a router, pods by plain
 * routing. Every address has a name here, and nothing else in this folder invents one.
 *
 *     client-pod  10.244.1.10 ─┐
 *     local-1     10.244.1.11 ─┤                             ┌─ 10.244.16.21 remote-1
 *     local-2     10.244.1.12 ─┴─ node-a ── router ── node-b ┴─ 10.244.16.20 remote-pod
 *     (10.244.8.0/22 in local-2)   192.168.1.2  │      192.168.2.2
 *                                            outside 192.168.3.2
 */
import { type Family, parseAddress, parsePrefix } from "../../src/ip/address.ts";
import type { KernelOperation, NetnsBatch, NetnsPath } from "../../src/kernel/kernel.ts";
import { runInNetns, type TestNode, until } from "../e2e/harness.ts";

export const PODS = ["client-pod", "local-1", "local-2", "remote-1", "remote-pod"] as const;
export type PodName = (typeof PODS)[number];
/** Who dials and serves. */
export type ActorName = PodName | "node-a" | "outside";
/** All namespaces. */
export type Place = ActorName | "node-b" | "router";

export const PLACES: readonly Place[] = [...PODS, "node-a", "node-b", "outside", "router"];

export const ADDRESSES: Readonly<Record<ActorName | "node-b", Readonly<Record<Family, string>>>> = {
  "client-pod": { 4: "10.244.1.10", 6: "fd00:244:1::10" },
  "local-1": { 4: "10.244.1.11", 6: "fd00:244:1::11" },
  "local-2": { 4: "10.244.1.12", 6: "fd00:244:1::12" },
  "remote-1": { 4: "10.244.16.21", 6: "fd00:244:2::21" },
  "remote-pod": { 4: "10.244.16.20", 6: "fd00:244:2::20" },
  "node-a": { 4: "192.168.1.2", 6: "fd00:1::2" },
  "node-b": { 4: "192.168.2.2", 6: "fd00:2::2" },
  outside: { 4: "192.168.3.2", 6: "fd00:3::2" },
};

/** A second address of node-a, which its Node object does not name. */
export const SECOND_NODE_ADDRESS: Readonly<Record<Family, string>> = {
  4: "192.168.1.3",
  6: "fd00:1::3",
};

/** On node-a's side of every pod link. */
export const POD_GATEWAY: Readonly<Record<Family, string>> = {
  4: "10.244.1.1",
  6: "fd00:244:1::1",
};

export const POD_PREFIXES: Readonly<Record<"node-a" | "node-b", Readonly<Record<Family, string>>>> =
  {
    "node-a": { 4: "10.244.0.0/20", 6: "fd00:244:1::/64" },
    "node-b": { 4: "10.244.16.0/20", 6: "fd00:244:2::/64" },
  };

/** Any address of these is local-2's: endpoints by the hundred. */
export const MANY_PREFIXES: Readonly<Record<Family, string>> = {
  4: "10.244.8.0/22",
  6: "fd00:244:1:0:8::/80",
};

/** Any address of these is client-pod's: clients by the hundred. */
export const CLIENT_PREFIXES: Readonly<Record<Family, string>> = {
  4: "10.244.12.0/24",
  6: "fd00:244:1:0:12::/80",
};

export const SERVICE_PREFIXES: Readonly<Record<Family, string>> = {
  4: "10.96.0.0/16",
  6: "fd00:96::/112",
};
export const EXTERNAL_PREFIXES: Readonly<Record<Family, string>> = {
  4: "198.51.100.0/24",
  6: "2001:db8:51::/64",
};
export const BALANCER_PREFIXES: Readonly<Record<Family, string>> = {
  4: "203.0.113.0/24",
  6: "2001:db8:203::/64",
};

/** Ports that the pods serve: those of endpoints on node-a, and of those elsewhere. */
export const LOCAL_PORT = 8080;
export const REMOTE_PORT = 9090;

export const FAMILIES: readonly Family[] = [4, 6];

/** One of the endpoints in MANY_PREFIXES, 1 to 1000. */
export function manyAddress(family: Family, number: number): string {
  if (family === 6) return `fd00:244:1:0:8::${number.toString(16)}`;
  return `10.244.${8 + (number >> 8)}.${number & 255}`;
}

/** All addresses that node-a may show as its own. */
export function nodeAddresses(family: Family): readonly string[] {
  return [ADDRESSES["node-a"][family], POD_GATEWAY[family], SECOND_NODE_ADDRESS[family]];
}

const MANY_OF = [
  ["local-2", MANY_PREFIXES],
  ["client-pod", CLIENT_PREFIXES],
] as const;

export type Namespaces = Readonly<Record<Place, NetnsPath>>;

/** Makes and connects all namespaces around a node, which is node-a. Disposing of the node removes them. */
export async function buildTopology(node: TestNode): Promise<Namespaces> {
  const entries = await Promise.all(
    PLACES.map(async (place) => {
      if (place === "node-a") return [place, node.netns] as const;
      return [place, (await node.createPod(`${node.name}-${place}`)).netns] as const;
    }),
  );
  const namespaces = Object.fromEntries(entries) as Namespaces;
  await node.kernel.apply(batches(namespaces));
  await waitForCarriers(node, namespaces);
  // The kernel port knows no routes of type local.
  await Promise.all(
    MANY_OF.flatMap(([pod, prefixes]) =>
      FAMILIES.map(async (family) => {
        const prefix = prefixes[family];
        const argv = ["ip", `-${family}`, "route", "add", "local", prefix, "dev", "lo"];
        const { exitCode, stderr } = await runInNetns(namespaces[pod], argv);
        if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
      }),
    ),
  );
  return namespaces;
}

/** The kernel may take a second to notice that a link has both its ends up, and loses packets until then. */
async function waitForCarriers(node: TestNode, namespaces: Namespaces): Promise<void> {
  await until("links that run", 10_000, async () => {
    const all = await Promise.all(PLACES.map((place) => node.kernel.links(namespaces[place])));
    return all.flat().every((link) => link.type !== "veth" || link.running);
  });
}

function batches(namespaces: Namespaces): NetnsBatch[] {
  const podsOf = { "node-a": PODS.slice(0, 3), "node-b": PODS.slice(3) };
  return [
    ...PLACES.map((place) => ({
      netns: namespaces[place],
      operations: [
        { kind: "set-link", name: "lo", up: true } as const,
        ...sysctls(place === "node-a" || place === "node-b" || place === "router"),
      ],
    })),
    ...(["node-a", "node-b", "outside"] as const).flatMap((place, index) =>
      connectToRouter(namespaces, place, index + 1),
    ),
    ...(["node-a", "node-b"] as const).flatMap((place) =>
      podsOf[place].flatMap((pod) => connectPod(namespaces, place, pod)),
    ),
    {
      netns: namespaces["node-a"],
      operations: FAMILIES.flatMap((family): KernelOperation[] => [
        address("up", `${SECOND_NODE_ADDRESS[family]}/${bits(family)}`),
        // Through an address: nobody would answer neighbour solicitations for a route of type local.
        ...MANY_OF.map(([pod, prefixes]) =>
          route(prefixes[family], { gateway: ADDRESSES[pod][family] }),
        ),
      ]),
    },
    {
      netns: namespaces.router,
      operations: FAMILIES.flatMap((family) => [
        ...[
          SERVICE_PREFIXES[family],
          EXTERNAL_PREFIXES[family],
          BALANCER_PREFIXES[family],
          POD_PREFIXES["node-a"][family],
        ].map((prefix) => route(prefix, { gateway: ADDRESSES["node-a"][family] })),
        route(POD_PREFIXES["node-b"][family], { gateway: ADDRESSES["node-b"][family] }),
      ]),
    },
  ];
}

function sysctls(forwards: boolean): KernelOperation[] {
  const values: Record<string, string> = {
    "ipv4.conf.all.rp_filter": "0",
    "ipv4.conf.default.rp_filter": "0",
    // Every refusal must be seen, and the cells ask for hundreds at once.
    "ipv4.icmp_ratelimit": "0",
    "ipv6.icmp.ratelimit": "0",
    "ipv4.ip_forward": forwards ? "1" : "0",
    "ipv6.conf.all.forwarding": forwards ? "1" : "0",
    "ipv6.conf.default.accept_ra": "0",
    "ipv6.conf.default.accept_dad": "0",
  };
  return Object.entries(values).map(([path, value]) => ({
    kind: "set-sysctl",
    path: ["net", ...path.split(".")],
    value,
  }));
}

function connectToRouter(
  namespaces: Namespaces,
  place: "node-a" | "node-b" | "outside",
  subnet: number,
): NetnsBatch[] {
  const gateways = { 4: `192.168.${subnet}.1`, 6: `fd00:${subnet}::1` };
  const peer = { name: "up", netns: namespaces[place] };
  return [
    {
      netns: namespaces.router,
      operations: [
        { kind: "add-link", name: place, link: { type: "veth", peer } },
        ...up(place),
        address(place, `${gateways[4]}/24`),
        address(place, `${gateways[6]}/64`),
      ],
    },
    {
      netns: namespaces[place],
      operations: [
        ...up("up"),
        address("up", `${ADDRESSES[place][4]}/24`),
        address("up", `${ADDRESSES[place][6]}/64`),
        route("0.0.0.0/0", { gateway: gateways[4] }),
        route("::/0", { gateway: gateways[6] }),
      ],
    },
  ];
}

function connectPod(
  namespaces: Namespaces,
  place: "node-a" | "node-b",
  pod: PodName,
): NetnsBatch[] {
  const peer = { name: "eth0", netns: namespaces[pod] };
  const gateways = place === "node-a" ? POD_GATEWAY : { 4: "10.244.16.1", 6: "fd00:244:2::1" };
  return [
    {
      netns: namespaces[place],
      operations: [
        { kind: "add-link", name: pod, link: { type: "veth", peer } },
        ...up(pod),
        ...FAMILIES.flatMap((family) => [
          address(pod, `${gateways[family]}/${bits(family)}`),
          route(`${ADDRESSES[pod][family]}/${bits(family)}`, { link: pod }),
        ]),
      ],
    },
    {
      netns: namespaces[pod],
      operations: [
        ...up("eth0"),
        ...FAMILIES.flatMap((family) => [
          address("eth0", `${ADDRESSES[pod][family]}/${bits(family)}`),
          route(family === 4 ? "0.0.0.0/0" : "::/0", {
            gateway: gateways[family],
            link: "eth0",
            onlink: true,
          }),
        ]),
      ],
    },
  ];
}

function up(name: string): KernelOperation[] {
  return [{ kind: "set-link", name, up: true }];
}

function address(link: string, prefix: string): KernelOperation {
  return { kind: "add-address", link, address: parsePrefix(prefix) };
}

function route(
  destination: string,
  how: { gateway?: string; link?: string; onlink?: boolean },
): KernelOperation {
  return {
    kind: "add-route",
    destination: parsePrefix(destination),
    ...(how.gateway === undefined ? {} : { gateway: parseAddress(how.gateway) }),
    ...(how.link === undefined ? {} : { link: how.link }),
    ...(how.onlink ? { onlink: true } : {}),
    ...(how.gateway === undefined && how.link !== undefined ? { scope: "link" as const } : {}),
  };
}

function bits(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}
