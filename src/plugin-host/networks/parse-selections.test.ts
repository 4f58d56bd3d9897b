import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatAddress } from "../../ip/address.ts";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { NetworkSelection } from "./network-selection.ts";
import { parseDefaultNetwork, parseNetworkSelections } from "./parse-selections.ts";

const NETWORKS = "k8s.v1.cni.cncf.io/networks";
const DEFAULT = "v1.multus-cni.io/default-network";

function parse(value: string): NetworkSelection[] {
  return parseNetworkSelections(value, { podNamespace: "prod" });
}

/** The one object of a JSON list. */
function parseOne(element: object): NetworkSelection {
  const [selection, ...more] = parse(JSON.stringify([element]));
  assert.ok(selection !== undefined && more.length === 0);
  return selection;
}

/** The message with which a value is refused; the value where it is not. */
function refusalOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof PatchbayError, String(error));
    assert.equal(error.code, "INVALID_NETWORK_CONFIG");
    return error.message;
  }
}

function bare(selection: Partial<NetworkSelection>): object {
  return { ips: [], ipTexts: [], portMappings: [], defaultRoute: [], ...selection };
}

describe("parseNetworkSelections() of the short form", () => {
  it("reads names with and without namespace and interface", () => {
    assert.deepEqual(parse(" a , storage/b,c.d@net7,kube-system/e@x@1 "), [
      bare({ field: `${NETWORKS}[0]`, namespace: "prod", name: "a" }),
      bare({ field: `${NETWORKS}[1]`, namespace: "storage", name: "b" }),
      bare({ field: `${NETWORKS}[2]`, namespace: "prod", name: "c.d", ifname: "net7" }),
      bare({ field: `${NETWORKS}[3]`, namespace: "kube-system", name: "e", ifname: "x@1" }),
    ]);
  });

  it("takes the same network several times", () => {
    assert.deepEqual(
      parse("a,a,a@z").map(({ name }) => name),
      ["a", "a", "a"],
    );
  });

  it("finds no networks where there is nothing", () => {
    for (const nothing of ["", " \n\t", "[]", " [ ] "]) assert.deepEqual(parse(nothing), []);
  });

  const SHORT_FORM = "expected [namespace/]name[@interface]";
  const IFNAME =
    "expected 1 to 15 ASCII characters without blank, '/', ':' or '%', not 'all' or 'default'";
  const cases: readonly (readonly [string, string])[] = [
    ["a,", `[1] is "", ${SHORT_FORM}`],
    [",", `[0] is "", ${SHORT_FORM}`],
    ["a/b/c", `[0] is "a/b/c", ${SHORT_FORM}`],
    ["a,B", '[1].name is "B", expected a DNS name'],
    ["/a", '[0].namespace is "", expected a DNS label'],
    ["x.y/a", '[0].namespace is "x.y", expected a DNS label'],
    ["a b", '[0].name is "a b", expected a DNS name'],
    ["a@", `[0].interface is "", ${IFNAME}`],
    ["a@1234567890123456", `[0].interface is "1234567890123456", ${IFNAME}`],
    ["a@..", `[0].interface is "..", ${IFNAME}`],
    ["a@eth%d", `[0].interface is "eth%d", ${IFNAME}`],
    ["a@lo", '[0].interface is "lo", which is the name of the loopback interface'],
    ["b,a@eth0", '[1].interface is "eth0", which is the name of the pod\'s default network'],
    ["a@x,b,c@x", `[2].interface is "x", which is the name of the interface of ${NETWORKS}[0]`],
    [
      'a,{"name":"b"}',
      `[1] is "{\\"name\\":\\"b\\"}", ${SHORT_FORM}, or all elements as objects of one JSON list`,
    ],
  ];
  for (const [value, message] of cases) {
    it(`refuses ${value}`, () => {
      assert.equal(
        refusalOf(() => parse(value)),
        `${NETWORKS}${message}`,
      );
    });
  }
});

