import type { Attachment__Output } from "../rpc/generated/patchbay/host/v1/Attachment.ts";
import type { GetStatusResponse__Output } from "../rpc/generated/patchbay/host/v1/GetStatusResponse.ts";
import type { NetworkDefinitionView__Output } from "../rpc/generated/patchbay/host/v1/NetworkDefinitionView.ts";
import { FAKE_NOW_MS, fakeAttachment, fakeNetwork, fakePlugin } from "./fake-context.ts";
import type { NodeAnswers } from "./map-model.ts";

/** What a host answers on a node with several networks, for tests and for the picture in the README. */
export function fakeStatus(
  fields: Partial<GetStatusResponse__Output> = {},
): GetStatusResponse__Output {
  return {
    version: "0.1.0",
    pid: 4711,
    startedMs: FAKE_NOW_MS - 3_660_000,
    ready: true,
    reason: "",
    running: 0,
    waiting: 0,
    networks: [fakeNetwork()],
    plugins: [fakePlugin()],
    bootId: "b",
    journalPending: 0,
    nodeName: "worker-1",
    kubernetes: null,
    ...fields,
  };
}

export function fakeDefinition(
  fields: Partial<NetworkDefinitionView__Output> = {},
): NetworkDefinitionView__Output {
  return {
    network: "infra/storage",
    plugin: "macvlan",
    cniTypes: [],
    problem: "",
    attachments: 0,
    place: "networks.yaml:3",
    subnets: ["10.20.0.0/24", "fd00:20::/64"],
    settings: { master: "eth1", mode: "bridge" },
    warnings: [],
    ...fields,
  };
}

/** Networks of five kinds; the last by a plugin of somebody else's. */
const definitions = [
  fakeDefinition(),
  fakeDefinition({
    network: "tenant/blue",
    plugin: "vxlan",
    subnets: ["10.42.0.0/24", "fd00:42::/64"],
    settings: { vni: "42", bridge: "blue0", parent: "eth0" },
  }),
  fakeDefinition({
    network: "infra/backup",
    plugin: "cni-exec",
    cniTypes: ["bridge"],
    subnets: ["10.30.0.0/24"],
    settings: { bridge: "backup0", mtu: "9000" },
  }),
  fakeDefinition({
    network: "edge/wan",
    plugin: "acme-sdwan",
    subnets: ["100.64.8.0/22"],
    settings: { site: "berlin-2" },
  }),
];

const prefixes: Readonly<Record<string, readonly string[]>> = {
  patchbay: ["10.88.0.N/32", "fd00:88::N/128"],
  "infra/storage": ["10.20.0.N/24", "fd00:20::N/64"],
  "tenant/blue": ["10.42.0.N/24", "fd00:42::N/64"],
  "infra/backup": ["10.30.0.N/24"],
  "edge/wan": ["100.64.8.N/22"],
};

const shared: Readonly<Record<string, readonly string[]>> = {
  "tenant/blue": ["blue0"],
  "infra/backup": ["backup0"],
};

const plugins = [
  fakePlugin({ networks: ["patchbay"] }),
  fakePlugin({ name: "macvlan", networks: ["infra/storage"] }),
  fakePlugin({ name: "vxlan", networks: ["tenant/blue"] }),
  fakePlugin({ name: "cni-exec", networks: ["infra/backup"] }),
  fakePlugin({ name: "bridge", networks: [] }),
  fakePlugin({
    ...{ name: "acme-sdwan", version: "2.3.1", builtIn: false, networks: ["edge/wan"] },
    socket: "/run/patchbay/plugins/acme-sdwan.sock",
  }),
  fakePlugin({ name: "nftables", roles: ["services"], networks: [] }),
];

