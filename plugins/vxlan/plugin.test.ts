import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatAddress, parseAddress, parsePrefix } from "../../src/ip/address.ts";
import { errno } from "../../src/kernel/errno.ts";
import { FakeKernel } from "../../src/kernel/fake-kernel.ts";
import { FakeNftables } from "../../src/kernel/fake-nftables.ts";
import type { Kernel, KernelOperation, NetnsPath } from "../../src/kernel/kernel.ts";
import { privateNodeSkip } from "../../src/kernel/private-node-skip.ts";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import {
  type AttachRequest,
  detachRequestOf,
  type NetworkPlugin,
} from "../../src/plugin-sdk/network-plugin.ts";
import { networkPluginSuite } from "../../src/plugin-sdk/plugin-suite.ts";
import { attachRequest, hostOf, onNode } from "../../src/plugin-sdk/sample-request.ts";
import { isPluginError } from "../../src/plugin-sdk/expect-plugin-error.ts";
import { createVxlanPlugin, type VxlanDeps } from "./plugin.ts";

const UNDERLAY = "pbunder0";
const equipped = new WeakSet<Kernel>();

/** A link with room for pods of 1500 bytes. */
async function equip(kernel: Kernel): Promise<void> {
  if (equipped.has(kernel)) return;
  equipped.add(kernel);
  const add = (text: string): KernelOperation => ({
    kind: "add-address",
    link: UNDERLAY,
    address: parsePrefix(text),
    ifExists: "keep",
  });
  const operations: KernelOperation[] = [
    { kind: "add-link", name: UNDERLAY, mtu: 1550, link: { type: "bridge" }, ifExists: "keep" },
    { kind: "set-link", name: UNDERLAY, up: true },
    add("192.0.2.1/24"),
    add("2001:db8::1/64"),
  ];
  await kernel.apply([{ operations }]);
}

function createEquipped(deps: VxlanDeps): NetworkPlugin {
  const plugin = createVxlanPlugin(deps);
  return {
    ...plugin,
    attach: async (request) => {
      await equip(deps.kernel);
      return plugin.attach(request);
    },
  };
}

networkPluginSuite(
  {
    name: "vxlan",
    create: createEquipped,
    configOf: (network) => ({
      vni: vniOf(network),
      bridge: `vx${vniOf(network)}`,
      parent: UNDERLAY,
      peers: ["192.0.2.2", "192.0.2.1"],
    }),
    setsRequestedAddresses: true,
    damages: [
      {
        what: "an end that left the bridge",
        kinds: ["master"],
        batches: (request) => onNode({ kind: "set-link", name: hostOf(request), master: null }),
      },
    ],
  },
  privateNodeSkip,
);

segmentSuite("vxlan alone on FakeKernel", async () => new FakeKernel(), false);
segmentSuite("vxlan alone on the real kernel", openKernel, privateNodeSkip);

interface World extends AsyncDisposable {
  readonly kernel: Kernel;
  readonly plugin: NetworkPlugin;
  readonly vni: number;
  readonly bridge: string;
  readonly link: string;
  restart(): NetworkPlugin;
  request(config: object, change?: Partial<AttachRequest>): AttachRequest;
  /** "all by 192.0.2.2" */
  entries(): Promise<string[]>;
}

let worlds = 0;

async function openWorld(kernel: Kernel): Promise<World> {
  const vni = (process.pid % 10_000) * 1000 + ++worlds;
  const netns = `/run/netns/vx${vni}` as NetnsPath;
  await kernel.createNetns(netns);
  await equip(kernel);
  const restart = () => createVxlanPlugin({ kernel, nftables: new FakeNftables() });
  const link = `vxlan${vni}`;
  const network = `net${vni}`;
  return {
    kernel,
    plugin: restart(),
    restart,
    vni,
    bridge: `vxbr${vni}`,
    link,
    request: (config, change = {}) =>
      attachRequest({
        attachmentId: `id${vni}`,
        netns,
        network,
        configJson: JSON.stringify({ name: network, vni, parent: UNDERLAY, ...config }),
        ...change,
      }),
    async entries() {
      const ifindex = (await kernel.findLink(link))?.ifindex;
      return (await kernel.neighbours())
        .filter((entry) => entry.forwarding && entry.ifindex === ifindex)
        .map(({ mac, address }) => {
          const who = mac === "00:00:00:00:00:00" ? "all" : mac;
          return `${who} by ${formatAddress(address)}`;
        })
        .sort();
    },
    async [Symbol.asyncDispose]() {
      await kernel.removeLinks([link, `vxbr${vni}`]);
      await kernel.deleteNetns(netns);
      await kernel.close();
    },
  };
}

