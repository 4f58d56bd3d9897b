import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress } from "../../ip/address.ts";
import { PatchbayError } from "../errors.ts";
import {
  checkPluginConfig,
  mergeRequested,
  parseNetworkConfig,
  parseRequested,
} from "./network-config.ts";

test("parseNetworkConfig() takes null in runtimeConfig for nothing, as containerd says of a pod without annotations", () => {
  const nothing = ["ips", "mac", "portMappings", "bandwidth", "io.kubernetes.cri.pod-annotations"];
  const runtimeConfig = Object.fromEntries(nothing.map((key) => [key, null]));
  const config = parseNetworkConfig({ name: "net", runtimeConfig }, "1.1.0");
  assert.deepEqual(config, parseNetworkConfig({ name: "net" }, "1.1.0"));
});

test("parseNetworkConfig() fills in what a configuration leaves out", () => {
  const config = parseNetworkConfig({ name: "net" }, "1.1.0");
  const { ipam, ...rest } = config;
  assert.deepEqual(rest, {
    cniVersion: "1.1.0",
    name: "net",
    plugin: "routed",
    mtu: 0,
    ipMasq: false,
    awaitsNodeRanges: false,
    dns: undefined,
    configJson: '{"name":"net"}',
    requestedAddresses: [],
    requestedAddressTexts: [],
    requestedMac: undefined,
    portMappings: [],
    prevResult: undefined,
    requestedBandwidth: undefined,
    annotations: {},
    dependsOn: [],
    validAttachments: undefined,
  });
  assert.deepEqual(ipam.families, [4, 6]);
});

test("parseNetworkConfig() reads every key", () => {
  const config = parseNetworkConfig(
    {
      cniVersion: "1.0.0",
      name: "net",
      type: "patchbay",
      plugin: "bridge",
      mtu: 9000,
      ipMasq: true,
      ipam: { subnet: "10.1.0.0/24" },
      dns: { nameservers: ["10.1.0.53"] },
      args: { cni: { ips: ["10.1.0.5/24"] } },
      runtimeConfig: { ips: ["10.1.0.6"], mac: "02:00:00:00:00:01" },
      prevResult: { ips: [] },
      "cni.dev/valid-attachments": [{ containerID: "c1", ifname: "eth0", extra: 1 }],
    },
    "1.0.0",
  );
  assert.equal(config.plugin, "bridge");
  assert.equal(config.mtu, 9000);
  assert.equal(config.ipMasq, true);
  assert.deepEqual(config.dns, {
    nameservers: ["10.1.0.53"],
    domain: "",
    search: [],
    options: [],
  });
  assert.deepEqual(config.requestedAddresses.map(formatAddress), ["10.1.0.5", "10.1.0.6"]);
  assert.equal(config.requestedMac, "02:00:00:00:00:01");
  assert.deepEqual(config.prevResult, { ips: [] });
  assert.deepEqual(config.validAttachments, [{ containerId: "c1", ifname: "eth0" }]);
});

test("configJson is the same whatever differs from call to call, and in whatever order", () => {
  const one = parseNetworkConfig(
    { cniVersion: "1.1.0", name: "net", mtu: 1400, runtimeConfig: { mac: "02:00:00:00:00:01" } },
    "1.1.0",
  );
  const other = parseNetworkConfig(
    {
      mtu: 1400,
      name: "net",
      cniVersion: "1.0.0",
      args: {},
      prevResult: {},
      capabilities: { ips: true },
      "cni.dev/attachments": [],
    },
    "1.0.0",
  );
  assert.equal(one.configJson, '{"mtu":1400,"name":"net"}');
  assert.equal(other.configJson, one.configJson);
});

test("of two lists for GC the specification's is taken; an empty one is a list", () => {
  const both = {
    name: "net",
    "cni.dev/attachments": [{ containerID: "old", ifname: "eth0" }],
    "cni.dev/valid-attachments": [{ containerID: "new", ifname: "eth0" }],
  };
  const { validAttachments } = parseNetworkConfig(both, "1.1.0");
  assert.deepEqual(validAttachments, [{ containerId: "new", ifname: "eth0" }]);
  const empty = parseNetworkConfig({ name: "net", "cni.dev/valid-attachments": [] }, "1.1.0");
  assert.deepEqual(empty.validAttachments, []);
  // Go writes a nil slice as null.
  const nil = parseNetworkConfig({ name: "net", "cni.dev/valid-attachments": null }, "1.1.0");
  assert.deepEqual(nil.validAttachments, []);
});

const REFUSED: readonly [json: Record<string, unknown>, message: string][] = [
  [{}, "name is missing"],
  [{ name: 5 }, "name is 5, expected type string"],
  [{ name: "net", mtu: "x" }, 'mtu is "x", expected type integer'],
  [{ name: "net", dns: { search: ["a", 5] } }, "dns.search[1] is 5, expected type string"],
  [
    { name: "net", args: { cni: { ips: ["x"] } } },
    'args.cni.ips[0] is "x", expected an IP address',
  ],
  [
    { name: "net", runtimeConfig: { ips: ["10.0.0.1", "y"] } },
    'runtimeConfig.ips[1] is "y", expected an IP address',
  ],
  [
    { name: "net", ipam: { subnet: 5 } },
    "ipam.subnet: expected a subnet such as 10.1.0.0/16 or fd00:1::/64, got 5",
  ],
  [
    { name: "net", "cni.dev/valid-attachments": [{ containerID: "x" }] },
    "cni.dev/valid-attachments[0].ifname is missing",
  ],
  [
    { name: "net", "cni.dev/attachments": [{ containerID: 5, ifname: "x" }] },
    "cni.dev/attachments[0].containerID is 5, expected type string",
  ],
];

