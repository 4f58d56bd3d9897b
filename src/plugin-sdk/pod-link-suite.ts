/** What plugins whose links lie in the pod alone have in common in their tests. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { describe, test } from "node:test";
import { formatPrefix, parsePrefix } from "../ip/address.ts";
import { FakeKernel } from "../kernel/fake-kernel.ts";
import type { Kernel, KernelOperation, Link, NetnsPath } from "../kernel/kernel.ts";
import { openKernel } from "../kernel/rtnetlink-kernel.ts";
import { isPluginError } from "./expect-plugin-error.ts";
import { LOCAL_TABLE } from "./findings.ts";
import { linkNamesOf } from "./link-names.ts";
import { type AttachRequest, detachRequestOf, detachRequestOfId } from "./network-plugin.ts";
import { check, routeText } from "./plugin-world.ts";
import { podLinkCrashSuite } from "./pod-link-crash-suite.ts";
import {
  openPodLinkWorld,
  podLink,
  type PodLinkUnderTest,
  type PodLinkWorld,
} from "./pod-link-world.ts";

/** Runs the suite on the fake kernel and, in a private node, on the real one. */
export function podLinkSuite<Detail>(
  tested: PodLinkUnderTest<Detail>,
  realSkip: string | false,
): void {
  suite(`${tested.name} on FakeKernel`, tested, {
    open: async () => new FakeKernel(),
    skip: false,
  });
  suite(`${tested.name} on the real kernel`, tested, { open: openKernel, skip: realSkip });
  podLinkCrashSuite(tested);
}

