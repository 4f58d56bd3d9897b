import assert from "node:assert/strict";
import { test } from "node:test";
import { type AttachRequest, PluginError } from "../../src/plugin-sdk/network-plugin.ts";
import { attachRequest, textOf } from "../../src/plugin-sdk/sample-request.ts";
import type { AttachMode } from "../../src/plugin-sdk/pod-side.ts";
import { attachBatches, attachResponse, networkBatches, planRouted } from "./plan.ts";

function operationsOf(change: Partial<AttachRequest>, mode: AttachMode = "create"): string[] {
  return textOf(attachBatches(planRouted(attachRequest(change), 1500), mode));
}

const names = planRouted(attachRequest(), 1500).names;
const { hostIfname: host, hostMac, podMac } = names;
const ALIAS = "patchbay:routed:net:0123456789abcdef0123456789abcdef";
const CREATE = `  add-link name=${host} mtu=1500 mac=${hostMac} link=(type=veth peer=(name=eth0 netns=/run/netns/c1 mac=${podMac} mtu=1500))`;
const afterCreate = (ifHostRouteExists: "fail" | "replace") => [
  `  set-link name=${host} up=true alias=${ALIAS} addrGenMode=1`,
  `  add-route destination=10.1.0.5/32 link=${host} scope=link ifExists=${ifHostRouteExists}`,
  `  add-route destination=fd00:1::5/128 link=${host} scope=link ifExists=${ifHostRouteExists}`,
  `  add-neighbour link=${host} address=10.1.0.5 mac=${podMac} ifExists=replace`,
  `  add-neighbour link=${host} address=fd00:1::5 mac=${podMac} ifExists=replace`,
  "in /run/netns/c1:",
  "  set-link name=lo up=true",
  "  set-link name=eth0 up=true addrGenMode=1",
  "  add-address link=eth0 address=10.1.0.5/32 ifExists=keep",
  "  add-address link=eth0 address=fd00:1::5/128 ifExists=keep",
  `  add-address link=eth0 address=${linkLocal(podMac)}/64 scope=link ifExists=keep`,
  `  add-neighbour link=eth0 address=10.1.0.1 mac=${hostMac} ifExists=replace`,
  `  add-neighbour link=eth0 address=fd00:1::1 mac=${hostMac} ifExists=replace`,
  "  add-route destination=0.0.0.0/0 gateway=10.1.0.1 link=eth0 onlink=true ifExists=replace",
  "  add-route destination=::/0 gateway=fd00:1::1 link=eth0 onlink=true ifExists=replace",
];

/** With a route to the IPv6 gateway while the routes are set. */
function pinned(lines: readonly string[]): string[] {
  const at = lines.findIndex((line) => line.includes("destination=0.0.0.0/0"));
  const route = "destination=fd00:1::1/128 link=eth0 metric=19641556";
  return [
    ...lines.slice(0, at),
    `  add-route ${route} ifExists=replace`,
    ...lines.slice(at),
    `  delete-route ${route}`,
  ];
}

