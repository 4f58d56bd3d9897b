import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FakeKernel } from "../kernel/fake-kernel.ts";
import { FakeNftables } from "../kernel/fake-nftables.ts";
import type { KernelOperation } from "../kernel/kernel.ts";
import { formatSegmentAlias, macOfName } from "../plugin-sdk/link-names.ts";
import { planMasquerade } from "../plugin-sdk/masquerade.ts";
import { removeNodeTraces, removeServiceTables } from "./node-traces.ts";

test("removeNodeTraces() removes what is ours and leaves what others use", async () => {
  const folder = mkdtempSync(join(tmpdir(), "patchbay-traces-"));
  const kernel = new FakeKernel();
  const nftables = new FakeNftables();
  // Its tables outlive the command that closes it.
  kernel.close = async () => {};
  const lockNode = async () => ({ close: async () => {} });
  const world = { openKernel: async () => kernel, nftables, lockNode };
  const bridge = { type: "bridge" } as const;
  try {
    const conflist = join(folder, "10-patchbay.conflist");
    const plugins = [{ type: "patchbay", plugin: "bridge", bridge: "pbt0" }];
    writeFileSync(conflist, JSON.stringify({ name: "traces", plugins }));
    const own = planMasquerade("traces", ["10.1.0.0/16"]);
    await nftables.load(own.ruleset);
    await nftables.load(planMasquerade("others", ["10.2.0.0/16"]).ruleset);
    await kernel.apply([
      {
        operations: [
          { kind: "add-link", name: "patchbay0", link: bridge },
          // In use: a port is left.
          { kind: "add-link", name: "pbt0", link: bridge, mac: macOfName("pbt0") },
          {
            kind: "add-link",
            name: "port0",
            link: { type: "veth", peer: { name: "peer0" } },
            master: "pbt0",
          },
          // Another's bridge: no name that the conflist has.
          { kind: "add-link", name: "pbt1", link: bridge, mac: macOfName("pbt1") },
        ],
      },
    ]);
    const pod = { kind: "set-link", name: "port0" } as const;
    await kernel.apply([{ operations: [{ ...pod, alias: "patchbay:routed@1:net:id" }] }]);
    assert.deepEqual(await removeNodeTraces(conflist, world), [], "another host has a pod here");
    await kernel.apply([{ operations: [{ ...pod, alias: "" }] }]);
    const table = `nftables table inet ${own.name}`;
    assert.deepEqual(await removeNodeTraces(conflist, world), [table, "link patchbay0"]);
    const left = (await kernel.links()).map((link) => link.name);
    assert.deepEqual(
      left.toSorted((one, other) => one.localeCompare(other)),
      ["lo", "pbt0", "pbt1", "peer0", "port0"],
    );
    assert.ok(nftables.toString().includes("10.2.0.0/16"));
    assert.deepEqual(await removeNodeTraces(join(folder, "absent"), world), []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("removeNodeTraces() removes segments of overlays with their bridges, unless something else is on those", async () => {
  const folder = mkdtempSync(join(tmpdir(), "patchbay-traces-"));
  const kernel = new FakeKernel();
  kernel.close = async () => {};
  const lockNode = async () => ({ close: async () => {} });
  const world = { openKernel: async () => kernel, nftables: new FakeNftables(), lockNode };
  try {
    const conflist = join(folder, "10-patchbay.conflist");
    writeFileSync(conflist, JSON.stringify({ name: "traces", plugins: [] }));
    const add = (vni: number): KernelOperation[] => [
      { kind: "add-link", name: `vxbr${vni}`, link: { type: "bridge" } },
      { kind: "add-link", name: `vxlan${vni}`, link: { type: "vxlan", vni }, master: `vxbr${vni}` },
      {
        kind: "set-link",
        name: `vxlan${vni}`,
        alias: formatSegmentAlias({ plugin: "vxlan", network: `prod/${vni}` }),
      },
    ];
    const link = { type: "veth", peer: { name: "peer0" } } as const;
    const port: KernelOperation = { kind: "add-link", name: "port0", link, master: "vxbr8" };
    const foreign: KernelOperation = {
      kind: "add-link",
      name: "flannel.1",
      link: { type: "vxlan", vni: 1 },
    };
    await kernel.apply([{ operations: [...add(7), ...add(8), port, foreign] }]);
    assert.deepEqual((await removeNodeTraces(conflist, world)).toSorted(), [
      "link vxbr7",
      "link vxlan7",
      "link vxlan8",
    ]);
    assert.ok(await kernel.findLink("flannel.1"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("removeServiceTables() takes the tables of Services away when no host runs", async () => {
  const nftables = new FakeNftables();
  await nftables.load("table ip patchbay-services {\n}\ntable ip other {\n}\n");
  let closed = 0;
  const world = {
    openKernel: async () => new FakeKernel(),
    nftables,
    lockNode: async () => ({ close: async () => void closed++ }),
  };
  const taken = { ...world, lockNode: async () => Promise.reject(new Error("a host runs")) };
  assert.deepEqual(await removeServiceTables(taken), []);
  assert.deepEqual(await removeServiceTables(world), ["nftables table ip patchbay-services"]);
  assert.equal(closed, 1);
  assert.match(nftables.toString(), /^table ip other/);
  assert.deepEqual(await removeServiceTables(world), []);
});
