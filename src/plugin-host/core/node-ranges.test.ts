import assert from "node:assert/strict";
import { test } from "node:test";
import { importHostLocal } from "./operator.ts";
import { addressesOf, cniCall, codeOf, FakeHostWorld } from "../fake-host-world.ts";

const POD = { containerId: "c1", netns: "/run/netns/c1" };
const config = { ipMasq: true, ipam: { ranges: "node", cooldownSeconds: 0 } };
const CIDRS = ["10.244.3.0/24", "fd00:244:0:3::/64"];

/** A host on a node of a cluster, whose view of it a test changes. */
async function startNode(podCidrs: readonly string[]) {
  const world = new FakeHostWorld();
  for (const [index, name] of ["c1", "c2", "c3"].entries()) world.makeNetns(name, 100 + index);
  const node = { name: "n1", podCidrs, unready: "" };
  return { world, node, host: await world.startHost({ node }) };
}

function pod(name: string) {
  return { containerId: name, netns: `/run/netns/${name}`, config };
}

test("ADD gives addresses of the node's ranges, and plugin and store have them in words", async () => {
  const { world, host } = await startNode(CIDRS);
  const answer = await host.invoke(cniCall("ADD", { ...POD, config }));
  assert.deepEqual(addressesOf(answer), ["10.244.3.2/24", "fd00:244:0:3::2/64"]);
  const [request] = world.routed.held.values();
  assert.deepEqual(request?.masquerade, { subnets: CIDRS });
  const { ipam } = JSON.parse(request?.configJson ?? "");
  const ranges = CIDRS.map((subnet) => [{ subnet }]);
  assert.deepEqual(ipam, { ranges, cooldownSeconds: 0 });
  const [stored] = world.store.load().networks;
  assert.deepEqual(stored, { name: "net", configJson: request?.configJson });
});

test("without ranges of the node STATUS is 50, ADD is 11, and CHECK, GC and DEL of what is attached work", async () => {
  const { world, node, host } = await startNode(CIDRS);
  await host.invoke(cniCall("ADD", { ...POD, config }));
  node.podCidrs = [];
  const status = await host.invoke(cniCall("STATUS", { config }));
  assert.equal(codeOf(status), 50);
  assert.match(
    status.resultJson,
    /Node n1 has no spec\.podCIDRs: does kube-controller-manager run/,
  );
  const refused = await host.invoke(cniCall("ADD", pod("c2")));
  assert.equal(codeOf(refused), 11);
  assert.match(refused.resultJson, /NODE_RANGES_UNKNOWN|spec\.podCIDRs/);
  assert.equal(codeOf(await host.invoke(cniCall("ADD", { ...POD, config }))), undefined);
  assert.equal(codeOf(await host.invoke(cniCall("CHECK", { ...POD, config }))), undefined);
  const valid = { "cni.dev/valid-attachments": [{ containerID: "c1", ifname: "eth0" }] };
  assert.equal(
    codeOf(await host.invoke(cniCall("GC", { config: { ...config, ...valid } }))),
    undefined,
  );
  assert.equal(codeOf(await host.invoke(cniCall("DEL", { ...POD, config }))), undefined);
  assert.equal(world.store.attachments.size, 0);
});

test("a host restarted without the API server keeps what is held on the ranges that it had", async () => {
  const { world, host } = await startNode(CIDRS);
  await host.invoke(cniCall("ADD", { ...POD, config }));
  await host.stop();
  const node = { name: "n1", podCidrs: [] as readonly string[], unready: "" };
  const next = await world.startHost({ node });
  const network = next.context.state.networks.get("net");
  assert.deepEqual(
    [...(network?.pool.leases() ?? [])].map(({ prefixLength }) => prefixLength),
    [24, 64],
  );
  node.podCidrs = CIDRS;
  const answer = await next.invoke(cniCall("ADD", pod("c2")));
  assert.deepEqual(addressesOf(answer), ["10.244.3.3/24", "fd00:244:0:3::3/64"]);
});

test("the pool follows the node's ranges at the next ADD, and held addresses stay held", async () => {
  const { world, node, host } = await startNode(["10.244.3.0/24"]);
  assert.deepEqual(addressesOf(await host.invoke(cniCall("ADD", pod("c1")))), ["10.244.3.2/24"]);
  node.podCidrs = ["10.244.9.0/24", "fd00:244:0:9::/64"];
  const second = await host.invoke(cniCall("ADD", pod("c2")));
  assert.deepEqual(addressesOf(second), ["10.244.9.2/24", "fd00:244:0:9::2/64"]);
  const again = await host.invoke(cniCall("ADD", pod("c1")));
  assert.deepEqual(addressesOf(again), ["10.244.3.2/24"]);
  // Masquerade is the network's: the older pod must not bring back that of its own days.
  for (const { masquerade } of world.routed.held.values()) {
    assert.deepEqual(masquerade, { subnets: ["10.244.9.0/24", "fd00:244:0:9::/64"] });
  }
  node.podCidrs = ["10.244.3.0/24"];
  assert.deepEqual(addressesOf(await host.invoke(cniCall("ADD", pod("c3")))), ["10.244.3.3/24"]);
});

test("leases of host-local are taken over on the node's ranges, once these are known", async () => {
  const { node, host } = await startNode([]);
  const files = [{ name: "10.244.3.7", content: "c9\neth0" }];
  const importAll = () => {
    const request = { files, network: "net", configJson: JSON.stringify(config), dryRun: false };
    return importHostLocal(host.context, request).adopted?.map(({ address }) => address);
  };
  assert.throws(importAll, { code: "NODE_RANGES_UNKNOWN" });
  node.podCidrs = CIDRS;
  assert.deepEqual(importAll(), ["10.244.3.7"]);
});

test("STATUS is 50 with what the cluster has against pods, before the plugin is asked; ADD goes on", async () => {
  const world = new FakeHostWorld();
  world.makeNetns("c1", 100);
  let asked = 0;
  world.routed.before = async (call) => void (call === "status" && asked++);
  const node = { name: "n1", podCidrs: CIDRS, unready: "the first list of services is awaited" };
  const host = await world.startHost({ node });
  const status = await host.invoke(cniCall("STATUS", { config }));
  assert.equal(codeOf(status), 50);
  assert.match(status.resultJson, /the first list of services is awaited/);
  assert.equal(asked, 0);
  assert.equal(codeOf(await host.invoke(cniCall("ADD", { ...POD, config }))), undefined);
  node.unready = "";
  assert.equal(codeOf(await host.invoke(cniCall("STATUS", { config }))), undefined);
});

test("STATUS on a host without a cluster says what ranges of the node need", async () => {
  const host = await new FakeHostWorld().startHost();
  const status = await host.invoke(cniCall("STATUS", { config }));
  assert.equal(codeOf(status), 50);
  assert.match(status.resultJson, /runs without --kubernetes/);
});
