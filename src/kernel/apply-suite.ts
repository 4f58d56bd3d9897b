import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatPrefix, parseAddress, parsePrefix } from "../ip/address.ts";
import type { KernelOperation, NetnsPath } from "./kernel.ts";
import type { Suite } from "./kernel-suite.ts";
import { KernelError } from "./kernel-error.ts";
import { faultCases } from "./fault-cases.ts";
import {
  attachBatches,
  downSubject,
  eventually,
  freshName,
  isHostMac,
  isKernelError,
  veth,
  vethTo,
} from "./suite-operations.ts";

export function applySuite(suite: Suite): void {
  const apply = (netns: NetnsPath, ...operations: KernelOperation[]) =>
    suite.kernel.apply([{ netns, operations }]);
  const routeTexts = async (netns: NetnsPath): Promise<string[]> => {
    const links = await suite.kernel.links(netns);
    const nameOf = (ifindex: number | undefined) =>
      links.find((link) => link.ifindex === ifindex)?.name;
    return (await suite.kernel.routes(netns)).map(
      (route) => `${formatPrefix(route.destination)} ${nameOf(route.ifindex)} ${route.table}`,
    );
  };

  describe("apply()", () => {
    it("makes a veth with its peer in the pod and answers with the ifindex", async () => {
      const pod = await suite.freshNetns();
      const host = freshName();
      const { ifindexes } = await suite.kernel.apply([{ operations: [vethTo(host, pod)] }]);
      const hostLink = await suite.kernel.findLink(host);
      const podLink = await suite.kernel.findLink("eth0", pod);
      assert.equal(ifindexes.get(host), hostLink?.ifindex);
      assert.equal(hostLink?.type, "veth");
      assert.equal(hostLink?.mac, "02:00:00:00:00:01");
      assert.equal(hostLink?.mtu, 1400);
      assert.equal(hostLink?.up, false);
      assert.equal(hostLink?.linkIfindex, podLink?.ifindex);
      assert.notEqual(hostLink?.linkNetnsId, undefined);
      assert.equal(podLink?.mac, "06:00:00:00:00:01");
      assert.equal(podLink?.mtu, 1400);
      assert.equal(podLink?.linkIfindex, hostLink?.ifindex);
      await suite.kernel.removeLinks([host]);
      assert.equal(await suite.kernel.findLink("eth0", pod), undefined);
      await suite.kernel.deleteNetns(pod);
    });

    it("attaches a dual-stack pod in two batches", async () => {
      const pod = await suite.freshNetns();
      const host = freshName();
      await suite.kernel.apply(attachBatches(host, pod));
      const podRoutes = await suite.kernel.routes(pod);
      const defaults = podRoutes.filter((route) => route.destination.prefixLength === 0);
      const gateways = defaults.map((route) => route.gateway).filter(Boolean);
      assert.deepEqual(new Set(gateways.map((gateway) => gateway?.family)), new Set([4, 6]));
      assert.ok(defaults.filter((route) => route.gateway).every((route) => route.onlink));
      const addresses = (await suite.kernel.addresses(pod)).map((each) =>
        formatPrefix(each.address),
      );
      for (const expected of ["10.77.0.5/32", "fd77::5/128", "fe80::5/64"]) {
        assert.ok(addresses.includes(expected), `${expected} in ${addresses.join()}`);
      }
      const neighbours = await suite.kernel.neighbours(pod);
      assert.deepEqual(neighbours.map((each) => each.mac).filter(isHostMac), [
        "02:00:00:00:00:01",
        "02:00:00:00:00:01",
      ]);
      const hostLink = await suite.kernel.findLink(host);
      assert.equal(hostLink?.alias, "pod ü");
      assert.equal(hostLink?.up, true);
      const hostRoutes = (await suite.kernel.routes()).filter(
        (route) => route.ifindex === hostLink?.ifindex && route.table === 254,
      );
      assert.deepEqual(hostRoutes.map((route) => formatPrefix(route.destination)).sort(), [
        "10.77.0.5/32",
        "fd77::5/128",
      ]);
      await suite.kernel.removeLinks([host]);
      await suite.kernel.deleteNetns(pod);
    });

    it("gives no link-local address with addrGenMode 1", async () => {
      const netns = await suite.freshNetns();
      await apply(
        netns,
        veth("va", "vb"),
        { kind: "set-link", name: "va", up: true, addrGenMode: 1 },
        { kind: "set-link", name: "vb", up: true },
      );
      const { ifindex: a } = (await suite.kernel.findLink("va", netns)) ?? {};
      const { ifindex: b } = (await suite.kernel.findLink("vb", netns)) ?? {};
      await eventually(async () =>
        (await suite.kernel.addresses(netns)).some((each) => each.ifindex === b),
      );
      assert.ok(!(await suite.kernel.addresses(netns)).some((each) => each.ifindex === a));
      await suite.kernel.deleteNetns(netns);
    });

    it("sets MTU, MAC, alias, name and master of a link", async () => {
      const netns = await suite.freshNetns();
      await apply(netns, veth("va", "vb"), {
        kind: "add-link",
        name: "br",
        link: { type: "bridge" },
      });
      await apply(netns, {
        kind: "set-link",
        name: "va",
        rename: "vc",
        mtu: 1300,
        mac: "02:00:00:00:00:AA",
        alias: "x",
        master: "br",
        up: true,
        hairpin: true,
        isolated: true,
      });
      const bridge = await suite.kernel.findLink("br", netns);
      const link = await suite.kernel.findLink("vc", netns);
      assert.equal(await suite.kernel.findLink("va", netns), undefined);
      assert.equal(link?.mtu, 1300);
      assert.equal(link?.mac, "02:00:00:00:00:aa");
      assert.equal(link?.alias, "x");
      assert.equal(link?.masterIfindex, bridge?.ifindex);
      await apply(netns, { kind: "set-link", name: "vc", master: null, alias: "" });
      const released = await suite.kernel.findLink("vc", netns);
      assert.equal(released?.masterIfindex, undefined);
      assert.equal(released?.alias, "");
      await suite.kernel.deleteNetns(netns);
    });

    it("adds a link to its master in one operation", async () => {
      const netns = await suite.freshNetns();
      await apply(
        netns,
        { kind: "add-link", name: "br", link: { type: "bridge", ageingSeconds: 0 } },
        { ...veth("va", "vb"), master: "br" },
      );
      const bridge = await suite.kernel.findLink("br", netns);
      assert.equal(bridge?.type, "bridge");
      assert.equal((await suite.kernel.findLink("va", netns))?.masterIfindex, bridge?.ifindex);
      await suite.kernel.deleteNetns(netns);
    });

    it("moves a link to another namespace", async () => {
      const [from, to] = [await suite.freshNetns(), await suite.freshNetns()];
      await apply(from, veth("va", "vb"));
      await apply(from, { kind: "set-link", name: "vb", netns: to, rename: "eth9" });
      assert.equal(await suite.kernel.findLink("vb", from), undefined);
      assert.equal((await suite.kernel.findLink("eth9", to))?.type, "veth");
      await suite.kernel.deleteNetns(to);
      await eventually(async () => (await suite.kernel.findLink("va", from)) === undefined);
      await suite.kernel.deleteNetns(from);
    });

    it("makes a macvlan in another namespace", async () => {
      const [node, pod] = [await suite.freshNetns(), await suite.freshNetns()];
      const { ifindexes } = await apply(node, veth("va", "vb"), {
        kind: "add-link",
        name: "mv",
        mac: "02:00:00:00:00:07",
        link: { type: "macvlan", parent: "va", mode: "bridge", netns: pod },
      });
      assert.equal(ifindexes.size, 0);
      const link = await suite.kernel.findLink("mv", pod);
      assert.equal(link?.type, "macvlan");
      assert.equal(link?.mac, "02:00:00:00:00:07");
      assert.equal(link?.linkIfindex, (await suite.kernel.findLink("va", node))?.ifindex);
      await suite.kernel.removeLinks(["va"], node);
      assert.equal(await suite.kernel.findLink("mv", pod), undefined);
      for (const each of [node, pod]) await suite.kernel.deleteNetns(each);
    });

    it("makes a vxlan with forwarding entries", async () => {
      const netns = await suite.freshNetns();
      const flood = "00:00:00:00:00:00";
      const entry = (mac: string, remote: string): KernelOperation => ({
        kind: "add-neighbour",
        link: "vx",
        forwarding: true,
        mac,
        address: parseAddress(remote),
      });
      await apply(
        netns,
        veth("va", "vb"),
        { kind: "set-link", name: "va", up: true },
        { kind: "add-address", link: "va", address: parsePrefix("192.0.2.1/24") },
        {
          kind: "add-link",
          name: "vx",
          link: {
            type: "vxlan",
            vni: 7,
            port: 4789,
            parent: "va",
            local: parseAddress("192.0.2.1"),
            learning: false,
          },
        },
        entry(flood, "192.0.2.2"),
        entry(flood, "192.0.2.3"),
        entry("02:00:00:00:00:09", "192.0.2.3"),
      );
      const read = async () =>
        (await suite.kernel.neighbours(netns))
          .filter((each) => each.forwarding)
          .map((each) => `${each.mac} ${each.address.value & 0xffn}`)
          .sort();
      assert.deepEqual(await read(), [`${flood} 2`, `${flood} 3`, "02:00:00:00:00:09 3"]);
      assert.equal((await suite.kernel.findLink("vx", netns))?.mtu, 1450);
      const remove = {
        ...entry(flood, "192.0.2.2"),
        kind: "delete-neighbour",
      } as KernelOperation;
      await apply(netns, remove, remove);
      assert.deepEqual(await read(), [`${flood} 3`, "02:00:00:00:00:09 3"]);
      await suite.kernel.deleteNetns(netns);
    });

    it("writes a sysctl in the batch's namespace only", async () => {
      const [one, other] = [await suite.freshNetns(), await suite.freshNetns()];
      const path = ["net", "ipv4", "ip_forward"];
      const inNode = await suite.kernel.readSysctl(path);
      await apply(one, { kind: "set-sysctl", path, value: "1" });
      assert.equal(await suite.kernel.readSysctl(path, one), "1");
      assert.equal(await suite.kernel.readSysctl(path, other), "0");
      assert.equal(await suite.kernel.readSysctl(path), inNode);
      for (const each of [one, other]) await suite.kernel.deleteNetns(each);
    });

    it("keeps the order of sysctls and messages", async () => {
      const netns = await suite.freshNetns();
      const disable = (value: string): KernelOperation => ({
        kind: "set-sysctl",
        path: ["net", "ipv6", "conf", "va", "disable_ipv6"],
        value,
      });
      const address: KernelOperation = {
        kind: "add-address",
        link: "va",
        address: parsePrefix("fd00::1/64"),
      };
      await apply(netns, veth("va", "vb"), disable("1"));
      await assert.rejects(apply(netns, address), isKernelError("EACCES", "add-address"));
      await apply(netns, disable("0"), address, disable("1"));
      assert.deepEqual(await suite.kernel.addresses(netns), []);
      await suite.kernel.deleteNetns(netns);
    });

    it("adds connected and local routes with an address, and takes them away", async () => {
      const netns = await suite.freshNetns();
      await apply(
        netns,
        veth("va", "vb"),
        { kind: "set-link", name: "va", up: true, addrGenMode: 1 },
        { kind: "add-address", link: "va", address: parsePrefix("10.0.0.1/24") },
        {
          kind: "add-address",
          link: "va",
          address: parsePrefix("10.1.0.1/24"),
          noPrefixRoute: true,
        },
        { kind: "add-address", link: "va", address: parsePrefix("fd00::1/64") },
      );
      const texts = await routeTexts(netns);
      assert.ok(texts.includes("10.0.0.0/24 va 254"));
      assert.ok(texts.includes("10.0.0.1/32 va 255"));
      assert.ok(texts.includes("fd00::/64 va 254"));
      assert.ok(!texts.includes("10.1.0.0/24 va 254"));
      for (const text of ["10.0.0.1/24", "10.1.0.1/24", "fd00::1/64"]) {
        const address = parsePrefix(text);
        await apply(netns, { kind: "delete-address", link: "va", address });
        await apply(netns, { kind: "delete-address", link: "va", address });
        await assert.rejects(
          apply(netns, { kind: "delete-address", link: "va", address, missingOk: false }),
          isKernelError("EADDRNOTAVAIL", "delete-address"),
        );
      }
      assert.deepEqual(
        (await routeTexts(netns)).filter((text) => /^(10\.|fd00)/.test(text)),
        [],
      );
      await suite.kernel.deleteNetns(netns);
    });

    it("loses routes, neighbours and IPv6 addresses when the link goes down", async () => {
      const netns = await suite.freshNetns();
      await apply(netns, ...downSubject);
      await apply(netns, { kind: "set-link", name: "va", up: false });
      const texts = (await routeTexts(netns)).filter((text) => text.includes(" va 254"));
      assert.deepEqual(texts, []);
      const { ifindex } = (await suite.kernel.findLink("va", netns)) ?? {};
      const addresses = (await suite.kernel.addresses(netns)).filter(
        (each) => each.ifindex === ifindex,
      );
      assert.deepEqual(
        addresses.map((each) => formatPrefix(each.address)),
        ["10.0.0.1/24"],
      );
      assert.deepEqual(await suite.kernel.neighbours(netns), []);
      await suite.kernel.deleteNetns(netns);
    });

    it("keeps all fields of a route", async () => {
      const netns = await suite.freshNetns();
      await apply(
        netns,
        veth("va", "vb"),
        { kind: "set-link", name: "va", up: true, addrGenMode: 1 },
        { kind: "add-address", link: "va", address: parsePrefix("10.0.0.1/24") },
        { kind: "add-address", link: "va", address: parsePrefix("fd00::1/64") },
        ...[4, 6].map((family): KernelOperation => {
          const isV4 = family === 4;
          return {
            kind: "add-route",
            destination: parsePrefix(isV4 ? "10.9.0.0/16" : "fd09::/32"),
            gateway: parseAddress(isV4 ? "10.0.0.9" : "fd00::9"),
            link: "va",
            table: 1007,
            mtu: 1280,
            advmss: 1220,
            metric: 77,
            source: parseAddress(isV4 ? "10.0.0.1" : "fd00::1"),
          };
        }),
      );
      const routes = (await suite.kernel.routes(netns)).filter((route) => route.table === 1007);
      assert.equal(routes.length, 2);
      for (const route of routes) {
        assert.equal(route.mtu, 1280);
        assert.equal(route.advmss, 1220);
        assert.equal(route.metric, 77);
        assert.equal(route.protocol, 4);
        assert.equal(route.type, 1);
        assert.equal(route.onlink, false);
        assert.notEqual(route.source, undefined);
        assert.notEqual(route.gateway, undefined);
      }
      await suite.kernel.deleteNetns(netns);
    });

    it("replaces and keeps what exists", async () => {
      const netns = await suite.freshNetns();
      await apply(netns, ...downSubject);
      await apply(
        netns,
        ...downSubject.flatMap((operation): KernelOperation[] =>
          "ifExists" in operation || operation.kind.startsWith("add-")
            ? [{ ...operation, ifExists: "keep" } as KernelOperation]
            : [],
        ),
      );
      const destination = parsePrefix("10.8.0.0/16");
      const replace = "replace" as const;
      await apply(
        netns,
        { kind: "add-route", destination, link: "va", mtu: 1333, ifExists: replace },
        {
          kind: "add-neighbour",
          link: "va",
          address: parseAddress("10.0.0.5"),
          mac: "02:00:00:00:00:55",
          ifExists: replace,
        },
        {
          kind: "add-address",
          link: "va",
          address: parsePrefix("10.0.0.1/24"),
          ifExists: replace,
        },
      );
      const routes = (await suite.kernel.routes(netns)).filter(
        (route) => formatPrefix(route.destination) === "10.8.0.0/16",
      );
      assert.deepEqual(
        routes.map((route) => route.mtu),
        [1333],
      );
      const macs = (await suite.kernel.neighbours(netns)).map((each) => each.mac);
      assert.ok(macs.includes("02:00:00:00:00:55"));
      await suite.kernel.deleteNetns(netns);
    });

    it("answers with the ifindex of a link that is kept", async () => {
      const name = freshName();
      const add: KernelOperation = {
        kind: "add-link",
        name,
        link: { type: "bridge" },
        ifExists: "keep",
      };
      const first = await suite.kernel.apply([{ operations: [add] }]);
      const second = await suite.kernel.apply([{ operations: [add] }]);
      assert.equal(second.ifindexes.get(name), first.ifindexes.get(name));
      assert.equal(typeof first.ifindexes.get(name), "number");
      await suite.kernel.removeLinks([name]);
    });

    it("makes and removes proxy neighbours", async () => {
      const netns = await suite.freshNetns();
      const proxy = { link: "va", address: parseAddress("10.0.0.7"), proxy: true } as const;
      await apply(netns, veth("va", "vb"), { kind: "add-neighbour", ...proxy });
      const found = (await suite.kernel.neighbours(netns)).filter((each) => each.proxy);
      assert.deepEqual(
        found.map((each) => each.address),
        [proxy.address],
      );
      await apply(netns, { kind: "delete-neighbour", ...proxy });
      assert.deepEqual(await suite.kernel.neighbours(netns), []);
      await suite.kernel.deleteNetns(netns);
    });

    it("runs no batch after the one that failed, and keeps what ran before", async () => {
      const netns = await suite.freshNetns();
      const failing: KernelOperation = { kind: "set-link", name: "absent", up: true };
      await assert.rejects(
        suite.kernel.apply([
          { netns, operations: [veth("va", "vb"), failing] },
          { netns, operations: [{ kind: "add-link", name: "br", link: { type: "bridge" } }] },
        ]),
        isKernelError("ENODEV", "set-link"),
      );
      assert.notEqual(await suite.kernel.findLink("va", netns), undefined);
      assert.equal(await suite.kernel.findLink("br", netns), undefined);
      await suite.kernel.deleteNetns(netns);
    });

    it("sets VLAN filtering and access VLAN, or says EOPNOTSUPP", async () => {
      const netns = await suite.freshNetns();
      const bridge: KernelOperation = {
        kind: "add-link",
        name: "br",
        link: { type: "bridge", vlanFiltering: true },
      };
      const steps: KernelOperation[] = [bridge, { ...veth("va", "vb"), master: "br" }];
      try {
        await apply(netns, ...steps, { kind: "set-link", name: "va", accessVlan: 100 });
        await apply(netns, { kind: "set-link", name: "br", vlanFiltering: false });
      } catch (error) {
        // A kernel without CONFIG_BRIDGE_VLAN_FILTERING.
        assert.ok(isKernelError("EOPNOTSUPP", "add-link")(error));
      }
      await suite.kernel.deleteNetns(netns);
    });

    for (const { title, prepare, operation, code } of faultCases) {
      it(`answers ${code} ${title}`, async () => {
        const netns = await suite.freshNetns();
        if (prepare.length > 0) await apply(netns, ...prepare);
        await assert.rejects(apply(netns, operation), (error) => {
          assert.ok(error instanceof KernelError);
          assert.equal(error.code, code, error.message);
          assert.equal(error.operation, operation.kind);
          assert.ok(error.object.includes(netns), error.object);
          return true;
        });
        await suite.kernel.deleteNetns(netns);
      });
    }

    it("fails with ENOENT in an absent namespace", async () => {
      await assert.rejects(apply(suite.freshPath(), veth("va", "vb")), isKernelError("ENOENT"));
      await assert.rejects(suite.kernel.links(suite.freshPath()), isKernelError("ENOENT"));
      await assert.rejects(
        suite.kernel.apply([{ operations: [vethTo(freshName(), suite.freshPath())] }]),
        isKernelError("ENOENT", "add-link"),
      );
    });

    it("takes 100 calls at once", async () => {
      const pods = await Promise.all(Array.from({ length: 100 }, suite.freshNetns));
      const names = pods.map(() => freshName());
      await Promise.all(
        pods.map((pod, index) => suite.kernel.apply(attachBatches(names[index] ?? "", pod, index))),
      );
      for (const pod of pods) assert.equal((await suite.kernel.findLink("eth0", pod))?.up, true);
      await Promise.all(names.map((name) => suite.kernel.removeLinks([name])));
      const left = (await suite.kernel.links()).filter((link) => names.includes(link.name));
      assert.deepEqual(left, []);
      for (const pod of pods) await suite.kernel.deleteNetns(pod);
    });
  });
}
