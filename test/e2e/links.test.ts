/** Pods on a macvlan, a device of the node and an overlay, through the shim, the real host and the real kernel. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parsePrefix } from "../../src/ip/address.ts";
import type { KernelOperation } from "../../src/kernel/kernel.ts";
import { STEPS } from "../../src/plugin-host/core/steps.ts";
import { findSkipReason, type HostProcess, openNode, type Pod, type TestNode } from "./harness.ts";
import { askFor, type Definitions, startHostWith, statusOf } from "./pod-networks.ts";
import {
  add,
  addOk,
  assertReaches,
  assertSilentSuccess,
  check,
  delOk,
  errorOf,
  makeNetwork,
  readState,
  withoutCooling,
} from "./runtime.ts";

const skip = findSkipReason() ?? false;

const ipam = (number: number) => ({
  ranges: [
    [{ subnet: `10.${number}.0.0/24`, gateway: null }],
    [{ subnet: `fd00:${number}::/64`, gateway: null }],
  ],
});

const LINKS: Definitions = {
  lan: { plugin: "macvlan", master: "wire0", ipam: ipam(211) },
  card: { plugin: "host-device", device: "card0", ipam: ipam(212) },
  overlay: {
    plugin: "vxlan",
    vni: 7,
    parent: "wire0",
    peers: ["192.0.2.1", "192.0.2.2"],
    ipam: ipam(213),
  },
};
const ALL = "lan,card,overlay";

/** A wire with an address, and a card, as a node has them. */
async function openNodeWithLinks(): Promise<TestNode> {
  const node = await openNode();
  const pair = (name: string, peer: string): KernelOperation[] => [
    { kind: "add-link", name, link: { type: "veth", peer: { name: peer } } },
    { kind: "set-link", name, up: true },
    { kind: "set-link", name: peer, up: true },
  ];
  const address = parsePrefix("192.0.2.1/24");
  const operations: KernelOperation[] = [
    ...pair("wire0", "wire1"),
    ...pair("card0", "card1"),
    { kind: "add-address", link: "wire0", address },
    { kind: "set-link", name: "card0", alias: "the node's own" },
  ];
  await node.kernel.apply([{ netns: node.netns, operations }]);
  return node;
}

async function linksOf(node: TestNode, pod: Pod): Promise<string[]> {
  return (await node.kernel.links(pod.netns)).map(({ name }) => name).sort();
}

async function readCard(node: TestNode): Promise<string> {
  const card = await node.kernel.findLink("card0", node.netns);
  return card ? `${card.mac} ${card.mtu} ${card.up} ${card.alias}` : "away";
}

describe("a pod with a macvlan, a device and an overlay", { skip }, () => {
  test("has them, reaches others on each, and gives the device back", async () => {
    await using node = await openNodeWithLinks();
    const network = makeNetwork("bridge");
    const host = await startHostWith(node, LINKS);
    const [one, two, warm] = await node.createPods(3);
    assert.ok(one && two && warm);
    await addOk(node, warm, network, askFor(warm, network, ALL));
    await delOk(node, warm, network);
    const before = withoutCooling(await readState(node, host));
    const card = await readCard(node);

    const wish = [
      { name: "lan", mac: "02:00:00:00:aa:01" },
      { name: "card", interface: "fast0", mac: "02:00:00:00:aa:02" },
      { name: "overlay" },
    ];
    await addOk(node, one, network, askFor(one, network, wish));
    await addOk(node, two, network, askFor(two, network, "lan,overlay"));
    assert.deepEqual(await linksOf(node, one), ["eth0", "fast0", "lo", "net1", "net3"]);
    assert.equal(await readCard(node), "away");
    const status = await statusOf(host, one);
    assert.deepEqual(
      status.map(({ name, interface: ifname }) => `${name} ${ifname}`),
      [`${network.name} eth0`, "default/lan net1", "default/card fast0", "default/overlay net3"],
    );
    assert.equal(status[1]?.mac, "02:00:00:00:aa:01");
    assert.equal(status[2]?.mac, "02:00:00:00:aa:02");
    for (const index of [0, 1, 3]) await assertReaches(node, two, status[index]?.ips ?? []);
    assertSilentSuccess(await check(node, one, network));

    // One device, one pod; what was attached of the other goes again.
    const third = await node.createPod();
    const refused = errorOf(await add(node, third, network, askFor(third, network, ALL)));
    assert.equal(refused.code, 11);
    assert.match(
      `${refused.msg} ${refused.details ?? ""}`,
      new RegExp(`card0 is held by pod default/${one.name} as fast0`),
    );
    assert.deepEqual(await linksOf(node, third), ["lo"]);

    for (const pod of [two, one]) await delOk(node, pod, network);
    assert.deepEqual(await linksOf(node, one), ["lo"]);
    assert.equal(await readCard(node), card);
    const state = withoutCooling(await readState(node, host));
    assert.deepEqual(state.kernel.links, before.kernel.links);
    assert.deepEqual([state.attachments, state.leases], [before.attachments, before.leases]);
  });

  test("outlives its host, which finds all of it again", async () => {
    await using node = await openNodeWithLinks();
    const network = makeNetwork("bridge");
    const first = await startHostWith(node, LINKS);
    const card = await readCard(node);
    const pod = await node.createPod();
    await addOk(node, pod, network, askFor(pod, network, ALL));
    await first.kill("SIGKILL");
    const second = await startHostWith(node, LINKS);
    assert.equal((await statusOf(second, pod)).length, 4);
    assertSilentSuccess(await check(node, pod, network));
    await delOk(node, pod, network);
    assert.equal(await readCard(node), card);
    assert.deepEqual(await linksOf(node, pod), ["lo"]);
  });

  const ADD_FAULTS = [
    ...STEPS.ADD.filter((step) => step !== "add.joined").map((step) => `${step}:2`),
    ...[5, 6, 7, 8].map((time) => `add.joined:${time}`),
  ];
  for (const fault of ADD_FAULTS) {
    test(`kill -9 of ADD at ${fault}: the device is home, and the pod can come again`, async () => {
      await using node = await openNodeWithLinks();
      const network = makeNetwork("bridge");
      const doomed = await startHostWith(node, LINKS, { env: { PATCHBAY_FAULT: fault } });
      const card = await readCard(node);
      const [warm, pod] = await node.createPods(2);
      assert.ok(warm && pod);
      await addOk(node, warm, network, askFor(warm, network, ALL));
      await delOk(node, warm, network);
      const { links } = (await readState(node, doomed)).kernel;
      assert.equal(errorOf(await add(node, pod, network, askFor(pod, network, ALL))).code, 11);
      assert.equal((await doomed.exited).signal, "SIGKILL");
      const host: HostProcess = await startHostWith(node, LINKS);
      await delOk(node, pod, network);
      assert.equal(await readCard(node), card);
      assert.deepEqual(await linksOf(node, pod), ["lo"]);
      assert.deepEqual((await readState(node, host)).kernel.links, links);
      await addOk(node, pod, network, askFor(pod, network, ALL));
      await delOk(node, pod, network);
      assert.equal(await readCard(node), card);
      assert.deepEqual((await readState(node, host)).kernel.links, links);
    });
  }
});
