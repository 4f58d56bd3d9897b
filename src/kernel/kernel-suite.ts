import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { formatPrefix, parseAddress, parsePrefix } from "../ip/address.ts";
import type { Kernel, KernelEvent, KernelOperation, NetnsPath } from "./kernel.ts";
import { KernelError } from "./kernel-error.ts";
import { faultCases } from "./kernel-suite-faults.ts";

export interface SuiteSubject {
  readonly kernel: Kernel;
  /** A path where nothing is yet. */
  freshPath(): NetnsPath;
}

/** What every Kernel does. Each test has namespaces and link names of its own. */
export function kernelSuite(
  name: string,
  options: {
    setup(): Promise<SuiteSubject>;
    teardown(subject: SuiteSubject): Promise<void>;
    /** Why nothing can be tried here. */
    readonly skip?: string | false;
  },
): void {
  describe(name, { skip: options.skip ?? false }, () => {
    let subject: SuiteSubject;
    let kernel: Kernel;
    before(async () => {
      subject = await options.setup();
      kernel = subject.kernel;
    });
    after(async () => options.teardown(subject));

    const freshNetns = async (): Promise<NetnsPath> => {
      const path = subject.freshPath();
      await kernel.createNetns(path);
      return path;
    };
    const apply = (netns: NetnsPath, ...operations: KernelOperation[]) =>
      kernel.apply([{ netns, operations }]);
    const routeTexts = async (netns: NetnsPath): Promise<string[]> => {
      const links = await kernel.links(netns);
      const nameOf = (ifindex: number | undefined) =>
        links.find((link) => link.ifindex === ifindex)?.name;
      return (await kernel.routes(netns)).map(
        (route) => `${formatPrefix(route.destination)} ${nameOf(route.ifindex)} ${route.table}`,
      );
    };

    describe("apply()", () => {
      it("makes a veth with its peer in the pod and answers with the ifindex", async () => {
        const pod = await freshNetns();
        const host = freshName();
        const { ifindexes } = await kernel.apply([{ operations: [vethTo(host, pod)] }]);
        const hostLink = await kernel.findLink(host);
        const podLink = await kernel.findLink("eth0", pod);
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
        await kernel.removeLinks([host]);
        assert.equal(await kernel.findLink("eth0", pod), undefined);
        await kernel.deleteNetns(pod);
      });

      it("attaches a dual-stack pod in two batches", async () => {
        const pod = await freshNetns();
        const host = freshName();
        await kernel.apply(attachBatches(host, pod));
        const podRoutes = await kernel.routes(pod);
        const defaults = podRoutes.filter((route) => route.destination.prefixLength === 0);
        const gateways = defaults.map((route) => route.gateway).filter(Boolean);
        assert.deepEqual(gateways.map((gateway) => gateway?.family).sort(), [4, 6]);
        assert.ok(defaults.filter((route) => route.gateway).every((route) => route.onlink));
        const addresses = (await kernel.addresses(pod)).map((each) => formatPrefix(each.address));
        for (const expected of ["10.77.0.5/32", "fd77::5/128", "fe80::5/64"]) {
          assert.ok(addresses.includes(expected), `${expected} in ${addresses.join()}`);
        }
        const neighbours = await kernel.neighbours(pod);
        assert.deepEqual(neighbours.map((each) => each.mac).filter(isHostMac), [
          "02:00:00:00:00:01",
          "02:00:00:00:00:01",
        ]);
        const hostLink = await kernel.findLink(host);
        assert.equal(hostLink?.alias, "pod ü");
        assert.equal(hostLink?.up, true);
        const hostRoutes = (await kernel.routes()).filter(
          (route) => route.ifindex === hostLink?.ifindex && route.table === 254,
        );
        assert.deepEqual(hostRoutes.map((route) => formatPrefix(route.destination)).sort(), [
          "10.77.0.5/32",
          "fd77::5/128",
        ]);
        await kernel.removeLinks([host]);
        await kernel.deleteNetns(pod);
      });

      it("gives no link-local address with addrGenMode 1", async () => {
        const netns = await freshNetns();
        await apply(
          netns,
          veth("va", "vb"),
          { kind: "set-link", name: "va", up: true, addrGenMode: 1 },
          { kind: "set-link", name: "vb", up: true },
        );
        const { ifindex: a } = (await kernel.findLink("va", netns)) ?? {};
        const { ifindex: b } = (await kernel.findLink("vb", netns)) ?? {};
        await eventually(async () =>
          (await kernel.addresses(netns)).some((each) => each.ifindex === b),
        );
        assert.ok(!(await kernel.addresses(netns)).some((each) => each.ifindex === a));
        await kernel.deleteNetns(netns);
      });

      it("sets MTU, MAC, alias, name and master of a link", async () => {
        const netns = await freshNetns();
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
        const bridge = await kernel.findLink("br", netns);
        const link = await kernel.findLink("vc", netns);
        assert.equal(await kernel.findLink("va", netns), undefined);
        assert.equal(link?.mtu, 1300);
        assert.equal(link?.mac, "02:00:00:00:00:aa");
        assert.equal(link?.alias, "x");
        assert.equal(link?.masterIfindex, bridge?.ifindex);
        await apply(netns, { kind: "set-link", name: "vc", master: null, alias: "" });
        const released = await kernel.findLink("vc", netns);
        assert.equal(released?.masterIfindex, undefined);
        assert.equal(released?.alias, "");
        await kernel.deleteNetns(netns);
      });

      it("adds a link to its master in one operation", async () => {
        const netns = await freshNetns();
        await apply(
          netns,
          { kind: "add-link", name: "br", link: { type: "bridge", ageingSeconds: 0 } },
          { ...veth("va", "vb"), master: "br" },
        );
        const bridge = await kernel.findLink("br", netns);
        assert.equal(bridge?.type, "bridge");
        assert.equal((await kernel.findLink("va", netns))?.masterIfindex, bridge?.ifindex);
        await kernel.deleteNetns(netns);
      });

      it("moves a link to another namespace", async () => {
        const [from, to] = [await freshNetns(), await freshNetns()];
        await apply(from, veth("va", "vb"));
        await apply(from, { kind: "set-link", name: "vb", netns: to, rename: "eth9" });
        assert.equal(await kernel.findLink("vb", from), undefined);
        assert.equal((await kernel.findLink("eth9", to))?.type, "veth");
        await kernel.deleteNetns(to);
        await eventually(async () => (await kernel.findLink("va", from)) === undefined);
        await kernel.deleteNetns(from);
      });

      it("makes a macvlan in another namespace", async () => {
        const [node, pod] = [await freshNetns(), await freshNetns()];
        const { ifindexes } = await apply(node, veth("va", "vb"), {
          kind: "add-link",
          name: "mv",
          mac: "02:00:00:00:00:07",
          link: { type: "macvlan", parent: "va", mode: "bridge", netns: pod },
        });
        assert.equal(ifindexes.size, 0);
        const link = await kernel.findLink("mv", pod);
        assert.equal(link?.type, "macvlan");
        assert.equal(link?.mac, "02:00:00:00:00:07");
        assert.equal(link?.linkIfindex, (await kernel.findLink("va", node))?.ifindex);
        await kernel.removeLinks(["va"], node);
        assert.equal(await kernel.findLink("mv", pod), undefined);
        for (const each of [node, pod]) await kernel.deleteNetns(each);
      });

      it("makes a vxlan with forwarding entries", async () => {
        const netns = await freshNetns();
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
          (await kernel.neighbours(netns))
            .filter((each) => each.forwarding)
            .map((each) => `${each.mac} ${each.address.value & 0xffn}`)
            .sort();
        assert.deepEqual(await read(), [`${flood} 2`, `${flood} 3`, "02:00:00:00:00:09 3"]);
        assert.equal((await kernel.findLink("vx", netns))?.mtu, 1450);
        const remove = {
          ...entry(flood, "192.0.2.2"),
          kind: "delete-neighbour",
        } as KernelOperation;
        await apply(netns, remove, remove);
        assert.deepEqual(await read(), [`${flood} 3`, "02:00:00:00:00:09 3"]);
        await kernel.deleteNetns(netns);
      });

      it("writes a sysctl in the batch's namespace only", async () => {
        const [one, other] = [await freshNetns(), await freshNetns()];
        const path = ["net", "ipv4", "ip_forward"];
        const inNode = await kernel.readSysctl(path);
        await apply(one, { kind: "set-sysctl", path, value: "1" });
        assert.equal(await kernel.readSysctl(path, one), "1");
        assert.equal(await kernel.readSysctl(path, other), "0");
        assert.equal(await kernel.readSysctl(path), inNode);
        for (const each of [one, other]) await kernel.deleteNetns(each);
      });

      it("keeps the order of sysctls and messages", async () => {
        const netns = await freshNetns();
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
        assert.deepEqual(await kernel.addresses(netns), []);
        await kernel.deleteNetns(netns);
      });

      it("adds connected and local routes with an address, and takes them away", async () => {
        const netns = await freshNetns();
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
        await kernel.deleteNetns(netns);
      });

      it("loses routes, neighbours and IPv6 addresses when the link goes down", async () => {
        const netns = await freshNetns();
        await apply(netns, ...downSubject);
        await apply(netns, { kind: "set-link", name: "va", up: false });
        const texts = (await routeTexts(netns)).filter((text) => text.includes(" va 254"));
        assert.deepEqual(texts, []);
        const { ifindex } = (await kernel.findLink("va", netns)) ?? {};
        const addresses = (await kernel.addresses(netns)).filter(
          (each) => each.ifindex === ifindex,
        );
        assert.deepEqual(
          addresses.map((each) => formatPrefix(each.address)),
          ["10.0.0.1/24"],
        );
        assert.deepEqual(await kernel.neighbours(netns), []);
        await kernel.deleteNetns(netns);
      });

      it("keeps all fields of a route", async () => {
        const netns = await freshNetns();
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
        const routes = (await kernel.routes(netns)).filter((route) => route.table === 1007);
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
        await kernel.deleteNetns(netns);
      });

      it("replaces and keeps what exists", async () => {
        const netns = await freshNetns();
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
        const routes = (await kernel.routes(netns)).filter(
          (route) => formatPrefix(route.destination) === "10.8.0.0/16",
        );
        assert.deepEqual(
          routes.map((route) => route.mtu),
          [1333],
        );
        const macs = (await kernel.neighbours(netns)).map((each) => each.mac);
        assert.ok(macs.includes("02:00:00:00:00:55"));
        await kernel.deleteNetns(netns);
      });

      it("answers with the ifindex of a link that is kept", async () => {
        const name = freshName();
        const add: KernelOperation = {
          kind: "add-link",
          name,
          link: { type: "bridge" },
          ifExists: "keep",
        };
        const first = await kernel.apply([{ operations: [add] }]);
        const second = await kernel.apply([{ operations: [add] }]);
        assert.equal(second.ifindexes.get(name), first.ifindexes.get(name));
        assert.equal(typeof first.ifindexes.get(name), "number");
        await kernel.removeLinks([name]);
      });

      it("makes and removes proxy neighbours", async () => {
        const netns = await freshNetns();
        const proxy = { link: "va", address: parseAddress("10.0.0.7"), proxy: true } as const;
        await apply(netns, veth("va", "vb"), { kind: "add-neighbour", ...proxy });
        const found = (await kernel.neighbours(netns)).filter((each) => each.proxy);
        assert.deepEqual(
          found.map((each) => each.address),
          [proxy.address],
        );
        await apply(netns, { kind: "delete-neighbour", ...proxy });
        assert.deepEqual(await kernel.neighbours(netns), []);
        await kernel.deleteNetns(netns);
      });

      it("runs no batch after the one that failed, and keeps what ran before", async () => {
        const netns = await freshNetns();
        const failing: KernelOperation = { kind: "set-link", name: "absent", up: true };
        await assert.rejects(
          kernel.apply([
            { netns, operations: [veth("va", "vb"), failing] },
            { netns, operations: [{ kind: "add-link", name: "br", link: { type: "bridge" } }] },
          ]),
          isKernelError("ENODEV", "set-link"),
        );
        assert.notEqual(await kernel.findLink("va", netns), undefined);
        assert.equal(await kernel.findLink("br", netns), undefined);
        await kernel.deleteNetns(netns);
      });

      it("sets VLAN filtering and access VLAN, or says EOPNOTSUPP", async () => {
        const netns = await freshNetns();
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
        await kernel.deleteNetns(netns);
      });

      for (const { title, prepare, operation, code } of faultCases) {
        it(`answers ${code} ${title}`, async () => {
          const netns = await freshNetns();
          if (prepare.length > 0) await apply(netns, ...prepare);
          await assert.rejects(apply(netns, operation), (error) => {
            assert.ok(error instanceof KernelError);
            assert.equal(error.code, code, error.message);
            assert.equal(error.operation, operation.kind);
            assert.ok(error.object.includes(netns), error.object);
            return true;
          });
          await kernel.deleteNetns(netns);
        });
      }

      it("fails with ENOENT in an absent namespace", async () => {
        await assert.rejects(apply(subject.freshPath(), veth("va", "vb")), isKernelError("ENOENT"));
        await assert.rejects(kernel.links(subject.freshPath()), isKernelError("ENOENT"));
        await assert.rejects(
          kernel.apply([{ operations: [vethTo(freshName(), subject.freshPath())] }]),
          isKernelError("ENOENT", "add-link"),
        );
      });

      it("takes 100 calls at once", async () => {
        const pods = await Promise.all(Array.from({ length: 100 }, freshNetns));
        const names = pods.map(() => freshName());
        await Promise.all(
          pods.map((pod, index) => kernel.apply(attachBatches(names[index] ?? "", pod, index))),
        );
        for (const pod of pods) assert.equal((await kernel.findLink("eth0", pod))?.up, true);
        await Promise.all(names.map((name) => kernel.removeLinks([name])));
        const left = (await kernel.links()).filter((link) => names.includes(link.name));
        assert.deepEqual(left, []);
        for (const pod of pods) await kernel.deleteNetns(pod);
      });
    });

    describe("removeLinks()", () => {
      it("removes several links, absent ones included", async () => {
        const netns = await freshNetns();
        await apply(netns, veth("va", "vb"), veth("vc", "vd"));
        await kernel.removeLinks(["va", "absent", "vc", "vd"], netns);
        assert.deepEqual(
          (await kernel.links(netns)).map((link) => link.name),
          ["lo"],
        );
        await kernel.removeLinks(["va"], netns);
        await kernel.removeLinks([], netns);
        await kernel.deleteNetns(netns);
        await kernel.removeLinks(["va"], netns);
      });

      it("removes the rest when one cannot be removed", async () => {
        const netns = await freshNetns();
        await apply(netns, veth("va", "vb"));
        const lo = kernel.removeLinks(["lo"], netns);
        const va = kernel.removeLinks(["va"], netns);
        await assert.rejects(lo, isKernelError("EOPNOTSUPP", "remove-link"));
        await va;
        assert.deepEqual(
          (await kernel.links(netns)).map((link) => [link.name, link.group]),
          [["lo", 0]],
        );
        await kernel.deleteNetns(netns);
      });
    });

    describe("createNetns()", () => {
      it("makes a namespace with an identity of its own, and refuses to do so twice", async () => {
        const path = subject.freshPath();
        assert.equal(await kernel.netnsIdentity(path), undefined);
        await kernel.createNetns(path);
        const identity = await kernel.netnsIdentity(path);
        assert.equal(typeof identity?.inode, "bigint");
        await assert.rejects(kernel.createNetns(path), isKernelError("EEXIST", "create-netns"));
        const links = await kernel.links(path);
        assert.deepEqual(
          links.map((link) => [link.name, link.ifindex, link.up]),
          [["lo", 1, false]],
        );
        await kernel.deleteNetns(path);
        assert.equal(await kernel.netnsIdentity(path), undefined);
        await kernel.deleteNetns(path);
      });
    });

    describe("deleteNetns()", () => {
      it("takes the other end of a veth along", async () => {
        const pod = await freshNetns();
        const host = freshName();
        await kernel.apply([{ operations: [vethTo(host, pod)] }]);
        await kernel.deleteNetns(pod);
        await eventually(async () => (await kernel.findLink(host)) === undefined);
      });
    });

    describe("monitor()", () => {
      it("tells of links, addresses and routes of the node until it is stopped", async () => {
        const events: KernelEvent[] = [];
        const stop = await kernel.monitor((event) => events.push(event));
        const name = freshName();
        await kernel.apply([
          {
            operations: [
              { kind: "add-link", name, link: { type: "bridge" } },
              { kind: "set-link", name, up: true },
              { kind: "add-address", link: name, address: parsePrefix("10.66.0.1/24") },
            ],
          },
        ]);
        await kernel.removeLinks([name]);
        const seen = (kind: string, change: string) =>
          events.some(
            (event) => event.kind === kind && "change" in event && event.change === change,
          );
        await eventually(async () => seen("link", "deleted"));
        for (const kind of ["link", "address", "route"]) assert.ok(seen(kind, "new"), kind);
        const made = events.find((event) => event.kind === "link" && event.link.name === name);
        assert.ok(made?.kind === "link" && made.link.type === "bridge");
        await stop();
        await stop();
        const count = events.length;
        const other = freshName();
        await kernel.apply([
          { operations: [{ kind: "add-link", name: other, link: { type: "bridge" } }] },
        ]);
        await kernel.removeLinks([other]);
        assert.equal(events.length, count);
      });
    });

    describe("readSysctl()", () => {
      it("refuses paths outside of net", async () => {
        for (const path of [
          ["kernel", "hostname"],
          ["net", ".."],
          ["net", "a/b"],
          ["net", ""],
          ["net"],
        ]) {
          await assert.rejects(kernel.readSysctl(path), isKernelError("EINVAL"), path.join());
        }
        await assert.rejects(
          kernel.readSysctl(["net", "ipv4", "conf", "absent", "forwarding"]),
          isKernelError("ENOENT", "read-sysctl"),
        );
      });
    });
  });
}

