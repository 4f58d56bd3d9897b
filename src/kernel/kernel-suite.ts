import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { parsePrefix } from "../ip/address.ts";
import type { Kernel, KernelEvent, KernelOperation, NetnsPath } from "./kernel.ts";
import { applySuite } from "./apply-suite.ts";
import { linkSuite } from "./link-suite.ts";
import { trafficSuite } from "./traffic-suite.ts";
import { eventually, freshName, isKernelError, veth, vethTo } from "./suite-operations.ts";

export interface SuiteSubject {
  readonly kernel: Kernel;
  /** A path where nothing is yet. */
  freshPath(): NetnsPath;
}

/** What the parts of the suite share; `kernel` is there once a test runs. */
export interface Suite {
  readonly kernel: Kernel;
  readonly freshPath: () => NetnsPath;
  readonly freshNetns: () => Promise<NetnsPath>;
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
    const apply = (netns: NetnsPath, ...operations: KernelOperation[]): Promise<unknown> =>
      kernel.apply([{ netns, operations }]);

    applySuite({
      get kernel() {
        return kernel;
      },
      freshPath: () => subject.freshPath(),
      freshNetns,
    });

    linkSuite({
      get kernel() {
        return kernel;
      },
      freshPath: () => subject.freshPath(),
      freshNetns,
    });

    trafficSuite({
      get kernel() {
        return kernel;
      },
      freshPath: () => subject.freshPath(),
      freshNetns,
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

      it("tells each listener of what it wants, whoever comes later wants more", async () => {
        const ofLinks: KernelEvent[] = [];
        const ofAll: KernelEvent[] = [];
        const stopLinks = await kernel.monitor((event) => ofLinks.push(event), ["link"]);
        const stopAll = await kernel.monitor((event) => ofAll.push(event));
        const name = freshName();
        await kernel.apply([
          {
            operations: [
              { kind: "add-link", name, link: { type: "bridge" } },
              { kind: "add-address", link: name, address: parsePrefix("10.67.0.1/24") },
            ],
          },
        ]);
        await eventually(async () => ofAll.some((event) => event.kind === "address"));
        const isOfIt = (event: KernelEvent) => event.kind === "link" && event.link.name === name;
        await eventually(async () => ofLinks.some(isOfIt) && ofAll.some(isOfIt));
        assert.ok(ofLinks.every(({ kind }) => kind === "link" || kind === "resync"));
        await kernel.removeLinks([name]);
        await stopLinks();
        await stopAll();
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
