import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeKernel } from "../../src/kernel/fake-kernel.ts";
import { FakeNftables } from "../../src/kernel/fake-nftables.ts";
import type { NetnsPath } from "../../src/kernel/kernel.ts";
import { privateNodeSkip } from "../../src/kernel/private-node-skip.ts";
import { linkNamesOf } from "../../src/plugin-sdk/link-names.ts";
import {
  type AttachRequest,
  type CheckRequest,
  detachRequestOf,
  detachRequestOfId,
  type NetworkPlugin,
  PluginError,
} from "../../src/plugin-sdk/network-plugin.ts";
import { networkPluginSuite } from "../../src/plugin-sdk/plugin-suite.ts";
import type { PluginDeps } from "../../src/plugin-sdk/plugin-world.ts";
import { attachRequest, hostOf, inPod, onNode } from "../../src/plugin-sdk/sample-request.ts";
import type { Damage } from "../../src/plugin-sdk/veth-damages.ts";
import { createBridgePlugin } from "../bridge/plugin.ts";
import { createRoutedPlugin } from "../routed/plugin.ts";
import { ifbNameOf } from "./plan.ts";
import { withTuning } from "./plugin.ts";

const tunedRouted = (deps: PluginDeps) => withTuning(createRoutedPlugin(deps), deps);
const RATES = { ingressRate: 10_000_000, egressRate: 20_000_000, egressBurst: 800_000 };
const ARP_FILTER = ["net", "ipv4", "conf", "eth0", "arp_filter"];

const DAMAGES: readonly Damage[] = [
  {
    what: "a token bucket that is gone",
    kinds: ["bandwidth"],
    batches: (request) => onNode({ kind: "delete-qdisc", link: hostOf(request), place: "root" }),
  },
  {
    what: "a redirect that is gone",
    kinds: ["bandwidth"],
    batches: (request) => onNode({ kind: "delete-qdisc", link: hostOf(request), place: "ingress" }),
  },
  {
    what: "an ifb that is down",
    kinds: ["bandwidth"],
    batches: ({ attachmentId }) =>
      onNode({ kind: "set-link", name: ifbNameOf(attachmentId), up: false }),
  },
  {
    what: "another rate of the ifb",
    kinds: ["bandwidth"],
    batches: ({ attachmentId }) =>
      onNode({
        kind: "add-qdisc",
        link: ifbNameOf(attachmentId),
        qdisc: {
          type: "tbf",
          rateBytesPerSecond: 1_000_000_000,
          burstBytes: 100_000,
          limitBytes: 60_000,
        },
        ifExists: "replace",
      }),
  },
  {
    what: "a sysctl that has another value",
    kinds: ["sysctl"],
    batches: (request) => inPod(request, { kind: "set-sysctl", path: ARP_FILTER, value: "0" }),
  },
  {
    what: "another queue length, and no promiscuous mode",
    kinds: ["tx-queue-length", "promisc", "all-multicast"],
    batches: (request) =>
      inPod(request, {
        kind: "set-link",
        name: "eth0",
        txQueueLength: 9,
        promisc: false,
        allMulticast: false,
      }),
  },
];

networkPluginSuite(
  {
    name: "routed",
    create: tunedRouted,
    configOf: () => ({
      bandwidth: RATES,
      tuning: {
        txQueueLength: 200,
        promisc: true,
        allMulticast: true,
        sysctls: { "net.ipv4.conf.IFNAME.arp_filter": "1" },
      },
    }),
    damages: DAMAGES,
  },
  privateNodeSkip,
);

async function openWorld(
  create: (deps: PluginDeps) => NetworkPlugin = (deps) => createRoutedPlugin(deps),
) {
  const kernel = new FakeKernel();
  const deps = { kernel, nftables: new FakeNftables() };
  const inner = create(deps);
  await kernel.createNetns("/run/netns/c1" as NetnsPath);
  return { kernel, inner, plugin: withTuning(inner, { kernel }) };
}

function withConfig(config: object, change: Partial<AttachRequest> = {}): AttachRequest {
  return attachRequest({ configJson: JSON.stringify({ name: "net", ...config }), ...change });
}

const NODE_END = linkNamesOf(attachRequest().attachmentId).hostIfname;
const IFB = ifbNameOf(attachRequest().attachmentId);

test("withTuning(): an order that asks for nothing reaches the plugin as it is", async () => {
  const { kernel, inner, plugin } = await openWorld();
  const orders: AttachRequest[] = [];
  const spied = withTuning(
    {
      ...inner,
      attach: async (request) => {
        orders.push(request);
        return inner.attach(request);
      },
    },
    { kernel },
  );
  const request = withConfig({});
  const answer = await spied.attach(request);
  assert.equal(orders[0], request);
  assert.deepEqual(answer, await inner.attach(request));
  await plugin.detach(detachRequestOf(request));
});

