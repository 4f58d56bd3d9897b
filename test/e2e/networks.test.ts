/** A pod with several networks, through the shim, the real host and the real kernel. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findSkipReason, type HostProcess, openNode, type TestNode } from "./harness.ts";
import { askFor, startHostWith, statusOf, THREE_NETWORKS } from "./pod-networks.ts";
import {
  add,
  addOk,
  assertReaches,
  assertSilentSuccess,
  bare,
  check,
  delOk,
  errorOf,
  makeNetwork,
  type NetworkJson,
  readState,
  withoutCooling,
} from "./runtime.ts";

const skip = findSkipReason() ?? false;

const NETWORKS = {
  ...THREE_NETWORKS,
  wrong: { plugin: "bridge", bridge: "a name that is far too long" },
};

async function openPods(): Promise<{ node: TestNode; host: HostProcess; network: NetworkJson }> {
  const node = await openNode();
  try {
    return { node, host: await startHostWith(node, NETWORKS), network: makeNetwork("routed") };
  } catch (error) {
    await node[Symbol.asyncDispose]();
    throw error;
  }
}

describe("a pod with several networks", { skip }, () => {
  test("has them all, dual-stack, reaches others on each, and leaves nothing", async () => {
    const { node, host, network } = await openPods();
    await using _node = node;
    const [one, two, first] = await node.createPods(3);
    assert.ok(one && two && first);
    // What the node keeps of its networks once they have had a pod.
    await addOk(node, first, network, askFor(first, network, "blue,red,green"));
    await delOk(node, first, network);
    const before = withoutCooling(await readState(node, host));
    const wish = [
      {
        name: "blue",
        interface: "blue0",
        mac: "02:00:00:00:aa:01",
        ips: ["10.201.0.77", "fd00:201::77"],
      },
      { name: "red", "default-route": ["10.202.0.1", "fd00:202::1"] },
      { name: "green" },
    ];
    await addOk(node, one, network, askFor(one, network, wish));
    await addOk(node, two, network, askFor(two, network, "red,blue,default/green"));
    const [eth0, blue, red, green] = await statusOf(host, one);
    assert.deepEqual(
      [eth0, blue, red, green].map(
        (each) => `${each?.name} ${each?.interface} ${each?.default ?? false}`,
      ),
      [
        `${network.name} eth0 true`,
        "default/blue blue0 false",
        "default/red net2 false",
        "default/green net3 false",
      ],
    );
    assert.deepEqual(blue?.ips, ["10.201.0.77", "fd00:201::77"]);
    assert.equal(blue?.mac, "02:00:00:00:aa:01");
    const inside = await node.readKernel(one.netns);
    assert.deepEqual(
      inside.routes.filter((route) => route.startsWith("0.0.0.0/0") || route.startsWith("::/0")),
      [
        "0.0.0.0/0 via 10.202.0.1 dev net2 table 254",
        "::/0 via fd00:202::1 dev net2 table 254 metric 1024",
      ],
    );
    const others = await statusOf(host, two);
    assert.equal(others.length, 4);
    for (const { ips } of others) await assertReaches(node, one, ips);
    await assertReaches(node, two, [...(blue?.ips ?? []), ...(red?.ips ?? [])]);
    assertSilentSuccess(await check(node, one, network));
    await delOk(node, one, network);
    await delOk(node, two, network);
    assert.deepEqual(withoutCooling(await readState(node, host)), before);
    assert.equal((await node.readKernel(one.netns)).links.length, 1);
  });

  test("a definition that is wrong fails the whole pod and names field and network", async () => {
    const { node, host, network } = await openPods();
    await using _node = node;
    const pod = await node.createPod();
    const read = async () => {
      const state = await readState(node, host);
      // The Services' own tables come beside.
      return { ...state, kernel: { ...state.kernel, nftables: [] } };
    };
    const before = await read();
    const error = errorOf(await add(node, pod, network, askFor(pod, network, "blue,wrong")));
    assert.equal(error.code, 7);
    assert.match(error.msg, /default\/wrong.*bridge is "a name that is far too long"/);
    assert.deepEqual(await read(), before);
  });

  test("attach and detach of a running pod; a restarted host knows of it", async () => {
    const { node, network, ...first } = await openPods();
    await using _node = node;
    let { host } = first;
    const [one, two] = await node.createPods(2);
    assert.ok(one && two);
    for (const pod of [one, two]) await addOk(node, pod, network, askFor(pod, network, ""));
    const before = await readState(node, host);
    for (const pod of [one, two]) {
      await host.client.attachNetwork({ pod: `default/${pod.name}`, selection: "blue" });
    }
    const [, blue] = await statusOf(host, two);
    assert.equal(blue?.interface, "net1");
    await assertReaches(node, one, blue?.ips ?? []);
    await host.kill("SIGKILL");
    host = await startHostWith(node, NETWORKS);
    assert.deepEqual((await statusOf(host, two))[1], blue);
    const { attachments } = await host.client.detachNetwork({ pod: two.name, target: "blue" });
    assert.deepEqual(
      attachments.map(({ addresses }) => addresses.map(bare)),
      [blue?.ips],
    );
    assert.equal((await statusOf(host, two)).length, 1);
    await delOk(node, one, network);
    await delOk(node, two, network);
    const left = (await readState(node, host)).attachments;
    assert.deepEqual(left, []);
    assert.equal(before.attachments.length, 2);
  });

  test("check --repair mends what was broken on any network", async () => {
    const { node, host, network } = await openPods();
    await using _node = node;
    const pod = await node.createPod();
    await addOk(node, pod, network, askFor(pod, network, "blue,green"));
    const before = await node.readKernel(pod.netns);
    await node.runInPod(pod, ["ip", "link", "set", "net1", "down"]);
    await node.runInPod(pod, ["ip", "address", "flush", "dev", "net2"]);
    const error = errorOf(await check(node, pod, network));
    assert.equal(error.code, 103);
    assert.match(error.details, /net1 \(network default\/blue\)/);
    const { attachments } = await host.client.checkAttachments({ pod: pod.name, repair: true });
    const repaired = attachments.flatMap((each) => each.repaired);
    assert.ok(repaired.length >= 2, JSON.stringify(attachments));
    assert.deepEqual(await node.readKernel(pod.netns), before);
    assertSilentSuccess(await check(node, pod, network));
    await delOk(node, pod, network);
  });
});
