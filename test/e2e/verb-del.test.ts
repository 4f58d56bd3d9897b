import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { findSkipReason, type HostProcess, openNode, type TestNode } from "./harness.ts";
import {
  add,
  addOk,
  delOk,
  makeNetwork,
  type NodeState,
  PLUGINS,
  readState,
  withoutCooling,
} from "./runtime.ts";

const skip = findSkipReason() ?? false;
let node: TestNode;
let host: HostProcess;

before(async () => {
  if (skip) return;
  node = await openNode();
  host = await node.startHost();
});

after(() => node?.[Symbol.asyncDispose]());

for (const plugin of PLUGINS) {
  const network = makeNetwork(plugin, { ipMasq: true });

  test(`DEL (${plugin}) before ADD succeeds and changes nothing`, { skip }, async () => {
    const pod = await node.createPod();
    const state = await readState(node, host);
    await delOk(node, pod, network);
    await delOk(node, pod, network, { netns: "" });
    assert.deepEqual(await readState(node, host), state);
  });

  test(`DEL (${plugin}) takes away all that ADD made, and may come again`, { skip }, async () => {
    const before = await quiet(network);
    const pod = await node.createPod();
    const inside = await node.readKernel(pod.netns);
    await addOk(node, pod, network);
    await delOk(node, pod, network);
    assert.deepEqual(withoutCooling(await readState(node, host)), before);
    const leftInside = await node.readKernel(pod.netns);
    assert.deepEqual(
      { ...leftInside, links: [], addresses: [] },
      { ...inside, links: [], addresses: [] },
    );
    assert.deepEqual(leftInside.links, ["lo  up mtu 65536"], "lo stays up: it is the pod's");
    const after = await readState(node, host);
    await delOk(node, pod, network);
    await delOk(node, pod, network, { netns: "" });
    assert.deepEqual(await readState(node, host), after);
  });

  const VARIANTS: readonly [what: string, how: (call: Call) => Promise<Partial<Call>>][] = [
    ["without CNI_NETNS", async () => ({ netns: "" })],
    ["with CNI_NETNS not set at all", async () => ({ env: { CNI_NETNS: undefined } })],
    [
      "after the namespace is gone",
      async ({ pod }) => {
        await node.deletePod(pod);
        return {};
      },
    ],
    ["with a namespace that never was", async () => ({ netns: "/run/netns/never" })],
    [
      "with the namespace of another pod in its place",
      async ({ pod }) => {
        await node.deletePod(pod);
        await node.createPod(pod.name);
        return {};
      },
    ],
    ["with prevResult", async ({ result }) => ({ config: { ...network, prevResult: result } })],
    [
      "with a prevResult of nonsense",
      async () => ({ config: { ...network, prevResult: { ips: 7 } } }),
    ],
    [
      "after the link was deleted by hand",
      async ({ pod }) => {
        await node.runInPod(pod, ["ip", "link", "del", "eth0"]);
        return {};
      },
    ],
    [
      "with another configuration of the same network",
      async () => ({ config: { ...network, mtu: 1234 } }),
    ],
  ];

  interface Call {
    readonly pod: Awaited<ReturnType<TestNode["createPod"]>>;
    readonly result: object;
    readonly netns: string;
    readonly env: Record<string, string | undefined>;
    readonly config: object;
  }

  for (const [what, how] of VARIANTS) {
    test(`DEL (${plugin}) ${what} frees everything`, { skip }, async () => {
      const before = await quiet(network);
      const pod = await node.createPod();
      const result = await addOk(node, pod, network);
      const call = { pod, result, netns: pod.netns, env: {}, config: network };
      const { netns, env, config } = await how(call);
      await delOk(node, pod, network, {
        ...(netns === undefined ? {} : { netns }),
        ...(env === undefined ? {} : { env }),
        ...(config === undefined ? {} : { config }),
      });
      assert.deepEqual(withoutCooling(await readState(node, host)), before);
    });
  }

  test(`DEL (${plugin}) of 30 pods at once leaves nothing`, { skip }, async () => {
    const before = await quiet(network);
    const pods = await node.createPods(30);
    const results = await Promise.all(pods.map((pod) => addOk(node, pod, network)));
    const given = results.flatMap((result) => result.ips.map((ip) => ip.address));
    assert.equal(new Set(given).size, 60, "no address twice");
    await Promise.all(pods.map((pod) => delOk(node, pod, network)));
    assert.deepEqual(withoutCooling(await readState(node, host)), before);
  });

  test(`DEL (${plugin}) beside ADD of the same container: both answer, nothing is left`, {
    skip,
  }, async () => {
    const before = await quiet(network);
    const pod = await node.createPod();
    for (let round = 0; round < 5; round++) {
      await Promise.all([
        add(node, pod, network),
        delOk(node, pod, network),
        add(node, pod, network),
      ]);
    }
    await delOk(node, pod, network);
    assert.deepEqual(withoutCooling(await readState(node, host)), before);
  });

  test(`DEL (${plugin}) of one interface leaves the other of the same pod`, { skip }, async () => {
    const pod = await node.createPod();
    await addOk(node, pod, network, { ifname: "eth0" });
    const before = await readState(node, host);
    await addOk(node, pod, network, { ifname: "net1" });
    await delOk(node, pod, network, { ifname: "net1" });
    assert.deepEqual(withoutCooling(await readState(node, host)), withoutCooling(before));
    await delOk(node, pod, network, { ifname: "eth0" });
  });
}

/** The state with the network prepared and no pod on it. */
async function quiet(network: ReturnType<typeof makeNetwork>): Promise<NodeState> {
  const pod = await node.createPod();
  await addOk(node, pod, network);
  await delOk(node, pod, network);
  await node.deletePod(pod);
  return withoutCooling(await readState(node, host));
}
