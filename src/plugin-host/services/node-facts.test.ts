import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatPrefix, parseAddress, parsePrefix } from "../../ip/address.ts";
import type { Link, LinkAddress, Route } from "../../kernel/kernel.ts";
import type { Node, ObjectKey, ServiceCidr } from "../../services/objects.ts";
import { pickNodeAddresses } from "./node-addresses.ts";
import { NodeFactsTracker, type NodeFactsOptions } from "./node-facts.ts";

function makeNode(
  name: string,
  addresses: readonly string[],
  podCIDRs: readonly string[] = [],
): Node {
  return {
    kind: "Node",
    metadata: { name, namespace: "", labels: { zone: `zone-of-${name}` } },
    spec: { podCIDRs },
    status: { addresses: addresses.map((address) => ({ type: "InternalIP", address })) },
  };
}

function makeCidr(cidrs: readonly string[]): ServiceCidr {
  return { kind: "ServiceCIDR", metadata: { name: "all", namespace: "" }, spec: { cidrs } };
}

function makeTracker(config: Partial<NodeFactsOptions["config"]> = {}): NodeFactsTracker {
  return new NodeFactsTracker({
    nodeName: "node1",
    config: { clusterCidrs: [], nodePortAddresses: ["primary"], masqueradeAll: false, ...config },
  });
}

describe("NodeFactsTracker", () => {
  it("takes pods from all nodes, addresses and labels of its own from the own one", () => {
    const tracker = makeTracker({ clusterCidrs: [parsePrefix("10.0.0.0/8")] });
    const objects = [
      makeNode("node1", ["192.0.2.1", "fd01::1", "192.0.2.2"], ["10.244.1.0/24", "fd00:1::/64"]),
      makeNode("node2", ["192.0.2.9"], ["10.244.2.0/24"]),
      makeCidr(["10.96.0.0/16", "fd00:96::/108"]),
    ];
    assert.equal(tracker.applyObjects("a", [{ kind: "relist", objects }]), true);
    const { facts } = tracker;
    assert.deepEqual(facts.nodeAddresses, ["192.0.2.1", "fd01::1", "192.0.2.2"]);
    assert.deepEqual(facts.nodePortAddresses, ["192.0.2.1", "fd01::1"]);
    assert.deepEqual(facts.podPrefixes.map(formatPrefix), [
      "10.244.1.0/24",
      "fd00:1::/64",
      "10.244.2.0/24",
      "10.0.0.0/8",
    ]);
    assert.deepEqual(facts.servicePrefixes.map(formatPrefix), ["10.96.0.0/16", "fd00:96::/108"]);
    assert.equal(facts.nodeLabels.get("node2")?.get("zone"), "zone-of-node2");
    assert.equal(tracker.needsKernel, false);
  });

  it("says when nodePortAddresses match no address of the node", () => {
    const prefix = parsePrefix("203.0.113.0/24");
    for (const [nodePortAddresses, trouble] of [
      [[prefix], /\(203\.0\.113\.0\/24\) matches no address of the node \(it has 192\.0\.2\.1\)/],
      [[prefix, "primary"], /^$/],
      [[prefix, "localhost"], /^$/],
      [[], /^$/],
    ] as const) {
      const tracker = makeTracker({ nodePortAddresses });
      tracker.setKernelAddresses([parseAddress("192.0.2.1")]);
      assert.match(tracker.nodePortTrouble, trouble);
    }
    assert.match(makeTracker().nodePortTrouble, /it has none/);
  });

  it("asks the kernel as long as there is no own Node object", () => {
    const tracker = makeTracker({ nodePortAddresses: ["all"] });
    assert.equal(tracker.needsKernel, true);
    assert.equal(tracker.setKernelAddresses([parseAddress("198.51.100.1")]), true);
    assert.deepEqual(tracker.facts.nodePortAddresses, ["198.51.100.1"]);
    tracker.applyObjects("a", [{ kind: "put", object: makeNode("node1", ["192.0.2.1"]) }]);
    assert.deepEqual(tracker.facts.nodeAddresses, ["192.0.2.1"]);
    tracker.applyObjects("a", [{ kind: "delete", key: "Node//node1" as ObjectKey }]);
    assert.deepEqual(tracker.facts.nodeAddresses, ["198.51.100.1"]);
  });

  it("says when nothing changed", () => {
    const tracker = makeTracker();
    const events = [{ kind: "put", object: makeNode("node1", ["192.0.2.1"]) }] as const;
    assert.equal(tracker.applyObjects("a", events), true);
    assert.equal(tracker.applyObjects("a", events), false);
    assert.equal(tracker.applyObjects("b", events), false);
  });

  it("keeps sources apart", () => {
    const tracker = makeTracker();
    tracker.applyObjects("a", [{ kind: "relist", objects: [makeCidr(["10.96.0.0/16"])] }]);
    tracker.applyObjects("b", [{ kind: "relist", objects: [] }]);
    assert.equal(tracker.facts.servicePrefixes.length, 1);
    assert.equal(tracker.applyObjects("a", [{ kind: "relist", objects: [] }]), true);
    assert.equal(tracker.facts.servicePrefixes.length, 0);
  });

  const picks: [NodeFactsOptions["config"]["nodePortAddresses"], string[], boolean][] = [
    [["primary"], ["192.0.2.1", "fd01::1"], false],
    [["all"], ["192.0.2.1", "192.0.2.2", "fd01::1"], true],
    [["localhost"], [], true],
    [[parsePrefix("192.0.2.2/32")], ["192.0.2.2"], false],
    [[parsePrefix("0.0.0.0/0")], ["192.0.2.1", "192.0.2.2"], true],
    [["primary", parsePrefix("192.0.2.0/24")], ["192.0.2.1", "fd01::1", "192.0.2.2"], false],
    [[], [], false],
  ];
  for (const [nodePortAddresses, expected, isLocal] of picks) {
    const name = nodePortAddresses.map((one) =>
      typeof one === "string" ? one : formatPrefix(one),
    );
    it(`serves NodePorts on ${JSON.stringify(name)} as configured`, () => {
      const tracker = makeTracker({ nodePortAddresses });
      const node = makeNode("node1", ["192.0.2.1", "192.0.2.2", "fd01::1"]);
      tracker.applyObjects("a", [{ kind: "put", object: node }]);
      assert.deepEqual(tracker.facts.nodePortAddresses, expected);
      assert.equal(tracker.servesLocalhost, isLocal);
    });
  }
});

