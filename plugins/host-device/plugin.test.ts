import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeKernel } from "../../src/kernel/fake-kernel.ts";
import { FakePciDevices } from "../../src/kernel/fake-pci-devices.ts";
import type { Kernel, KernelOperation, NetnsPath } from "../../src/kernel/kernel.ts";
import { privateNodeSkip } from "../../src/kernel/private-node-skip.ts";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import { HeldAttachments } from "../../src/plugin-sdk/held-attachments.ts";
import {
  type AttachRequest,
  detachRequestOf,
  detachRequestOfId,
} from "../../src/plugin-sdk/network-plugin.ts";
import { podLinkSuite } from "../../src/plugin-sdk/pod-link-suite.ts";
import { isPluginError } from "../../src/plugin-sdk/expect-plugin-error.ts";
import {
  openPodLinkWorld,
  podLink,
  type PodLinkUnderTest,
  type PodLinkWorld,
} from "../../src/plugin-sdk/pod-link-world.ts";
import type { HostDeviceDetail } from "./find-device.ts";
import { createHostDevicePlugin } from "./plugin.ts";

/** A card on the fake kernel; a veth on the real one, which a namespace that goes takes along. */
const tested: PodLinkUnderTest<HostDeviceDetail> = {
  name: "host-device",
  create: (deps) => createHostDevicePlugin({ ...deps, pci: new FakePciDevices({}) }),
  equip: async (kernel, name) => {
    if (kernel instanceof FakeKernel) {
      kernel.plugIn({ name, mac: "52:54:00:00:00:01", mtu: 1500 });
    } else {
      const peer = `${name}p`;
      const add = { kind: "add-link", name, link: { type: "veth", peer: { name: peer } } } as const;
      const up: KernelOperation = { kind: "set-link", name: peer, up: true };
      await kernel.apply([{ operations: [add, up] }]);
    }
    const alias = "the lab's own";
    await kernel.apply([{ operations: [{ kind: "set-link", name, up: true, alias }] }]);
    return { device: name };
  },
};

podLinkSuite(tested, privateNodeSkip);

hostDeviceSuite("host-device alone on FakeKernel", async () => new FakeKernel(), false);
hostDeviceSuite("host-device alone on the real kernel", openKernel, privateNodeSkip);