describe("parseNetworkSelections() of a JSON list", () => {
  it("reads every key", () => {
    const element = {
      name: "storage",
      namespace: "shared",
      interface: "net5",
      ips: ["10.0.0.5", "fd00::0:5/64"],
      mac: "02:00:5E:00:53:01",
      "infiniband-guid": "C2:11:22:33:44:55:66:77",
      portMappings: [
        { hostPort: 8080, containerPort: 80 },
        { hostPort: 53, containerPort: 5353, protocol: "udp", hostIP: "::0:1" },
        { hostPort: 0, containerPort: 9 },
        { hostPort: 8080, containerPort: 80, protocol: "TCP" },
      ],
      bandwidth: { ingressRate: 1_000_000, ingressBurst: 4096, egressRate: 7 },
      "cni-args": { vlan: [{ id: 5 }], extra: null },
      "default-route": ["10.0.0.1", "fd00::1"],
      deviceID: "0000:03:02.3",
      "org.example.key": { anything: true },
      "example.org/key": 1,
    };
    const { ips, defaultRoute, ...selection } = parseOne(element);
    assert.deepEqual(selection, {
      field: `${NETWORKS}[0]`,
      name: "storage",
      namespace: "shared",
      ifname: "net5",
      ipTexts: ["10.0.0.5", "fd00::0:5/64"],
      mac: "02:00:5e:00:53:01",
      infinibandGuid: "c2:11:22:33:44:55:66:77",
      portMappings: [
        { hostPort: 8080, containerPort: 80, protocol: "TCP", hostIp: "" },
        { hostPort: 53, containerPort: 5353, protocol: "UDP", hostIp: "::1" },
      ],
      bandwidth: { ingressRate: 1_000_000, ingressBurst: 4096, egressRate: 7, egressBurst: 0 },
      cniArgs: { vlan: [{ id: 5 }], extra: null },
      deviceId: "0000:03:02.3",
    });
    assert.deepEqual(ips.map(formatAddress), ["10.0.0.5", "fd00::5"]);
    assert.deepEqual(defaultRoute.map(formatAddress), ["10.0.0.1", "fd00::1"]);
    assert.equal(parseOne({ name: "a", "ipam-claim-reference": "vm.1" }).ipamClaim, "vm.1");
  });

  it("takes what is empty or null for absent", () => {
    const empty = { namespace: "", interface: "", mac: "", deviceID: "", "infiniband-guid": "" };
    const nulls = { ips: null, bandwidth: null, "cni-args": null, portMappings: null };
    const lists = { "default-route": [], "ipam-claim-reference": "" };
    assert.deepEqual(
      parseOne({ name: "a", ...empty, ...nulls, ...lists }),
      bare({ field: `${NETWORKS}[0]`, namespace: "prod", name: "a" }),
    );
    assert.equal(parseOne({ name: "a", bandwidth: { ingressRate: 0 } }).bandwidth, undefined);
  });

  const MAC = "expected a unicast MAC address like 02:00:5e:00:53:01";
  const GUID = "expected eight bytes like 02:00:00:00:00:00:00:01, neither all 00 nor all ff";
  const IP = "expected an IP address, with or without prefix length";
  const RATE = `expected 0 to ${Number.MAX_SAFE_INTEGER}`;
  const cases: readonly (readonly [object, string])[] = [
    [{ name: undefined }, ".name is missing, expected the name of a NetworkAttachmentDefinition"],
    [{ name: "" }, ".name is missing, expected the name of a NetworkAttachmentDefinition"],
    [{ name: 5 }, ".name is 5, expected a DNS name"],
    [{ name: "a/b" }, '.name is "a/b", expected a DNS name'],
    [{ namespace: "A" }, '.namespace is "A", expected a DNS label'],
    [
      { interface: "a:b" },
      ".interface is \"a:b\", expected 1 to 15 ASCII characters without blank, '/', ':' or '%', not 'all' or 'default'",
    ],
    [{ ips: "10.0.0.1" }, '.ips is "10.0.0.1", expected a list'],
    [{ ips: ["10.0.0.1", "x"] }, `.ips[1] is "x", ${IP}`],
    [{ ips: ["10.0.0.1/33"] }, `.ips[0] is "10.0.0.1/33", ${IP}`],
    [{ ips: [1] }, `.ips[0] is 1, ${IP}`],
    [{ ips: Array(17).fill("10.0.0.1") }, ".ips has 17 items, expected at most 16"],
    [
      { ips: ["10.0.0.1"], "ipam-claim-reference": "vm" },
      ".ipam-claim-reference is given, and so is ips, expected one of them",
    ],
    [{ "ipam-claim-reference": "a/b" }, '.ipam-claim-reference is "a/b", expected a DNS name'],
    [{ mac: "02-00-5e-00-53-01" }, `.mac is "02-00-5e-00-53-01", ${MAC}`],
    [{ mac: "01:00:5e:00:53:01" }, `.mac is "01:00:5e:00:53:01", ${MAC}`],
    [{ mac: "00:00:00:00:00:00" }, `.mac is "00:00:00:00:00:00", ${MAC}`],
    [
      { "infiniband-guid": "02:00:00:00:00:01" },
      `.infiniband-guid is "02:00:00:00:00:01", ${GUID}`,
    ],
    [
      { "infiniband-guid": "00:00:00:00:00:00:00:00" },
      `.infiniband-guid is "00:00:00:00:00:00:00:00", ${GUID}`,
    ],
    [
      { "infiniband-guid": "ff:FF:ff:ff:ff:ff:ff:ff" },
      `.infiniband-guid is "ff:FF:ff:ff:ff:ff:ff:ff", ${GUID}`,
    ],
    [{ portMappings: [{}] }, ".portMappings[0].hostPort is missing, expected a port of the node"],
    [
      { portMappings: [{ hostPort: 1 }] },
      ".portMappings[0].containerPort is missing, expected a port of the pod",
    ],
    [
      { portMappings: [{ hostPort: 65536, containerPort: 1 }] },
      ".portMappings[0].hostPort is 65536, expected 0 to 65535",
    ],
    [
      { portMappings: [{ hostPort: 1, containerPort: 0 }] },
      ".portMappings[0].containerPort is 0, expected 1 to 65535",
    ],
    [
      { portMappings: [{ hostPort: 1, containerPort: 1, protocol: "icmp" }] },
      '.portMappings[0].protocol is "icmp", expected tcp, udp or sctp',
    ],
    [
      { portMappings: [{ hostPort: 1, containerPort: 1, hostIP: "node" }] },
      '.portMappings[0].hostIP is "node", expected an IP address',
    ],
    [
      { portMappings: [{ hostPort: 1, containerPort: 1, name: "x" }] },
      ".portMappings[0].name is not a known key, expected one of hostPort, containerPort, protocol, hostIP",
    ],
    [
      {
        portMappings: [
          { hostPort: 80, containerPort: 1 },
          { hostPort: 80, containerPort: 2 },
        ],
      },
      ".portMappings[1].hostPort is 80, which container port 1 has already",
    ],
    [{ bandwidth: 5 }, ".bandwidth is 5, expected a mapping"],
    [{ bandwidth: { ingressRate: -1 } }, `.bandwidth.ingressRate is -1, ${RATE}`],
    [{ bandwidth: { egressRate: "1M" } }, `.bandwidth.egressRate is "1M", ${RATE}`],
    [{ bandwidth: { egressBurst: 9 } }, ".bandwidth.egressBurst is given without egressRate"],
    [
      { bandwidth: { rate: 1 } },
      ".bandwidth.rate is not a known key, expected one of ingressRate, ingressBurst, egressRate, egressBurst",
    ],
    [{ "cni-args": ["x"] }, ".cni-args is a list, expected a mapping"],
    [{ "cni-args": nested(40) }, ".cni-args is nested too deep, expected at most 32 levels"],
    [
      { "default-route": ["10.0.0.1/8"] },
      '.default-route[0] is "10.0.0.1/8", expected the IP address of a router',
    ],
    ...["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1"].map(
      (gateway): [object, string] => [
        { "default-route": [gateway] },
        `.default-route[0] is "${gateway}", expected the IP address of a router`,
      ],
    ),
    [
      { "default-route": ["::ffff:10.0.0.1"] },
      '.default-route[0] is "::ffff:10.0.0.1", expected the IP address of a router',
    ],
    [
      { "default-route": ["10.0.0.1", "10.0.0.2"] },
      '.default-route[1] is "10.0.0.2", expected one gateway for IPv4',
    ],
    [
      { deviceID: "a b" },
      '.deviceID is "a b", expected 1 to 253 printable characters without blank',
    ],
    [
      { ip: ["10.0.0.1"] },
      ".ip is not a known key, expected one of name, namespace, interface, ips, mac, infiniband-guid, portMappings, bandwidth, cni-args, default-route, ipam-claim-reference, deviceID, or a name of your own like org.example.key",
    ],
  ];
  for (const [element, message] of cases) {
    it(`refuses ${JSON.stringify(element).slice(0, 60)}`, () => {
      const value = JSON.stringify([{ name: "first" }, { name: "a", ...element }]);
      const refused = refusalOf(() => parse(value));
      assert.equal(refused, `${NETWORKS}[1]${message}`);
    });
  }

  it("refuses two elements with default routes", () => {
    const value = JSON.stringify([
      { name: "a", "default-route": ["10.0.0.1"] },
      { name: "b" },
      { name: "c", "default-route": ["fd00::1"] },
    ]);
    assert.equal(
      refusalOf(() => parse(value)),
      `${NETWORKS}[2].default-route is given, and so is ${NETWORKS}[0].default-route, expected one of them`,
    );
  });

  it("refuses what is no list of objects", () => {
    assert.equal(
      refusalOf(() => parse('{"name":"a"}')),
      `${NETWORKS} is a JSON object, expected a list of them`,
    );
    assert.equal(
      refusalOf(() => parse('["a"]')),
      `${NETWORKS}[0] is "a", expected a mapping`,
    );
    assert.equal(
      refusalOf(() => parse('[{"name":"a"}')),
      `${NETWORKS} is neither JSON nor [namespace/]name[@interface] joined by commas`,
    );
  });

  it("needs a namespace where nobody knows the pod's", () => {
    const message = `${NETWORKS}[1].namespace is missing, expected a namespace: the container runtime does not say in which the pod is`;
    for (const value of ["x/a,b", '[{"name":"a","namespace":"x"},{"name":"b"}]']) {
      assert.equal(
        refusalOf(() => parseNetworkSelections(value, { podNamespace: "" })),
        message,
      );
    }
    assert.equal(parseNetworkSelections("x/a", { podNamespace: "" }).length, 1);
  });

  it("has bounds", () => {
    const most = Array.from({ length: LIMITS.podNetworksMax }, (_, index) => `n${index}`);
    assert.equal(parse(most.join(",")).length, LIMITS.podNetworksMax);
    assert.equal(
      refusalOf(() => parse(["a", ...most].join(","))),
      `${NETWORKS} has 65 networks, expected at most 64`,
    );
    assert.equal(
      refusalOf(() => parse(" ".repeat(65_537))),
      `${NETWORKS} has 65537 characters, expected at most 65536`,
    );
  });
});