function segmentSuite(title: string, open: () => Promise<Kernel>, skip: string | false): void {
  describe(title, { skip }, () => {
    const world = async () => openWorld(await open());

    test("attach() makes the segment: link, bridge, MTU, entries; this node is no peer of its own", async () => {
      await using w = await world();
      const fdb = [{ mac: "02:00:00:00:00:99", peer: "192.0.2.3" }];
      const peers = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::2"];
      const request = w.request({ peers, fdb });
      const answer = await w.plugin.attach(request);
      const link = await w.kernel.findLink(w.link);
      const bridge = await w.kernel.findLink(w.bridge);
      assert.equal(link?.masterIfindex, bridge?.ifindex);
      assert.deepEqual([link?.mtu, link?.up, bridge?.up], [1500, true, true]);
      assert.equal(link?.vxlan?.vni, w.vni);
      assert.deepEqual(link?.vxlan?.local, parseAddress("192.0.2.1"));
      assert.deepEqual(await w.entries(), [
        "02:00:00:00:00:99 by 192.0.2.3",
        "all by 192.0.2.2",
        "all by 192.0.2.3",
      ]);
      assert.equal(answer.interfaces.at(-1)?.mtu, 1500);
      assert.equal(bridge?.mac, answer.interfaces[0]?.mac);
      const order = { attachment: request, attached: answer, repair: false };
      assert.deepEqual(await w.plugin.check(order), []);
      assert.deepEqual(await w.restart().attach(request), answer);
      await w.plugin.detach(detachRequestOf(request));
    });

    test("attach() over IPv6 leaves 20 bytes less", async () => {
      await using w = await world();
      const request = w.request({ peers: ["2001:db8::2", "192.0.2.2"] });
      const answer = await w.plugin.attach(request);
      assert.equal(answer.interfaces.at(-1)?.mtu, 1480);
      assert.deepEqual(await w.entries(), ["all by 2001:db8::2"]);
      await assert.rejects(
        w.plugin.attach({ ...request, mtu: 1500 }),
        isPluginError("invalid-config", /mtu is 1500, but what carries the segment leaves 1480/),
      );
      await w.plugin.detach(detachRequestOf(request));
    });

    test("a change of the peers is applied by the next attach() and by repairNetwork()", async () => {
      await using w = await world();
      const one = w.request({ peers: ["192.0.2.2", "192.0.2.3"] });
      await w.plugin.attach(one);
      const two = w.request({ peers: ["192.0.2.3", "192.0.2.4"] });
      await w.plugin.attach(two);
      assert.deepEqual(await w.entries(), ["all by 192.0.2.3", "all by 192.0.2.4"]);
      const { network, configJson } = w.request({ peers: ["192.0.2.5"] });
      const findings = await w
        .restart()
        .repairNetwork?.({ network, configJson, attachments: [two] });
      assert.deepEqual(
        findings?.map(({ kind, expected, found, repaired }) => [kind, expected, found, repaired]),
        [
          ["peer-missing", "all by 192.0.2.5", "", true],
          ["peer-extra", "", "all by 192.0.2.3", true],
          ["peer-extra", "", "all by 192.0.2.4", true],
        ],
      );
      assert.deepEqual(await w.entries(), ["all by 192.0.2.5"]);
      assert.deepEqual(
        await w.plugin.repairNetwork?.({ network, configJson, attachments: [two] }),
        [],
      );
      await w.plugin.detach(detachRequestOf(two));
    });

    test("repairNetwork() makes a link and a bridge again that somebody took away", async () => {
      await using w = await world();
      const request = w.request({ peers: ["192.0.2.2"], isGateway: true });
      const { network, configJson } = request;
      const attached = await w.plugin.attach(request);
      await w.kernel.removeLinks([w.link, w.bridge]);
      const order = { network, configJson, attachments: [request] };
      const findings = await w.restart().repairNetwork?.(order);
      assert.ok(findings?.every(({ repaired }) => repaired));
      assert.deepEqual(await w.entries(), ["all by 192.0.2.2"]);
      // The pod's end is the attachment's own affair.
      const check = { attachment: request, attached, repair: true };
      const mended = await w.plugin.check(check);
      assert.deepEqual(
        mended.map(({ kind, repaired }) => [kind, repaired]),
        [["master", true]],
      );
      assert.deepEqual(await w.plugin.check({ ...check, repair: false }), []);
      await w.plugin.detach(detachRequestOf(request));
    });

    test("check() tells when what carries the segment is gone", async () => {
      await using w = await world();
      const request = w.request({ peers: ["192.0.2.2"] });
      const attached = await w.plugin.attach(request);
      const attachment = w.request({ parent: "nolink", peers: ["192.0.2.2"] });
      const findings = await w.plugin.check({ attachment, attached, repair: true });
      assert.deepEqual(
        findings.map(({ kind, repaired }) => [kind, repaired]),
        [["underlay-missing", false]],
      );
      assert.match(findings[0]?.found ?? "", /there is no link nolink on the node/);
      await w.plugin.detach(detachRequestOf(request));
    });

    test("attach() makes a link anew that has other settings", async () => {
      await using w = await world();
      const request = w.request({ peers: ["192.0.2.2"] });
      await w.plugin.attach(request);
      const other = w.request({ peers: ["192.0.2.2"], port: 4790 });
      await w.plugin.attach(other);
      assert.equal((await w.kernel.findLink(w.link))?.vxlan?.port, 4790);
      assert.deepEqual(await w.entries(), ["all by 192.0.2.2"]);
      await w.plugin.detach(detachRequestOf(other));
    });

    test("a VNI is one network's as long as that has pods here", async () => {
      await using w = await world();
      const one = w.request({});
      await w.plugin.attach(one);
      const two = w.request({}, { network: "other", attachmentId: "two", ifname: "eth1" });
      await assert.rejects(
        w.plugin.attach(two),
        isPluginError("transient", new RegExp(`VNI ${w.vni} is network net${w.vni}'s`)),
      );
      const { network, configJson } = two;
      assert.match((await w.plugin.status({ network, configJson })).reason, /which has pods/);
      await w.plugin.detach(detachRequestOf(one));
      await w.plugin.attach(two);
      await w.plugin.detach(detachRequestOf(two));
    });

    test("what is not there, not ours or not to be had is said", async () => {
      await using w = await world();
      for (const [kind, config, why] of [
        ["transient", { parent: "nolink" }, /there is no link nolink on the node/],
        ["transient", { parent: undefined, local: "198.51.100.1" }, /has 198.51.100.1/],
        ["invalid-config", { peers: ["192.0.2.2", "nonsense"] }, /peers\[1\] is "nonsense"/],
        ["invalid-config", { local: "1.2.3" }, /local is "1.2.3", no IP address/],
      ] as const) {
        await assert.rejects(w.plugin.attach(w.request(config)), isPluginError(kind, why));
      }
      const add: KernelOperation = { kind: "add-link", name: w.link, link: { type: "bridge" } };
      await w.kernel.apply([{ operations: [add] }]);
      await assert.rejects(
        w.plugin.attach(w.request({})),
        isPluginError("transient", /exists and is not ours but bridge/),
      );
    });

    test("gateways are on the bridge where the network asks for it, and nowhere else", async () => {
      for (const isGateway of [true, false]) {
        await using w = await world();
        const request = w.request({ isGateway });
        await w.plugin.attach(request);
        const ifindex = (await w.kernel.findLink(w.bridge))?.ifindex;
        const own = (await w.kernel.addresses())
          .filter((entry) => entry.ifindex === ifindex)
          .map(({ address }) => formatAddress(address))
          .filter((text) => !text.startsWith("fe80"));
        assert.deepEqual(own.sort(), isGateway ? ["10.1.0.1", "fd00:1::1"] : []);
        await w.plugin.detach(detachRequestOf(request));
      }
    });
  });
}