function suite<Detail>(
  title: string,
  tested: PodLinkUnderTest<Detail>,
  options: { readonly open: () => Promise<Kernel>; readonly skip: string | false },
): void {
  const open = async () => openPodLinkWorld(tested, await options.open());

  describe(title, { skip: options.skip }, () => {
    test("attach() makes what it answers, and check() agrees", async () => {
      await using world = await open();
      const request = await world.pod("a", { mtu: 1400, mac: "02:00:00:00:aa:01" });
      const answer = await world.plugin.attach(request);
      const [pod] = answer.interfaces;
      assert.deepEqual(
        { name: pod?.name, mac: pod?.mac, mtu: pod?.mtu, sandbox: pod?.sandbox },
        { name: "eth0", mac: "02:00:00:00:aa:01", mtu: 1400, sandbox: request.netns },
      );
      const link = await podLink(world, request);
      assert.deepEqual(
        { mac: link?.mac, mtu: link?.mtu, up: link?.up },
        { mac: "02:00:00:00:aa:01", mtu: 1400, up: true },
      );
      assert.deepEqual(
        answer.addresses.map(({ address }) => address),
        ["10.1.0.5/24", "fd00:1::5/64"],
      );
      assert.deepEqual(await check(world, request), []);
      const acceptRa = ["net", "ipv6", "conf", "eth0", "accept_ra"];
      assert.equal(await world.kernel.readSysctl(acceptRa, request.netns as NetnsPath), "0");
      await world.plugin.detach(detachRequestOf(request));
      assert.equal(await podLink(world, request), undefined);
    });

    test("attach() of what is attached gives the same answer and changes nothing", async () => {
      await using world = await open();
      const request = await world.pod("a");
      const first = await world.plugin.attach(request);
      const state = await read(world, request);
      assert.deepEqual(await world.plugin.attach(request), first);
      assert.deepEqual(await world.restart().attach(request), first);
      assert.deepEqual(await read(world, request), state);
      await world.plugin.detach(detachRequestOf(request));
    });

    for (const [what, addresses, expected] of [
      ["IPv4 alone", [{ address: "10.1.0.5/24", gateway: "10.1.0.1" }], ["10.1.0.5/24"]],
      ["IPv6 alone", [{ address: "fd00:1::5/64", gateway: "" }], ["fd00:1::5/64"]],
      ["no address", [], []],
    ] as const) {
      test(`attach() with ${what}`, async () => {
        await using world = await open();
        const request = await world.pod("a", { addresses: [...addresses] });
        await world.plugin.attach(request);
        assert.deepEqual(await podAddresses(world, request), expected);
        assert.deepEqual(await check(world, request), []);
        await world.plugin.detach(detachRequestOf(request));
      });
    }

    test("attach() without default routes leaves them to another attachment", async () => {
      await using world = await open();
      const request = await world.pod("a", { defaultRoute: "DEFAULT_ROUTE_NONE" });
      const { routes } = await world.plugin.attach(request);
      assert.deepEqual(routes, []);
      const made = await world.kernel.routes(request.netns as NetnsPath);
      assert.ok(!made.some(({ destination }) => destination.prefixLength === 0));
      await world.plugin.detach(detachRequestOf(request));
    });

    test("detach() takes everything away, again, and of what never was", async () => {
      await using world = await open();
      const request = await world.pod("a");
      const before = await read(world, request);
      await world.plugin.detach(detachRequestOf(request));
      await world.plugin.attach(request);
      await world.plugin.detach(detachRequestOf(request));
      await world.plugin.detach(detachRequestOf(request));
      assert.deepEqual(await read(world, request), before);
      assert.deepEqual(await world.plugin.list({ network: "" }), []);
    });

    test("detach() needs neither memory nor namespace nor configuration", async () => {
      await using world = await open();
      const request = await world.pod("a");
      const before = await read(world, request);
      await world.plugin.attach(request);
      await world.restart().detach(detachRequestOfId(request.attachmentId));
      assert.deepEqual(await read(world, request), before);
    });

    test("detach() finds the link by its alias where the files are lost and the pod renamed it", async () => {
      await using world = await open();
      const request = await world.pod("a");
      const before = await read(world, request);
      await world.plugin.attach(request);
      const netns = request.netns as NetnsPath;
      const down: KernelOperation = { kind: "set-link", name: "eth0", up: false };
      const rename: KernelOperation = { kind: "set-link", name: "eth0", rename: "other" };
      await world.kernel.apply([{ netns, operations: [down, rename] }]);
      rmSync(world.folder, { recursive: true });
      await world.restart().detach(detachRequestOf(request));
      assert.equal(await world.kernel.findLink("other", netns), undefined);
      assert.deepEqual(await read(world, request), before);
    });

    test("detach() of a pod whose namespace is gone", async () => {
      await using world = await open();
      const request = await world.pod("a");
      await world.plugin.attach(request);
      await world.kernel.deleteNetns(request.netns as NetnsPath);
      await world.plugin.detach(detachRequestOf(request));
      assert.deepEqual(await world.plugin.list({ network: "" }), []);
    });

    test("attach() where ifname is taken says so; its detach() leaves the other's link", async () => {
      await using world = await open();
      const request = await world.pod("a");
      const netns = request.netns as NetnsPath;
      await world.kernel.apply([
        { netns, operations: [{ kind: "add-link", name: "eth0", link: { type: "bridge" } }] },
      ]);
      await assert.rejects(world.plugin.attach(request), isPluginError("interface-exists", /eth0/));
      await world.plugin.detach(detachRequestOf(request));
      assert.equal((await podLink(world, request))?.type, "bridge");
    });

    test("attach() into a namespace that is gone may pass another time", async () => {
      await using world = await open();
      const request = await world.pod("a", { netns: "/run/netns/never-was" });
      await assert.rejects(world.plugin.attach(request), isPluginError("transient", /never-was/));
      await world.plugin.detach(detachRequestOf(request));
    });

    test("list() has what is held, of one network or of all, also in another process", async () => {
      await using world = await open();
      const one = await world.pod("a");
      const two = await world.pod("b", { network: "other" });
      await world.plugin.attach(one);
      await world.plugin.attach(two);
      const idsOf = async (network: string) =>
        (await world.restart().list({ network })).map((entry) => entry.attachmentId).sort();
      assert.deepEqual(await idsOf(one.network), [one.attachmentId]);
      assert.deepEqual(await idsOf(""), [one.attachmentId, two.attachmentId].sort());
      await world.plugin.detach(detachRequestOf(one));
      await world.plugin.detach(detachRequestOf(two));
      assert.deepEqual(await idsOf(""), []);
    });

    test("check() finds what somebody changed, and with repair mends it", async () => {
      await using world = await open();
      const request = await world.pod("a");
      const attached = await world.plugin.attach(request);
      const state = await read(world, request);
      const netns = request.netns as NetnsPath;
      const operations: KernelOperation[] = [
        { kind: "set-link", name: "eth0", mtu: 1300 },
        { kind: "delete-address", link: "eth0", address: parsePrefix("fd00:1::5/64") },
        { kind: "delete-route", link: "eth0", destination: parsePrefix("0.0.0.0/0") },
      ];
      await world.kernel.apply([{ netns, operations }]);
      const order = { attachment: request, attached };
      const found = await world.plugin.check({ ...order, repair: false });
      assert.deepEqual(
        found.map(({ kind, object, repaired }) => `${kind} ${object} ${repaired}`).sort(),
        ["address-missing eth0 false", "mtu eth0 false", "route-missing 0.0.0.0/0 false"],
      );
      const mended = await world.restart().check({ ...order, repair: true });
      assert.deepEqual(
        mended.map(({ kind, repaired }) => `${kind} ${repaired}`).sort(),
        found.map(({ kind }) => `${kind} true`).sort(),
      );
      assert.deepEqual(await world.plugin.check({ ...order, repair: false }), []);
      assert.deepEqual(await read(world, request), state);
      await world.plugin.detach(detachRequestOf(request));
    });

    test("status() is ready before and after", async () => {
      await using world = await open();
      const request = await world.pod("a");
      const ready = { ready: true, reason: "" };
      const { network, configJson } = request;
      assert.deepEqual(await world.plugin.status({ network, configJson }), ready);
      await world.plugin.attach(request);
      assert.deepEqual(await world.plugin.status({ network, configJson }), ready);
      await world.plugin.detach(detachRequestOf(request));
    });
  });
}

async function podAddresses(world: PodLinkWorld, request: AttachRequest): Promise<string[]> {
  const link = await podLink(world, request);
  return (await world.kernel.addresses(request.netns as NetnsPath))
    .filter(({ ifindex }) => ifindex === link?.ifindex)
    .map(({ address }) => formatPrefix(address))
    .filter((text) => !text.startsWith("fe80:"))
    .sort();
}

/** The attachment as the kernel has it, and what is left on the node. */
async function read(world: PodLinkWorld, request: AttachRequest): Promise<readonly string[]> {
  const { kernel, device } = world;
  const netns = request.netns as NetnsPath;
  const onNode = await kernel.findLink(device);
  const link = await kernel.findLink(request.ifname, netns);
  const textOf = (each: Link | undefined) =>
    each
      ? `${each.name} ${each.mac} mtu ${each.mtu} ${each.up ? "up" : "down"} ${each.alias}`
      : "-";
  const routes = await kernel.routes(netns);
  // The kernel makes local routes of IPv6 in its own time.
  const isOwn = ({ ifindex, table }: { ifindex?: number; table: number }) =>
    link && ifindex === link.ifindex && table !== LOCAL_TABLE;
  return [
    textOf(onNode),
    textOf(link),
    ...(await podAddresses(world, request)),
    ...routes.filter(isOwn).map(routeText).sort(),
    linkNamesOf(request.attachmentId).podMac,
  ];
}