function hostDeviceSuite(title: string, open: () => Promise<Kernel>, skip: string | false): void {
  describe(title, { skip }, () => {
    const world = async () => openPodLinkWorld(tested, await open());

    test("a device comes back with its name, address, MTU and alias, and up", async () => {
      await using w = await world();
      const request = await w.pod("a", { mac: "02:00:00:00:aa:01", mtu: 1400 });
      const before = await w.kernel.findLink(w.device);
      await w.plugin.attach(request);
      assert.equal(await w.kernel.findLink(w.device), undefined);
      const tuned = { txQueueLength: 5, promisc: true, allMulticast: true } as const;
      const operations = [{ kind: "set-link", name: request.ifname, ...tuned } as const];
      await w.kernel.apply([{ netns: request.netns as NetnsPath, operations }]);
      await w.plugin.detach(detachRequestOf(request));
      const after = await w.kernel.findLink(w.device);
      for (const key of [
        ...(["name", "mac", "mtu", "up", "alias"] as const),
        ...(["txQueueLength", "promisc", "allMulticast"] as const),
      ]) {
        assert.equal(after?.[key], before?.[key], key);
      }
      assert.equal(after?.alias, "the lab's own");
    });

    test("a device that the pod gave another name and alias, and a card another address too, comes back", async () => {
      await using w = await world();
      const request = await w.pod("a");
      const before = await w.kernel.findLink(w.device);
      await w.plugin.attach(request);
      const netns = request.netns as NetnsPath;
      const mac = w.kernel instanceof FakeKernel ? { mac: "02:00:00:00:bb:01" } : {};
      const change = { kind: "set-link", name: request.ifname, up: false, ...mac } as const;
      const rename = { kind: "set-link", name: request.ifname, rename: "mine" } as const;
      const alias = { kind: "set-link", name: "mine", alias: "nobody's" } as const;
      await w.kernel.apply([{ netns, operations: [change, rename, alias] }]);
      await w.plugin.detach(detachRequestOf(request));
      const after = await w.kernel.findLink(w.device);
      assert.deepEqual([after?.mac, after?.alias], [before?.mac, before?.alias]);
      assert.equal(await w.kernel.findLink("mine", netns), undefined);
      assert.deepEqual(await w.plugin.list({ network: "" }), []);
    });

    test("a device with a name that the node has as well, and a pod's name that the node has", async () => {
      await using w = await world();
      const request = await w.pod("a");
      const taken = { ...request, ifname: w.device };
      await w.plugin.attach(taken);
      const name = w.device;
      const operations: KernelOperation[] = [{ kind: "add-link", name, link: { type: "bridge" } }];
      await w.kernel.apply([{ operations }]);
      await assert.rejects(
        w.plugin.detach(detachRequestOf(taken)),
        isPluginError("transient", new RegExp(`as ${name}: another link has that name`)),
      );
      await w.kernel.removeLinks([name]);
      await w.plugin.detach(detachRequestOf(taken));
      assert.notEqual((await w.kernel.findLink(name))?.type, "bridge");
      assert.equal((await w.kernel.findLink(name))?.alias, "the lab's own");
    });

    test("of two pods that want one device, the second is told who has it, until it has not", async () => {
      await using w = await world();
      const one = await w.pod("a");
      const pod = { namespace: "default", name: "web-1", uid: "u2", labels: {} };
      const { configJson, network } = one;
      const two = { ...(await w.pod("b")), pod, configJson, network };
      const [first, second] = await Promise.allSettled([
        w.plugin.attach(one),
        w.plugin.attach(two),
      ]);
      assert.equal(first.status, "fulfilled");
      assert.ok(second.status === "rejected");
      isPluginError("transient", /is held by pod default\/web-0 as eth0/)(second.reason);
      assert.equal((await w.plugin.status({ network, configJson })).ready, false);
      await w.plugin.detach(detachRequestOf(two));
      assert.ok(await podLink(w, one));
      await w.plugin.detach(detachRequestOf(one));
      await w.plugin.attach(two);
      assert.deepEqual(await w.plugin.status({ network, configJson }), { ready: true, reason: "" });
      await w.plugin.detach(detachRequestOf(two));
    });

    test("a device that another attachment marked, and nobody wrote down, is not taken", async () => {
      await using w = await world();
      const request = await w.pod("a");
      const alias = "patchbay:host-device@other:net:somebody";
      await w.kernel.apply([{ operations: [{ kind: "set-link", name: w.device, alias }] }]);
      await assert.rejects(
        w.plugin.attach(request),
        isPluginError("transient", /is held by attachment somebody of network net/),
      );
      assert.deepEqual(await w.plugin.list({ network: "" }), []);
    });

    test("a device by its MAC address", async () => {
      await using w = await world();
      const plain = await w.pod("a");
      const hwaddr = (await w.kernel.findLink(w.device))?.mac.toUpperCase();
      const request = { ...plain, configJson: JSON.stringify({ name: plain.network, hwaddr }) };
      const answer = await w.plugin.attach(request);
      assert.equal(answer.interfaces[0]?.mac, hwaddr?.toLowerCase());
      await w.plugin.detach(detachRequestOf(request));
      assert.ok(await w.kernel.findLink(w.device));
    });

    test("a device by its PCI address, from the configuration or given to the pod", async () => {
      await using w = await world();
      const plain = await w.pod("a");
      const address = "0000:3b:00.1";
      const isHere = async (name: string) => (await w.kernel.findLink(name)) !== undefined;
      const pci = new FakePciDevices({ [address]: [w.device], "0000:3b:00.2": [] }, isHere);
      const held = new HeldAttachments<HostDeviceDetail>(w.folder);
      const plugin = createHostDevicePlugin({ kernel: w.kernel, held, pci });
      const config = { name: plain.network, pciBusID: address };
      const device = { pciAddress: address, rdmaDevice: "", charDevices: [], id: "" };
      for (const request of [
        { ...plain, configJson: JSON.stringify(config) },
        { ...plain, configJson: JSON.stringify({ name: plain.network }), device },
      ] satisfies AttachRequest[]) {
        const answer = await plugin.attach(request);
        assert.equal(answer.interfaces[0]?.pciId, address);
        assert.deepEqual(JSON.parse(answer.deviceInfoJson), {
          type: "pci",
          version: "1.1.0",
          pci: { "pci-address": address },
        });
        assert.deepEqual(await plugin.attach(request), answer);
        const other = { ...request, attachmentId: "other", ifname: "eth9" };
        await assert.rejects(
          plugin.attach(other),
          isPluginError("transient", /PCI device 0000:3b:00.1 is held by pod default\/web-0/),
        );
        await plugin.detach(detachRequestOf(request));
      }
      const none = { ...plain, device: { ...device, pciAddress: "0000:3b:00.2" } };
      await assert.rejects(
        plugin.attach(none),
        isPluginError("transient", /PCI device 0000:3b:00.2 is not on the node/),
      );
    });

    test("what no pod may have, and what is not clear", async () => {
      await using w = await world();
      const plain = await w.pod("a");
      const { network } = plain;
      const bridge = `${w.device}b`;
      const operations: KernelOperation[] = [
        { kind: "add-link", name: bridge, link: { type: "bridge" } },
        { kind: "set-link", name: w.device, master: bridge },
      ];
      await w.kernel.apply([{ operations }]);
      for (const [kind, config, why] of [
        ["transient", { device: w.device }, /is a port of/],
        ["invalid-config", { device: bridge }, /cannot be moved: it is bridge/],
        ["invalid-config", { device: "lo" }, /cannot be moved: it is the loopback/],
        ["transient", { device: "nolink" }, /Device nolink is not on the node/],
        ["invalid-config", {}, /exactly one of device, hwaddr and pciBusID/],
        ["invalid-config", { device: "a", hwaddr: "02:00:00:00:00:01" }, /exactly one of/],
      ] as const) {
        const configJson = JSON.stringify({ name: network, ...config });
        await assert.rejects(w.plugin.attach({ ...plain, configJson }), isPluginError(kind, why));
      }
      assert.deepEqual(await w.plugin.list({ network: "" }), []);
      await w.kernel.removeLinks([bridge]);
    });
  });
}

