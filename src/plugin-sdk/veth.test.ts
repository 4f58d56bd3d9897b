import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePrefix } from "../ip/address.ts";
import { FakeKernel } from "../kernel/fake-kernel.ts";
import type { Link, NetnsBatch, NetnsPath, Route } from "../kernel/kernel.ts";
import { applyVethAttach, listVethLinks, type VethPlan } from "./veth.ts";

const NETNS = "/run/netns/c1" as NetnsPath;
const PLAN: VethPlan = {
  names: { hostIfname: "pb0000000000001" },
  alias: "patchbay:routed:net:id1",
  netns: NETNS,
  ifname: "eth0",
  podAddresses: [parsePrefix("10.1.0.5/32"), parsePrefix("fd00:1::5/128")],
};
const PEER = { name: "eth0", netns: NETNS };
const BATCHES: readonly NetnsBatch[] = [
  {
    operations: [
      { kind: "add-link", name: PLAN.names.hostIfname, link: { type: "veth", peer: PEER } },
      { kind: "set-link", name: PLAN.names.hostIfname, up: true, alias: PLAN.alias },
    ],
  },
  {
    netns: NETNS,
    operations: [
      { kind: "set-link", name: "eth0", up: true },
      ...PLAN.podAddresses.map((address) => ({
        kind: "add-address" as const,
        link: "eth0",
        address,
      })),
    ],
  },
];

/** A kernel that does its work later: it is done when it has been asked so many times. */
class SlowKernel extends FakeKernel {
  linkQueries = 0;
  routeQueries = 0;
  readonly #slow: { readonly link: number; readonly route: number };

  constructor(slow: { link: number; route: number }) {
    super();
    this.#slow = slow;
  }

  override async findLink(name: string, netns?: NetnsPath): Promise<Link | undefined> {
    const link = await super.findLink(name, netns);
    return link && { ...link, running: link.running && ++this.linkQueries > this.#slow.link };
  }

  override async routes(netns?: NetnsPath): Promise<readonly Route[]> {
    const routes = await super.routes(netns);
    const isReady = ++this.routeQueries > this.#slow.route;
    return routes.filter((route) => isReady || route.destination.family === 4);
  }
}

for (const [what, slow] of [
  ["the node's end is active", { link: 3, route: 0 }],
  ["the IPv6 address is the pod's own", { link: 0, route: 3 }],
] as const) {
  test(`applyVethAttach() answers only when ${what}: no first packet is lost`, async () => {
    const kernel = new SlowKernel(slow);
    await kernel.createNetns(NETNS);
    await applyVethAttach(kernel, PLAN, () => BATCHES);
    assert.ok(kernel.linkQueries > slow.link);
    assert.ok(kernel.routeQueries > slow.route);
  });
}

test("applyVethAttach() asks for no routes where no IPv6 address is", async () => {
  const kernel = new SlowKernel({ link: 0, route: 0 });
  await kernel.createNetns(NETNS);
  const podAddresses = PLAN.podAddresses.slice(0, 1);
  await applyVethAttach(kernel, { ...PLAN, podAddresses }, () => BATCHES);
  assert.equal(kernel.routeQueries, 0);
});

test("listVethLinks() passes over the links of others", async () => {
  const kernel = new FakeKernel();
  await kernel.createNetns(NETNS);
  await applyVethAttach(kernel, PLAN, () => BATCHES);
  await kernel.apply([
    {
      operations: [
        { kind: "add-link", name: "br0", link: { type: "bridge" } },
        { kind: "set-link", name: "br0", alias: "somebody's" },
      ],
    },
  ]);
  const found = { attachmentId: "id1", object: PLAN.names.hostIfname };
  assert.deepEqual(await listVethLinks(kernel, { plugin: "routed", network: "" }), [found]);
  assert.deepEqual(await listVethLinks(kernel, { plugin: "routed", network: "net" }), [found]);
  assert.deepEqual(await listVethLinks(kernel, { plugin: "routed", network: "other" }), []);
  assert.deepEqual(await listVethLinks(kernel, { plugin: "bridge", network: "" }), []);
});