describe("pickNodeAddresses()", () => {
  const link = (ifindex: number, name: string, more: Partial<Link> = {}) =>
    ({ ifindex, name, alias: "", ...more }) as Link;
  const address = (
    ifindex: number,
    text: string,
    more: Partial<LinkAddress> = {},
  ): LinkAddress => ({
    ifindex,
    address: parsePrefix(text),
    scope: 0,
    flags: 0x80,
    unknown: new Map(),
    ...more,
  });
  const route = (ifindex: number) =>
    ({ ifindex, destination: parsePrefix("0.0.0.0/0"), table: 254 }) as Route;

  it("takes global addresses, those of the way out first, and none of what Patchbay made", () => {
    const picked = pickNodeAddresses({
      links: [
        link(1, "lo"),
        link(2, "eth0"),
        link(3, "eth1"),
        link(4, "patchbay0"),
        link(5, "pb0123456789abc", { alias: "patchbay:bridge:net:id", masterIfindex: 6 }),
        link(6, "cni0"),
      ],
      addresses: [
        address(1, "127.0.0.1/8", { scope: 254 }),
        address(1, "10.9.9.9/32"),
        address(2, "198.51.100.1/24"),
        address(3, "192.0.2.1/24"),
        address(3, "fd01::1/64"),
        address(3, "fd01::2/64", { flags: 0x40 }),
        address(3, "fe80::1/64"),
        address(3, "169.254.1.1/16", { scope: 253 }),
        address(4, "10.88.0.1/32"),
        address(5, "10.88.0.1/32"),
        address(6, "10.89.0.1/16"),
      ],
      routes: [route(3)],
    });
    assert.deepEqual(picked, ["192.0.2.1", "fd01::1", "198.51.100.1"].map(parseAddress));
  });

  it("takes the addresses of a bridge that pods joined where it is the way out", () => {
    const picked = pickNodeAddresses({
      links: [link(2, "br0"), link(5, "pb0", { alias: "patchbay:bridge:n:i", masterIfindex: 2 })],
      addresses: [address(2, "192.0.2.1/24")],
      routes: [route(2)],
    });
    assert.deepEqual(picked, [parseAddress("192.0.2.1")]);
  });
});
