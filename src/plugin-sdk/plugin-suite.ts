/** What plugins that join pods by veth pairs have in common in their tests. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatAddress, formatPrefix, parseAddress, prefixContains } from "../ip/address.ts";
import { FakeKernel } from "../kernel/fake-kernel.ts";
import type { Kernel, NetnsPath } from "../kernel/kernel.ts";
import { enterOwnNetns } from "../kernel/nf-test-node.ts";
import { openKernel } from "../kernel/rtnetlink-kernel.ts";
import { isPluginError } from "./expect-plugin-error.ts";
import { MAIN_TABLE } from "./findings.ts";
import { linkNamesOf } from "./link-names.ts";
import { type AttachRequest, detachRequestOf, detachRequestOfId } from "./network-plugin.ts";
import { pluginFaultSuite } from "./plugin-fault-suite.ts";
import {
  check,
  openPluginWorld,
  type PluginUnderTest,
  type PluginWorld,
  routeText,
} from "./plugin-world.ts";
import { LINK_GONE, VETH_DAMAGES } from "./veth-damages.ts";

/** Runs the suite on the fake kernel and, in a private node, on the real one. */
export function networkPluginSuite(tested: PluginUnderTest, realSkip: string | false): void {
  // Its routes and bridges would meet those of the same suite in another file.
  if (realSkip === false) enterOwnNetns();
  pluginSuite(`${tested.name} on FakeKernel`, tested, async () => new FakeKernel(), false);
  pluginSuite(`${tested.name} on the real kernel`, tested, openKernel, realSkip);
  pluginFaultSuite(tested);
}