/** A pod on the default network and on others, by the names of its networks and interfaces. */
export function fakePod(
  index: number,
  pod: {
    readonly name: string;
    readonly networks?: readonly string[];
    /** Network of the default route. Absent: the default one. */
    readonly route?: string;
    readonly moving?: readonly string[];
  },
): Attachment__Output[] {
  const [podNamespace = "", podName = ""] = pod.name.split("/");
  const id = (interfaceIndex: number) =>
    (0x1234_5678_9abc * (index + 1) + interfaceIndex).toString(16).padStart(32, "0");
  return ["patchbay", ...(pod.networks ?? [])].map((network, position) => {
    const host = (index + 2).toString(16);
    const addresses = (prefixes[network] ?? []).map((prefix) =>
      prefix.replace("N", prefix.includes(":") ? host : String(index + 2)),
    );
    const state = pod.moving?.includes(network) ? "attaching" : "attached";
    const hasRoute = state === "attached" && network === (pod.route ?? "patchbay");
    return fakeAttachment({
      ...{ attachmentId: id(position), primaryId: id(0), isDefault: position === 0 },
      ...{ network, podNamespace, podName, state, addresses },
      plugin: definitions.find((it) => it.network === network)?.plugin ?? "routed",
      containerId: (0xc0ff_ee12_3457 * (index + 7)).toString(16).padEnd(64, "5"),
      ifname: position === 0 ? "eth0" : `net${position}`,
      mac: `02:00:00:00:${position.toString(16).padStart(2, "0")}:${host.padStart(2, "0")}`,
      hostIfname: network === "infra/storage" ? "" : `pb${id(position).slice(-10)}`,
      sharedLinks: [...(shared[network] ?? [])],
      defaultRoute: hasRoute ? addresses.map((address) => address.replace(/[^.:]*\/.*/, "1")) : [],
    });
  });
}

/** Eight pods on five networks: the picture of the README. */
export function fakeSmallNode(): NodeAnswers {
  const pods: Parameters<typeof fakePod>[1][] = [
    { name: "default/web-7d4b9c5f6-2xk9p" },
    { name: "default/web-7d4b9c5f6-8hwzq" },
    { name: "edge/gateway-0", networks: ["edge/wan", "tenant/blue"], route: "edge/wan" },
    { name: "infra/backup-agent-k2j7v", networks: ["infra/backup", "infra/storage"] },
    { name: "kube-system/dns-cache-lq4tm" },
    { name: "shop/db-0", networks: ["infra/storage", "infra/backup"] },
    { name: "shop/db-1", networks: ["infra/storage", "infra/backup"], moving: ["infra/backup"] },
    { name: "tenant/worker-0", networks: ["tenant/blue", "infra/storage"] },
  ];
  const attachments = pods.flatMap((pod, index) => fakePod(index, pod));
  return { status: fakeStatus({ plugins }), definitions, attachments };
}

/** Pods with four networks each, `count` of them. */
export function fakeBusyNode(count: number): NodeAnswers {
  const others = definitions.map(({ network }) => network);
  const attachments = Array.from({ length: count }, (_, index) =>
    fakePod(index, {
      name: `team-${index % 5}/service-${index % 7}-7d4b9c5f6-x${index}z`,
      networks: others.filter((_network, position) => (index + position) % 4 !== 0),
      ...(index % 6 === 1 ? { route: "infra/storage" } : {}),
      moving: index % 17 === 3 ? ["infra/backup"] : [],
    }),
  ).flat();
  const down = { trouble: "it hung up: connect ECONNREFUSED, next try in 8 s" };
  const unused = [
    fakeDefinition({ network: "lab/roce", plugin: "host-device", settings: { device: "eth7" } }),
    fakeDefinition({
      ...{ network: "lab/ib", plugin: "", subnets: [], settings: {} },
      problem: "spec.config is no JSON: Unexpected end of JSON input",
    }),
  ];
  return {
    status: fakeStatus({
      plugins: plugins.map((it) => (it.name === "acme-sdwan" ? { ...it, ...down } : it)),
    }),
    definitions: [...definitions, ...unused],
    attachments,
  };
}
