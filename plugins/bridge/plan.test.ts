import assert from "node:assert/strict";
import { test } from "node:test";
import { bridgedPodBatches, bridgedPodResponse } from "../../src/plugin-sdk/bridged-pod.ts";
import { macOfName } from "../../src/plugin-sdk/link-names.ts";
import { type AttachRequest, PluginError } from "../../src/plugin-sdk/network-plugin.ts";
import { attachRequest, textOf } from "../../src/plugin-sdk/sample-request.ts";
import type { AttachMode } from "../../src/plugin-sdk/pod-side.ts";
import { CONFIG_SCHEMA, readBridgeConfig } from "./config.ts";
import { networkBatches, planBridge } from "./plan.ts";

const { hostIfname: host, hostMac, podMac } = planBridge(attachRequest(), 1500).names;
const ALIAS = "patchbay:bridge:net:0123456789abcdef0123456789abcdef";
const ONE_V4 = [{ address: "10.1.0.5/24", gateway: "10.1.0.1" }];

function withConfig(config: object, change: Partial<AttachRequest> = {}): AttachRequest {
  return attachRequest({ configJson: JSON.stringify({ name: "net", ...config }), ...change });
}

const create = (bridge: string) =>
  `  add-link name=${host} mtu=1500 mac=${hostMac} master=${bridge} link=(type=veth peer=(name=eth0 netns=/run/netns/c1 mac=${podMac} mtu=1500))`;
const setLink = (more = "") =>
  `  set-link name=${host} up=true alias=${ALIAS} addrGenMode=1${more}`;
const POD_V4 = [
  "in /run/netns/c1:",
  "  set-link name=lo up=true",
  "  set-link name=eth0 up=true addrGenMode=1",
  "  add-address link=eth0 address=10.1.0.5/24 ifExists=keep",
];
const DEFAULT_V4 =
  "  add-route destination=0.0.0.0/0 gateway=10.1.0.1 link=eth0 onlink=true ifExists=replace";

const TABLE: readonly [
  what: string,
  request: AttachRequest,
  mode: AttachMode,
  expected: string[],
][] = [
  [
    "IPv4 alone",
    withConfig({}, { addresses: ONE_V4 }),
    "create",
    ["on the node:", create("cni0"), setLink(), ...POD_V4, DEFAULT_V4],
  ],
  [
    "a repeat, which puts the link back on its bridge",
    withConfig({ bridge: "br7" }, { addresses: ONE_V4 }),
    "repeat",
    ["on the node:", setLink(" master=br7"), ...POD_V4, DEFAULT_V4],
  ],
  [
    "hairpin, port isolation and a VLAN",
    withConfig(
      { bridge: "br7", hairpinMode: true, portIsolation: true, vlan: 7 },
      { addresses: ONE_V4 },
    ),
    "create",
    [
      "on the node:",
      create("br7"),
      setLink(" hairpin=true isolated=true accessVlan=7"),
      ...POD_V4,
      DEFAULT_V4,
    ],
  ],
  [
    "no gateway: no default route",
    withConfig({}, { addresses: [{ address: "10.1.0.5/24", gateway: "" }] }),
    "create",
    ["on the node:", create("cni0"), setLink(), ...POD_V4],
  ],
];

for (const [what, request, mode, expected] of TABLE) {
  test(`bridgedPodBatches() for ${what}`, () => {
    assert.deepEqual(textOf(bridgedPodBatches(planBridge(request, 1500), mode)), expected);
  });
}

test("bridgedPodBatches() for both families gives a link-local address of its own", () => {
  const lines = textOf(bridgedPodBatches(planBridge(withConfig({}), 1500), "create"));
  assert.deepEqual(
    lines
      .slice(lines.indexOf("in /run/netns/c1:") + 3)
      .map((line) => line.replace(/fe80::\S+/, "fe80::x/64")),
    [
      "  add-address link=eth0 address=10.1.0.5/24 ifExists=keep",
      "  add-address link=eth0 address=fd00:1::5/64 ifExists=keep",
      "  add-address link=eth0 address=fe80::x/64 scope=link ifExists=keep",
      DEFAULT_V4,
      "  add-route destination=::/0 gateway=fd00:1::1 link=eth0 onlink=true ifExists=replace",
    ],
  );
});

test("planBridge() adds the routes asked for", () => {
  const route = { mtu: 0, advmss: 0, priority: 0, table: 0, scope: 0, gateway: "" };
  const routes = [
    { ...route, destination: "0.0.0.0/0", gateway: "10.1.0.254" },
    { ...route, destination: "192.0.2.0/24", mtu: 1300, advmss: 1200, priority: 7, table: 100 },
  ];
  const plan = planBridge(withConfig({}, { addresses: ONE_V4, routes }), 1500);
  assert.deepEqual(textOf(bridgedPodBatches(plan, "repeat")).slice(-2), [
    "  add-route destination=0.0.0.0/0 gateway=10.1.0.254 link=eth0 onlink=true ifExists=replace",
    "  add-route destination=192.0.2.0/24 gateway=10.1.0.1 link=eth0 onlink=true mtu=1300 advmss=1200 metric=7 table=100 ifExists=replace",
  ]);
});