function pluginSuite(
  title: string,
  tested: PluginUnderTest,
  openKernel: () => Promise<Kernel>,
  skip: string | false,
): void {
  const open = async () => openPluginWorld(tested, await openKernel());

  describe(title, { skip }, () => {
    test("attach() makes what it answers, and check() agrees", async () => {
      await using world = await open();
      const request = await world.pod("a", { mtu: 1400 });
      const answer = await world.plugin.attach(request);
      const pod = answer.interfaces.at(-1);
      const names = linkNamesOf(request.attachmentId);
      assert.deepEqual(
        { name: pod?.name, mac: pod?.mac, mtu: pod?.mtu, sandbox: pod?.sandbox },
        { name: "eth0", mac: names.podMac, mtu: 1400, sandbox: request.netns },
      );
      const link = await world.kernel.findLink("eth0", request.netns as NetnsPath);
      assert.deepEqual(
        { mac: link?.mac, mtu: link?.mtu, up: link?.up },
        { mac: names.podMac, mtu: 1400, up: true },
      );
      const host = await world.kernel.findLink(names.hostIfname);
      assert.deepEqual(
        { mac: host?.mac, mtu: host?.mtu, up: host?.up, alias: host?.alias },
        {
          mac: names.hostMac,
          mtu: 1400,
          up: true,
          alias: `patchbay:${tested.name}:${request.network}:${request.attachmentId}`,
        },
      );
      assert.deepEqual(await check(world, request), []);
      await world.plugin.detach(detachRequestOf(request));
    });

    test("attach() of what is attached gives the same answer and changes nothing", async () => {
      await using world = await open();
      const request = await world.pod("a");
      const first = await world.plugin.attach(request);
      const state = await read(world, request);
      assert.deepEqual(await world.plugin.attach(request), first);
      assert.deepEqual(await read(world, request), state);
      await world.plugin.detach(detachRequestOf(request));
    });

    test("attach() by a new process completes what a dead one began", async () => {
      await using world = await open();
      const request = await world.pod("a");
      const expected = await world.plugin.attach(request);
      const state = await read(world, request);
      await world.plugin.detach(detachRequestOf(request));
      // Killed right after the pair was made: no alias, not up, no address.
      const { hostIfname, hostMac, podMac } = linkNamesOf(request.attachmentId);
      const peer = { name: "eth0", netns: request.netns as NetnsPath, mac: podMac, mtu: 1500 };
      const link = { type: "veth", peer } as const;
      await world.kernel.apply([
        { operations: [{ kind: "add-link", name: hostIfname, mac: hostMac, mtu: 1500, link }] },
      ]);
      const next = tested.create(world);
      assert.deepEqual(await next.attach(request), expected);
      assert.deepEqual(await read(world, request), state);
      await next.detach(detachRequestOf(request));
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
    });

    test("detach() needs neither namespace nor configuration", async () => {
      await using world = await open();
      const request = await world.pod("a");
      await world.plugin.attach(request);
      await world.plugin.detach(detachRequestOfId(request.attachmentId));
      assert.equal(
        await world.kernel.findLink(linkNamesOf(request.attachmentId).hostIfname),
        undefined,
      );
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
      assert.equal((await world.kernel.findLink("eth0", netns))?.type, "bridge");
      const { hostIfname } = linkNamesOf(request.attachmentId);
      assert.equal(await world.kernel.findLink(hostIfname), undefined);
    });

    test("attach() into a namespace that is gone may pass another time", async () => {
      await using world = await open();
      const request = await world.pod("a", { netns: "/run/netns/never-was" });
      await assert.rejects(world.plugin.attach(request), isPluginError("transient", /never-was/));
      await world.plugin.detach(detachRequestOf(request));
    });

    test("attach() leaves the default routes to another, and still reaches its own subnets", async () => {
      await using world = await open();
      const request = await world.pod("a", { defaultRoute: "DEFAULT_ROUTE_NONE" });
      const netns = request.netns as NetnsPath;
      const answer = await world.plugin.attach(request);
      const routes = await world.kernel.routes(netns);
      assert.deepEqual(
        routes.filter((route) => route.destination.prefixLength === 0 && route.gateway),
        [],
      );
      assert.ok(answer.routes.every((route) => !route.destination.endsWith("/0")));
      const link = await world.kernel.findLink("eth0", netns);
      for (const neighbour of ["10.1.0.77", "fd00:1::77"].map(parseAddress)) {
        assert.ok(
          routes.some(
            ({ destination, ifindex, table }) =>
              table === MAIN_TABLE &&
              ifindex === link?.ifindex &&
              destination.prefixLength > 0 &&
              prefixContains(destination, neighbour),
          ),
          `no route to ${formatAddress(neighbour)}`,
        );
      }
      assert.deepEqual(await check(world, request), []);
      await world.plugin.detach(detachRequestOf(request));
    });

    test("attach() without any address makes the link alone", async () => {
      await using world = await open();
      const request = await world.pod("a", { addresses: [] });
      const answer = await world.plugin.attach(request);
      assert.deepEqual([answer.addresses, answer.routes], [[], []]);
      assert.equal((await world.kernel.findLink("eth0", request.netns as NetnsPath))?.up, true);
      assert.deepEqual(await check(world, request), []);
      await world.plugin.detach(detachRequestOf(request));
    });

    test("attach() gives addresses that the pod asks for, or says that it cannot", async () => {
      await using world = await open();
      const requestedAddresses = ["10.9.0.7/24", "fd00:9::7/64"];
      const request = await world.pod("a", { addresses: [], requestedAddresses });
      if (tested.setsRequestedAddresses) {
        const { addresses } = await world.plugin.attach(request);
        assert.deepEqual(
          addresses.map(({ address }) => address),
          requestedAddresses,
        );
        assert.deepEqual(await check(world, request), []);
      } else {
        await assert.rejects(
          world.plugin.attach(request),
          isPluginError("invalid-config", /10\.9\.0\.7\/24 is asked for.* no IPAM/),
        );
      }
      await world.plugin.detach(detachRequestOf(request));
    });

    test("a pod joins two networks, and one of them twice; each leaves the others alone", async () => {
      await using world = await open();
      const first = await world.pod("a");
      const more = [
        { ifname: "net1", ...other(first, "-two", tested) },
        // The same network again.
        { ifname: "net2", network: first.network, addresses: addressesOf(6) },
        { ifname: "net3", network: first.network, addresses: addressesOf(7) },
      ].map(
        (change): AttachRequest => ({
          ...first,
          ...change,
          attachmentId: `${first.attachmentId}-${change.ifname}`,
          defaultRoute: "DEFAULT_ROUTE_NONE",
        }),
      );
      const all = [first, ...more];
      for (const request of more) world.own(request);
      for (const request of all) await world.plugin.attach(request);
      for (const request of all) assert.deepEqual(await check(world, request), [], request.ifname);
      for (const request of more.toReversed()) {
        await world.plugin.detach(detachRequestOf(request));
        for (const each of all.slice(0, all.indexOf(request))) {
          assert.deepEqual(await check(world, each), [], `${each.ifname} of ${request.ifname}`);
        }
      }
      await world.plugin.detach(detachRequestOf(first));
    });

    for (const damage of [...VETH_DAMAGES, ...(tested.damages ?? [])]) {
      test(`check() sees and mends ${damage.what}`, async () => {
        await using world = await open();
        const request = await world.pod("a", { mac: "02:00:00:00:aa:01", mtu: 1400 });
        const attached = await world.plugin.attach(request);
        const state = await read(world, request);
        await world.kernel.apply(damage.batches(request));
        if (damage.what === LINK_GONE) {
          await world.kernel.removeLinks([linkNamesOf(request.attachmentId).hostIfname]);
        }
        // A process that knows nothing of the network: the host started anew.
        const plugin = tested.create(world);
        const found = await plugin.check({ attachment: request, attached, repair: false });
        for (const kind of damage.kinds) {
          assert.ok(
            found.some((each) => each.kind === kind),
            `no ${kind} in ${JSON.stringify(found)}`,
          );
        }
        assert.ok(found.every(({ repaired }) => !repaired));
        const mended = await plugin.check({ attachment: request, attached, repair: true });
        // What showed up only when the link was there again is told as well.
        assert.ok(
          mended.every(({ repaired }) => repaired),
          JSON.stringify(mended),
        );
        for (const each of found) {
          assert.ok(
            mended.some(({ kind, object }) => kind === each.kind && object === each.object),
            `${each.kind} ${each.object} in ${JSON.stringify(mended)}`,
          );
        }
        assert.deepEqual(await plugin.check({ attachment: request, attached, repair: true }), []);
        assert.deepEqual(await read(world, request), state);
        await world.plugin.detach(detachRequestOf(request));
      });
    }

    test("list() has the plugin's own links, of one network or of all", async () => {
      await using world = await open();
      const one = await world.pod("a");
      const two = await world.pod("b", other(one, "-two", tested));
      await world.plugin.attach(one);
      await world.plugin.attach(two);
      const { hostIfname } = linkNamesOf(one.attachmentId);
      const ofOne = await world.plugin.list({ network: one.network });
      assert.deepEqual(ofOne, [{ attachmentId: one.attachmentId, object: hostIfname }]);
      const all = new Set(
        (await world.plugin.list({ network: "" })).map((entry) => entry.attachmentId),
      );
      for (const { attachmentId } of [one, two]) assert.ok(all.has(attachmentId));
      await world.plugin.detach(detachRequestOf(one));
      await world.plugin.detach(detachRequestOf(two));
      assert.deepEqual(await world.plugin.list({ network: one.network }), []);
    });

    test("attach() and detach() of twenty pods at once", async () => {
      await using world = await open();
      const requests = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          world.pod(`p${index}`, {
            addresses: [{ address: `10.1.0.${index + 10}/24`, gateway: "10.1.0.1" }],
          }),
        ),
      );
      await Promise.all(requests.map((request) => world.plugin.attach(request)));
      for (const request of requests) assert.deepEqual(await check(world, request), []);
      await Promise.all(requests.map((request) => world.plugin.detach(detachRequestOf(request))));
      const [first] = requests;
      assert.deepEqual(await world.plugin.list({ network: first?.network ?? "" }), []);
    });

    test("masquerade is set for a network that wants it, and taken away when it no longer does", async () => {
      await using world = await open();
      const subnets = ["10.1.0.0/24", "fd00:1::/64"];
      const request = await world.pod("a", { masquerade: { subnets } });
      await world.plugin.attach(request);
      assert.match(world.nftables.toString(), /ip saddr \{ 10\.1\.0\.0\/24 \}.* masquerade/);
      const configJson = JSON.stringify({ ...JSON.parse(request.configJson), ipMasq: false });
      await world.plugin.attach({ ...request, masquerade: null, configJson });
      assert.equal(world.nftables.toString(), "");
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

/** Addresses of the suite's own network. */
function addressesOf(host: number): AttachRequest["addresses"] {
  return [
    { address: `10.1.0.${host}/24`, gateway: "10.1.0.1" },
    { address: `fd00:1::${host}/64`, gateway: "fd00:1::1" },
  ];
}

/** The same order on another network. */
function other(
  request: AttachRequest,
  suffix: string,
  tested: PluginUnderTest,
): Partial<AttachRequest> {
  const network = `${request.network}${suffix}`;
  return {
    network,
    configJson: JSON.stringify({ name: network, ...tested.configOf(network) }),
    addresses: [{ address: "10.2.0.5/24", gateway: "10.2.0.1" }],
  };
}

/** Both ends of an attachment as the kernel has them. */
async function read(world: PluginWorld, request: AttachRequest): Promise<readonly string[]> {
  const { hostIfname } = linkNamesOf(request.attachmentId);
  const netns = request.netns as NetnsPath;
  return [
    ...(await readEnd(world.kernel, hostIfname)),
    ...(await readEnd(world.kernel, "eth0", netns)),
  ];
}

async function readEnd(kernel: Kernel, name: string, netns?: NetnsPath): Promise<string[]> {
  const link = await kernel.findLink(name, netns);
  if (!link) return [`${name} is not there`];
  const addresses = await kernel.addresses(netns);
  const routes = await kernel.routes(netns);
  const isOwn = ({ ifindex }: { ifindex?: number }) => ifindex === link.ifindex;
  return [
    `${name} ${link.mac} mtu ${link.mtu} ${link.up ? "up" : "down"} ${link.alias}`,
    ...addresses
      .filter(isOwn)
      .map((entry) => formatPrefix(entry.address))
      .sort(),
    ...routes.filter(isOwn).map(routeText).sort(),
  ];
}