test("withTuning(): the MTU is that of both ends and of the answer", async () => {
  const { kernel, plugin } = await openWorld();
  const request = withConfig({ tuning: { mtu: 1300 } }, { mtu: 1400 });
  const attached = await plugin.attach(request);
  assert.deepEqual(
    attached.interfaces.map(({ name, mtu }) => [name, mtu]),
    [
      [NODE_END, 1300],
      ["eth0", 1300],
    ],
  );
  assert.equal((await kernel.findLink(NODE_END))?.mtu, 1300);
  assert.equal((await kernel.findLink("eth0", request.netns as NetnsPath))?.mtu, 1300);
  assert.deepEqual(await plugin.check({ attachment: request, attached, repair: false }), []);
});

test("withTuning(): the MTU of a plugin that has no ear for it is set after it", async () => {
  const { kernel, inner } = await openWorld();
  const deaf: NetworkPlugin = {
    ...inner,
    attach: async (request) => inner.attach({ ...request, mtu: 1500 }),
  };
  const plugin = withTuning(deaf, { kernel });
  const attached = await plugin.attach(withConfig({ tuning: { mtu: 1300 } }));
  assert.deepEqual(
    attached.interfaces.map(({ mtu }) => mtu),
    [1300, 1300],
  );
  assert.equal((await kernel.findLink(NODE_END))?.mtu, 1300);
});

test("withTuning(): rates of the order go before those of the network, each way by itself", async () => {
  const { kernel, plugin } = await openWorld();
  const bandwidth = { ingressRate: 0, ingressBurst: 0, egressRate: 8_000_000, egressBurst: 0 };
  await plugin.attach(withConfig({ bandwidth: RATES }, { bandwidth }));
  const rateOf = async (name: string) => {
    const ifindex = (await kernel.findLink(name))?.ifindex ?? 0;
    return (await kernel.findQdisc({ ifindex, place: "root" }))?.tokenBucket?.rateBytesPerSecond;
  };
  assert.equal(await rateOf(NODE_END), 1_250_000);
  assert.equal(await rateOf(IFB), 1_000_000);
});

test("withTuning(): a plugin that limits rates itself gets them, and nobody else does it", async () => {
  const { kernel, inner } = await openWorld();
  const orders: AttachRequest[] = [];
  const info = { ...inner.info, capabilities: ["CAPABILITY_BANDWIDTH" as const] };
  const shaping: NetworkPlugin = {
    ...inner,
    info,
    attach: async (request) => {
      orders.push(request);
      return inner.attach(request);
    },
  };
  const bandwidth = { ingressRate: 8_000_000, ingressBurst: 0, egressRate: 0, egressBurst: 0 };
  await withTuning(shaping, { kernel }).attach(
    withConfig({ tuning: { txQueueLength: 5 } }, { bandwidth }),
  );
  assert.deepEqual(orders[0]?.bandwidth, bandwidth);
  assert.doesNotMatch(kernel.toString(), /tbf/);
});

test("withTuning(): what the plugin does not know it is not asked for", async () => {
  const { kernel, inner } = await openWorld();
  const checks: CheckRequest[] = [];
  const orders: AttachRequest[] = [];
  const plain: NetworkPlugin = {
    ...inner,
    info: { ...inner.info, capabilities: [] },
    attach: async (request) => {
      orders.push(request);
      return inner.attach(request);
    },
    check: async (request) => {
      checks.push(request);
      return inner.check(request);
    },
  };
  const plugin = withTuning(plain, { kernel });
  assert.deepEqual(plugin.info.capabilities, ["CAPABILITY_BANDWIDTH", "CAPABILITY_REPAIR"]);
  const bandwidth = { ingressRate: 8_000_000, ingressBurst: 0, egressRate: 0, egressBurst: 0 };
  const request = withConfig({}, { bandwidth });
  const attached = await plugin.attach(request);
  assert.equal(orders[0]?.bandwidth, null);
  await kernel.apply(onNode({ kind: "delete-qdisc", link: NODE_END, place: "root" }));
  const found = await plugin.check({ attachment: request, attached, repair: true });
  assert.deepEqual(
    found.map(({ kind, object, repaired }) => [kind, object, repaired]),
    [["bandwidth", `sent by ${NODE_END}`, true]],
  );
  assert.deepEqual(
    checks.map(({ repair }) => repair),
    [false],
  );
});