test("bridgedPodResponse() has bridge, node's end and pod's end, and addresses with their prefix", () => {
  const request = withConfig(
    { bridge: "br7" },
    { addresses: ONE_V4, mac: "02:00:00:00:00:09", mtu: 1400 },
  );
  const pod = { name: "eth0", mac: "02:00:00:00:00:09", sandbox: "/run/netns/c1" };
  const rest = { mtu: 1400, pciId: "", socketPath: "" };
  assert.deepEqual(bridgedPodResponse(planBridge(request, 1500)), {
    interfaces: [
      { name: "br7", mac: macOfName("br7"), sandbox: "", ...rest },
      { name: host, mac: hostMac, sandbox: "", ...rest },
      { ...pod, ...rest },
    ],
    addresses: [{ address: "10.1.0.5/24", gateway: "10.1.0.1", interfaceIndex: 2 }],
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
    ],
    dns: null,
    deviceInfoJson: "",
  });
});

const bridgeLines = (name: string, more: string[] = []) => [
  "on the node:",
  `  add-link name=${name} mac=${macOfName(name)} link=(type=bridge) ifExists=keep`,
  ...more,
  `  set-link name=${name} up=true`,
];

test("networkBatches() makes the bridge, gives it the gateways, and forwards", () => {
  assert.deepEqual(textOf(networkBatches(withConfig({ bridge: "br7" }))), [
    ...bridgeLines("br7"),
    "  add-address link=br7 address=10.1.0.1/24 ifExists=keep",
    "  add-address link=br7 address=fd00:1::1/64 ifExists=keep",
    "  set-sysctl path=net.ipv4.ip_forward value=1",
    "  set-sysctl path=net.ipv6.conf.all.forwarding value=1",
  ]);
});

test("networkBatches() with a VLAN filters, and leaves the gateway to somebody on it", () => {
  assert.deepEqual(
    textOf(networkBatches(withConfig({ vlan: 7 }))),
    bridgeLines("cni0", ["  set-link name=cni0 vlanFiltering=true"]),
  );
});

test("networkBatches() without gateways makes a bridge and nothing else", () => {
  const addresses = [{ address: "10.1.0.0/31", gateway: "" }];
  assert.deepEqual(textOf(networkBatches(withConfig({}, { addresses }))), bridgeLines("cni0"));
});

test("readBridgeConfig() has a default for every key of the schema", () => {
  const config = readBridgeConfig('{"name":"net"}');
  assert.deepEqual(config, { bridge: "cni0", hairpinMode: false, portIsolation: false, vlan: 0 });
  assert.deepEqual(Object.keys(config).sort(), Object.keys(CONFIG_SCHEMA.properties).sort());
});

test("planBridge() without default routes has those asked for alone", () => {
  const route = { mtu: 0, advmss: 0, priority: 0, table: 0, scope: 0, gateway: "" };
  const routes = [{ ...route, destination: "192.0.2.0/24" }];
  const plan = planBridge(attachRequest({ defaultRoute: "DEFAULT_ROUTE_NONE", routes }), 1500);
  assert.deepEqual(
    bridgedPodResponse(plan).routes.map(({ destination, gateway }) => `${destination} ${gateway}`),
    ["192.0.2.0/24 10.1.0.1"],
  );
});

test("planBridge() gives addresses that the pod asks for, with their prefix lengths", () => {
  const request = attachRequest({
    addresses: [],
    requestedAddresses: ["10.9.0.7/24", "fd00::7/64"],
  });
  const plan = planBridge(request, 1500);
  assert.deepEqual(bridgedPodResponse(plan).addresses, [
    { address: "10.9.0.7/24", gateway: "", interfaceIndex: 2 },
    { address: "fd00::7/64", gateway: "", interfaceIndex: 2 },
  ]);
  assert.deepEqual(bridgedPodResponse(plan).routes, []);
});

for (const [address, why] of [
  ["10.9.0.7", /^10\.9\.0\.7 is asked for without prefix length, and network net has no IPAM/],
  ["10.9.0.7/33", /^10\.9\.0\.7\/33 is asked for and no address/],
  ["nonsense", /^nonsense is asked for and no address/],
] as const) {
  test(`planBridge() refuses ${address} as an address asked for`, () => {
    assert.throws(
      () => planBridge(attachRequest({ addresses: [], requestedAddresses: [address] }), 1500),
      (error) =>
        error instanceof PluginError && error.kind === "invalid-config" && why.test(error.message),
    );
  });
}