let names = 0;
function freshName(): string {
  return `suite${process.pid % 1000}x${names++}`;
}

function veth(name: string, peer: string): KernelOperation & { kind: "add-link" } {
  return { kind: "add-link", name, link: { type: "veth", peer: { name: peer } } };
}

function vethTo(name: string, netns: NetnsPath): KernelOperation {
  const peer = { name: "eth0", netns, mac: "06:00:00:00:00:01", mtu: 1400 };
  return {
    kind: "add-link",
    name,
    mtu: 1400,
    mac: "02:00:00:00:00:01",
    link: { type: "veth", peer },
  };
}

/** What the `routed` plugin does for a pod. */
function attachBatches(host: string, pod: NetnsPath, index = 0) {
  const pod4 = parsePrefix(`10.77.${index}.5/32`);
  const pod6 = parsePrefix(`fd77:${index}::5/128`.replace(":0::", "::"));
  const gateway4 = parseAddress("169.254.1.1");
  const gateway6 = parseAddress("fe80::1");
  const mac = "02:00:00:00:00:01";
  const podMac = "06:00:00:00:00:01";
  const hostOperations: KernelOperation[] = [
    vethTo(host, pod),
    { kind: "set-link", name: host, up: true, alias: "pod ü", addrGenMode: 1 },
    { kind: "add-route", destination: pod4, link: host, scope: "link" },
    { kind: "add-route", destination: pod6, link: host, scope: "link" },
    { kind: "add-neighbour", link: host, address: pod4, mac: podMac },
    { kind: "add-neighbour", link: host, address: pod6, mac: podMac },
  ];
  const link = "eth0";
  const podOperations: KernelOperation[] = [
    { kind: "set-link", name: "lo", up: true },
    { kind: "set-link", name: link, up: true, addrGenMode: 1 },
    { kind: "add-address", link, address: pod4 },
    { kind: "add-address", link, address: pod6 },
    { kind: "add-address", link, address: parsePrefix("fe80::5/64"), scope: "link" },
    { kind: "add-neighbour", link, address: gateway4, mac },
    { kind: "add-neighbour", link, address: gateway6, mac },
    {
      kind: "add-route",
      destination: parsePrefix("0.0.0.0/0"),
      gateway: gateway4,
      link,
      onlink: true,
    },
    { kind: "add-route", destination: parsePrefix("::/0"), gateway: gateway6, link, onlink: true },
  ];
  return [{ operations: hostOperations }, { netns: pod, operations: podOperations }];
}

const downSubject: readonly KernelOperation[] = [
  veth("va", "vb"),
  { kind: "set-link", name: "va", up: true, addrGenMode: 1 },
  { kind: "add-address", link: "va", address: parsePrefix("10.0.0.1/24") },
  { kind: "add-address", link: "va", address: parsePrefix("fd00::1/64") },
  { kind: "add-route", destination: parsePrefix("10.8.0.0/16"), link: "va" },
  { kind: "add-route", destination: parsePrefix("fd08::/16"), link: "va" },
  {
    kind: "add-neighbour",
    link: "va",
    address: parseAddress("10.0.0.5"),
    mac: "02:00:00:00:00:05",
  },
];

function isKernelError(code: string, operation?: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof KernelError, String(error));
    assert.equal(error.code, code, error.message);
    if (operation !== undefined) assert.equal(error.operation, operation);
    return true;
  };
}

function isHostMac(mac: string): boolean {
  return mac.startsWith("02:");
}

/** Waits for what the kernel does in its own time: carrier, freed namespaces. */
export async function eventually(
  condition: () => Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `Still not so after ${deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