test("withTuning(): an ifb that was left alone is listed, and goes by its id", async () => {
  const { kernel, inner, plugin } = await openWorld();
  const request = withConfig({ bandwidth: RATES });
  await plugin.attach(request);
  // As if the host had been killed between the two removals.
  await inner.detach(detachRequestOf(request));
  const { attachmentId } = request;
  assert.deepEqual(await plugin.list({ network: "" }), [{ attachmentId, object: IFB }]);
  assert.deepEqual(await plugin.list({ network: "net" }), [{ attachmentId, object: IFB }]);
  assert.deepEqual(await plugin.list({ network: "other" }), []);
  await plugin.detach(detachRequestOfId(attachmentId));
  assert.deepEqual(await plugin.list({ network: "" }), []);
  assert.equal(await kernel.findLink(IFB), undefined);
});

test("withTuning(): an attachment with its ifb is listed once", async () => {
  const { plugin } = await openWorld();
  const request = withConfig({ bandwidth: RATES });
  await plugin.attach(request);
  const { attachmentId } = request;
  assert.deepEqual(await plugin.list({ network: "" }), [{ attachmentId, object: NODE_END }]);
});

test("withTuning(): an ifb in the pod goes without the pod", async () => {
  const { kernel, plugin } = await openWorld();
  const request = withConfig({ bandwidth: RATES });
  const netns = request.netns as NetnsPath;
  await kernel.apply([
    { netns, operations: [{ kind: "add-link", name: IFB, link: { type: "ifb" } }] },
  ]);
  await plugin.detach(detachRequestOf(request));
  assert.equal(await kernel.findLink(IFB, netns), undefined);
  await kernel.deleteNetns(netns);
  await plugin.detach(detachRequestOf(request));
});

test("withTuning(): the other end of a veth that was lent to the pod is left alone", async () => {
  const { kernel, inner } = await openWorld();
  const lending: NetworkPlugin = {
    ...inner,
    attach: async ({ netns, ifname }) => {
      const peer = { name: ifname, netns: netns as NetnsPath };
      await kernel.apply(onNode({ kind: "add-link", name: "lan0", link: { type: "veth", peer } }));
      const pod = { name: ifname, mac: "", mtu: 0, sandbox: netns, pciId: "", socketPath: "" };
      return { interfaces: [pod], addresses: [], routes: [], dns: null, deviceInfoJson: "" };
    },
  };
  const request = withConfig({ tuning: { mtu: 1300 }, bandwidth: RATES });
  await withTuning(lending, { kernel }).attach(request);
  const [node = "", pod = ""] = kernel.toString().split(request.netns);
  assert.match(node, /link lan0 veth .* mtu 1500/);
  assert.doesNotMatch(node, / tbf | ingress/);
  assert.match(pod, /link eth0 veth .* mtu 1300 .* tbf 2500000 .* ingress redirect pi/);
  assert.match(pod, /link pi\w+ ifb .* tbf 1250000 /);
});

test("withTuning(): a bridge's pod is limited at its own link, not at the bridge", async () => {
  const { kernel, plugin } = await openWorld(createBridgePlugin);
  await plugin.attach(withConfig({ bridge: "br0", bandwidth: RATES }));
  const limited = kernel
    .toString()
    .split("\n")
    .filter((line) => line.includes(" tbf "))
    .map((line) => line.trim().split(" ")[1]);
  assert.deepEqual(new Set(limited), new Set([NODE_END, IFB]));
});

test("withTuning(): sysctls are those of the host's list, before anything is made", async () => {
  const { kernel, inner } = await openWorld();
  const request = withConfig({ tuning: { sysctls: { "net.core.somaxconn": 1024 } } });
  const before = kernel.toString();
  await assert.rejects(
    withTuning(inner, { kernel }).attach(request),
    (error) =>
      error instanceof PluginError &&
      error.kind === "invalid-config" &&
      /"net\.core\.somaxconn", which networks may not set/.test(error.message),
  );
  assert.equal(kernel.toString(), before);
  const allowing = withTuning(inner, { kernel, sysctlAllowList: ["net.core.*"] });
  const attached = await allowing.attach(request);
  const value = await kernel.readSysctl(["net", "core", "somaxconn"], request.netns as NetnsPath);
  assert.equal(value, "1024");
  // A list that became shorter since is for new pods.
  const check = { attachment: request, attached, repair: false };
  assert.deepEqual(await withTuning(inner, { kernel }).check(check), []);
});

test("withTuning(): status() says what is wrong with the configuration", async () => {
  const { plugin } = await openWorld();
  const { network, configJson } = withConfig({ tuning: { mtu: "big" } });
  assert.deepEqual(await plugin.status({ network, configJson }), {
    ready: false,
    reason: 'tuning.mtu is "big", expected an integer from 68 to 65535',
  });
});