const TABLE: readonly [
  what: string,
  change: Partial<AttachRequest>,
  mode: AttachMode,
  expected: string[],
][] = [
  ["both families", {}, "create", ["on the node:", CREATE, ...afterCreate("fail")]],
  ["a repeat", {}, "repeat", ["on the node:", ...pinned(afterCreate("replace"))]],
  [
    "IPv4 alone, with MTU and MAC",
    {
      addresses: [{ address: "10.1.0.5/24", gateway: "10.1.0.1" }],
      mtu: 1400,
      mac: "02:00:00:00:00:09",
    },
    "create",
    [
      "on the node:",
      CREATE.replaceAll("1500", "1400").replace(podMac, "02:00:00:00:00:09"),
      `  set-link name=${host} up=true alias=${ALIAS} addrGenMode=1`,
      `  add-route destination=10.1.0.5/32 link=${host} scope=link ifExists=fail`,
      `  add-neighbour link=${host} address=10.1.0.5 mac=02:00:00:00:00:09 ifExists=replace`,
      "in /run/netns/c1:",
      "  set-link name=lo up=true",
      "  set-link name=eth0 up=true addrGenMode=1",
      "  add-address link=eth0 address=10.1.0.5/32 ifExists=keep",
      `  add-neighbour link=eth0 address=10.1.0.1 mac=${hostMac} ifExists=replace`,
      "  add-route destination=0.0.0.0/0 gateway=10.1.0.1 link=eth0 onlink=true ifExists=replace",
    ],
  ],
  [
    "no gateway: a virtual next hop that nobody owns",
    {
      addresses: [
        { address: "10.1.0.0/31", gateway: "" },
        { address: "fd00:1::/127", gateway: "" },
      ],
    },
    "repeat",
    [
      "on the node:",
      `  set-link name=${host} up=true alias=${ALIAS} addrGenMode=1`,
      `  add-route destination=10.1.0.0/32 link=${host} scope=link ifExists=replace`,
      `  add-route destination=fd00:1::/128 link=${host} scope=link ifExists=replace`,
      `  add-neighbour link=${host} address=10.1.0.0 mac=${podMac} ifExists=replace`,
      `  add-neighbour link=${host} address=fd00:1:: mac=${podMac} ifExists=replace`,
      "in /run/netns/c1:",
      "  set-link name=lo up=true",
      "  set-link name=eth0 up=true addrGenMode=1",
      "  add-address link=eth0 address=10.1.0.0/32 ifExists=keep",
      "  add-address link=eth0 address=fd00:1::/128 ifExists=keep",
      `  add-address link=eth0 address=${linkLocal(podMac)}/64 scope=link ifExists=keep`,
      `  add-neighbour link=eth0 address=169.254.1.1 mac=${hostMac} ifExists=replace`,
      `  add-neighbour link=eth0 address=fe80::1 mac=${hostMac} ifExists=replace`,
      "  add-route destination=0.0.0.0/0 gateway=169.254.1.1 link=eth0 onlink=true ifExists=replace",
      "  add-route destination=::/0 gateway=fe80::1 link=eth0 onlink=true ifExists=replace",
    ],
  ],
  [
    "a repair, which sets what may have been changed, first",
    { addresses: [{ address: "10.1.0.5/24", gateway: "10.1.0.1" }] },
    "repair",
    [
      "on the node:",
      `  set-link name=${host} mac=${hostMac} mtu=1500`,
      `  set-link name=${host} up=true alias=${ALIAS} addrGenMode=1`,
      `  add-route destination=10.1.0.5/32 link=${host} scope=link ifExists=replace`,
      `  add-neighbour link=${host} address=10.1.0.5 mac=${podMac} ifExists=replace`,
      "in /run/netns/c1:",
      `  set-link name=eth0 mac=${podMac} mtu=1500`,
      "  set-link name=lo up=true",
      "  set-link name=eth0 up=true addrGenMode=1",
      "  add-address link=eth0 address=10.1.0.5/32 ifExists=keep",
      `  add-neighbour link=eth0 address=10.1.0.1 mac=${hostMac} ifExists=replace`,
      "  add-route destination=0.0.0.0/0 gateway=10.1.0.1 link=eth0 onlink=true ifExists=replace",
    ],
  ],
];

for (const [what, change, mode, expected] of TABLE) {
  test(`attachBatches() for ${what}`, () => {
    assert.deepEqual(operationsOf(change, mode), expected);
  });
}

test("planRouted() adds the routes asked for, by the family's gateway where none is named", () => {
  const route = { mtu: 0, advmss: 0, priority: 0, table: 0, scope: 0, gateway: "" };
  const routes = [
    { ...route, destination: "0.0.0.0/0", gateway: "10.1.0.254" },
    { ...route, destination: "192.0.2.0/24", mtu: 1300, advmss: 1200, priority: 7, table: 100 },
    { ...route, destination: "2001:db8::/32" },
  ];
  const lines = operationsOf({ routes }).filter((line) => line.includes("link=eth0 onlink"));
  assert.deepEqual(lines, [
    "  add-route destination=::/0 gateway=fd00:1::1 link=eth0 onlink=true ifExists=replace",
    "  add-route destination=0.0.0.0/0 gateway=10.1.0.254 link=eth0 onlink=true ifExists=replace",
    "  add-route destination=192.0.2.0/24 gateway=10.1.0.1 link=eth0 onlink=true mtu=1300 advmss=1200 metric=7 table=100 ifExists=replace",
    "  add-route destination=2001:db8::/32 gateway=fd00:1::1 link=eth0 onlink=true ifExists=replace",
  ]);
});

test("planRouted() without default routes reaches the subnets, each interface by a metric of its own", () => {
  const routesOf = (ifname: string) =>
    textOf(
      attachBatches(
        planRouted(
          attachRequest({
            ifname,
            defaultRoute: "DEFAULT_ROUTE_NONE",
            addresses: [
              { address: "10.1.0.5/24", gateway: "10.1.0.1" },
              { address: "fd00:1::5/64", gateway: "" },
            ],
          }),
          1500,
        ),
        "create",
      ),
    ).filter((line) => line.includes("add-route"));
  const [node4, node6, pod4, pod6, ...rest] = routesOf("net1");
  // The node calls from the gateway's address: to any other the pod answers by its default route.
  assert.equal(
    node4,
    `  add-route destination=10.1.0.5/32 link=${host} scope=link source=10.1.0.1 ifExists=fail`,
  );
  assert.equal(
    node6,
    `  add-route destination=fd00:1::5/128 link=${host} scope=link ifExists=fail`,
  );
  assert.match(
    pod4 ?? "",
    /destination=10\.1\.0\.0\/24 gateway=10\.1\.0\.1 link=net1 onlink=true metric=\d+ /,
  );
  assert.match(
    pod6 ?? "",
    /destination=fd00:1::\/64 gateway=fe80::1 link=net1 onlink=true metric=\d+ /,
  );
  assert.deepEqual(rest, []);
  const metricOf = (line = "") => /metric=(\d+)/.exec(line)?.[1];
  assert.notEqual(metricOf(pod4), metricOf(routesOf("net2")[2]));
});