describe("parseNetworkSelections()", () => {
  it("throws nothing but PatchbayError, and answers with checked values", () => {
    const key = fc.constantFrom("name", "namespace", "interface", "ips", "mac", "bandwidth");
    const rare = fc.constantFrom("portMappings", "cni-args", "default-route", "deviceID", "x.y");
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom("a", "net1", "10.0.0.1", "::1"));
    const element = fc.dictionary(fc.oneof(key, rare, fc.string()), value);
    const word = fc.constantFrom("a", "b/", "@", ",", "[", "{", '"', " ", "net1", "\u0000", "é");
    const text = fc.oneof(
      fc.string(),
      fc.array(word).map((words) => words.join("")),
      fc.json(),
      fc.array(element).map((elements) => JSON.stringify(elements)),
    );
    fc.assert(
      fc.property(text, (annotation) => {
        const found = refusalOf(() => parse(annotation));
        if (typeof found === "string") assert.ok(found.startsWith(NETWORKS), found);
        else
          for (const { name } of found as NetworkSelection[]) assert.match(name, /^[a-z0-9.-]+$/);
      }),
    );
  });

  it("reads back what is written in the short form", () => {
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
    const ifname = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
    const part = fc.record({ namespace: fc.option(label), name: label, ifname: fc.option(ifname) });
    const parts = fc.uniqueArray(part, {
      maxLength: 20,
      selector: ({ ifname }) => ifname ?? Symbol("none"),
    });
    fc.assert(
      fc.property(parts, (selections) => {
        fc.pre(selections.every((each) => each.ifname !== "lo" && each.ifname !== "eth0"));
        const texts = selections.map(
          (each) =>
            (each.namespace === null ? "" : `${each.namespace}/`) +
            each.name +
            (each.ifname === null ? "" : `@${each.ifname}`),
        );
        assert.deepEqual(
          parse(texts.join(",")).map((each) => [each.namespace, each.name, each.ifname ?? null]),
          selections.map((each) => [each.namespace ?? "prod", each.name, each.ifname]),
        );
      }),
    );
  });
});

describe("parseDefaultNetwork()", () => {
  const parseDefault = (value: string) => parseDefaultNetwork(value, { podNamespace: "prod" });

  it("reads one network in either form", () => {
    const field = `${DEFAULT}[0]`;
    assert.deepEqual(
      parseDefault("kube-system/fast"),
      bare({ field, namespace: "kube-system", name: "fast" }),
    );
    assert.equal(parseDefault('[{"name":"a","mac":"02:00:5e:00:53:01"}]').mac, "02:00:5e:00:53:01");
  });

  const cases: readonly (readonly [string, string])[] = [
    ["", " has 0 networks, expected one"],
    ["a,b", " has 2 networks, expected one"],
    [
      "a@net1",
      '[0].interface is "net1", expected nothing: the container runtime names the interface of the default network',
    ],
    ["A", '[0].name is "A", expected a DNS name'],
  ];
  for (const [value, message] of cases) {
    it(`refuses ${JSON.stringify(value)}`, () => {
      assert.equal(
        refusalOf(() => parseDefault(value)),
        `${DEFAULT}${message}`,
      );
    });
  }
});

function nested(levels: number): object {
  return levels === 0 ? {} : { deeper: nested(levels - 1) };
}