test("host-device: the node's uplink is not given away", async () => {
  const kernel = new FakeKernel();
  await using w = await openPodLinkWorld(tested, kernel);
  const request = await w.pod("a");
  const anywhere = { family: 4, value: 0n, prefixLength: 0 } as const;
  const operations: KernelOperation[] = [
    { kind: "add-route", destination: anywhere, link: w.device },
  ];
  await kernel.apply([{ operations }]);
  await assert.rejects(
    w.plugin.attach(request),
    isPluginError("invalid-config", /carries the node's default route/),
  );
});

/** default_device_exit_net(): hardware survives its namespace, under the name that the pod gave it. */
const goHome: readonly [
  what: string,
  detach: (w: PodLinkWorld, r: AttachRequest) => Promise<void>,
][] = [
  ["detach()", (w, request) => w.plugin.detach(detachRequestOf(request))],
  ["detach() by id", (w, request) => w.restart().detach(detachRequestOfId(request.attachmentId))],
];
for (const [what, detach] of goHome) {
  for (const isTaken of [false, true]) {
    const name = isTaken ? "a name of the kernel's" : "the pod's name";
    test(`host-device: ${what} of a card that came home from a dead namespace under ${name}`, async () => {
      const kernel = new FakeKernel();
      await using w = await openPodLinkWorld(tested, kernel);
      if (isTaken) kernel.plugIn({ name: "eth0", mac: "52:54:00:00:00:02", mtu: 1500 });
      const request = await w.pod("a", { mac: "02:00:00:00:aa:01", mtu: 1400 });
      await w.plugin.attach(request);
      await kernel.deleteNetns(request.netns as NetnsPath);
      assert.equal(await kernel.findLink(w.device), undefined);
      await detach(w, request);
      const link = await kernel.findLink(w.device);
      assert.deepEqual(
        [link?.mac, link?.mtu, link?.up, link?.alias],
        ["52:54:00:00:00:01", 1500, true, "the lab's own"],
      );
      assert.deepEqual(await w.plugin.list({ network: "" }), []);
    });
  }
}

test("host-device: list() knows a card that came home after its file was lost; detach() restores it", async () => {
  const kernel = new FakeKernel();
  await using w = await openPodLinkWorld(tested, kernel);
  const request = await w.pod("a", { mac: "02:00:00:00:aa:01", mtu: 1400 });
  await w.plugin.attach(request);
  new HeldAttachments(w.folder).remove(request.attachmentId);
  await kernel.deleteNetns(request.netns as NetnsPath);
  const { attachmentId } = request;
  assert.deepEqual(await w.plugin.list({ network: "" }), [{ attachmentId, object: "eth0" }]);
  await w.restart().detach(detachRequestOfId(attachmentId));
  const link = await kernel.findLink(w.device);
  assert.deepEqual([link?.mac, link?.mtu, link?.up], ["52:54:00:00:00:01", 1500, true]);
});

test("host-device: detach() waits for a card whose namespace the kernel takes apart just now", async () => {
  const kernel = new FakeKernel();
  await using w = await openPodLinkWorld(tested, kernel);
  const request = await w.pod("a", { mac: "02:00:00:00:aa:01" });
  await w.plugin.attach(request);
  // The path is gone, and the namespace not yet; it is at the third look.
  let looks = 0;
  const slow = new Proxy(kernel, {
    get(target, key) {
      const value = Reflect.get(target, key) as unknown;
      if (typeof value !== "function") return value;
      if (key === "netnsIdentity") return async () => undefined;
      const own = value.bind(target) as (...args: unknown[]) => unknown;
      if (key !== "findLink") return own;
      return async (...args: unknown[]) => {
        if (++looks === 3) await target.deleteNetns(request.netns as NetnsPath);
        return own(...args);
      };
    },
  });
  const held = new HeldAttachments<HostDeviceDetail>(w.folder);
  const plugin = createHostDevicePlugin({ kernel: slow, held, pci: new FakePciDevices({}) });
  await plugin.detach(detachRequestOf(request));
  assert.equal((await kernel.findLink(w.device))?.mac, "52:54:00:00:00:01");
});

for (const key of ["device", "hwaddr"]) {
  test(`host-device: the next pod gets by ${key} a card that came home too late for its detach()`, async () => {
    const kernel = new FakeKernel();
    await using w = await openPodLinkWorld(tested, kernel);
    const first = await w.pod("a", { mac: "02:00:00:00:aa:01", mtu: 1400 });
    await w.plugin.attach(first);
    new HeldAttachments(w.folder).remove(first.attachmentId);
    await kernel.deleteNetns(first.netns as NetnsPath);
    const value = key === "device" ? w.device : "52:54:00:00:00:01";
    const { network } = first;
    const next = {
      ...(await w.pod("b")),
      network,
      configJson: JSON.stringify({ name: network, [key]: value }),
    };
    // The card of the second pod() is another one.
    await kernel.apply([
      { operations: [{ kind: "set-link", name: w.device, mac: "52:54:00:00:00:02" }] },
    ]);
    const answer = await w.plugin.attach(next);
    assert.equal(answer.interfaces[0]?.mac, "52:54:00:00:00:01");
    assert.equal(answer.interfaces[0]?.mtu, 1500);
    await w.plugin.detach(detachRequestOf(next));
    const link = await kernel.findLink(first.attachmentId.replace("-", ""));
    assert.deepEqual([link?.mac, link?.alias], ["52:54:00:00:00:01", "the lab's own"]);
  });
}

test("host-device: an ifb of the real kernel goes and comes", {
  skip: privateNodeSkip,
}, async () => {
  const kernel = await openKernel();
  const ifb: PodLinkUnderTest<HostDeviceDetail> = {
    ...tested,
    equip: async (_, name) => {
      await kernel.apply([{ operations: [{ kind: "add-link", name, link: { type: "ifb" } }] }]);
      return { device: name };
    },
  };
  await using w = await openPodLinkWorld(ifb, kernel);
  const request = await w.pod("a");
  const before = await kernel.findLink(w.device);
  await w.plugin.attach(request);
  assert.equal((await podLink(w, request))?.type, "ifb");
  await w.plugin.detach(detachRequestOf(request));
  const after = await kernel.findLink(w.device);
  assert.deepEqual([after?.mac, after?.up], [before?.mac, before?.up]);
});

test("host-device: a pod that comes again in a new namespace gets the card that came home", async () => {
  const kernel = new FakeKernel();
  await using w = await openPodLinkWorld(tested, kernel);
  const request = await w.pod("a", { mac: "02:00:00:00:aa:01" });
  const answer = await w.plugin.attach(request);
  await kernel.deleteNetns(request.netns as NetnsPath);
  await kernel.createNetns(request.netns as NetnsPath);
  assert.deepEqual(await w.restart().attach(request), answer);
  await w.plugin.detach(detachRequestOf(request));
  assert.equal((await kernel.findLink(w.device))?.mac, "52:54:00:00:00:01");
});