for (const afterFailure of ["stop", "continue"] as const) {
  test(`vxlan: a segment that any one step was refused to is whole after the next attach() (${afterFailure} after it)`, async () => {
    for (let refused = 1, isReached = true; isReached; refused++) {
      let count = 0;
      const failOperation = () => (++count === refused ? errno.ENOMEM : undefined);
      const kernel = new FakeKernel({ failOperation, afterFailure });
      count = Number.NEGATIVE_INFINITY;
      await using w = await openWorld(kernel);
      const request = w.request({ peers: ["192.0.2.2", "192.0.2.3"], isGateway: true });
      count = 0;
      const first = w.plugin.attach(request);
      const isRefused = await first.then(
        () => false,
        () => true,
      );
      isReached = count >= refused;
      assert.equal(isRefused, isReached, `step ${refused}`);
      count = Number.NEGATIVE_INFINITY;
      const next = refused % 2 === 0 ? w.plugin : w.restart();
      const attached = await next.attach(request);
      const order = { attachment: request, attached, repair: false };
      assert.deepEqual(await next.check(order), [], `step ${refused}`);
      assert.deepEqual(await w.entries(), ["all by 192.0.2.2", "all by 192.0.2.3"]);
      await next.detach(detachRequestOf(request));
      assert.ok(isReached || refused > 15, "an attach has more operations than that");
    }
  });
}

/** Different for different networks. */
function vniOf(text: string): number {
  let value = 7;
  for (const char of text) value = (value * 31 + char.charCodeAt(0)) % 9_999_991;
  return value + 1;
}