test("parseNetworkConfig() names the field and what it expected", () => {
  for (const [json, message] of REFUSED) {
    assert.throws(
      () => parseNetworkConfig(json, "1.1.0"),
      (error) => {
        assert.ok(error instanceof PatchbayError);
        assert.equal(error.code, "INVALID_NETWORK_CONFIG");
        assert.equal(error.message, message);
        return true;
      },
    );
  }
});

test("long values are cut in messages", () => {
  const json = { name: "net", mtu: "x".repeat(1000) };
  assert.throws(
    () => parseNetworkConfig(json, "1.1.0"),
    (error) => {
      assert.ok(error instanceof PatchbayError);
      assert.ok(error.message.length < 150, error.message);
      return true;
    },
  );
});

test("checkPluginConfig() checks by the plugin's own schema, which may close or choose", () => {
  const schema = JSON.stringify({
    type: "object",
    properties: { mode: { enum: ["l2", "l3"] }, parent: { type: "string" } },
    additionalProperties: false,
    required: ["parent"],
  });
  const refusal = (config: object) => {
    try {
      checkPluginConfig(JSON.stringify(config), schema);
      return "";
    } catch (error) {
      return error instanceof PatchbayError ? error.message : String(error);
    }
  };
  assert.equal(refusal({ parent: "eth0", mode: "l2" }), "");
  assert.equal(refusal({ mode: "l2" }), "parent is missing");
  assert.equal(refusal({ parent: "eth0", mode: "l4" }), 'mode is "l4", expected one of "l2", "l3"');
  assert.equal(
    refusal({ parent: "x", y: 1 }),
    "y is not a known key, expected one of mode, parent",
  );
  checkPluginConfig("{}", "");
});

test("parseRequested() takes addresses with and without a prefix length, of both families", () => {
  const texts = ["10.0.0.5", "10.0.0.6/16", "FD00::0:5", "fd00::6/64"];
  assert.deepEqual(parseRequested(texts, "x").map(formatAddress), [
    "10.0.0.5",
    "10.0.0.6",
    "fd00::5",
    "fd00::6",
  ]);
  assert.deepEqual(mergeRequested(parseRequested([...texts, ...texts], "x")).length, 4);
});

test("parseNetworkConfig() reads portMappings, each once and those of port 0 not at all", () => {
  const web = { hostPort: 8080, containerPort: 80 };
  const portMappings = [
    web,
    { ...web, protocol: "tcp", hostIP: "" },
    { ...web, protocol: "UDP", hostIP: "FD00::0001" },
    { hostPort: 0, containerPort: 81 },
  ];
  const config = parseNetworkConfig({ name: "net", runtimeConfig: { portMappings } }, "1.1.0");
  assert.deepEqual(config.portMappings, [
    { ...web, protocol: "TCP", hostIp: "" },
    { ...web, protocol: "UDP", hostIp: "fd00::1" },
  ]);
  assert.equal(config.configJson, '{"name":"net"}');
});

test("parseNetworkConfig() names the field of a portMapping that cannot be", () => {
  const good = { hostPort: 8080, containerPort: 80 };
  const cases: [unknown[], RegExp][] = [
    [[{ ...good, hostPort: 70_000 }], /^runtimeConfig\.portMappings\[0\]\.hostPort is 70000/],
    [[good, { ...good, containerPort: 0 }], /portMappings\[1\]\.containerPort is 0/],
    [[{ containerPort: 80 }], /portMappings\[0\]\.hostPort is missing/],
    [[{ ...good, protocol: "icmp" }], /portMappings\[0\]\.protocol is "icmp"/],
    [[{ ...good, hostIP: "localhost" }], /portMappings\[0\]\.hostIP is "localhost"/],
    [
      [good, { ...good, containerPort: 81 }],
      /portMappings\[1\]\.hostPort is 8080, which container port 80 has already/,
    ],
  ];
  for (const [portMappings, message] of cases) {
    assert.throws(
      () => parseNetworkConfig({ name: "net", runtimeConfig: { portMappings } }, "1.1.0"),
      (error) => error instanceof PatchbayError && message.test(error.message),
      message.source,
    );
  }
});

test("parseNetworkConfig() says in words what a field of the runtime must be", () => {
  const mapping = { hostPort: 80, containerPort: 80 };
  const table: [runtimeConfig: object, expected: string][] = [
    [{ portMappings: [{ ...mapping, protocol: "icmp" }] }, "tcp, udp or sctp"],
    [{ portMappings: [{ ...mapping, hostPort: 65_536 }] }, "at most 65535"],
    [{ portMappings: [{ ...mapping, containerPort: 0 }] }, "at least 1"],
    [{ mac: "x" }, "a unicast MAC address like 02:00:5e:00:53:01"],
    [{ ips: ["a", "b", "c"] }, "at most 2 entries"],
  ];
  for (const [runtimeConfig, expected] of table) {
    assert.throws(
      () => parseNetworkConfig({ name: "net", runtimeConfig }, "1.1.0"),
      (error) => error instanceof Error && error.message.endsWith(`, expected ${expected}`),
      expected,
    );
  }
});
