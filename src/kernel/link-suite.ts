import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseAddress } from "../ip/address.ts";
import type { KernelOperation, MacvlanMode, NetnsPath } from "./kernel.ts";
import type { Suite } from "./kernel-suite.ts";
import { eventually, freshName, isKernelError, veth } from "./suite-operations.ts";

/** What every Kernel does with links that plugins move, and make on other links. */
export function linkSuite(suite: Suite): void {
  const apply = (netns: NetnsPath, ...operations: KernelOperation[]) =>
    suite.kernel.apply([{ netns, operations }]);
  const find = (name: string, netns?: NetnsPath) => suite.kernel.findLink(name, netns);

  describe("apply() of links", () => {
    it("moves a link home from another namespace, under a new name", async () => {
      const pod = await suite.freshNetns();
      const [name, other] = [freshName(), freshName()];
      await suite.kernel.apply([{ operations: [veth(name, other)] }]);
      const move = { kind: "set-link", name, netns: pod, rename: "net1", alias: "x" } as const;
      await suite.kernel.apply([{ operations: [move] }]);
      assert.equal(await find(name), undefined);
      assert.equal((await find("net1", pod))?.alias, "x");
      await apply(pod, { kind: "set-link", name: "net1", netns: null, rename: name });
      assert.equal(await find("net1", pod), undefined);
      assert.equal((await find(name))?.alias, "x");
      await suite.kernel.removeLinks([name]);
      await suite.kernel.deleteNetns(pod);
    });

    it("moves a link to where its old name is taken, when it gets a new one", async () => {
      const [from, to] = [await suite.freshNetns(), await suite.freshNetns()];
      await apply(from, veth("va", "vb"));
      await apply(to, veth("va", "vz"));
      const move = { kind: "set-link", name: "va", netns: to } as const;
      await assert.rejects(apply(from, move), isKernelError("EEXIST", "set-link"));
      await assert.rejects(
        apply(from, { ...move, rename: "vz" }),
        isKernelError("EEXIST", "set-link"),
      );
      assert.equal((await find("va", from))?.type, "veth");
      await apply(from, { ...move, rename: "vc" });
      const names = (await suite.kernel.links(to)).map((link) => link.name);
      assert.deepEqual(names.sort(), ["lo", "va", "vc", "vz"]);
      for (const each of [from, to]) await suite.kernel.deleteNetns(each);
    });

    it("leaves a moved link under its old name where the new one is taken", async () => {
      const [from, to] = [await suite.freshNetns(), await suite.freshNetns()];
      await apply(from, veth("va", "vb"));
      await apply(to, veth("vy", "vz"));
      const move = { kind: "set-link", name: "va", netns: to, rename: "vy" } as const;
      await assert.rejects(apply(from, move), isKernelError("EEXIST", "set-link"));
      assert.equal(await find("va", from), undefined);
      assert.equal((await find("va", to))?.type, "veth");
      for (const each of [from, to]) await suite.kernel.deleteNetns(each);
    });

    it("forgets how IPv6 was set on a link that moves", async () => {
      const [from, to] = [await suite.freshNetns(), await suite.freshNetns()];
      const up = { kind: "set-link", name: "va", up: true } as const;
      await apply(from, veth("va", "vb"), { ...up, addrGenMode: 1 }, { ...up, name: "vb" });
      await apply(from, { kind: "set-link", name: "va", netns: to });
      await apply(to, up);
      const ownOf = async () =>
        (await suite.kernel.addresses(to)).filter(({ address }) => address.family === 6);
      await eventually(async () => (await ownOf()).length === 1);
      for (const each of [from, to]) await suite.kernel.deleteNetns(each);
    });

    it("makes a macvlan of each mode, and tells which", async () => {
      const node = await suite.freshNetns();
      await apply(node, veth("va", "vb"));
      const parent = await find("va", node);
      for (const mode of ["private", "vepa", "bridge", "source", "passthru"] as MacvlanMode[]) {
        const mac = "02:00:00:00:00:07";
        const sourceMacs = mode === "source" ? { sourceMacs: ["02:00:00:00:00:08", mac] } : {};
        const link = { type: "macvlan", parent: "va", mode, ...sourceMacs } as const;
        await apply(node, { kind: "add-link", name: "mv", mac, link });
        const made = await find("mv", node);
        assert.equal(made?.macvlanMode, mode);
        assert.equal(made?.linkIfindex, parent?.ifindex);
        assert.equal(made?.mac, mode === "passthru" ? parent?.mac : mac, mode);
        await suite.kernel.removeLinks(["mv"], node);
      }
      const link = { type: "macvlan", parent: "va", mode: "bridge" } as const;
      const tooLarge = { kind: "add-link", name: "mv", mtu: 9000, link } as const;
      await assert.rejects(apply(node, tooLarge), isKernelError("EINVAL", "add-link"));
      const wrongMode = { ...link, sourceMacs: ["02:00:00:00:00:08"] };
      const wrong = { kind: "add-link", name: "mv", link: wrongMode } as const;
      await assert.rejects(apply(node, wrong), isKernelError("EINVAL", "add-link"));
      await suite.kernel.deleteNetns(node);
    });

    it("tells what a vxlan was made with", async () => {
      const node = await suite.freshNetns();
      const local = parseAddress("fd00::1");
      await apply(
        node,
        veth("va", "vb"),
        { kind: "add-link", name: "v1", link: { type: "vxlan", vni: 7, parent: "va" } },
        { kind: "add-link", name: "v2", link: { type: "vxlan", vni: 8, port: 8472, local } },
      );
      const parentIfindex = (await find("va", node))?.ifindex;
      assert.deepEqual((await find("v1", node))?.vxlan, { vni: 7, port: 4789, parentIfindex });
      assert.deepEqual((await find("v2", node))?.vxlan, { vni: 8, port: 8472, local });
      assert.equal((await find("va", node))?.vxlan, undefined);
      await suite.kernel.deleteNetns(node);
    });

    it("suppresses neighbour discovery on a bridge port, and on nothing else", async () => {
      const node = await suite.freshNetns();
      const suppress = { kind: "set-link", name: "va", neighSuppress: true } as const;
      await apply(node, veth("va", "vb"), {
        kind: "add-link",
        name: "br",
        link: { type: "bridge" },
      });
      await assert.rejects(apply(node, suppress), isKernelError("EOPNOTSUPP", "set-link"));
      await apply(node, { kind: "set-link", name: "va", master: "br" }, suppress);
      await suite.kernel.deleteNetns(node);
    });
  });
}