test("planRouted() without default routes and subnet reaches the gateway", () => {
  const plan = planRouted(
    attachRequest({
      defaultRoute: "DEFAULT_ROUTE_NONE",
      addresses: [
        { address: "10.1.0.5/32", gateway: "10.1.0.1" },
        { address: "fd00:1::5/128", gateway: "" },
      ],
    }),
    1500,
  );
  assert.deepEqual(
    attachResponse(plan).routes.map(({ destination, gateway }) => `${destination} ${gateway}`),
    ["10.1.0.1/32 10.1.0.1"],
  );
});

test("planRouted() refuses addresses that IPAM did not give", () => {
  const asked = (requestedAddresses: string[]) =>
    planRouted(attachRequest({ requestedAddresses }), 1500);
  assert.doesNotThrow(() => asked(["10.1.0.5", "fd00:1::5/64"]));
  assert.throws(
    () => asked(["10.1.0.6/24"]),
    (error) =>
      error instanceof PluginError &&
      error.kind === "invalid-config" &&
      error.message === "10.1.0.6/24 is asked for, but network net has no IPAM to give it",
  );
});

test("planRouted() passes over routes of a family that the pod does not have", () => {
  const addresses = [{ address: "10.1.0.5/24", gateway: "10.1.0.1" }];
  const route = { mtu: 0, advmss: 0, priority: 0, table: 0, scope: 0, gateway: "" };
  const plan = planRouted(
    attachRequest({ addresses, routes: [{ ...route, destination: "2001:db8::/32" }] }),
    1500,
  );
  assert.equal(plan.podRoutes.length, 1);
});

test("attachResponse() has the node's end, the pod's end, and host addresses", () => {
  assert.deepEqual(attachResponse(planRouted(attachRequest({ mtu: 1400 }), 1500)), {
    interfaces: [
      { name: host, mac: hostMac, mtu: 1400, sandbox: "", pciId: "", socketPath: "" },
      { name: "eth0", mac: podMac, mtu: 1400, sandbox: "/run/netns/c1", pciId: "", socketPath: "" },
    ],
    addresses: [
      { address: "10.1.0.5/32", gateway: "10.1.0.1", interfaceIndex: 1 },
      { address: "fd00:1::5/128", gateway: "fd00:1::1", interfaceIndex: 1 },
    ],
    routes: [
      {
        destination: "0.0.0.0/0",
        gateway: "10.1.0.1",
        mtu: 0,
        advmss: 0,
        priority: 0,
        table: 0,
        scope: 0,
      },
      {
        destination: "::/0",
        gateway: "fd00:1::1",
        mtu: 0,
        advmss: 0,
        priority: 0,
        table: 0,
        scope: 0,
      },
    ],
    dns: null,
    deviceInfoJson: "",
  });
});

const GATEWAY_LINK_LINES = [
  "on the node:",
  "  add-link name=patchbay0 link=(type=bridge) ifExists=keep",
  "  set-link name=patchbay0 up=true addrGenMode=1",
];
const FORWARD4 = "  set-sysctl path=net.ipv4.ip_forward value=1";
const FORWARD6 = "  set-sysctl path=net.ipv6.conf.all.forwarding value=1";

test("networkBatches() puts gateways on patchbay0 and forwards for each family that pods have", () => {
  assert.deepEqual(textOf(networkBatches(attachRequest())), [
    ...GATEWAY_LINK_LINES,
    "  add-address link=patchbay0 address=10.1.0.1/32 ifExists=keep",
    "  add-address link=patchbay0 address=fd00:1::1/128 ifExists=keep",
    FORWARD4,
    FORWARD6,
  ]);
  const v4 = attachRequest({ addresses: [{ address: "10.1.0.5/24", gateway: "10.1.0.1" }] });
  assert.deepEqual(textOf(networkBatches(v4)), [
    ...GATEWAY_LINK_LINES,
    "  add-address link=patchbay0 address=10.1.0.1/32 ifExists=keep",
    FORWARD4,
  ]);
  const bare = attachRequest({ addresses: [{ address: "fd00:1::/127", gateway: "" }] });
  assert.deepEqual(textOf(networkBatches(bare)), [...GATEWAY_LINK_LINES, FORWARD6]);
});

test("names are derived from the attachment, and no two attachments share them", () => {
  assert.match(host, /^pb[0-9a-f]{13}$/);
  const other = planRouted(attachRequest({ attachmentId: "other" }), 1500).names;
  for (const key of ["hostIfname", "hostMac", "podMac"] as const) {
    assert.notEqual(other[key], names[key]);
  }
});

/** EUI-64, written anew: the first byte's second bit turned, ff:fe in the middle. */
function linkLocal(mac: string): string {
  const [a = "", b = "", c = "", d = "", e = "", f = ""] = mac.split(":");
  const first = (Number.parseInt(a, 16) ^ 2).toString(16).padStart(2, "0");
  const groups = [`${first}${b}`, `${c}ff`, `fe${d}`, `${e}${f}`];
  return `fe80::${groups.map((group) => group.replace(/^0{1,3}/, "")).join(":")}`;
}
